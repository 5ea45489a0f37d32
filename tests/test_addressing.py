from ipaddress import ip_network
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edgelib.addressing import AddressPlanError, plan_addresses, usable_addresses

PREFIXES = range(16, 29)
ZONES = [f"zone-{number}" for number in range(14)]
AZS = [f"az-{number}" for number in range(14)]


def fitting_zones(prefix):
    return max(0, 28 - prefix)


def fitting_azs(prefix):
    return max(0, 27 - prefix)


def subnets(plan):
    azs = [cidr for blocks in plan.availability_zones.values() for cidr in (blocks.public, blocks.private)]
    zones = [cidr for blocks in plan.zones.values() for cidr in (blocks.carrier, blocks.private) if cidr]
    return azs + zones


@pytest.mark.parametrize(
    ("vpc", "azs", "zones"),
    [
        (
            "10.0.0.0/16",
            {"a": ("10.0.0.0/19", "10.0.32.0/19"), "b": ("10.0.64.0/20", "10.0.80.0/20")},
            {"x": ("10.0.128.0/19", "10.0.160.0/19"), "y": ("10.0.192.0/20", "10.0.208.0/20")},
        ),
        (
            "172.16.16.0/20",
            {"a": ("172.16.16.0/23", "172.16.18.0/23"), "b": ("172.16.20.0/24", "172.16.21.0/24")},
            {"x": ("172.16.24.0/23", "172.16.26.0/23"), "y": ("172.16.28.0/24", "172.16.29.0/24")},
        ),
        (
            "192.168.7.0/24",
            {
                "a": ("192.168.7.0/27", "192.168.7.32/27"),
                "b": ("192.168.7.64/28", "192.168.7.80/28"),
                "c": ("192.168.7.96/28", "192.168.7.112/28"),
            },
            {
                "w": ("192.168.7.128/27", "192.168.7.160/27"),
                "x": ("192.168.7.192/28", "192.168.7.208/28"),
                "y": ("192.168.7.224/28", None),
                "z": ("192.168.7.240/28", None),
            },
        ),
        (
            "100.64.0.64/26",
            {"a": ("100.64.0.64/28", "100.64.0.80/28")},
            {"x": ("100.64.0.96/28", None), "y": ("100.64.0.112/28", None)},
        ),
    ],
)
def test_golden_layout(vpc, azs, zones):
    """The layout is a promise: another answer here would replace the subnets of every site that exists."""
    plan = plan_addresses(vpc, zones=list(zones), availability_zones=list(azs))
    assert plan.vpc == vpc
    assert {name: (blocks.public, blocks.private) for name, blocks in plan.availability_zones.items()} == azs
    assert {name: (blocks.carrier, blocks.private) for name, blocks in plan.zones.items()} == zones


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_vpc_size_holds_what_it_promises(prefix):
    """Exhaustive over sizes and numbers of places: inside, disjoint, canonical, of AWS's sizes, Region below zones."""
    vpc = ip_network(f"10.64.0.0/{prefix}")
    for az_count in range(fitting_azs(prefix) + 1):
        for zone_count in range(fitting_zones(prefix) + 1):
            plan = plan_addresses(str(vpc), zones=ZONES[:zone_count], availability_zones=AZS[:az_count])
            blocks = [ip_network(cidr) for cidr in subnets(plan)]  # strict: refuses host bits
            assert all(block.subnet_of(vpc) and 16 <= block.prefixlen <= 28 for block in blocks)
            assert not any(one.overlaps(other) for one, other in combinations(blocks, 2))
            middle = vpc.network_address + vpc.num_addresses // 2
            assert all(ip_network(entry.block).network_address < middle for entry in plan.availability_zones.values())
            assert all(ip_network(entry.block).network_address >= middle for entry in plan.zones.values())
            assert list(plan.zones) == ZONES[:zone_count]
            assert list(plan.availability_zones) == AZS[:az_count]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_appending_a_place_moves_nothing(prefix):
    vpc = f"10.64.0.0/{prefix}"
    full = plan_addresses(vpc, zones=ZONES[: fitting_zones(prefix)], availability_zones=AZS[: fitting_azs(prefix)])
    for zone_count in range(fitting_zones(prefix) + 1):
        for az_count in range(fitting_azs(prefix) + 1):
            plan = plan_addresses(vpc, zones=ZONES[:zone_count], availability_zones=AZS[:az_count])
            assert plan.zones == {name: full.zones[name] for name in ZONES[:zone_count]}
            assert plan.availability_zones == {name: full.availability_zones[name] for name in AZS[:az_count]}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_no_address_is_left_over_once_the_block_is_full(prefix):
    plan = plan_addresses(
        f"10.64.0.0/{prefix}", zones=ZONES[: fitting_zones(prefix)], availability_zones=AZS[: fitting_azs(prefix)]
    )
    handed_out = sum(ip_network(cidr).num_addresses for cidr in subnets(plan))
    expected = 2 ** (32 - prefix) if prefix <= 26 else 16 * (prefix == 27)  # a /27 has one zone and no room for an AZ
    assert handed_out == expected


