"""aws:ec2/networkInterface:NetworkInterface."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Mapping
from typing import Any, ClassVar

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.session import AwsSession, unless_missing
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Request
from edgelib.sandbox.providers.values import mapping_of


class NetworkInterface(Ec2Object):
    """IPv4 only; attached by an Instance that names it, not by itself."""

    token = "aws:ec2/networkInterface:NetworkInterface"  # noqa: S105 - a type token
    api = Api(
        noun="network-interface", create="create_network_interface", created="NetworkInterface.NetworkInterfaceId",
        describe="describe_network_interfaces", listed="NetworkInterfaces", id="NetworkInterfaceId",
        delete="delete_network_interface", ready="network_interface_available", state="Status",
    )  # fmt: skip
    sent = ("subnetId", "description", "interfaceType")
    remote: ClassVar[Mapping[str, str]] = {
        "privateIp": "PrivateIpAddress",
        "privateIps": "-",
        "privateDnsName": "PrivateDnsName",
        "securityGroups": "-",
    }
    properties = (
        Property(name="subnetId", required=True, replaces=True),
        Property(name="description"),
        Property(name="interfaceType", computed=True, replaces=True),
        Property(name="privateIp", computed=True, replaces=True),
        Property(name="privateIps", kind=Kind.SET, computed=True, replaces=True),
        Property(name="securityGroups", kind=Kind.SET, computed=True),
        Property(name="sourceDestCheck", kind=Kind.BOOLEAN, default=True),
        *outputs("arn", "attachments", "macAddress", "outpostArn", "ownerId", "privateDnsName"),
        *TAGS, REGION,
    )  # fmt: skip

    def arguments(self, session: AwsSession, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Addresses: the first is the primary one."""
        more: dict[str, Any] = {"Groups": inputs["securityGroups"]} if inputs.get("securityGroups") else {}
        addresses = inputs.get("privateIps") or ([inputs["privateIp"]] if inputs.get("privateIp") else [])
        if addresses:
            more["PrivateIpAddresses"] = [{"PrivateIpAddress": ip, "Primary": ip == addresses[0]} for ip in addresses]
        return more

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """The check of source and destination is always on at first."""
        super().settle(request, id, inputs)
        client = self.client(request.session, inputs)
        wanted = inputs["sourceDestCheck"]
        if (self.item(client, id) or {}).get("SourceDestCheck", True) != wanted:
            client.modify_network_interface_attribute(NetworkInterfaceId=id, SourceDestCheck={"Value": wanted})

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Addresses, groups, and the instance that has it."""
        attachment = mapping_of(item.get("Attachment"))
        attached = {
            "attachmentId": attachment.get("AttachmentId", ""),
            "deviceIndex": attachment.get("DeviceIndex", 0),
            "instance": attachment.get("InstanceId", ""),
        }
        return {
            "privateIps": [address["PrivateIpAddress"] for address in item.get("PrivateIpAddresses", ())],
            "securityGroups": [group["GroupId"] for group in item.get("Groups", ())],
            "description": item.get("Description") or None,
            "attachments": [attached] if attachment.get("InstanceId") else [],
            "outpostArn": item.get("OutpostArn", ""),
        }

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """Groups and description."""
        if "securityGroups" in changed and new.get("securityGroups"):
            client.modify_network_interface_attribute(NetworkInterfaceId=id, Groups=new["securityGroups"])
        if "description" in changed:
            text = new.get("description", "")
            client.modify_network_interface_attribute(NetworkInterfaceId=id, Description={"Value": text})

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """A secondary interface is taken off its instance first."""
        attachment = mapping_of(mapping_of(self.item(client, id)).get("Attachment"))
        if attachment.get("AttachmentId") and attachment.get("DeviceIndex", 0) > 0:
            attachment_id = attachment["AttachmentId"]
            unless_missing(lambda: client.detach_network_interface(AttachmentId=attachment_id, Force=True))
        super().remove(client, id, state)
