"""The address layout of a VPC that spans a Region and its Wavelength Zones: pure planning, no AWS call.

The VPC block is halved: the lower half is for Availability Zones of the Region, the upper half for Wavelength Zones.
Each half is handed out in the order given: a place takes the lower half of what is left, the next one the lower half of
what is left then, and so on, down to the smallest block that a place can have. Nothing is kept back for places that may
never come, and a place added at the end of its list never moves another one. In 10.0.0.0/16:

========= ========== ============= ============ ============== =============
place     of azs     public        private      of zones       (first half: carrier, second half: private)
========= ========== ============= ============ ============== =============
first     /18        10.0.0.0/19   10.0.32.0/19 10.0.128.0/18  10.0.128.0/19, 10.0.160.0/19
second    /19        10.0.64.0/20  10.0.80.0/20 10.0.192.0/19  10.0.192.0/20, 10.0.208.0/20
========= ========== ============= ============ ============== =============

Limits (Amazon VPC User Guide, "VPC CIDR blocks" and "Subnet sizing"): a VPC block and a subnet are /16 to /28, and AWS
reserves five addresses of every subnet. So an Availability Zone needs a /27 (two subnets), a Wavelength Zone a /28 (one
subnet; at that size there is no private one): the smallest VPC with one of each is a /26.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Optional

ANYWHERE = "0.0.0.0/0"

PARENT = "parent"
"""The key of the zones' parent Availability Zone while only the API knows its name."""

_LARGEST = 16
_SMALLEST = 28
_RESERVED_BY_AWS = 5
_PRIVATE_RANGES = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))


class AddressPlanError(ValueError):
    """Addresses that cannot be planned; the message names the argument, the value, the reason and the way out."""


@dataclass(frozen=True, kw_only=True)
class AzBlocks:
    """The blocks of one Availability Zone, in CIDR notation."""

    block: str
    """All of the place's addresses: what `plan_addresses` takes as ``pinned_blocks``."""
    public: str
    private: str


@dataclass(frozen=True, kw_only=True)
class ZoneBlocks:
    """The blocks of one Wavelength Zone, in CIDR notation."""

    block: str
    """All of the place's addresses: what `plan_addresses` takes as ``pinned_blocks``."""
    carrier: str
    private: Optional[str]
    """For nodes that reach the internet by a NAT gateway in the Region. Planned whether used or not, so that using it
    later moves nothing. None where the zone has a single /28."""


@dataclass(frozen=True, kw_only=True)
class AddressPlan:
    """Who has which addresses of a VPC; the keys are the names given, in their order."""

    vpc: str
    availability_zones: Mapping[str, AzBlocks]
    zones: Mapping[str, ZoneBlocks]


@dataclass(frozen=True)
class _Half:
    """One half of the VPC block and those who live there."""

    field: str
    places: Sequence[str]
    block: IPv4Network
    smallest: int
    """The longest prefix that a place here can have."""

    def slots(self) -> Iterator[IPv4Network]:
        """Yield the blocks that the places of this half take, the largest first, the last two of the smallest size."""
        left = self.block
        while left.prefixlen < self.smallest:
            slot, left = left.subnets()
            yield slot
        if left.prefixlen == self.smallest:
            yield left


def plan_addresses(
    cidr_block: str,
    *,
    zones: Sequence[str],
    availability_zones: Sequence[str],
    pinned_blocks: Optional[Mapping[str, str]] = None,
) -> AddressPlan:
    """Give every Wavelength Zone of ``zones`` and every Availability Zone of ``availability_zones`` its subnets in ``cidr_block``.

    ``pinned_blocks`` maps a place to its block (`ZoneBlocks.block`, `AzBlocks.block`): it is kept there whatever its position
    in the list, and the others are laid out around it. Pin what exists before you reorder the list, insert in the
    middle or remove from it. Appending needs no pin, and a pin on free addresses moves nothing else.

    Raises `AddressPlanError` for a block that is not a canonical private IPv4 block of /16 to /28, for names that are
    empty or given twice, for a pin outside the VPC block, too small or on top of another, and for a place without room.
    """
    vpc = _vpc_block(cidr_block)
    lower, upper = _halves(vpc)
    halves = (
        _Half("availability_zones", availability_zones, lower, _SMALLEST - 1),
        _Half("zones", zones, upper, _SMALLEST),
    )
    _check_names(halves)
    pins = _pins(vpc, halves, pinned_blocks or {})
    az_blocks, zone_blocks = (_place(half, vpc, pins) for half in halves)
    return AddressPlan(
        vpc=str(vpc),
        availability_zones={name: _az_blocks(block) for name, block in az_blocks.items()},
        zones={name: _zone_blocks(block) for name, block in zone_blocks.items()},
    )


def usable_addresses(cidr: str) -> int:
    """Return how many addresses of a subnet AWS leaves for network interfaces: all but five."""
    return _block("cidr", cidr).num_addresses - _RESERVED_BY_AWS


def _az_blocks(block: IPv4Network) -> AzBlocks:
    public, private = _halves(block)
    return AzBlocks(block=str(block), public=str(public), private=str(private))


