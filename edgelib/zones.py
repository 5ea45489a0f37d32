"""The catalogue of AWS Wavelength Zones: a hint for planning before any AWS call is made.

The EC2 API is the truth: AWS adds and withdraws zones, and which ones an account sees varies between accounts. So a
name that has the form of a zone but is not in the catalogue is accepted (`Zone.catalogued` is False and `Zone.note`
says so), and a catalogued zone is no promise. The data and an explanation of its fields are in ``zones.json``; every
zone there carries codes of the evidence that it exists:

========== ===========================================================================================================
zone-dump  its name, group and id were seen in public output of ``DescribeAvailabilityZones``
documented its name was seen in public documentation
name-map   a public map of zone names to locations has it
price-list AWS's price list of 2025-09-11 has a code (such as ``us-east-1-wl1-chi1``) from which its name follows
in-use     a public project deploys to it
aws-page   AWS's page of available Wavelength Zones names it
========== ===========================================================================================================

Coordinates are approximate city centres, not AWS's: good for "which zone is near", not for latency.
"""

import difflib
import enum
import functools
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import NamedTuple, NotRequired, Optional, TypedDict, cast

INSTANCE_TYPES: tuple[str, ...] = ("t3.medium", "t3.xlarge", "r5.2xlarge", "g4dn.2xlarge")
"""Instance types seen in Wavelength Zones (Verizon's published templates, 2022). Not every zone has each of them, and
newer zones may have others: `DescribeInstanceTypeOfferings` is the truth."""

_REGION = r"[a-z]{2}(?:-[a-z]+)+-[0-9]"
_ZONE_NAME = re.compile(rf"(?P<group>(?P<region>{_REGION})-wl[0-9]+)-[a-z]{{3}}-wlz-[0-9]+")
_ZONE_GROUP = re.compile(rf"{_REGION}-wl[0-9]+")
_ZONE_ID = re.compile(r"[a-z]{3,6}[0-9]-wl[0-9]+-[a-z]{3}-wlz[0-9]+")
_LOCAL_ZONE = re.compile(rf"(?P<region>{_REGION})-[a-z]{{3}}-[0-9]+[a-z]")
_REGION_OR_AZ = re.compile(rf"(?P<region>{_REGION})[a-z]?")
_AZ_ID = re.compile(r"[a-z]{3,6}[0-9]-az[0-9]+")
_ARM_FAMILY = re.compile(r"a1|[a-z]+[0-9]+[a-z]*g[a-z]*")

_EXAMPLE = "us-east-1-wl1-bos-wlz-1"
_EARTH_RADIUS_KM = 6371.0088  # the mean radius (IUGG)


class Listing(enum.Enum):
    """What AWS's page of available Wavelength Zones shows about a zone."""

    LISTED = "listed"
    """The page names the zone."""
    SECTION = "section"
    """The page has a section for the zone's area; the zone's own entry was not seen."""
    ABSENT = "absent"
    """The page has no section for the zone's Region: it is probably gone."""


class UnknownZoneError(ValueError):
    """A name that is no Wavelength Zone name; the message says what it is instead, or what was probably meant."""


class ZoneQueryError(ValueError):
    """A filter or a coordinate that the catalogue cannot answer."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One Wavelength Zone. What only the catalogue can know is None for a zone that is not in it."""

    name: str
    """Also its network border group, for example ``us-east-1-wl1-bos-wlz-1``."""
    region: str
    group: str
    """What an account opts in to, for example ``us-east-1-wl1``: all zones of one carrier in one Region."""
    network_border_group: str
    """Where carrier IP addresses of this zone are allocated. Not the group."""
    internet_inbound: bool
    """Whether the internet can open connections to carrier IPs, UDP included: in the African zones (parent Region
    eu-west-3) only. Elsewhere only the carrier's own network can, and UDP from and to the internet is denied."""
    catalogued: bool
    zone_id: Optional[str] = None
    carrier: Optional[str] = None
    city: Optional[str] = None
    country: Optional[str] = None
    """ISO 3166-1 alpha-2."""
    latitude: Optional[float] = None
    """Degrees, of the city's centre, approximate."""
    longitude: Optional[float] = None
    listing: Optional[Listing] = None
    evidence: str = "none"
    """Where the zone was seen, in words."""
    note: Optional[str] = None
    """What to know before relying on the entry."""


