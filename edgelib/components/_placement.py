"""Where a host goes and how it reaches out: every host has exactly one way."""

from dataclasses import dataclass
from enum import Enum
from typing import Optional

from edgelib import zones
from edgelib.addressing import PARENT
from edgelib.components.network import Network, NetworkPlace, NetworkSubnet, SubnetEgress, zone_named
from edgelib.errors import ArgsError


class Egress(Enum):
    """How a node reaches what is outside its VPC."""

    CARRIER_IP = "carrier-ip"
    """An address of its own on the carrier's network; Wavelength Zones only."""
    PUBLIC_IP = "public-ip"
    """A public address of its own; Region only."""
    NAT = "nat"
    """The Region's NAT gateway."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """One place of a network and the way out of it."""

    key: str
    """Zone name, Availability Zone name or ``parent``."""
    zone: Optional[zones.Zone]
    """The Wavelength Zone; None in the Region."""
    place: NetworkPlace
    subnet: NetworkSubnet
    egress: Egress

    @property
    def volume_type(self) -> str:
        """The EBS type that always works: gp2 is the only one in Wavelength Zones (AWS Wavelength quotas)."""
        return "gp2" if self.zone else "gp3"


def place(
    field: str, network: Network, zone: Optional[str], availability_zone: Optional[str], egress: Optional[Egress]
) -> Placement:
    """Finds the subnet of a host.

    ``field`` is the class whose fields the errors name. Without ``egress``: a carrier IP in a zone that has a subnet for it;
    in the Region the NAT gateway where there is one, else a public IP.

    Raises:
        ArgsError: the network has no such place, the egress belongs to another kind of place, or nothing there gives egress.
    """
    if zone is not None and availability_zone is not None:
        raise ArgsError(
            f"{field}.availability_zone", availability_zone, f"is set beside zone={zone!r}", "set one of the two"
        )
    found = zone_named(f"{field}.zone", zone) if zone is not None else None
    key = zone or availability_zone or PARENT
    places, name = (network.zones, "zone") if found else (network.availability_zones, "availability_zone")
    if key not in places:
        known = ", ".join(places) or "none"
        raise ArgsError(f"{field}.{name}", key, "is not in this network", f"its places of that kind are: {known}")
    own = Egress.CARRIER_IP if found else Egress.PUBLIC_IP
    if egress not in {None, own, Egress.NAT}:
        where = "a Wavelength Zone" if found else "the Region"
        raise ArgsError(
            f"{field}.egress",
            egress.value if egress else "",
            f"does not exist in {where}",
            f"use {own.value} or {Egress.NAT.value}",
        )
    return _way_out(field, key, found, places[key], egress, own)


def _way_out(
    field: str, key: str, zone: Optional[zones.Zone], where: NetworkPlace, wanted: Optional[Egress], own: Egress
) -> Placement:
    nat = where.private if where.private and where.private.egress is SubnetEgress.NAT_GATEWAY else None
    ways = {own: where.public, Egress.NAT: nat}
    order = [wanted] if wanted else [own, Egress.NAT] if zone else [Egress.NAT, own]
    for way in order:
        subnet = ways[way]
        if subnet is not None:
            return Placement(key=key, zone=zone, place=where, subnet=subnet, egress=way)
    tried = " or ".join(way.value for way in order)
    missing = f"has no subnet that gives {tried}, so that a host there could not install anything"
    ways_out = "WavelengthVpcArgs(nat=NatStrategy.SINGLE) gives NAT, a public subnet gives each host its own address"
    raise ArgsError(f"{field}.network", key, missing, ways_out)
