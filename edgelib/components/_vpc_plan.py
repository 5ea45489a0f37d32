"""What a `WavelengthVpc` will consist of, decided before any resource exists."""

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Optional

import pulumi

from edgelib import addressing, zones
from edgelib.addressing import PARENT
from edgelib.components._args import Args
from edgelib.components.network import zone_named
from edgelib.errors import ArgsError
from edgelib.tags import check_tags

NODE_ENDPOINTS = ("ssm", "ssmmessages", "ec2messages", "ecr.api", "ecr.dkr", "ec2")
"""What nodes without egress need: Session Manager, images from ECR (their layers come through the S3 gateway endpoint), EC2."""

# CloudWatch Logs API reference, PutRetentionPolicy
RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
)  # fmt: skip


class NatStrategy(Enum):
    """How many NAT gateways there are; they are always in the Region (AWS has none in Wavelength Zones)."""

    NONE = "none"
    SINGLE = "single"
    """One in the parent Availability Zone, for every private subnet."""
    PER_AZ = "per-az"
    """One in each Availability Zone; private subnets of Wavelength Zones use the parent's."""


class ZoneGroupOptIn(Enum):
    """Who opts the account in to the zone groups. Opting in is account-wide and never undone by a destroy."""

    MANAGED = "managed"
    """This component does (needs ``ec2:ModifyAvailabilityZoneGroup``)."""
    EXTERNAL = "external"
    """Somebody else has."""


@dataclass(kw_only=True)
class FlowLogsArgs(Args):
    """VPC flow logs in CloudWatch Logs."""

    retention_days: Optional[int] = None
    """Days to keep them, one of CloudWatch's own steps (default 30)."""


@dataclass(kw_only=True)
class WavelengthVpcArgs(Args):
    """What a `WavelengthVpc` is made from."""

    zones: list[str]
    """Names of one or more Wavelength Zones of one Region. Append, never reorder: the place in the list decides the block."""
    cidr_block: Optional[str] = None
    """The VPC's IPv4 block, /16 to /26 (default ``10.0.0.0/16``)."""
    availability_zones: Optional[list[str]] = None
    """Availability Zones to build subnets in besides the parent, such as ``us-east-1b`` (default none). Append, never reorder."""
    pinned_blocks: Optional[dict[str, str]] = None
    """Blocks to keep by place (zone name, Availability Zone name or ``parent``), as the output ``blocks`` shows them, for a VPC whose
    lists are to be reordered (default none)."""
    nat: Optional[NatStrategy] = None
    """NAT gateways in the Region, and with them private subnets in the zones (default none: they cost by the hour)."""
    zone_group_opt_in: Optional[ZoneGroupOptIn] = None
    """Who opts in to the zone groups (default managed)."""
    interface_endpoints: Optional[list[str]] = None
    """AWS services reached without the internet, by endpoint name such as ``ssm`` (default none: they cost by the hour).
    `NODE_ENDPOINTS` is what nodes without egress need. They stand in the Region: Wavelength Zones have none."""
    flow_logs: Optional[FlowLogsArgs] = None
    """Flow logs of the whole VPC (default none)."""
    tags: Optional[dict[str, pulumi.Input[str]]] = None
    """Tags of every resource (default none but ``Name``)."""


@dataclass(frozen=True, kw_only=True)
class ZonePlan:
    """One Wavelength Zone of the VPC."""

    zone: zones.Zone
    block: str
    public_cidr: str
    private_cidr: Optional[str]
    """Set when there is a NAT gateway to route to."""


@dataclass(frozen=True, kw_only=True)
class AvailabilityZonePlan:
    """One Availability Zone of the VPC."""

    key: str
    block: str
    public_cidr: str
    private_cidr: str
    nat_key: Optional[str]
    """The Availability Zone whose NAT gateway its private subnet uses."""


