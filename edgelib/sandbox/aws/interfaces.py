# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# ruff: noqa: SLF001
# Why: moto types its internals in part, and keeps some of them to itself.
"""Network interfaces: addresses that exist and are free, groups of the same VPC, no deletion while in use."""

from typing import Any, Optional

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidNetworkAttachmentIdError
from moto.ec2.models.elastic_network_interfaces import Attachment, NetworkInterface

from edgelib.sandbox.aws.core import refusal, shown_as_its_base
from edgelib.sandbox.aws.public_addresses import PublicAddresses
from edgelib.sandbox.aws.subnets import SandboxSubnet
from edgelib.sandbox.aws.zones import ZonesResponses


@shown_as_its_base
class SandboxInterface(NetworkInterface):
    """A network interface that may have a carrier IP, and whose groups are its own."""

    carrier_ip: Optional[str] = None

    def check_auto_public_ip(self) -> None:
        if str(self.public_ip_auto_assign).lower() == "true" and not self.public_ip:
            self.public_ip = self.ec2_backend.draw_address()

    def stop(self) -> None:
        """The instance stops: an assigned public address goes, an Elastic one stays."""
        if not any(address.eni is self for address in self.ec2_backend.addresses):
            super().stop()

    @property
    def group_set(self) -> list[Any]:
        return list(self._group_set)

    @property
    def association(self) -> dict[str, Any]:
        if not self.carrier_ip:
            return super().association
        found = {"carrierIp": self.carrier_ip, "ipOwnerId": self.owner_id}
        for address in self.ec2_backend.address_by_ip([self.carrier_ip], fail_if_not_found=False):
            found |= {"allocationId": address.allocation_id, "associationId": address.association_id}
        return found

    @property
    def instance_private_ip_address_list(self) -> list[dict[str, Any]]:
        rows = super().instance_private_ip_address_list
        for row in rows:
            if row["Primary"] and self.carrier_ip:
                row["Association"] = self.association
        return rows


