"""The network that clusters and hosts take: the same value for a VPC that edgelib made and for one that was there before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional, cast

import pulumi
import pulumi_aws as aws

from edgelib import zones
from edgelib.addressing import ANYWHERE
from edgelib.components._args import Args
from edgelib.errors import ArgsError


class SubnetEgress(Enum):
    """What a subnet's default route leads to."""

    CARRIER_GATEWAY = "carrier-gateway"
    INTERNET_GATEWAY = "internet-gateway"
    NAT_GATEWAY = "nat-gateway"
    NONE = "none"


@dataclass(kw_only=True)
class NetworkSubnet(Args):
    """One subnet and what its default route leads to."""

    id: pulumi.Input[str]
    """Subnet id."""
    availability_zone: pulumi.Input[str]
    """Name of its Availability Zone or Wavelength Zone."""
    cidr_block: pulumi.Input[str]
    """IPv4 block in CIDR notation."""
    egress: SubnetEgress
    """What its default route leads to."""
    egress_route_id: Optional[pulumi.Input[str]] = None
    """What must exist before anything here has egress: whoever needs egress depends on it, so that it also goes last."""


@dataclass(kw_only=True)
class NetworkPlace(Args):
    """The subnets of one Availability Zone or Wavelength Zone."""

    public: Optional[NetworkSubnet] = None
    """Nodes with an address of their own: a public IP in the Region, a carrier IP in a Wavelength Zone."""
    private: Optional[NetworkSubnet] = None
    """Nodes without: they reach out through a NAT gateway in the Region, or not at all."""
    network_border_group: Optional[pulumi.Input[str]] = None
    """Where carrier IPs of a Wavelength Zone are allocated; none in the Region."""


@dataclass(kw_only=True)
class ExistingSubnets(Args):
    """Ids of the subnets of one place of a VPC that is there already."""

    public_subnet_id: Optional[pulumi.Input[str]] = None
    """Its default route leads to the internet gateway, or to the carrier gateway in a Wavelength Zone."""
    private_subnet_id: Optional[pulumi.Input[str]] = None
    """Its default route leads to a NAT gateway."""


@dataclass(kw_only=True)
class Network(Args):
    """A VPC over a Region and its Wavelength Zones, as clusters, bastions and node pools take it.

    ``WavelengthVpc(...).network`` and ``Network.existing(...)`` both give it.
    """

    vpc_id: pulumi.Input[str]
    """VPC id."""
    cidr_block: pulumi.Input[str]
    """The VPC's IPv4 block."""
    region: str
    """The Region, such as ``us-east-1``."""
    zones: dict[str, NetworkPlace] = field(default_factory=dict[str, NetworkPlace])
    """Subnets by Wavelength Zone name."""
    availability_zones: dict[str, NetworkPlace] = field(default_factory=dict[str, NetworkPlace])
    """Subnets by Availability Zone name; ``parent`` is the Wavelength Zone's parent Availability Zone."""

    @staticmethod
    def existing(
        *,
        vpc_id: pulumi.Input[str],
        region: str,
        zones: Optional[Mapping[str, ExistingSubnets]] = None,
        availability_zones: Optional[Mapping[str, ExistingSubnets]] = None,
    ) -> "Network":
        """The network of a VPC that is there already.

        Args:
            vpc_id: id of the VPC.
            region: the VPC's Region, such as ``us-east-1``.
            zones: subnet ids by Wavelength Zone name.
            availability_zones: subnet ids by Availability Zone name.

        The subnets and their route tables are looked up; what does not fit stops everything that is built on the network.

        Raises:
            ArgsError: no subnet is named, or a zone is of another Region. Through the outputs: a subnet that is of another VPC or
                of another zone than it is named for, a public subnet whose default route is neither the zone's carrier gateway nor
                the Region's internet gateway, a private subnet whose default route is no NAT gateway.
        """
        return _existing_network(vpc_id, region, dict(zones or {}), dict(availability_zones or {}))


def zone_named(field_name: str, name: str) -> zones.Zone:
    """The zone called ``name``, which the field says.

    Raises:
        ArgsError: it is no Wavelength Zone's name.
    """
    try:
        return zones.find(name)
    except zones.UnknownZoneError as error:
        raise ArgsError.saying(f"{field_name}: {str(error).removeprefix('zone: ')}") from error


def after(value: Optional[pulumi.Input[Any]]) -> "pulumi.Output[pulumi.Resource]":
    """For ``depends_on``: waits for the resources behind ``value`` and for what its applies check, without using what it says."""
    known = cast("pulumi.Output[Any]", value) if isinstance(value, pulumi.Output) else pulumi.Output.from_input(value)
    return cast("pulumi.Output[pulumi.Resource]", known.apply(lambda _: None))


def keyed(values: Mapping[str, pulumi.Input[Any]]) -> "pulumi.Output[dict[str, Any]]":
    """``values`` as one output, in half the steps that ``Output.from_input`` takes, which unwraps the keys as well."""
    return pulumi.Output.all(**values) if values else pulumi.Output.from_input({})


def default_route_of(routes: "list[aws.ec2.outputs.GetRouteTableRouteResult]") -> SubnetEgress:
    """What the default route among ``routes`` leads to."""
    for route in routes:
        if route.cidr_block == ANYWHERE:
            if route.carrier_gateway_id:
                return SubnetEgress.CARRIER_GATEWAY
            if route.nat_gateway_id:
                return SubnetEgress.NAT_GATEWAY
            if route.gateway_id.startswith("igw-"):
                return SubnetEgress.INTERNET_GATEWAY
    return SubnetEgress.NONE