def _zone_blocks(block: IPv4Network) -> ZoneBlocks:
    if block.prefixlen == _SMALLEST:
        return ZoneBlocks(block=str(block), carrier=str(block), private=None)
    carrier, private = _halves(block)
    return ZoneBlocks(block=str(block), carrier=str(carrier), private=str(private))


def _halves(block: IPv4Network) -> tuple[IPv4Network, IPv4Network]:
    lower, upper = block.subnets()
    return lower, upper


def _vpc_block(cidr: str) -> IPv4Network:
    block = _block("cidr_block", cidr)
    if not _LARGEST <= block.prefixlen <= _SMALLEST:
        raise AddressPlanError(
            f"cidr_block: {cidr} is a /{block.prefixlen}; AWS allows /{_LARGEST} to /{_SMALLEST}, such as 10.0.0.0/16"
        )
    if not any(block.subnet_of(private) for private in _PRIVATE_RANGES):
        ranges = ", ".join(map(str, _PRIVATE_RANGES))
        raise AddressPlanError(
            f"cidr_block: {cidr} is not a private block; a zone's instances do not reach the internet from "
            f"publicly routable addresses. Use a block of {ranges}"
        )
    return block


def _block(field: str, cidr: str) -> IPv4Network:
    try:
        block = ip_network(cidr, strict=False)
    except ValueError as error:
        raise AddressPlanError(f"{field}: {cidr!r} is not a block in CIDR notation, such as 10.0.0.0/16") from error
    if isinstance(block, IPv6Network):
        raise AddressPlanError(
            f"{field}: {cidr} is IPv6, which Wavelength Zones and carrier gateways do not have; use an IPv4 block, "
            "such as 10.0.0.0/16"
        )
    if str(block) != cidr:
        raise AddressPlanError(f"{field}: {cidr!r} is not in canonical form; write {block}")
    return block


def _check_names(halves: Iterable[_Half]) -> None:
    seen: dict[str, str] = {}
    for half in halves:
        if isinstance(half.places, str):
            raise AddressPlanError(f"{half.field}: {half.places!r} is one string; give a list of names")
        for name in half.places:
            if not name.strip():
                raise AddressPlanError(f"{half.field}: {name!r} is not a name; each place needs one")
            if name in seen:
                raise AddressPlanError(
                    f"{half.field}: {name} is given twice (it is in {seen[name]} already); name each place once"
                )
            seen[name] = half.field


def _pins(vpc: IPv4Network, halves: Sequence[_Half], pinned_blocks: Mapping[str, str]) -> dict[str, IPv4Network]:
    smallest = {name: half.smallest for half in halves for name in half.places}
    pins: dict[str, IPv4Network] = {}
    for name, cidr in pinned_blocks.items():
        field = f"pinned_blocks[{name}]"
        if name not in smallest:
            raise AddressPlanError(
                f"{field}: {name} is in neither zones nor availability_zones; add it there or remove the pin"
            )
        block = _block(field, cidr)
        if not block.subnet_of(vpc):
            raise AddressPlanError(f"{field}: {cidr} is not inside the VPC block {vpc}; give a block of it")
        if block.prefixlen > smallest[name]:
            raise AddressPlanError(
                f"{field}: {cidr} is too small for its subnets, which AWS makes no smaller than /{_SMALLEST}; "
                f"give a /{smallest[name]} or larger"
            )
        for other, taken in pins.items():
            if block.overlaps(taken):
                raise AddressPlanError(f"{field}: {cidr} overlaps {taken}, pinned for {other}; give each its own")
        pins[name] = block
    return pins


def _place(half: _Half, vpc: IPv4Network, pins: Mapping[str, IPv4Network]) -> dict[str, IPv4Network]:
    free = [slot for slot in half.slots() if not any(slot.overlaps(pin) for pin in pins.values())]
    unpinned = [name for name in half.places if name not in pins]
    if len(unpinned) > len(free):
        wanted = len(unpinned)
        besides = " beside the pinned blocks" if pins else ""
        raise AddressPlanError(
            f"{half.field}: no room for {unpinned[len(free)]}: the VPC block {vpc} is a /{vpc.prefixlen}, and its half "
            f"for {half.field}, {half.block}, fits {len(free)} of the {wanted}{besides}; "
            f"{_way_out(half, wanted, bool(pins))}"
        )
    chosen = {**pins, **dict(zip(unpinned, free, strict=False))}
    return {name: chosen[name] for name in half.places}


def _way_out(half: _Half, wanted: int, any_pin: bool) -> str:
    ways: list[str] = []
    needed = half.smallest - wanted  # the VPC's prefix: one bit for the halves, one for each place but the last
    if any_pin:
        ways.append("pin smaller blocks or elsewhere")
    elif needed >= _LARGEST:
        ways.append(f"use a VPC block of /{needed} or larger")
    if wanted > 1:
        ways.append("plan fewer of them")
        ways += ["one VPC per zone"] if half.field == "zones" else []
    return ", or ".join(ways)