@pytest.mark.parametrize("prefix", PREFIXES)
def test_place_too_many_is_refused_with_the_size_that_fits(prefix):
    vpc = f"10.64.0.0/{prefix}"
    for field, fit, names in (
        ("zones", fitting_zones(prefix), ZONES),
        ("availability_zones", fitting_azs(prefix), AZS),
    ):
        arguments = {"zones": [], "availability_zones": [], field: names[: fit + 1]}
        with pytest.raises(AddressPlanError) as error:
            plan_addresses(vpc, **arguments)
        message = str(error.value)
        assert message.startswith(f"{field}: no room for {names[fit]}: the VPC block {vpc} is a /{prefix}")
        assert f"fits {fit} of the {fit + 1};" in message
        if prefix == 16:
            assert "use a VPC block" not in message
            assert "plan fewer of them" in message
        else:
            size = message.split("use a VPC block of /")[1].split(maxsplit=1)[0]
            plan_addresses(f"10.64.0.0/{size}", **arguments)
            with pytest.raises(AddressPlanError):
                plan_addresses(f"10.64.0.0/{int(size) + 1}", **arguments)
        assert ("one VPC per zone" in message) == (field == "zones" and fit > 0)


def test_smallest_vpc_with_the_parent_az_and_a_zone_is_a_26():
    plan = plan_addresses("10.0.0.0/26", zones=["boston"], availability_zones=["parent"])
    assert subnets(plan) == ["10.0.0.0/28", "10.0.0.16/28", "10.0.0.32/28"]
    with pytest.raises(AddressPlanError, match="/26 or larger"):
        plan_addresses("10.0.0.0/27", zones=["boston"], availability_zones=["parent"])


@pytest.mark.parametrize(
    ("cidr", "says"),
    [
        ("10.0.0.1/16", "'10.0.0.1/16' is not in canonical form; write 10.0.0.0/16"),
        ("10.0.0.0/255.255.0.0", "not in canonical form; write 10.0.0.0/16"),
        ("10.0.0.0/15", "is a /15; AWS allows /16 to /28"),
        ("10.0.0.0/29", "is a /29; AWS allows /16 to /28"),
        ("10.0.0.0", "not in canonical form; write 10.0.0.0/32"),
        ("8.8.0.0/16", "8.8.0.0/16 is not a private block"),
        ("172.32.0.0/16", "Use a block of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10"),
        ("169.254.0.0/16", "not a private block"),
        ("fd00::/56", "is IPv6, which Wavelength Zones and carrier gateways do not have"),
        ("10.0.0.0/33", "not a block in CIDR notation"),
        ("ten", "not a block in CIDR notation"),
        ("", "not a block in CIDR notation"),
    ],
)
def test_vpc_block_that_cannot_work_is_refused(cidr, says):
    with pytest.raises(AddressPlanError) as error:
        plan_addresses(cidr, zones=["boston"], availability_zones=["parent"])
    assert str(error.value).startswith("cidr_block: ")
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("zones", "azs", "says"),
    [
        (["x", "y", "x"], [], "zones: x is given twice (it is in zones already)"),
        (["x"], ["x"], "zones: x is given twice (it is in availability_zones already)"),
        ([""], [], "zones: '' is not a name"),
        ([], [" "], "availability_zones: ' ' is not a name"),
        ("boston", [], "zones: 'boston' is one string; give a list"),
    ],
)
def test_names_are_distinct_and_not_empty(zones, azs, says):
    with pytest.raises(AddressPlanError) as error:
        plan_addresses("10.0.0.0/16", zones=zones, availability_zones=azs)
    assert str(error.value).startswith(says)


def test_pins_allow_any_order_insertion_and_removal():
    before = plan_addresses("10.0.0.0/20", zones=["x", "y", "z"], availability_zones=["a", "b"])
    pinned = {name: blocks.block for plan in (before.zones, before.availability_zones) for name, blocks in plan.items()}
    del pinned["y"]
    after = plan_addresses(
        "10.0.0.0/20", zones=["new", "z", "x"], availability_zones=["b", "other", "a"], pinned_blocks=pinned
    )
    assert after.zones["x"] == before.zones["x"]
    assert after.zones["z"] == before.zones["z"]
    assert after.zones["new"] == before.zones["y"]  # the first free block
    assert {name: after.availability_zones[name] for name in ("a", "b")} == before.availability_zones


def test_pin_may_have_a_size_and_a_half_of_its_own():
    plan = plan_addresses(
        "10.0.0.0/20",
        zones=["x", "y"],
        availability_zones=["a"],
        pinned_blocks={"x": "10.0.0.16/28", "a": "10.0.15.0/24"},
    )
    assert (plan.zones["x"].carrier, plan.zones["x"].private) == ("10.0.0.16/28", None)
    assert (plan.availability_zones["a"].public, plan.availability_zones["a"].private) == (
        "10.0.15.0/25",
        "10.0.15.128/25",
    )
    assert plan.zones["y"].block == "10.0.8.0/22"