@dataclass(frozen=True, kw_only=True)
class WavelengthVpcPlan:
    """Every decision about a `WavelengthVpc`."""

    region: str
    cidr_block: str
    zones: tuple[ZonePlan, ...]
    availability_zones: tuple[AvailabilityZonePlan, ...]
    opt_in_groups: tuple[str, ...]
    interface_endpoints: tuple[str, ...]
    flow_log_retention_days: Optional[int]
    tags: dict[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    notes: tuple[str, ...] = ()
    """What the user should know, though it is allowed."""

    @property
    def nat_keys(self) -> tuple[str, ...]:
        """The Availability Zones that get a NAT gateway."""
        return tuple(az.key for az in self.availability_zones if az.nat_key == az.key)


def plan_wavelength_vpc(args: WavelengthVpcArgs) -> WavelengthVpcPlan:
    """Decides everything about a `WavelengthVpc`; needs no engine, no network and no clock.

    Raises:
        ArgsError: the zones are none, unknown, of two Regions or repeated, an Availability Zone is of another Region, a block
            does not fit or is not canonical, a retention is not CloudWatch's, an endpoint's name is no name.
    """
    found = _zones(args)
    region = found[0].region
    keys = (PARENT, *_availability_zones(args, region))
    nat = args.nat or NatStrategy.NONE
    blocks = _blocks(args, [zone.name for zone in found], keys)
    return WavelengthVpcPlan(
        region=region,
        cidr_block=blocks.vpc,
        zones=tuple(_zone_plan(zone, blocks.zones[zone.name], nat) for zone in found),
        availability_zones=tuple(
            AvailabilityZonePlan(
                key=key,
                block=blocks.availability_zones[key].block,
                public_cidr=blocks.availability_zones[key].public,
                private_cidr=blocks.availability_zones[key].private,
                nat_key={NatStrategy.NONE: None, NatStrategy.SINGLE: PARENT, NatStrategy.PER_AZ: key}[nat],
            )
            for key in keys
        ),
        opt_in_groups=()
        if args.zone_group_opt_in is ZoneGroupOptIn.EXTERNAL
        else tuple(dict.fromkeys(zone.group for zone in found)),
        interface_endpoints=_endpoints(args),
        flow_log_retention_days=_retention(args.flow_logs),
        tags=check_tags("WavelengthVpcArgs.tags", args.tags),
        notes=_notes(found),
    )


def _zones(args: WavelengthVpcArgs) -> list[zones.Zone]:
    field = "WavelengthVpcArgs.zones"
    if not args.zones:
        raise ArgsError(field, args.zones, "names no zone", "name one or more, see: edgelib zones")
    found = [zone_named("WavelengthVpcArgs.zones", name) for name in args.zones]
    for zone in found:
        if args.zones.count(zone.name) > 1:
            raise ArgsError(field, zone.name, "is there twice", "name each zone once")
        if zone.region != found[0].region:
            problem = f"is in {zone.region} and {found[0].name} in {found[0].region}: a VPC is of one Region"
            raise ArgsError(field, zone.name, problem, "build one WavelengthVpc per Region")
    return found


def _availability_zones(args: WavelengthVpcArgs, region: str) -> list[str]:
    field, named = "WavelengthVpcArgs.availability_zones", args.availability_zones or []
    for name in named:
        if not re.fullmatch(rf"{region}[a-z]", name):
            raise ArgsError(field, name, f"is no Availability Zone of {region}", f"use names such as {region}b")
        if named.count(name) > 1:
            raise ArgsError(field, name, "is there twice", "name each Availability Zone once")
    return named


def _blocks(args: WavelengthVpcArgs, zone_names: list[str], keys: tuple[str, ...]) -> addressing.AddressPlan:
    pinned = args.pinned_blocks or {}
    for place in pinned:
        if place not in {*zone_names, *keys}:
            known = ", ".join([*zone_names, *keys])
            raise ArgsError(
                "WavelengthVpcArgs.pinned_blocks", place, "is no place of this VPC", f"the places are {known}"
            )
    try:
        return addressing.plan_addresses(
            args.cidr_block or "10.0.0.0/16", zones=zone_names, availability_zones=keys, pinned_blocks=pinned
        )
    except addressing.AddressPlanError as error:
        raise ArgsError.saying(f"WavelengthVpcArgs.{error}") from error


def _zone_plan(zone: zones.Zone, blocks: addressing.ZoneBlocks, nat: NatStrategy) -> ZonePlan:
    if nat is NatStrategy.NONE:
        return ZonePlan(zone=zone, block=blocks.block, public_cidr=blocks.carrier, private_cidr=None)
    if blocks.private is None:
        problem = f"leaves {zone.name} one subnet of {blocks.carrier}, and a private subnet needs another"
        raise ArgsError(
            "WavelengthVpcArgs.cidr_block", "the VPC's block", problem, "use a larger block, or nat=NatStrategy.NONE"
        )
    return ZonePlan(zone=zone, block=blocks.block, public_cidr=blocks.carrier, private_cidr=blocks.private)


def _endpoints(args: WavelengthVpcArgs) -> tuple[str, ...]:
    field, named = "WavelengthVpcArgs.interface_endpoints", args.interface_endpoints or []
    for service in named:
        if service == "s3":
            raise ArgsError(field, service, "is there already, as a gateway endpoint without cost", "leave it out")
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", service) or service.startswith("com.amazonaws."):
            raise ArgsError(
                field, service, "is no endpoint name", "use the part after com.amazonaws.REGION., such as ssm"
            )
        if named.count(service) > 1:
            raise ArgsError(field, service, "is there twice", "name each service once")
    return tuple(named)


def _retention(flow_logs: Optional[FlowLogsArgs]) -> Optional[int]:
    if flow_logs is None:
        return None
    days = 30 if flow_logs.retention_days is None else flow_logs.retention_days
    if days not in RETENTION_DAYS:
        steps = ", ".join(map(str, RETENTION_DAYS))
        raise ArgsError(
            "FlowLogsArgs.retention_days", days, "is no retention of CloudWatch Logs", f"use one of {steps}"
        )
    return days


def _notes(found: list[zones.Zone]) -> tuple[str, ...]:
    notes = [f"{zone.name}: {zone.note}" for zone in found if zone.note]
    if len(found) > 1:
        names = " and ".join(zone.name for zone in found)
        notes.append(
            f"{names} share a VPC and cannot reach each other: AWS does not carry traffic between Wavelength Zones of one VPC. "
            "A cluster over both would lose its pod traffic; use one WavelengthVpc per zone for that."
        )
    return tuple(notes)