class InterfacesBackend(PublicAddresses):
    """Network interfaces of a Region."""

    def create_network_interface(
        self,
        subnet: Any,
        private_ip_address: Any,
        private_ip_addresses: Optional[list[Any]] = None,
        group_ids: Optional[list[str]] = None,
        description: Optional[str] = None,
        tags: Optional[dict[str, str]] = None,
        delete_on_termination: Optional[bool] = False,
        **others: Any,
    ) -> SandboxInterface:
        place: SandboxSubnet = self.get_subnet(subnet) if isinstance(subnet, str) else subnet
        self.check_groups(group_ids or [], place)
        secondary = int(others.pop("secondary_ips_count", None) or 0)
        rows = _address_rows(place, private_ip_address, private_ip_addresses or [], secondary)
        interface: Any = SandboxInterface(
            self,
            place,
            rows[0]["PrivateIpAddress"],
            rows,
            group_ids=list(group_ids or []),
            description=description,
            tags=tags,
            delete_on_termination=delete_on_termination,
            **others,
        )
        self.enis[interface.id] = interface
        return interface

    def check_groups(self, group_ids: list[str], subnet: SandboxSubnet) -> None:
        """Refuse groups that do not exist (moto would make them up) or that belong to another VPC."""
        for group_id in group_ids:
            group = self.get_security_group_from_id(group_id)
            if group is None:
                raise refusal("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
            if group.vpc_id != subnet.vpc_id:
                text = f"Security group {group_id} and subnet {subnet.id} belong to different networks."
                raise refusal("InvalidParameter", text)

    def delete_network_interface(self, eni_id: str) -> None:
        interface = self.get_network_interface(eni_id)
        if interface.status == "in-use":
            raise refusal("InvalidParameterValue", f"Network interface '{eni_id}' is currently in use.")
        self.remove_interface(interface)

    def remove_interface(self, interface: Any) -> None:
        """Delete an interface, whatever uses it, and free its addresses."""
        for address in [each for each in self.addresses if each.eni is interface]:
            self.disassociate_address(association_id=address.association_id)
        self.enis.pop(interface.id, None)

    def attach_network_interface(self, eni_id: str, instance_id: str, device_index: int) -> Attachment:
        interface, instance = self.get_network_interface(eni_id), self.get_instance(instance_id)
        self.check_interface_is_free(interface)
        if interface.availability_zone != instance.availability_zone:
            text = f"Interface {eni_id} and instance {instance_id} are in different availability zones."
            raise refusal("InvalidParameterCombination", text)
        if int(device_index) in instance.nics:
            text = f"Instance '{instance_id}' already has an interface attached at device index '{device_index}'."
            raise refusal("InvalidParameterValue", text)
        return super().attach_network_interface(eni_id, instance_id, device_index)

    def check_interface_is_free(self, interface: Any) -> None:
        """Refuse an interface that something has already."""
        if interface.status == "in-use":
            raise refusal("InvalidNetworkInterface.InUse", f"Interface: [{interface.id}] in use.")

    def detach_network_interface(self, attachment_id: str) -> None:
        interface = next((each for each in self.enis.values() if each.attachment_id == attachment_id), None)
        if interface is None:
            raise InvalidNetworkAttachmentIdError(attachment_id)
        if interface.device_index == 0:
            text = "The network interface at device index 0 cannot be detached."
            raise refusal("OperationNotPermitted", text)
        super().detach_network_interface(attachment_id)

    def modify_network_interface_attribute(
        self,
        eni_id: str,
        group_ids: list[str],
        source_dest_check: Optional[bool] = None,
        description: Optional[str] = None,
    ) -> None:
        interface = self.get_network_interface(eni_id)
        self.check_groups(group_ids, interface.subnet)
        super().modify_network_interface_attribute(eni_id, group_ids, source_dest_check, description)
        if interface.instance is not None and interface.device_index == 0:
            interface.instance.security_groups = list(interface._group_set)
            interface.instance.source_dest_check = interface.source_dest_check

    def assign_private_ip_addresses(
        self,
        eni_id: str,
        private_ip_addresses: Optional[list[str]] = None,
        secondary_ips_count: Optional[int] = None,
    ) -> NetworkInterface:
        interface = self.get_network_interface(eni_id)
        wanted = list(private_ip_addresses or [])
        for address in wanted:
            interface.subnet.check_address(address)
        wanted += interface.subnet.free_addresses(secondary_ips_count or 0, taken=set(wanted))
        return super().assign_private_ip_addresses(eni_id, wanted)


class InterfacesResponses(ZonesResponses):
    """Calls about network interfaces that moto has gaps in."""

    sandbox: InterfacesBackend

    def modify_network_interface_attribute(self) -> ActionResult:
        attachment = self._get_param("Attachment", {})
        if "DeleteOnTermination" in attachment:
            interface = self.sandbox.get_network_interface(self._get_param("NetworkInterfaceId"))
            interface.delete_on_termination = attachment["DeleteOnTermination"]
        return super().modify_network_interface_attribute()


def _address_rows(subnet: SandboxSubnet, primary: Any, listed: list[Any], secondary: int) -> list[dict[str, Any]]:
    """The private addresses of a new interface, the primary one first, checked or drawn."""
    if isinstance(primary, list):
        primary = primary[0] if primary else None
    asked: list[str] = [primary] if primary else []
    rows = [each if isinstance(each, dict) else {"PrivateIpAddress": each} for each in listed]
    rows.sort(key=_is_secondary)
    asked += [row["PrivateIpAddress"] for row in rows if row["PrivateIpAddress"] not in asked]
    for address in asked:
        subnet.check_address(address)
    drawn = subnet.free_addresses(secondary + (not asked), taken=set(asked))
    return [{"Primary": index == 0, "PrivateIpAddress": address} for index, address in enumerate([*asked, *drawn])]


def _is_secondary(row: dict[str, Any]) -> bool:
    return not row.get("Primary")