class Nearest(NamedTuple):
    """A zone and how far away it is."""

    zone: Zone
    distance_km: float
    """Along the great circle, kilometres."""


def find(name: str) -> Zone:
    """Return the zone called ``name``.

    A name of the zone form that is not in the catalogue is accepted with `Zone.catalogued` False: the EC2 API decides
    at deploy time. Raises `UnknownZoneError` for anything else, such as a zone group, a zone id, an Availability Zone,
    a Local Zone or a city, and says which zone was probably meant.
    """
    if zone := _by_name().get(name):
        return zone
    if match := _ZONE_NAME.fullmatch(name):
        return _uncatalogued(name, region=match["region"], group=match["group"])
    raise _refusal(name)


def catalogue(
    *, region: Optional[str] = None, carrier: Optional[str] = None, country: Optional[str] = None
) -> tuple[Zone, ...]:
    """Return the catalogued zones, in the order of ``zones.json``, that pass every given filter; possibly none.

    ``carrier`` and ``country`` ignore case; a carrier matches by its words, so ``orange`` finds both Orange and
    Sonatel (Orange).
    Raises `ZoneQueryError`, naming the known values, for a filter value that no zone has.
    """
    zones = tuple(_by_name().values())
    if region is not None:
        zones = _keep(zones, "region", region, lambda known: known == region)
    if carrier is not None:
        zones = _keep(
            zones, "carrier", carrier, lambda known: bool(_words(carrier)) and _words(carrier) <= _words(known)
        )
    if country is not None:
        zones = _keep(zones, "country", country, lambda known: known.casefold() == country.casefold())
    return zones


def nearest(latitude: float, longitude: float, *, count: int = 1) -> list[Nearest]:
    """Return the ``count`` catalogued zones nearest to a point in degrees, the nearest first (all if there are fewer).

    Zones that AWS no longer lists are among them: see `Zone.listing`.
    Raises `ZoneQueryError` for a point that is not on the globe and for a count below 1.
    """
    if not -90 <= latitude <= 90:
        raise ZoneQueryError(f"latitude: {latitude} is outside -90..90 degrees; south is negative")
    if not -180 <= longitude <= 180:
        raise ZoneQueryError(f"longitude: {longitude} is outside -180..180 degrees; west is negative")
    if count < 1:
        raise ZoneQueryError(f"count: {count} zones cannot be returned; ask for at least 1")
    found = [
        Nearest(zone, _great_circle_km(latitude, longitude, zone.latitude, zone.longitude))
        for zone in _by_name().values()
        if zone.latitude is not None and zone.longitude is not None
    ]
    found.sort(key=lambda entry: (entry.distance_km, entry.zone.name))
    return found[:count]


def offers(zone: Zone, instance_type: str) -> Optional[bool]:
    """Return a hint whether ``zone`` has ``instance_type``; only `DescribeInstanceTypeOfferings` knows.

    True: the type is in `INSTANCE_TYPES` and the zone is not an African one, whose types are not documented.
    False: it is no x86-64 virtual machine (Graviton, bare metal), and no zone is known to have others. None: not known.
    """
    if is_arm(instance_type) or ".metal" in instance_type:
        return False
    return True if instance_type in INSTANCE_TYPES and not zone.internet_inbound else None


def is_arm(instance_type: str) -> bool:
    """Return whether ``instance_type`` is of an arm64 family (Graviton), such as ``t4g.medium``."""
    return bool(_ARM_FAMILY.fullmatch(instance_type.partition(".")[0]))


class _Row(TypedDict):
    """A zone in ``zones.json``."""

    name: str
    zone_id: str
    region: str
    group: str
    network_border_group: str
    carrier: str
    city: str
    country: str
    latitude: float
    longitude: float
    listing: str
    evidence: list[str]
    note: NotRequired[str]


class _Data(TypedDict):
    evidence: dict[str, str]
    zones: list[_Row]


@functools.cache
def _by_name() -> dict[str, Zone]:
    text = resources.files("edgelib").joinpath("zones.json").read_text(encoding="utf-8")
    data = cast("_Data", json.loads(text))
    return {row["name"]: _catalogued(row, data["evidence"]) for row in data["zones"]}