@pytest.mark.parametrize(
    ("pinned", "says"),
    [
        ({"z": "10.0.0.0/24"}, "pinned_blocks[z]: z is in neither zones nor availability_zones"),
        ({"x": "10.1.0.0/24"}, "pinned_blocks[x]: 10.1.0.0/24 is not inside the VPC block 10.0.0.0/20"),
        ({"x": "10.0.0.0/16"}, "pinned_blocks[x]: 10.0.0.0/16 is not inside"),
        ({"x": "10.0.0.0/29"}, "pinned_blocks[x]: 10.0.0.0/29 is too small"),
        ({"a": "10.0.0.0/28"}, "pinned_blocks[a]: 10.0.0.0/28 is too small"),
        ({"x": "10.0.0.1/24"}, "pinned_blocks[x]: '10.0.0.1/24' is not in canonical form; write 10.0.0.0/24"),
        ({"x": "fd00::/64"}, "pinned_blocks[x]: fd00::/64 is IPv6"),
        ({"x": "10.0.0.0/24", "a": "10.0.0.0/25"}, "pinned_blocks[a]: 10.0.0.0/25 overlaps 10.0.0.0/24, pinned for x"),
    ],
)
def test_pin_that_cannot_work_is_refused(pinned, says):
    with pytest.raises(AddressPlanError) as error:
        plan_addresses("10.0.0.0/20", zones=["x"], availability_zones=["a"], pinned_blocks=pinned)
    assert str(error.value).startswith(says)


def test_pins_that_leave_no_room_are_named_as_the_reason():
    with pytest.raises(AddressPlanError) as error:
        plan_addresses("10.0.0.0/26", zones=["x", "y"], availability_zones=["a"], pinned_blocks={"a": "10.0.0.32/27"})
    assert "zones: no room for x" in str(error.value)
    assert "fits 0 of the 2 beside the pinned blocks; pin smaller blocks or elsewhere" in str(error.value)
    with pytest.raises(AddressPlanError, match="availability_zones: no room for a"):
        plan_addresses("10.0.0.0/26", zones=["x"], availability_zones=["a"], pinned_blocks={"x": "10.0.0.0/26"})


@st.composite
def pinned_layouts(draw):
    """A VPC, places in any order, and pins on any valid blocks: slots of the layout, parts of them, or elsewhere."""
    prefix = draw(st.integers(18, 26))
    vpc = ip_network(f"10.64.0.0/{prefix}")
    zones = draw(st.permutations(ZONES[:3]))
    azs = draw(st.permutations(AZS[:2]))
    pins = {}
    for name in draw(st.lists(st.sampled_from([*zones, *azs]), unique=True)):
        length = draw(st.integers(min(prefix + 1, 27), 27))
        position = draw(st.integers(0, 2 ** (length - prefix) - 1))
        address = int(vpc.network_address) + position * 2 ** (32 - length)
        block = ip_network((address, length))
        if not any(block.overlaps(other) for other in pins.values()):
            pins[name] = block
    return vpc, zones, azs, {name: str(block) for name, block in pins.items()}


def plan_if_room(vpc, **arguments):
    """The plan, or None where the places do not fit; any other error is the test's."""
    try:
        return plan_addresses(str(vpc), **arguments)
    except AddressPlanError as error:
        if "no room for" not in str(error):
            raise
        return None


@given(pinned_layouts())
def test_pins_hold_and_the_rest_stays_disjoint(layout):
    vpc, zones, azs, pinned = layout
    plan = plan_if_room(vpc, zones=zones, availability_zones=azs, pinned_blocks=pinned)
    assume(plan)
    placed = {**plan.zones, **plan.availability_zones}
    assert all(placed[name].block == block for name, block in pinned.items())
    blocks = [ip_network(cidr) for cidr in subnets(plan)]
    assert all(block.subnet_of(vpc) and block.prefixlen <= 28 for block in blocks)
    assert not any(one.overlaps(other) for one, other in combinations(blocks, 2))


@given(layout=pinned_layouts(), data=st.data())
def test_appending_beside_pins_moves_nothing(layout, data):
    """Also when what is appended is pinned on addresses that nobody has, and when a place is pinned where it is."""
    vpc, zones, azs, pinned = layout
    before = plan_if_room(vpc, zones=zones, availability_zones=azs, pinned_blocks=pinned)
    assume(before)
    placed = {**before.zones, **before.availability_zones}
    more = {name: placed[name].block for name in data.draw(st.sets(st.sampled_from([*zones, *azs])))}
    late = data.draw(st.sampled_from(list(vpc.subnets(new_prefix=28))))
    if not any(late.overlaps(ip_network(blocks.block)) for blocks in placed.values()):
        more["late"] = str(late)
    after = plan_if_room(vpc, zones=[*zones, "late"], availability_zones=azs, pinned_blocks={**pinned, **more})
    assume(after)
    assert {name: after.zones[name] for name in zones} == before.zones
    assert after.availability_zones == before.availability_zones


def test_aws_keeps_five_addresses_of_each_subnet():
    assert usable_addresses("10.0.0.0/28") == 11
    assert usable_addresses("10.0.0.0/24") == 251
