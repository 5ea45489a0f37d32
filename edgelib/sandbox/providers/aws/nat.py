"""aws:ec2/natGateway:NatGateway."""
# ruff: noqa: ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.session import AwsSession
from edgelib.sandbox.providers.properties import Failure, Property, outputs
from edgelib.sandbox.providers.values import list_of, mapping_of


class NatGateway(Ec2Object):
    """Zonal, with one address. Regional NAT gateways and secondary addresses are not implemented."""

    token = "aws:ec2/natGateway:NatGateway"  # noqa: S105 - a type token
    api = Api(
        noun="natgateway", create="create_nat_gateway", created="NatGateway.NatGatewayId",
        describe="describe_nat_gateways", listed="NatGateways", id="NatGatewayId", delete="delete_nat_gateway",
        ready="nat_gateway_available", gone="nat_gateway_deleted",
    )  # fmt: skip
    sent = ("subnetId", "allocationId", "connectivityType", "privateIp")
    remote: ClassVar[Mapping[str, str]] = {"privateIp": "PrivateIpAddress"}
    properties = (
        Property(name="subnetId", required=True, replaces=True),
        Property(name="allocationId", replaces=True),
        Property(name="connectivityType", default="public", replaces=True, allowed=("public", "private")),
        Property(name="privateIp", computed=True, replaces=True),
        *outputs("associationId", "networkInterfaceId", "publicIp"),
        *TAGS, REGION,
    )  # fmt: skip

    def check(self, session: AwsSession, inputs: Mapping[str, Any]) -> Iterable[Failure]:
        """A public one needs an address and a private one takes none."""
        public = inputs.get("connectivityType") == "public"
        if public != ("allocationId" in inputs):
            reason = (
                "is required when connectivityType is public"
                if public
                else "cannot be set when connectivityType is private"
            )
            yield Failure("allocationId", f"{self.token}.allocationId {reason}")

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What its first address says."""
        address = mapping_of(next(iter(list_of(item.get("NatGatewayAddresses"))), None))
        return {
            "allocationId": address.get("AllocationId", ""),
            "associationId": address.get("AssociationId", ""),
            "networkInterfaceId": address.get("NetworkInterfaceId", ""),
            "privateIp": address.get("PrivateIp", ""),
            "publicIp": address.get("PublicIp", ""),
        }