def _catalogued(row: _Row, meaning: dict[str, str]) -> Zone:
    return Zone(
        name=row["name"],
        region=row["region"],
        group=row["group"],
        network_border_group=row["network_border_group"],
        internet_inbound=_internet_inbound(row["region"]),
        catalogued=True,
        zone_id=row["zone_id"],
        carrier=row["carrier"],
        city=row["city"],
        country=row["country"],
        latitude=row["latitude"],
        longitude=row["longitude"],
        listing=Listing(row["listing"]),
        evidence="; ".join(meaning[code] for code in row["evidence"]),
        note=row.get("note"),
    )


def _internet_inbound(region: str) -> bool:
    return region == "eu-west-3"


def _uncatalogued(name: str, *, region: str, group: str) -> Zone:
    note = f"{name} is not in edgelib's catalogue: the EC2 API decides whether it exists"
    # Zone names share most of their letters: at this ratio one letter, or two of the city's code, may differ.
    if near := _near(name, cutoff=0.94):
        note += f". Did you mean {' or '.join(near)}?"
    return Zone(
        name=name,
        region=region,
        group=group,
        network_border_group=name,
        internet_inbound=_internet_inbound(region),
        catalogued=False,
        note=note,
    )


def _refusal(name: str) -> UnknownZoneError:
    text = name.strip().lower()
    zones = _by_name().values()
    if not text:
        return UnknownZoneError(f"zone: empty; give the name of a Wavelength Zone, such as {_EXAMPLE}")
    for zone in zones:
        if text == zone.name:
            return UnknownZoneError(f"zone: {name!r} must be written as AWS does, {zone.name}")
        if text == zone.zone_id:
            return UnknownZoneError(f"zone: {name!r} is the id of a zone; give its name, {zone.name}")
    if there := [zone.name for zone in zones if zone.city and zone.city.lower() == text]:
        return UnknownZoneError(f"zone: {name!r} is a city; give the name of the zone there, {' or '.join(there)}")
    if kind := _kind_of_place(text):
        return UnknownZoneError(f"zone: {name!r} is {kind}")
    cities = {zone.city.lower(): zone.name for zone in zones if zone.city}
    near = _near(text, cutoff=0.75) or [cities[city] for city in difflib.get_close_matches(text, cities, cutoff=0.75)]
    way_out = f"Did you mean {' or '.join(near)}?" if near else "`edgelib zones` lists them"
    return UnknownZoneError(f"zone: {name!r} is not the name of a Wavelength Zone, such as {_EXAMPLE}. {way_out}")


def _kind_of_place(text: str) -> Optional[str]:
    """What a name of AWS's that is not a Wavelength Zone's names, and what to give instead; None for anything else."""
    if _ZONE_GROUP.fullmatch(text):
        return f"a zone group, which is what an account opts in to; give one of its zones{_known('group', text)}"
    if _ZONE_ID.fullmatch(text):
        return "a zone id; give the zone's name, which DescribeAvailabilityZones shows"
    if match := _LOCAL_ZONE.fullmatch(text):
        return f"a Local Zone; give a Wavelength Zone{_known('region', match['region'])}"
    if match := _REGION_OR_AZ.fullmatch(text):
        kind = "a Region" if text == match["region"] else "an Availability Zone of a Region"
        return f"{kind}; give a Wavelength Zone{_known('region', match['region'])}"
    if _AZ_ID.fullmatch(text):
        return f"the id of an Availability Zone; give a Wavelength Zone, such as {_EXAMPLE}"
    return None


def _known(field: str, value: str) -> str:
    names = [zone.name for zone in _by_name().values() if getattr(zone, field) == value]
    return f": {', '.join(names)}" if names else f", such as {_EXAMPLE} (the catalogue has none with {field} {value})"


def _near(name: str, *, cutoff: float) -> list[str]:
    return difflib.get_close_matches(name, _by_name(), cutoff=cutoff)


def _keep(zones: tuple[Zone, ...], field: str, value: str, matches: Callable[[str], bool]) -> tuple[Zone, ...]:
    known = sorted({str(getattr(zone, field)) for zone in _by_name().values()})
    wanted = {entry for entry in known if matches(entry)}
    if not wanted:
        raise ZoneQueryError(f"{field}: no catalogued zone has {value!r}; known are {', '.join(known)}")
    return tuple(zone for zone in zones if getattr(zone, field) in wanted)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _great_circle_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """The haversine distance between two points in degrees."""
    phi, other_phi = math.radians(latitude), math.radians(other_latitude)
    half_chord = (
        math.sin((other_phi - phi) / 2) ** 2
        + math.cos(phi) * math.cos(other_phi) * math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    )
    return 2 * _EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(half_chord)))
