"""A VPC over a Region and its Wavelength Zones."""

from collections.abc import Mapping
from typing import Any, Optional, overload

import pulumi
import pulumi_aws as aws

from edgelib import mtu
from edgelib.addressing import ANYWHERE, PARENT
from edgelib.components._family import Family, publish
from edgelib.components._vpc_endpoints import interface_endpoints, s3_endpoint
from edgelib.components._vpc_flow_logs import flow_logs
from edgelib.components._vpc_plan import (
    NODE_ENDPOINTS,
    AvailabilityZonePlan,
    FlowLogsArgs,
    NatStrategy,
    WavelengthVpcArgs,
    WavelengthVpcPlan,
    ZoneGroupOptIn,
    ZonePlan,
    plan_wavelength_vpc,
)
from edgelib.components.network import Network, NetworkPlace, NetworkSubnet, SubnetEgress, keyed
from edgelib.errors import ArgsError

__all__ = [
    "NODE_ENDPOINTS",
    "FlowLogsArgs",
    "NatStrategy",
    "WavelengthVpc",
    "WavelengthVpcArgs",
    "ZoneGroupOptIn",
    "plan_wavelength_vpc",
]


class WavelengthVpc(pulumi.ComponentResource):
    """A VPC with a public subnet in each Wavelength Zone behind one carrier gateway, and the Region's subnets behind an internet gateway.

    Wavelength Zones get no internet gateway route, no NAT gateway, no endpoint and no IPv6: AWS has none of these there. With a NAT
    strategy the zones also get private subnets, whose default route leads to the NAT gateway of the parent Availability Zone.
    The VPC's default security group is emptied. The account is opted in to the zone groups, and stays so after a destroy.
    """

    vpc_id: pulumi.Output[str]
    """VPC id."""
    cidr_block: pulumi.Output[str]
    """The VPC's IPv4 block."""
    carrier_gateway_id: pulumi.Output[str]
    """Carrier gateway id; AWS allows one per VPC."""
    internet_gateway_id: pulumi.Output[str]
    """Internet gateway id."""
    parent_availability_zone: pulumi.Output[str]
    """Name of the first zone's parent Availability Zone in this account."""
    parent_availability_zones: pulumi.Output[dict[str, str]]
    """Parent Availability Zone by zone."""
    network_border_groups: pulumi.Output[dict[str, str]]
    """Network border group by zone: where its carrier IPs are allocated."""
    zone_subnet_ids: pulumi.Output[dict[str, str]]
    """Ids of the subnets behind the carrier gateway, by zone."""
    zone_private_subnet_ids: pulumi.Output[dict[str, str]]
    """Ids of the zones' private subnets, by zone; empty without NAT."""
    public_subnet_ids: pulumi.Output[dict[str, str]]
    """Ids of the Region's public subnets, by Availability Zone (``parent`` for the parent)."""
    private_subnet_ids: pulumi.Output[dict[str, str]]
    """Ids of the Region's private subnets, by Availability Zone (``parent`` for the parent)."""
    nat_public_ips: pulumi.Output[dict[str, str]]
    """Addresses that NAT traffic comes from, by Availability Zone; empty without NAT."""
    blocks: pulumi.Output[dict[str, str]]
    """The block of each place, which ``pinned_blocks`` takes."""
    path_mtu: pulumi.Output[int]
    """Largest packet in bytes between Region and zone on private addresses."""

    @overload
    def __init__(self, name: str, args: WavelengthVpcArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None: ...
    @overload
    def __init__(self, name: str, args: Mapping[str, Any], opts: Optional[pulumi.ResourceOptions] = None) -> None: ...
    def __init__(  # pyright: ignore[reportInconsistentOverload]  # the component schema reads this annotation
        self, name: str, args: WavelengthVpcArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Builds the VPC.

        Raises:
            ArgsError: see `plan_wavelength_vpc`.
        """
        plan = plan_wavelength_vpc(WavelengthVpcArgs.of(args))
        super().__init__("edgelib:index:WavelengthVpc", name, {}, opts)
        for note in plan.notes:
            pulumi.log.warn(note, resource=self)
        parts = _Parts(self, name, plan)
        self._network = parts.network
        publish(self, parts.outputs())

    @property
    def network(self) -> Network:
        """The value that clusters, bastions and node pools take."""
        return self._network


class _Parts:
    """The resources of one `WavelengthVpc`, registered in the order in which a reader would draw them."""

    def __init__(self, component: WavelengthVpc, name: str, plan: WavelengthVpcPlan) -> None:
        self.plan = plan
        self.family = Family(component, name, plan.region, plan.tags)
        self.zone_facts = {entry.zone.name: self._zone_facts(entry.zone.name) for entry in plan.zones}
        self.opt_ins = [self._opt_in(group) for group in plan.opt_in_groups]
        self.vpc = aws.ec2.Vpc(
            **self.family.tagged("vpc"),
            cidr_block=plan.cidr_block,
            enable_dns_support=True,
            enable_dns_hostnames=True,  # private DNS names of interface endpoints need it
        )
        aws.ec2.DefaultSecurityGroup(**self.family.tagged("default"), vpc_id=self.vpc.id)
        self.internet_gateway = aws.ec2.InternetGateway(**self.family.tagged("igw"), vpc_id=self.vpc.id)
        self.carrier_gateway = aws.ec2.CarrierGateway(
            **self.family.tagged("cagw", depends_on=self.opt_ins), vpc_id=self.vpc.id
        )
        self.route_tables: list[aws.ec2.RouteTable] = []
        self.nat_gateways: dict[str, aws.ec2.NatGateway] = {}
        self.nat_addresses: dict[str, pulumi.Output[str]] = {}
        self.availability_zones = {az.key: self._availability_zone(az) for az in plan.availability_zones}
        for az in plan.availability_zones:  # their NAT gateway may be another one's
            self.availability_zones[az.key].private = self._private_subnet(az)
        self.zones = {entry.zone.name: self._zone(entry) for entry in plan.zones}
        self._services()

    @property
    def network(self) -> Network:
        """The value that clusters take."""
        return Network(
            vpc_id=self.vpc.id,
            cidr_block=self.plan.cidr_block,
            region=self.plan.region,
            zones=self.zones,
            availability_zones=self.availability_zones,
        )

    def outputs(self) -> dict[str, pulumi.Output[Any]]:
        """What the component promises, by the names of its annotations."""
        azs, zones, facts = self.availability_zones, self.zones, self.zone_facts
        by_key: dict[str, dict[str, pulumi.Input[str]]] = {
            "parent_availability_zones": {zone: about.parent_zone_name for zone, about in facts.items()},
            "network_border_groups": {zone: about.network_border_group for zone, about in facts.items()},
            "zone_subnet_ids": {zone: place.public.id for zone, place in zones.items() if place.public},
            "zone_private_subnet_ids": {zone: place.private.id for zone, place in zones.items() if place.private},
            "public_subnet_ids": {az: place.public.id for az, place in azs.items() if place.public},
            "private_subnet_ids": {az: place.private.id for az, place in azs.items() if place.private},
            "nat_public_ips": dict(self.nat_addresses),
            "blocks": {
                **{az.key: az.block for az in self.plan.availability_zones},
                **{entry.zone.name: entry.block for entry in self.plan.zones},
            },
        }
        return {
            "vpc_id": self.vpc.id,
            "cidr_block": self.vpc.cidr_block,
            "carrier_gateway_id": self.carrier_gateway.id,
            "internet_gateway_id": self.internet_gateway.id,
            "parent_availability_zone": facts[self.plan.zones[0].zone.name].parent_zone_name,
            "path_mtu": pulumi.Output.from_input(mtu.REGION_TO_ZONE_PRIVATE),
            **{name: keyed(values) for name, values in by_key.items()},
        }

    def _zone_facts(self, zone: str) -> "pulumi.Output[aws.GetAvailabilityZoneResult]":
        # without all_availability_zones a zone is not shown before the account has opted in
        return aws.get_availability_zone_output(
            name=zone, all_availability_zones=True, region=self.plan.region, opts=self.family.invoke()
        )

    def _opt_in(self, group: str) -> "aws.ec2.AvailabilityZoneGroup":
        # opting in is account-wide and shared with other stacks; AWS takes an opt-out by support case only
        return aws.ec2.AvailabilityZoneGroup(
            **self.family.untagged(group, retain_on_delete=True), group_name=group, opt_in_status="opted-in"
        )

    def _availability_zone(self, az: AvailabilityZonePlan) -> NetworkPlace:
        """The place with its public subnet, and its NAT gateway if it has one."""
        if not self.route_tables:
            self.public_table, self.public_route = self._route_table("public", gateway_id=self.internet_gateway.id)
        subnet = self._subnet(f"public-{az.key}", az.public_cidr, self._name_of(az.key), self.public_table)
        if az.nat_key == az.key:
            self._nat_gateway(az.key, subnet)
        public = _network_subnet(subnet, az.public_cidr, SubnetEgress.INTERNET_GATEWAY, self.public_route)
        return NetworkPlace(public=public)

    def _name_of(self, key: str) -> pulumi.Input[str]:
        """The Availability Zone's name in this account."""
        parent = self.zone_facts[self.plan.zones[0].zone.name].parent_zone_name

        def other_than(parent_name: str) -> str:
            if parent_name == key:
                problem = "is the parent Availability Zone, which is there already"
                raise ArgsError("WavelengthVpcArgs.availability_zones", key, problem, "leave it out")
            return key

        return parent if key == PARENT else parent.apply(other_than)

    def _nat_gateway(self, key: str, subnet: "aws.ec2.Subnet") -> None:
        role = f"nat-{key}"
        address = aws.ec2.Eip(**self.family.tagged(role, depends_on=[self.public_route]), domain="vpc")
        self.nat_addresses[key] = address.public_ip
        self.nat_gateways[key] = aws.ec2.NatGateway(
            **self.family.tagged(role, depends_on=[self.public_route]),
            allocation_id=address.allocation_id,
            subnet_id=subnet.id,
        )

    def _private_subnet(self, az: AvailabilityZonePlan) -> NetworkSubnet:
        role = f"private-{az.key}"
        if az.nat_key is None:
            table = self._table(role)
            subnet = self._subnet(role, az.private_cidr, self._name_of(az.key), table)
            return _network_subnet(subnet, az.private_cidr, SubnetEgress.NONE, None)
        table, route = self._route_table(role, nat_gateway_id=self.nat_gateways[az.nat_key].id)
        subnet = self._subnet(role, az.private_cidr, self._name_of(az.key), table)
        return _network_subnet(subnet, az.private_cidr, SubnetEgress.NAT_GATEWAY, route)

    def _zone(self, entry: ZonePlan) -> NetworkPlace:
        zone = entry.zone.name
        role = f"public-{zone}"
        table, route = self._route_table(role, carrier_gateway_id=self.carrier_gateway.id)
        subnet = self._subnet(role, entry.public_cidr, zone, table)
        place = NetworkPlace(
            public=_network_subnet(subnet, entry.public_cidr, SubnetEgress.CARRIER_GATEWAY, route),
            network_border_group=self.zone_facts[zone].network_border_group,
        )
        if entry.private_cidr:
            role = f"private-{zone}"
            table, route = self._route_table(role, nat_gateway_id=self.nat_gateways[PARENT].id)
            subnet = self._subnet(role, entry.private_cidr, zone, table)
            place.private = _network_subnet(subnet, entry.private_cidr, SubnetEgress.NAT_GATEWAY, route)
        return place

    def _table(self, role: str) -> "aws.ec2.RouteTable":
        table = aws.ec2.RouteTable(**self.family.tagged(role), vpc_id=self.vpc.id)
        self.route_tables.append(table)
        return table

    def _route_table(self, role: str, **target: pulumi.Input[str]) -> "tuple[aws.ec2.RouteTable, aws.ec2.Route]":
        """A route table whose default route leads to ``target``."""
        table = self._table(role)
        route = aws.ec2.Route(
            **self.family.untagged(role), route_table_id=table.id, destination_cidr_block=ANYWHERE, **target
        )
        return table, route

    def _subnet(self, role: str, cidr: str, where: pulumi.Input[str], table: "aws.ec2.RouteTable") -> "aws.ec2.Subnet":
        subnet = aws.ec2.Subnet(
            **self.family.tagged(role, depends_on=self.opt_ins),
            vpc_id=self.vpc.id,
            cidr_block=cidr,
            availability_zone=where,
            map_public_ip_on_launch=False,  # fails in Wavelength Zones, and hosts have addresses of their own
        )
        aws.ec2.RouteTableAssociation(**self.family.untagged(role), subnet_id=subnet.id, route_table_id=table.id)
        return subnet

    def _services(self) -> None:
        s3_endpoint(self.family, self.vpc.id, [table.id for table in self.route_tables])
        if self.plan.interface_endpoints:
            subnets = [place.private.id for place in self.availability_zones.values() if place.private]
            cidr = self.plan.cidr_block
            interface_endpoints(self.family, self.plan.interface_endpoints, self.vpc.id, cidr, subnets)
        if self.plan.flow_log_retention_days is not None:
            flow_logs(self.family, self.plan.flow_log_retention_days, self.vpc.id)


def _network_subnet(
    subnet: "aws.ec2.Subnet", cidr: str, egress: SubnetEgress, route: "Optional[aws.ec2.Route]"
) -> NetworkSubnet:
    return NetworkSubnet(
        id=subnet.id,
        availability_zone=subnet.availability_zone,
        cidr_block=cidr,
        egress=egress,
        egress_route_id=route.id if route else None,
    )