@dataclass(frozen=True, kw_only=True)
class FoundSubnet:
    """What the look-ups say of a subnet."""

    id: str
    vpc_id: str
    availability_zone: str
    egress: SubnetEgress


def check_existing_subnet(path: str, found: FoundSubnet, *, vpc_id: str, place: str, egress: SubnetEgress) -> str:
    """Returns the subnet's id.

    Raises:
        ArgsError: the subnet is of another VPC or place, or its default route does not lead where it must.
    """
    if found.vpc_id != vpc_id:
        raise ArgsError(path, found.id, f"is a subnet of {found.vpc_id}, not of {vpc_id}", "name a subnet of this VPC")
    if found.availability_zone != place:
        raise ArgsError(path, found.id, f"is in {found.availability_zone}, not in {place}", "name one of this zone")
    if found.egress is not egress:
        gives = {
            SubnetEgress.CARRIER_GATEWAY: "a route 0.0.0.0/0 to the carrier gateway, or name it as private if it has a NAT route",
            SubnetEgress.INTERNET_GATEWAY: "a route 0.0.0.0/0 to the VPC's internet gateway",
            SubnetEgress.NAT_GATEWAY: "a route 0.0.0.0/0 to a NAT gateway in the parent Availability Zone",
        }[egress]
        way_out = f"give its route table {gives}"
        problem = f"has the default route {found.egress.value}, so that its nodes would have no egress"
        raise ArgsError(path, found.id, problem, way_out)
    return found.id


def _existing_network(
    vpc_id: pulumi.Input[str], region: str, by_zone: dict[str, ExistingSubnets], by_az: dict[str, ExistingSubnets]
) -> Network:
    for name, ids in (by_zone | by_az).items():
        if ids.public_subnet_id is None and ids.private_subnet_id is None:
            raise ArgsError(
                f"Network.existing: {name}",
                "(no subnet)",
                "is named for it",
                "name its public or its private subnet id",
            )
    if not by_zone and not by_az:
        raise ArgsError("Network.existing", "(no subnet)", "is named", "pass zones={...} or availability_zones={...}")
    for name in by_zone:
        if zone_named("Network.existing: zones", name).region != region:
            raise ArgsError(
                "Network.existing: zones", name, f"is not in {region}", "use a zone of the VPC's own Region"
            )

    def subnet(
        path: str, place: str, subnet_id: Optional[pulumi.Input[str]], wanted: SubnetEgress
    ) -> Optional[NetworkSubnet]:
        return None if subnet_id is None else _existing_subnet(path, place, vpc_id, region, subnet_id, wanted)

    def places(kind: str, named: dict[str, ExistingSubnets], public: SubnetEgress) -> dict[str, NetworkPlace]:
        return {
            name: NetworkPlace(
                public=subnet(
                    f"Network.existing: {kind}[{name!r}].public_subnet_id", name, ids.public_subnet_id, public
                ),
                private=subnet(
                    f"Network.existing: {kind}[{name!r}].private_subnet_id",
                    name,
                    ids.private_subnet_id,
                    SubnetEgress.NAT_GATEWAY,
                ),
                network_border_group=_network_border_group(name, region) if kind == "zones" else None,
            )
            for name, ids in named.items()
        }

    return Network(
        vpc_id=vpc_id,
        cidr_block=aws.ec2.get_vpc_output(id=vpc_id, region=region).cidr_block,
        region=region,
        zones=places("zones", by_zone, SubnetEgress.CARRIER_GATEWAY),
        availability_zones=places("availability_zones", by_az, SubnetEgress.INTERNET_GATEWAY),
    )


def _network_border_group(zone: str, region: str) -> "pulumi.Output[str]":
    return aws.get_availability_zone_output(name=zone, all_availability_zones=True, region=region).network_border_group


def _existing_subnet(
    path: str, place: str, vpc_id: pulumi.Input[str], region: str, subnet_id: pulumi.Input[str], egress: SubnetEgress
) -> NetworkSubnet:
    subnet = aws.ec2.get_subnet_output(id=subnet_id, region=region)
    table = aws.ec2.get_route_table_output(route_table_id=_route_table_of(vpc_id, region, subnet_id), region=region)

    def checked(values: list[Any]) -> str:
        wanted_vpc, found_id, found_vpc, where, found_egress = values
        found = FoundSubnet(id=found_id, vpc_id=found_vpc, availability_zone=where, egress=found_egress)
        return check_existing_subnet(path, found, vpc_id=wanted_vpc, place=place, egress=egress)

    facts = (vpc_id, subnet.id, subnet.vpc_id, subnet.availability_zone, table.routes.apply(default_route_of))
    return NetworkSubnet(
        id=pulumi.Output.all(*facts).apply(checked),
        availability_zone=place,
        cidr_block=subnet.cidr_block,
        egress=egress,
    )


def _route_table_of(vpc_id: pulumi.Input[str], region: str, subnet_id: pulumi.Input[str]) -> "pulumi.Output[str]":
    """The subnet's own route table, or the VPC's main one, which serves every subnet that has none."""

    def tables(name: str, value: pulumi.Input[str]) -> "pulumi.Output[list[str]]":
        asked = pulumi.Output.from_input(value).apply(
            lambda v: [aws.ec2.GetRouteTablesFilterArgs(name=name, values=[v])]
        )
        return aws.ec2.get_route_tables_output(vpc_id=vpc_id, region=region, filters=asked).ids

    def first(found: list[list[str]]) -> str:
        own, main = found
        return (own or main)[0]

    return pulumi.Output.all(tables("association.subnet-id", subnet_id), tables("association.main", "true")).apply(
        first
    )
