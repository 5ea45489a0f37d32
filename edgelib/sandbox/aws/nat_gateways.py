# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# ruff: noqa: SLF001
# Why: moto types its internals in part, and keeps some of them to itself.
"""NAT gateways: not in a Wavelength Zone, pending before they are available, and their address kept until deleted."""

from typing import Any, Optional

from moto.core.responses import ActionResult
from moto.ec2.models.nat_gateways import NatGateway

from edgelib.sandbox.aws.core import refusal
from edgelib.sandbox.aws.routes import RoutesBackend, RoutesResponses


class NatGatewaysBackend(RoutesBackend):
    """NAT gateways of a Region."""

    def create_nat_gateway(
        self,
        subnet_id: str,
        allocation_id: Optional[str],
        tags: Optional[dict[str, str]] = None,
        connectivity_type: Optional[str] = None,
    ) -> NatGateway:
        kind = connectivity_type or "public"
        if self.wavelength_zone_of_subnet(subnet_id):
            raise refusal("NotAvailableInZone", "Nat Gateway is not available in this availability zone")
        if kind == "public":
            self._check_address(allocation_id)
        vpc_id = self.get_subnet(subnet_id).vpc_id
        if kind == "public" and not self.has_gateway(vpc_id, carrier=False):
            return self._failing(super().create_nat_gateway(subnet_id, None, tags, kind), vpc_id)
        gateway = super().create_nat_gateway(subnet_id, allocation_id, tags, kind)
        gateway.private_ip = gateway._eni.private_ip_address
        gateway._eni.status, gateway._eni.interface_type = "in-use", "nat_gateway"
        gateway._eni.requester_managed = True
        gateway._eni.description = f"Interface for NAT Gateway {gateway.id}"
        gateway.state = "pending"
        self.transitions.begin(gateway.id, self.clock.now(), lambda: setattr(gateway, "state", "available"))
        return gateway

    def _failing(self, gateway: Any, vpc_id: str) -> Any:
        """AWS takes the request and fails afterwards."""
        gateway.failure_code = "Gateway.NotAttached"
        gateway.failure_message = f"Network {vpc_id} has no Internet gateway attached"
        gateway.state = "pending"
        self.remove_interface(gateway._eni)
        self.transitions.begin(gateway.id, self.clock.now(), lambda: setattr(gateway, "state", "failed"))
        return gateway

    def _check_address(self, allocation_id: Optional[str]) -> None:
        if not allocation_id:
            raise refusal("MissingParameter", "The request must contain the parameter AllocationId")
        address = self.address_by_allocation([allocation_id])[0]
        if address.network_border_group != self.region_name:
            text = "Primary elastic IP and subnet belong in different network border groups."
            raise refusal("OperationNotPermitted", text)
        if address.association_id:
            text = f"Elastic IP address [{allocation_id}] is already associated"
            raise refusal("Resource.AlreadyAssociated", text)

    def delete_nat_gateway(self, nat_gateway_id: str) -> NatGateway:
        gateway = self._nat_gateway(nat_gateway_id)
        if gateway.state not in ("deleting", "deleted"):
            gateway.state = "deleting"
            self.transitions.begin(gateway.id, self.clock.now(), lambda: self._deleted(gateway))
        return gateway

    def _nat_gateway(self, nat_gateway_id: str) -> NatGateway:
        gateway = self.nat_gateways.get(nat_gateway_id)
        if gateway is None:
            raise refusal("NatGatewayNotFound", f"NAT gateway {nat_gateway_id} was not found")
        return gateway

    def _deleted(self, gateway: NatGateway) -> None:
        gateway.state = "deleted"
        self.remove_interface(gateway._eni)

    def describe_nat_gateways(self, filters: Any, nat_gateway_ids: Optional[list[str]]) -> list[NatGateway]:
        for each in nat_gateway_ids or []:
            self._nat_gateway(each)
        return super().describe_nat_gateways(filters, nat_gateway_ids)


class NatGatewaysResponses(RoutesResponses):
    """Calls about NAT gateways."""

    sandbox: NatGatewaysBackend

    def describe_nat_gateways(self) -> ActionResult:
        result = super().describe_nat_gateways()
        looked = self.sandbox.transitions.look([gateway.id for gateway in result.result["NatGateways"]])
        return super().describe_nat_gateways() if looked else result
