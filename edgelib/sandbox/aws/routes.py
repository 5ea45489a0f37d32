# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# ruff: noqa: SLF001
# Why: moto types its internals in part, and keeps some of them to itself.
"""Route tables: routes to gateways that exist, no internet gateway for a Wavelength Zone's subnet, black holes."""

from collections.abc import Iterable
from typing import Any, Optional

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import InvalidCarrierGatewayID, InvalidTransitGatewayID
from moto.ec2.models.route_tables import Route, RouteTable

from edgelib.sandbox.aws.core import dependency, refusal, shown_as_its_base
from edgelib.sandbox.aws.gateways import GatewaysBackend, GatewaysResponses


@shown_as_its_base
class SandboxRoute(Route):
    """A route that is a black hole once its target is gone."""

    @property
    def state(self) -> str:
        backend = self.route_table.ec2_backend
        gone = (
            (self.carrier_gateway and self.carrier_gateway.id not in backend.carrier_gateways)
            or (self.nat_gateway and self.nat_gateway.state in ("deleting", "deleted", "failed"))
            or (self.interface and self.interface.id not in backend.enis)
            or (self.instance and self.instance.state == "terminated")
            or (str(self.gateway_id).startswith("igw-") and not getattr(self.gateway, "vpc", None))
        )
        return "blackhole" if gone else "active"


class RoutesBackend(GatewaysBackend):
    """Route tables of a Region."""

    def _refuse_internet_gateway(
        self, table: RouteTable, targets: Iterable[str], gateway: Optional[str] = None
    ) -> None:
        ids = [gateway, *(route.gateway_id for route in table.routes)]
        if not any(str(each).startswith("igw-") for each in ids):
            return
        for target in targets:
            if target.startswith("subnet-") and self.wavelength_zone_of_subnet(target):
                text = (
                    f"Route table {table.id} cannot route subnet {target} in a Wavelength Zone to an internet gateway."
                )
                raise refusal("InvalidParameterValue", text)

    def associate_route_table(
        self, route_table_id: str, gateway_id: Optional[str] = None, subnet_id: Optional[str] = None
    ) -> str:
        table = self.get_route_table(route_table_id)
        if subnet_id and self.get_subnet(subnet_id).vpc_id != table.vpc_id:
            text = f"route table {route_table_id} and subnet {subnet_id} belong to different networks"
            raise refusal("InvalidParameterValue", text)
        if subnet_id:
            self._refuse_second_table(route_table_id, subnet_id)
            self._refuse_internet_gateway(table, [subnet_id])
        return super().associate_route_table(route_table_id, gateway_id, subnet_id)

    def _refuse_second_table(self, route_table_id: str, subnet_id: str) -> None:
        for table in self.route_tables.values():
            if table.id != route_table_id and subnet_id in table._associations.values():
                text = (
                    f"the specified association for route table {route_table_id} conflicts with an existing association"
                )
                raise refusal("Resource.AlreadyAssociated", text)

    def replace_route_table_association(self, association_id: str, route_table_id: str) -> str:
        tables = self.route_tables.values()
        held = [table._associations[association_id] for table in tables if association_id in table._associations]
        self._refuse_internet_gateway(self.get_route_table(route_table_id), held)
        return super().replace_route_table_association(association_id, route_table_id)

    def create_route(self, route_table_id: str, *args: Any, **targets: Any) -> Route:
        table = self.get_route_table(route_table_id)
        self._check_targets(table, targets)
        self._refuse_internet_gateway(table, table._associations.values(), targets.get("gateway_id"))
        return super().create_route(route_table_id, *args, **targets)

    def replace_route(
        self, route_table_id: str, *args: Any, carrier_gateway_id: Optional[str] = None, **targets: Any
    ) -> Route:
        table = self.get_route_table(route_table_id)
        self._check_targets(table, {**targets, "carrier_gateway_id": carrier_gateway_id})
        self._refuse_internet_gateway(table, table._associations.values(), targets.get("gateway_id"))
        route = super().replace_route(route_table_id, *args, **targets)
        route.carrier_gateway = self.carrier_gateways.get(carrier_gateway_id) if carrier_gateway_id else None
        return route

    def _check_targets(self, table: RouteTable, targets: dict[str, Any]) -> None:
        """Refuse targets that do not exist or are another VPC's; moto takes an unknown one for none."""
        carrier, nat, transit = (targets.get(f"{kind}_gateway_id") for kind in ("carrier", "nat", "transit"))
        if carrier and getattr(self.carrier_gateways.get(carrier), "vpc_id", None) != table.vpc_id:
            raise InvalidCarrierGatewayID(carrier)
        if nat and (nat not in self.nat_gateways or self.nat_gateways[nat].state == "deleted"):
            raise refusal("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat}' does not exist")
        if transit and transit not in self.transit_gateways:
            raise InvalidTransitGatewayID(transit)
        gateway = targets.get("gateway_id")
        if str(gateway).startswith("igw-"):
            vpc = self.get_internet_gateway(str(gateway)).vpc
            if vpc is None or vpc.id != table.vpc_id:
                text = f"route table {table.id} and network gateway {gateway} belong to different networks"
                raise refusal("InvalidParameterValue", text)

    def delete_route_table(self, route_table_id: str) -> None:
        if self.get_route_table(route_table_id).main_association_id:
            raise dependency("routeTable", route_table_id)
        super().delete_route_table(route_table_id)


class RoutesResponses(GatewaysResponses):
    """ReplaceRoute with every target; moto drops the carrier gateway."""

    def replace_route(self) -> ActionResult:
        names = {
            "destination_ipv6_cidr_block": "DestinationIpv6CidrBlock",
            "destination_prefix_list_id": "DestinationPrefixListId",
            "nat_gateway_id": "NatGatewayId",
            "egress_only_igw_id": "EgressOnlyInternetGatewayId",
            "transit_gateway_id": "TransitGatewayId",
            "gateway_id": "GatewayId",
            "instance_id": "InstanceId",
            "interface_id": "NetworkInterfaceId",
            "vpc_peering_connection_id": "VpcPeeringConnectionId",
            "carrier_gateway_id": "CarrierGatewayId",
        }
        targets = {name: self._get_param(parameter) for name, parameter in names.items()}
        self.ec2_backend.replace_route(
            self._get_param("RouteTableId"), self._get_param("DestinationCidrBlock"), **targets
        )
        return EmptyResult()
