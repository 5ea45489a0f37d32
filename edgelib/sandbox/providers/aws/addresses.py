"""Elastic and carrier addresses: aws:ec2/eip:Eip and aws:ec2/eipAssociation:EipAssociation."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Optional

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, AwsResource, Ec2Object
from edgelib.sandbox.providers.aws.routes import exactly_one
from edgelib.sandbox.providers.aws.session import AwsSession, is_missing, is_unanswered
from edgelib.sandbox.providers.properties import Failure, Kind, Property, outputs
from edgelib.sandbox.providers.resource import Created, Request


def _public_name(address: str, region: str) -> str:
    where = "compute-1" if region == "us-east-1" else f"{region}.compute"
    return f"ec2-{address.replace('.', '-')}.{where}.amazonaws.com"


class Eip(Ec2Object):
    """An address without its association: use EipAssociation. In a Wavelength border group it has a carrier IP and no public one."""

    token = "aws:ec2/eip:Eip"  # noqa: S105 - a type token
    api = Api(
        noun="elastic-ip", create="allocate_address", created="AllocationId", describe="describe_addresses",
        listed="Addresses", id="AllocationId", delete="release_address",
    )  # fmt: skip
    sent = ("domain", "networkBorderGroup", "publicIpv4Pool")
    remote: ClassVar[Mapping[str, str]] = {
        "instance": "InstanceId",
        "networkInterface": "NetworkInterfaceId",
        "privateIp": "PrivateIpAddress",
    }
    properties = (
        Property(name="domain", computed=True, replaces=True, allowed=("vpc",)),
        Property(name="networkBorderGroup", computed=True, replaces=True),
        Property(name="publicIpv4Pool", computed=True, replaces=True),
        *outputs("allocationId", "arn", "associationId", "carrierIp", "customerOwnedIp", "instance", "networkInterface"),
        *outputs("privateDns", "privateIp", "ptrRecord", "publicDns", "publicIp"),
        *TAGS, REGION,
    )  # fmt: skip

    def arguments(self, session: AwsSession, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Addresses outside a VPC no longer exist."""
        return {"Domain": "vpc"}

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What is not there is an empty string, as with the official provider; names follow from addresses."""
        region, public, private = (
            session.region_of(state),
            item.get("PublicIp") or "",
            item.get("PrivateIpAddress") or "",
        )
        inside = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
        absent = ("associationId", "carrierIp", "customerOwnedIp", "instance", "networkInterface", "ptrRecord")
        remotes = {name: item.get(self.remote.get(name, name[0].upper() + name[1:])) or "" for name in absent}
        return {
            **remotes,
            "publicIp": public,
            "publicDns": _public_name(public, region) if public else "",
            "privateIp": private,
            "privateDns": f"ip-{private.replace('.', '-')}.{inside}" if private else "",
        }

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """An address that is in use is taken off first; one of a zone is only found together with its border group."""
        item = self.item(client, id)
        if item is None:
            return
        if item.get("AssociationId"):
            try:
                client.disassociate_address(AssociationId=item["AssociationId"])
            except Exception as error:
                if not is_missing(error):
                    raise
        group = item.get("NetworkBorderGroup") or state.get("networkBorderGroup")
        client.release_address(AllocationId=id, **({"NetworkBorderGroup": group} if group else {}))


class EipAssociation(AwsResource):
    """An address on a network interface or an instance. Any change is a new association."""

    token = "aws:ec2/eipAssociation:EipAssociation"  # noqa: S105 - a type token
    properties = (
        Property(name="allocationId", required=True, replaces=True),
        Property(name="networkInterfaceId", computed=True, replaces=True),
        Property(name="instanceId", computed=True, replaces=True),
        Property(name="privateIpAddress", computed=True, replaces=True),
        Property(name="allowReassociation", kind=Kind.BOOLEAN, replaces=True),
        *outputs("publicIp"),
        REGION,
    )

    def check(self, session: AwsSession, inputs: Mapping[str, Any]) -> Iterable[Failure]:
        """An interface or an instance."""
        return exactly_one(self.token, inputs, ("networkInterfaceId", "instanceId"))

    @staticmethod
    def _find(client: Any, name: str, value: str) -> Optional[dict[str, Any]]:
        found = client.describe_addresses(Filters=[{"Name": name, "Values": [value]}])["Addresses"]
        return found[0] if found and found[0].get("AssociationId") else None

    def create(self, request: Request[AwsSession], inputs: Mapping[str, Any]) -> Created:
        """Associate."""
        region = request.session.region_of(inputs)
        once, client = request.session.client("ec2", region, retried=False), request.session.client("ec2", region)
        names = ("allocationId", "networkInterfaceId", "instanceId", "privateIpAddress", "allowReassociation")
        arguments = {name[0].upper() + name[1:]: inputs[name] for name in names if name in inputs}

        def call(_: str) -> str:
            return once.associate_address(**arguments)["AssociationId"]

        def existing() -> set[str]:
            item = self._find(client, "allocation-id", inputs["allocationId"]) or {}
            same = all(item.get(name[0].upper() + name[1:]) == inputs[name] for name in names[1:4] if name in inputs)
            return {item["AssociationId"]} if item and same else set()

        made = request.creation.once([self.token, region, inputs], call, existing=existing, unanswered=is_unanswered)
        return Created(made)

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Find the address that has this association."""
        region = session.region_of(state)
        item = self._find(session.client("ec2", region), "association-id", id)
        if item is None:
            return None
        names = ("allocationId", "networkInterfaceId", "instanceId", "privateIpAddress", "publicIp")
        return {**{name: item.get(name[0].upper() + name[1:]) or "" for name in names}, "region": region}

    def delete(self, request: Request[AwsSession], id: str, state: Mapping[str, Any]) -> None:
        """Disassociate."""
        client = request.session.client("ec2", request.session.region_of(state))
        try:
            client.disassociate_address(AssociationId=id)
        except Exception as error:
            if not is_missing(error):
                raise
