"""Elastic and carrier addresses: aws:ec2/eip:Eip and aws:ec2/eipAssociation:EipAssociation."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Optional

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.names import pascal
from edgelib.sandbox.providers.aws.resource import AwsResource
from edgelib.sandbox.providers.aws.routes import exactly_one
from edgelib.sandbox.providers.aws.session import AwsSession, unless_missing
from edgelib.sandbox.providers.properties import Failure, Kind, Property, outputs


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
        remotes = {name: item.get(self.remote.get(name, pascal(name))) or "" for name in absent}
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
            unless_missing(lambda: client.disassociate_address(AssociationId=item["AssociationId"]))
        group = item.get("NetworkBorderGroup") or state.get("networkBorderGroup")
        client.release_address(AllocationId=id, **({"NetworkBorderGroup": group} if group else {}))


_SIDE = ("networkInterfaceId", "instanceId", "privateIpAddress")


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

    def make(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> str:
        """Associate."""
        names = ("allocationId", *_SIDE, "allowReassociation")
        arguments = {pascal(name): inputs[name] for name in names if name in inputs}
        return client.associate_address(**arguments)["AssociationId"]

    def existing(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> Optional[str]:
        """With the same side."""
        item = self._find(client, "allocation-id", inputs["allocationId"])
        same = item and all(item.get(pascal(name)) == inputs[name] for name in _SIDE if name in inputs)
        return item["AssociationId"] if item and same else None

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Find the address that has this association."""
        item = self._find(self.client(session, state), "association-id", id)
        if item is None:
            return None
        names = ("allocationId", *_SIDE, "publicIp")
        return {**{name: item.get(pascal(name)) or "" for name in names}, "region": session.region_of(state)}

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Disassociate."""
        client.disassociate_address(AssociationId=id)
