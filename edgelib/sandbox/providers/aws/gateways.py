"""Gateways of a VPC: aws:ec2/internetGateway:InternetGateway and aws:ec2/carrierGateway:CarrierGateway."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Mapping
from typing import Any

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.session import AwsSession, is_missing
from edgelib.sandbox.providers.properties import Property, outputs
from edgelib.sandbox.providers.resource import Request
from edgelib.sandbox.providers.values import list_of, mapping_of


def _attached_to(item: Mapping[str, Any]) -> str:
    attachments = list_of(item.get("Attachments"))
    return attachments[0].get("VpcId", "") if attachments else ""


class InternetGateway(Ec2Object):
    """Attached to `vpcId` if it is given; another VPC moves it."""

    token = "aws:ec2/internetGateway:InternetGateway"  # noqa: S105 - a type token
    api = Api(
        noun="internet-gateway", create="create_internet_gateway", created="InternetGateway.InternetGatewayId",
        describe="describe_internet_gateways", listed="InternetGateways", id="InternetGatewayId",
        delete="delete_internet_gateway",
    )  # fmt: skip
    properties = (Property(name="vpcId", computed=True), *outputs("arn", "ownerId"), *TAGS, REGION)

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """Attach it to the wanted VPC and to no other."""
        wanted = inputs.get("vpcId")
        client = self.client(request.session, inputs)
        attached = self._attached(client, id)
        if wanted is None or attached == wanted:
            return
        if attached:
            client.detach_internet_gateway(InternetGatewayId=id, VpcId=attached)
        try:
            client.attach_internet_gateway(InternetGatewayId=id, VpcId=wanted)
        except Exception:
            if self._attached(client, id) != wanted:  # the answer to the first of several attempts may be lost
                raise

    def _attached(self, client: Any, id: str) -> str:
        return _attached_to(mapping_of(self.item(client, id)))

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The VPC that it is attached to."""
        return {"vpcId": _attached_to(item)}

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Detach first."""
        attached = self._attached(client, id)
        if attached:
            try:
                client.detach_internet_gateway(InternetGatewayId=id, VpcId=attached)
            except Exception as error:
                if not is_missing(error) and self._attached(client, id):
                    raise
        super().remove(client, id, state)


class CarrierGateway(Ec2Object):
    """One per VPC, for its Wavelength subnets."""

    token = "aws:ec2/carrierGateway:CarrierGateway"  # noqa: S105 - a type token
    api = Api(
        noun="carrier-gateway", create="create_carrier_gateway", created="CarrierGateway.CarrierGatewayId",
        describe="describe_carrier_gateways", listed="CarrierGateways", id="CarrierGatewayId",
        delete="delete_carrier_gateway", polled="available",
    )  # fmt: skip
    sent = ("vpcId",)
    properties = (Property(name="vpcId", required=True, replaces=True), *outputs("arn", "ownerId"), *TAGS, REGION)
