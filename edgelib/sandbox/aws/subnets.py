# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# ruff: noqa: SLF001
# Why: moto types its internals in part, and keeps some of them to itself.
"""Subnets: only in zones that the account has opted in to, within a Wavelength Zone's limits, not deleted while in use."""

from ipaddress import ip_address
from typing import Any, Optional

from moto.ec2.models.subnets import Subnet
from moto.moto_api._internal import mock_random

from edgelib.sandbox.aws.core import dependency, refusal, shown_as_its_base
from edgelib.sandbox.aws.zones import ZonesBackend

_RESERVED_AT_START, _RESERVED_AT_END = 4, 1
"""Addresses of a subnet that AWS keeps: network, router, DNS, future use; broadcast."""


@shown_as_its_base
class SandboxSubnet(Subnet):
    """A subnet whose addresses in use are those of its network interfaces, and nothing else."""

    def addresses_in_use(self) -> set[str]:
        """The private addresses of the interfaces in this subnet."""
        return {
            each["PrivateIpAddress"]
            for interface in self.ec2_backend.enis.values()
            if interface.subnet.id == self.id
            for each in interface.private_ip_addresses
        }

    def free_addresses(self, count: int, *, taken: Optional[set[str]] = None) -> list[str]:
        """Draw addresses that nothing uses.

        Raises:
            ServiceException: InsufficientFreeAddressesInSubnet.
        """
        used = self.addresses_in_use() | (taken or set())
        first, size = _RESERVED_AT_START, self.cidr.num_addresses - _RESERVED_AT_START - _RESERVED_AT_END
        offset = mock_random.randrange(size)
        chosen: list[str] = []
        for step in range(size):
            if len(chosen) == count:
                break
            address = str(self.cidr[first + (offset + step) % size])
            if address not in used:
                chosen.append(address)
        if len(chosen) < count:
            text = f"There are not enough free addresses in subnet '{self.id}' to satisfy the requested number."
            raise refusal("InsufficientFreeAddressesInSubnet", text)
        return chosen

    def check_address(self, address: str) -> None:
        """Refuse a private address that is outside the subnet, kept by AWS, or in use."""
        kept = {str(self.cidr[index]) for index in (*range(_RESERVED_AT_START), -1)}
        if ip_address(address) not in self.cidr:
            text = f"Address {address} does not fall within the subnet's address range"
            raise refusal("InvalidParameterValue", text)
        if address in kept:
            raise refusal("InvalidParameterValue", f"Address {address} is in subnet's reserved address range")
        if address in self.addresses_in_use():
            raise refusal("InvalidIPAddress.InUse", f"The specified address is already in use: {address}")

    def get_available_subnet_ip(self, instance: Any) -> str:  # noqa: ARG002  # moto's signature
        return self.free_addresses(1)[0]

    def request_ip(self, ip: str, instance: Any) -> None:  # noqa: ARG002
        self.check_address(ip)

    def del_subnet_ip(self, ip: str) -> None:
        """Nothing to do: an address is free when no interface has it."""


class SubnetsBackend(ZonesBackend):
    """Subnets of a Region."""

    def create_subnet(
        self,
        vpc_id: str,
        cidr_block: str,
        ipv6_cidr_block: Optional[str] = None,
        availability_zone: Optional[str] = None,
        availability_zone_id: Optional[str] = None,
        **others: Any,
    ) -> Subnet:
        wanted = availability_zone or availability_zone_id
        names = {row["ZoneId"]: row["ZoneName"] for row in self.usable_zone_rows()}
        zone = names.get(wanted, wanted)
        if wanted and zone not in names.values():
            raise refusal(
                "InvalidParameterValue",
                f"Value ({wanted}) for parameter availabilityZone is invalid. Subnets can currently only be created in "
                f"the following availability zones: {', '.join(names.values())}.",
            )
        if self.wavelength_zone(zone) and ipv6_cidr_block:
            raise refusal("InvalidParameterValue", "IPv6 is not supported for subnets in Wavelength Zones.")
        subnet = super().create_subnet(vpc_id, cidr_block, ipv6_cidr_block, zone, None, **others)
        if not self.get_vpc(vpc_id).is_default:
            subnet.default_for_az = subnet.map_public_ip_on_launch = False
        return subnet

    def modify_subnet_attribute(self, subnet_id: str, attr_name: str, attr_value: Any) -> None:
        on = str(attr_value).lower() == "true"
        fits = attr_name == "enable_resource_name_dns_a_record_on_launch" or not on
        if not fits and self.wavelength_zone_of_subnet(subnet_id):
            text = f"{attr_name} cannot be enabled for subnet {subnet_id} in a Wavelength Zone."
            raise refusal("InvalidParameterValue", text)
        super().modify_subnet_attribute(subnet_id, attr_name, attr_value)

    def delete_subnet(self, subnet_id: str) -> Subnet:
        self.get_subnet(subnet_id)
        if any(interface.subnet.id == subnet_id for interface in self.enis.values()):
            raise dependency("subnet", subnet_id)
        subnet = super().delete_subnet(subnet_id)
        for table in self.route_tables.values():
            for association_id in [key for key, value in table._associations.items() if value == subnet_id]:
                table._associations.pop(association_id)
        for acl in self.network_acls.values():
            for association_id in [key for key, value in acl._associations.items() if value.subnet_id == subnet_id]:
                acl._associations.pop(association_id)
        return subnet
