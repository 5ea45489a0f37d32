# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# ruff: noqa: SLF001
# Why: moto types its internals in part, and keeps some of them to itself.
"""VPC endpoints: none in a Wavelength Zone's subnet; interface endpoints are pending first, and take a while to go."""

from functools import cache
from typing import Any, Optional

from moto.core.base_backend import BaseBackend
from moto.core.responses import ActionResult
from moto.ec2.models.vpcs import AWS_ENDPOINT_SERVICES, VPCEndPoint

from edgelib.sandbox.aws.core import refusal
from edgelib.sandbox.aws.nat_gateways import NatGatewaysBackend, NatGatewaysResponses

_ALSO_GATEWAY = {"s3", "dynamodb"}


class EndpointsBackend(NatGatewaysBackend):
    """VPC endpoints of a Region."""

    def create_vpc_endpoint(self, *args: Any, **kwargs: Any) -> VPCEndPoint:
        for subnet_id in kwargs.get("subnet_ids") or []:
            if self.wavelength_zone_of_subnet(subnet_id):
                text = "The VPC endpoint service does not support the availability zone of the subnet"
                raise refusal("InvalidParameter", f"{text}: {subnet_id}.")
            self.check_groups(kwargs.get("security_group_ids") or [], self.get_subnet(subnet_id))
        kwargs["endpoint_type"] = kwargs.get("endpoint_type") or "Gateway"
        endpoint = super().create_vpc_endpoint(*args, **kwargs)
        self._update_interfaces(endpoint)
        if endpoint.vpc_endpoint_type == "Interface":
            endpoint.security_group_ids = [
                group.id for interface in self._interfaces(endpoint)[:1] for group in interface._group_set
            ]
            endpoint.state = "pending"
            self.transitions.begin(endpoint.id, self.clock.now(), lambda: setattr(endpoint, "state", "available"))
        return endpoint

    def _collect_default_endpoint_services(self, account_id: str, region: str) -> list[dict[str, Any]]:  # noqa: ARG002
        return _services(region, tuple(zone.name for zone in self.describe_availability_zones()))

    def _update_interfaces(self, endpoint: VPCEndPoint) -> None:
        """Make the interfaces those of an endpoint, with its groups."""
        groups = [self.get_security_group_from_id(each) for each in endpoint.security_group_ids]
        for interface in self._interfaces(endpoint):
            interface.status, interface.interface_type = "in-use", "vpc_endpoint"
            interface.requester_managed = True
            interface.description = f"VPC Endpoint Interface {endpoint.id}"
            interface._group_set = groups or interface._group_set

    def modify_vpc_endpoint(self, vpc_id: str, *args: Any, **changes: Any) -> None:
        """Change an endpoint (its id comes as ``vpc_id``), and with it the interfaces and routes, which moto leaves."""
        endpoint = self.get_vpc_end_point(vpc_id)
        before = {interface.subnet_id: interface for interface in self._interfaces(endpoint)}
        tables = set(endpoint.route_table_ids)
        super().modify_vpc_endpoint(vpc_id, *args, **changes)
        if endpoint.vpc_endpoint_type == "Interface":
            for subnet_id in set(before) - set(endpoint.subnet_ids or []):
                self.remove_interface(before[subnet_id])
                endpoint.network_interface_ids.remove(before[subnet_id].id)
            for subnet_id in [each for each in endpoint.subnet_ids or [] if each not in before]:
                endpoint.network_interface_ids.append(self.create_network_interface(subnet_id, None).id)
            self._update_interfaces(endpoint)
        prefix_list = endpoint.destination_prefix_list_id
        for table_id in sorted(set(endpoint.route_table_ids) - tables if prefix_list else []):
            self.create_route(table_id, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list)
        for table_id in sorted(tables - set(endpoint.route_table_ids) if prefix_list else []):
            self.delete_route(table_id, prefix_list)

    def _interfaces(self, endpoint: VPCEndPoint) -> list[Any]:
        return [self.enis[each] for each in endpoint.network_interface_ids if each in self.enis]

    def delete_vpc_endpoints(self, vpce_ids: Optional[list[str]] = None) -> None:
        for endpoint in [self.get_vpc_end_point(each) for each in vpce_ids or []]:
            if endpoint.state == "deleting":
                continue
            endpoint.state = "deleting"
            for table_id in endpoint.route_table_ids if endpoint.destination_prefix_list_id else []:
                if table_id in self.route_tables:
                    self.delete_route(table_id, endpoint.destination_prefix_list_id)
            self.transitions.begin(endpoint.id, self.clock.now(), lambda each=endpoint: self._deleted_endpoint(each))

    def _deleted_endpoint(self, endpoint: VPCEndPoint) -> None:
        for interface in self._interfaces(endpoint):
            self.remove_interface(interface)
        self.vpc_end_points.pop(endpoint.id, None)


@cache
def _services(region: str, zones: tuple[str, ...]) -> list[dict[str, Any]]:
    """The services that endpoints can be made for. moto's own list needs every service's packages."""
    found: list[dict[str, Any]] = []
    for service in sorted(set(AWS_ENDPOINT_SERVICES)):
        for kind in ("Interface", "Gateway") if service in _ALSO_GATEWAY else ("Interface",):
            made = BaseBackend.default_vpc_endpoint_service_factory(region, list(zones), service, kind)
            found += [{**each, "ServiceId": f"vpce-svc-{service}-{kind.lower()}"} for each in made]
    return found


class EndpointsResponses(NatGatewaysResponses):
    """Calls about VPC endpoints."""

    sandbox: EndpointsBackend

    def describe_vpc_endpoints(self) -> ActionResult:
        result = super().describe_vpc_endpoints()
        looked = self.sandbox.transitions.look([endpoint.id for endpoint in result.result["VpcEndpoints"]])
        return super().describe_vpc_endpoints() if looked else result
