# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# Why: moto types its internals in part; ours are typed where they meet the rest of the sandbox.
"""Elastic IP addresses, by network border group: public ones in the Region, carrier IPs in a Wavelength Zone."""

from typing import Any, Optional

from moto.core.responses import ActionResult
from moto.ec2.exceptions import ResourceAlreadyAssociatedError
from moto.ec2.models.elastic_ip_addresses import ElasticAddress

from edgelib.sandbox.aws.core import refusal, shown_as_its_base
from edgelib.sandbox.aws.interfaces import InterfacesBackend, InterfacesResponses


@shown_as_its_base
class SandboxAddress(ElasticAddress):
    """An address. A carrier IP stays in moto's ``public_ip``, its key, but is shown as ``CarrierIp`` only."""

    carrier_ip: Optional[str] = None
    network_border_group: str = ""
    public_ipv4_pool = "amazon"

    class Meta:
        """What moto's serialiser reads."""

        serialization_aliases = {"PublicIp": "shown_public_ip"}  # noqa: RUF012

    @property
    def shown_public_ip(self) -> Optional[str]:
        """The address as DescribeAddresses shows it under PublicIp."""
        return None if self.carrier_ip else self.public_ip

    @property
    def instance_id(self) -> str:
        """The instance that the address leads to, by way of its interface."""
        return self.eni.instance.id if self.eni and self.eni.instance else ""

    def get_filter_value(self, filter_name: str, method_name: Optional[str] = None) -> Any:
        if filter_name == "network-border-group":
            return self.network_border_group
        if filter_name == "instance-id":
            return self.instance_id
        if filter_name == "public-ip":
            return self.shown_public_ip
        return super().get_filter_value(filter_name, method_name)


class AddressesBackend(InterfacesBackend):
    """Elastic IP addresses of a Region."""

    def allocate_address(
        self,
        domain: Optional[str],
        address: Optional[str] = None,
        tags: Optional[dict[str, str]] = None,
        network_border_group: Optional[str] = None,
    ) -> SandboxAddress:
        group = network_border_group or self.region_name
        if group not in {row["NetworkBorderGroup"] for row in self.usable_zone_rows()}:
            raise refusal("InvalidParameterValue", f"Network border group {group} is not valid or not opted in.")
        if address:
            text = f"Address '{address}' cannot be recovered: the sandbox keeps no released addresses."
            raise refusal("InvalidAddress.NotFound", text)
        drawn = self.draw_address()
        allocated: Any = SandboxAddress(
            self, domain="vpc" if domain != "standard" else domain, address=drawn, tags=tags
        )
        allocated.network_border_group = group
        if group != self.region_name:
            allocated.carrier_ip = drawn
        self.addresses.append(allocated)
        return allocated

    def associate_address(
        self,
        instance: Any = None,
        eni: Any = None,
        address: Optional[str] = None,
        allocation_id: Optional[str] = None,
        reassociate: bool = True,
    ) -> ElasticAddress:
        found = self.address_by_ip([address]) if address else self.address_by_allocation([allocation_id or ""])
        elastic, target = found[0], eni or self._primary_interface(instance)
        if elastic.network_border_group != self.border_group(target.availability_zone):
            text = f"Address {elastic.id} and network interface {target.id} belong in different network border groups."
            raise refusal("InvalidParameterCombination", text)
        if not self.has_gateway(target.vpc_id, carrier=bool(elastic.carrier_ip)):
            kind = "carrier" if elastic.carrier_ip else "internet"
            raise refusal("Gateway.NotAttached", f"Network {target.vpc_id} is not attached to any {kind} gateway")
        self._give_up_associations(elastic, target, reassociate=reassociate)
        super().associate_address(None, target, None, elastic.allocation_id, reassociate=True)
        if elastic.carrier_ip:
            target.carrier_ip, target.public_ip = elastic.carrier_ip, None
        return elastic

    def has_gateway(self, vpc_id: str, *, carrier: bool) -> bool:
        """Whether a VPC has the gateway that its public addresses, or its carrier IPs, lead through."""
        if carrier:
            return any(gateway.vpc_id == vpc_id for gateway in self.carrier_gateways.values())
        return any(gateway.vpc and gateway.vpc.id == vpc_id for gateway in self.internet_gateways.values())

    def _primary_interface(self, instance: Any) -> Any:
        if instance.state not in ("running", "stopping", "stopped"):
            text = f"The {instance.state} instance '{instance.id}' is not in a valid state for this operation."
            raise refusal("InvalidInstanceID", text)
        return instance.nics[0]

    def _give_up_associations(self, elastic: Any, target: Any, *, reassociate: bool) -> None:
        """End what the address and the interface are associated with, or refuse when that must not be."""
        if elastic.eni is target:
            return
        held = [each for each in self.addresses if each.eni is target]
        if (elastic.eni or held) and not reassociate:
            raise ResourceAlreadyAssociatedError(elastic.id)
        for each in [elastic, *held]:
            if each.association_id:
                self.disassociate_address(association_id=each.association_id)

    def disassociate_address(self, address: Optional[str] = None, association_id: Optional[str] = None) -> None:
        found = self.address_by_ip([address]) if address else self.address_by_association([association_id or ""])
        interface = found[0].eni
        super().disassociate_address(address, association_id)
        if interface is not None:
            interface.carrier_ip = None

    def release_address(self, address: Optional[str] = None, allocation_id: Optional[str] = None) -> None:
        found = self.address_by_ip([address]) if address else self.address_by_allocation([allocation_id or ""])
        if found[0].association_id:
            raise refusal("InvalidIPAddress.InUse", f"Address {found[0].public_ip} is in use.")
        self.addresses.remove(found[0])
        self.tags.pop(found[0].id, None)


class AddressesResponses(InterfacesResponses):
    """Calls about addresses."""

    sandbox: AddressesBackend

    def allocate_address(self) -> ActionResult:
        self.error_on_dryrun()
        tags = self._parse_tag_specification("elastic-ip").get("elastic-ip")
        group = self._get_param("NetworkBorderGroup")
        allocated = self.sandbox.allocate_address(self._get_param("Domain"), self._get_param("Address"), tags, group)
        return ActionResult(allocated)

    def associate_address(self) -> ActionResult:
        """Reassociation is automatic unless the caller says no (botocore's text of AllowReassociation)."""
        self.params.setdefault("AllowReassociation", True)
        return super().associate_address()

    def release_address(self) -> ActionResult:
        allocation_id, group = self._get_param("AllocationId"), self._get_param("NetworkBorderGroup")
        for address in self.sandbox.addresses:
            if address.allocation_id == allocation_id and address.network_border_group != (group or self.region):
                text = f"The address with allocation id {allocation_id} does not belong to you."
                raise refusal("InvalidAddress.NotFound", text)
        return super().release_address()

    def describe_addresses_attribute(self) -> ActionResult:
        """Reverse DNS names; the sandbox gives none."""
        found = self.sandbox.describe_addresses(self._get_param("AllocationIds", []))
        rows = [{"PublicIp": each.public_ip, "AllocationId": each.allocation_id} for each in found]
        return ActionResult({"Addresses": rows})
