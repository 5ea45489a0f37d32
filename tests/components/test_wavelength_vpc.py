import itertools
import json

import pulumi
import pulumi_aws as aws
import pytest
from component_sites import (
    ANYWHERE,
    BOSTON,
    CASABLANCA,
    GROUP,
    NEW_YORK,
    asked,
    kind,
    refuse,
    security_rules,
    site,
    waits_for,
)
from hypothesis import given
from hypothesis import strategies as st

from edgelib import ArgsError, NatStrategy, WavelengthVpc, WavelengthVpcArgs, zones
from edgelib.components._vpc_flow_logs import flow_log_policy
from edgelib.components._vpc_plan import RETENTION_DAYS
from edgelib.components.wavelength_vpc import plan_wavelength_vpc
from edgelib.testing import UNKNOWN, deploy

VERIZON_EAST = [zone.name for zone in zones.catalogue(region="us-east-1")]
LONDON, MANCHESTER_BT = "eu-west-2-wl1-lon-wlz-1", "eu-west-2-wl2-man-wlz-1"


def plan(*names, **args):
    return plan_wavelength_vpc(WavelengthVpcArgs(zones=list(names or (BOSTON,)), **args))


def built(name="site", **args):
    return deploy(lambda: WavelengthVpc(name, {"zones": [BOSTON], **args}))


def default_routes(recording):
    """Subnet name to the kind and name of what its default route leads to, None without one."""
    targets = {each.id: (kind(each), each.name) for each in recording.resources}
    leads = {
        route.inputs["routeTableId"]: next(
            targets[value] for key, value in route.inputs.items() if key.endswith("atewayId")
        )
        for route in recording.all(aws.ec2.Route)
        if route.inputs["destinationCidrBlock"] == ANYWHERE
    }
    subnets = {each.id: each.name for each in recording.all(aws.ec2.Subnet)}
    return {
        subnets[each.inputs["subnetId"]]: leads.get(each.inputs["routeTableId"])
        for each in recording.all(aws.ec2.RouteTableAssociation)
    }


def test_defaults_are_one_zone_its_parent_and_nothing_that_costs_by_the_hour():
    made = plan()
    assert (made.region, made.cidr_block, made.opt_in_groups) == ("us-east-1", "10.0.0.0/16", (GROUP,))
    assert [(entry.zone.name, entry.public_cidr, entry.private_cidr) for entry in made.zones] == [
        (BOSTON, "10.0.128.0/19", None)
    ]
    assert [(az.key, az.public_cidr, az.private_cidr, az.nat_key) for az in made.availability_zones] == [
        ("parent", "10.0.0.0/19", "10.0.32.0/19", None)
    ]
    assert (made.nat_keys, made.interface_endpoints, made.flow_log_retention_days) == ((), (), None)
    assert (made.tags, made.notes) == ({}, ())


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ({"zones": []}, ["WavelengthVpcArgs.zones: []", "names no zone", "edgelib zones"]),
        ({"zones": [BOSTON, BOSTON]}, ["WavelengthVpcArgs.zones", BOSTON, "is there twice"]),
        (
            {"zones": [BOSTON, CASABLANCA]},
            ["WavelengthVpcArgs.zones", CASABLANCA, "eu-west-3", "us-east-1", "one WavelengthVpc per Region"],
        ),
        ({"zones": ["boston"]}, ["WavelengthVpcArgs.zones: 'boston'", "is a city", BOSTON]),
        ({"zones": [GROUP]}, ["WavelengthVpcArgs.zones: 'us-east-1-wl1'", "zone group", BOSTON]),
        ({"zones": ["us-east-1-bos-1a"]}, ["WavelengthVpcArgs.zones: 'us-east-1-bos-1a'", "Local Zone"]),
        (
            {"availability_zones": ["us-west-2b"]},
            ["WavelengthVpcArgs.availability_zones: us-west-2b", "us-east-1", "us-east-1b"],
        ),
        ({"availability_zones": ["us-east-1b"] * 2}, ["WavelengthVpcArgs.availability_zones: us-east-1b", "twice"]),
        ({"availability_zones": ["parent"]}, ["WavelengthVpcArgs.availability_zones: parent", "us-east-1b"]),
        (
            {"pinned_blocks": {NEW_YORK: "10.0.64.0/20"}},
            ["WavelengthVpcArgs.pinned_blocks", NEW_YORK, "is no place of this VPC", BOSTON, "parent"],
        ),
        (
            {"pinned_blocks": {BOSTON: "10.1.0.0/20"}},
            [f"WavelengthVpcArgs.pinned_blocks[{BOSTON}]", "10.1.0.0/20", "not inside", "10.0.0.0/16"],
        ),
        ({"cidr_block": "10.0.0.0/8"}, ["WavelengthVpcArgs.cidr_block", "10.0.0.0/8", "/16 to /28"]),
        ({"cidr_block": "8.8.0.0/16"}, ["WavelengthVpcArgs.cidr_block", "8.8.0.0/16", "private"]),
        ({"cidr_block": "10.0.0.1/16"}, ["WavelengthVpcArgs.cidr_block", "10.0.0.1/16", "write 10.0.0.0/16"]),
        ({"cidr_block": "fd00::/56"}, ["WavelengthVpcArgs.cidr_block", "IPv6", "IPv4"]),
        ({"cidr_block": "10.0.0.0/27"}, ["WavelengthVpcArgs.availability_zones", "no room", "/26"]),
        ({"cidr_block": "10.0.0.0/26", "zones": VERIZON_EAST[:3]}, ["WavelengthVpcArgs.zones", "no room", "/25"]),
        (
            {"cidr_block": "10.0.0.0/26", "zones": [BOSTON, NEW_YORK], "nat": "single"},
            ["WavelengthVpcArgs.cidr_block", BOSTON, "10.0.0.32/28", "private subnet", "NatStrategy.NONE"],
        ),
        ({"nat": "double"}, ["WavelengthVpcArgs.nat: 'double'", "none, single, per-az"]),
        ({"zone_group_opt_in": "never"}, ["WavelengthVpcArgs.zone_group_opt_in: 'never'", "managed, external"]),
        ({"interface_endpoints": ["s3"]}, ["WavelengthVpcArgs.interface_endpoints: s3", "leave it out"]),
        (
            {"interface_endpoints": ["com.amazonaws.us-east-1.ssm"]},
            ["WavelengthVpcArgs.interface_endpoints", "is no endpoint name", "such as ssm"],
        ),
        ({"interface_endpoints": ["ssm", "ssm"]}, ["WavelengthVpcArgs.interface_endpoints: ssm", "twice"]),
        ({"flow_logs": {"retention_days": 31}}, ["FlowLogsArgs.retention_days: 31", "30, 60"]),
        ({"flow_logs": {"retention_days": 0}}, ["FlowLogsArgs.retention_days: 0", "1, 3, 5"]),
        ({"tags": {"aws:team": "x"}}, ["WavelengthVpcArgs.tags: 'aws:team'", "rename it"]),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(args, parts):
    refuse(lambda: plan_wavelength_vpc(WavelengthVpcArgs(**{"zones": [BOSTON], **args})), *parts)


@pytest.mark.parametrize(
    ("nat", "nat_keys", "used"),
    [
        ("none", (), {"parent": None, "us-east-1f": None}),
        ("single", ("parent",), {"parent": "parent", "us-east-1f": "parent"}),
        ("per-az", ("parent", "us-east-1f"), {"parent": "parent", "us-east-1f": "us-east-1f"}),
    ],
)
def test_nat_strategies(nat, nat_keys, used):
    made = plan(availability_zones=["us-east-1f"], nat=nat)
    assert made.nat_keys == nat_keys
    assert {az.key: az.nat_key for az in made.availability_zones} == used
    assert (made.zones[0].private_cidr is None) == (nat == "none")


@pytest.mark.parametrize(
    ("names", "args", "groups"),
    [
        ([BOSTON, NEW_YORK], {}, (GROUP,)),
        ([LONDON, MANCHESTER_BT], {}, ("eu-west-2-wl1", "eu-west-2-wl2")),
        ([BOSTON], {"zone_group_opt_in": "external"}, ()),
    ],
)
def test_opt_in_is_by_zone_group_once(names, args, groups):
    assert plan(*names, **args).opt_in_groups == groups


@pytest.mark.parametrize(("given", "days"), [({}, 30), *(({"retention_days": days}, days) for days in RETENTION_DAYS)])
def test_flow_logs_are_kept_thirty_days_or_as_cloudwatch_allows(given, days):
    assert plan(flow_logs=given).flow_log_retention_days == days


def test_a_pinned_place_keeps_its_block_when_the_list_is_reordered():
    pins = built(zones=[BOSTON, NEW_YORK]).named("site").outputs["blocks"]
    assert pins.keys() == {BOSTON, NEW_YORK, "parent"}
    before, after = plan(BOSTON, NEW_YORK, nat="single"), plan(NEW_YORK, BOSTON, nat="single", pinned_blocks=pins)
    assert {entry.zone.name: entry for entry in after.zones} == {entry.zone.name: entry for entry in before.zones}
    assert after.availability_zones == before.availability_zones


def test_two_zones_of_one_vpc_cannot_talk_and_it_says_so():
    (note,) = plan(BOSTON, NEW_YORK).notes
    assert "cannot reach each other" in note
    assert BOSTON in note
    assert NEW_YORK in note
    assert "one WavelengthVpc per zone" in note
    warnings = built(zones=[BOSTON, NEW_YORK]).warnings
    assert warnings == [note]


@pytest.mark.parametrize(
    ("zone", "about"),
    [
        ("us-east-1-wl1-xyz-wlz-1", "not in edgelib's catalogue"),
        ("eu-central-1-wl1-ber-wlz-1", "probably gone"),
    ],
)
def test_a_doubtful_zone_is_built_with_a_warning(zone, about):
    (warning,) = built(zones=[zone]).warnings
    assert zone in warning
    assert about in warning


@given(
    names=st.lists(st.sampled_from(VERIZON_EAST), min_size=2, max_size=6, unique=True),
    letters=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True),
    nat=st.sampled_from(NatStrategy),
    kept_zones=st.integers(1, 5),
    kept_azs=st.integers(0, 3),
)
def test_growing_at_the_end_never_moves_what_is_there(names, letters, nat, kept_zones, kept_azs):
    azs = [f"us-east-1{letter}" for letter in letters]
    small = plan(*names[:kept_zones], availability_zones=azs[:kept_azs], nat=nat)
    large = plan(*names, availability_zones=azs, nat=nat)
    assert large.zones[: len(small.zones)] == small.zones
    assert large.availability_zones[: len(small.availability_zones)] == small.availability_zones


@given(
    names=st.lists(st.sampled_from(VERIZON_EAST), min_size=1, max_size=4, unique=True),
    azs=st.lists(st.sampled_from(["us-east-1d", "us-east-1e"]), unique=True),
    nat=st.sampled_from(NatStrategy),
)
def test_every_private_subnet_of_a_vpc_with_nat_has_a_gateway_in_the_region_to_go_to(names, azs, nat):
    made = plan(*names, availability_zones=azs, nat=nat)
    in_region = {az.key for az in made.availability_zones}
    assert set(made.nat_keys) <= in_region
    users = {az.nat_key for az in made.availability_zones}
    assert users == (set(made.nat_keys) or {None})
    assert {entry.private_cidr is not None for entry in made.zones} == {nat is not NatStrategy.NONE}


def test_default_routes_lead_where_they_must():
    recording = built(zones=[BOSTON, NEW_YORK], nat="per-az", availability_zones=["us-east-1f"])
    assert default_routes(recording) == {
        f"site-public-{BOSTON}": ("CarrierGateway", "site-cagw"),
        f"site-public-{NEW_YORK}": ("CarrierGateway", "site-cagw"),
        f"site-private-{BOSTON}": ("NatGateway", "site-nat-parent"),
        f"site-private-{NEW_YORK}": ("NatGateway", "site-nat-parent"),
        "site-public-parent": ("InternetGateway", "site-igw"),
        "site-public-us-east-1f": ("InternetGateway", "site-igw"),
        "site-private-parent": ("NatGateway", "site-nat-parent"),
        "site-private-us-east-1f": ("NatGateway", "site-nat-us-east-1f"),
    }
    nats = {each.name: each.inputs["subnetId"] for each in recording.all(aws.ec2.NatGateway)}
    assert nats == {
        f"site-nat-{key}": recording.one(aws.ec2.Subnet, f"site-public-{key}").id for key in ("parent", "us-east-1f")
    }


def test_without_nat_private_subnets_have_no_way_out_and_zones_have_none():
    assert default_routes(built()) == {
        f"site-public-{BOSTON}": ("CarrierGateway", "site-cagw"),
        "site-public-parent": ("InternetGateway", "site-igw"),
        "site-private-parent": None,
    }


def test_one_carrier_gateway_serves_all_zones():
    assert len(built(zones=[BOSTON, NEW_YORK]).all(aws.ec2.CarrierGateway)) == 1


def test_subnets_stand_in_their_zones_and_in_the_parent_that_aws_names():
    recording = built(availability_zones=["us-east-1f"])
    parent = recording.named("site").outputs["parent_availability_zone"]
    assert {each.name: each.inputs["availabilityZone"] for each in recording.all(aws.ec2.Subnet)} == {
        f"site-public-{BOSTON}": BOSTON,
        "site-public-parent": parent,
        "site-private-parent": parent,
        "site-public-us-east-1f": "us-east-1f",
        "site-private-us-east-1f": "us-east-1f",
    }


def test_the_parent_named_again_is_refused_once_aws_has_told():
    parent = built().named("site").outputs["parent_availability_zone"]
    with pytest.raises(ArgsError, match=rf"availability_zones: {parent} is the parent .*; leave it out"):
        built(availability_zones=[parent])


def test_the_zone_is_looked_up_among_those_not_opted_in_too():
    (lookup,) = [each for each in built().invokes if each.token.endswith(":getAvailabilityZone")]
    assert lookup.args == {"name": BOSTON, "allAvailabilityZones": True, "region": "us-east-1"}


def test_the_opt_in_comes_first_and_survives_a_destroy():
    recording = built()
    opt_in = recording.one(aws.ec2.AvailabilityZoneGroup)
    assert (opt_in.inputs["groupName"], opt_in.inputs["optInStatus"]) == (GROUP, "opted-in")
    assert opt_in.options.retain_on_delete is True
    users = [recording.one(aws.ec2.CarrierGateway), recording.one(aws.ec2.Subnet, f"site-public-{BOSTON}")]
    assert [each.name for each in users if opt_in.urn not in each.options.depends_on] == []
    retained = [str(each) for each in recording.resources if each.options.retain_on_delete and each is not opt_in]
    assert retained == []


def test_an_external_opt_in_is_left_to_others():
    assert built(zone_group_opt_in="external").all(aws.ec2.AvailabilityZoneGroup) == []


def test_the_default_security_group_allows_nothing():
    group = site().one(aws.ec2.DefaultSecurityGroup)
    assert group.inputs["vpcId"] == site().one(aws.ec2.Vpc).id
    assert group.inputs.keys() & {"ingress", "egress"} == set()


def test_s3_is_reached_without_the_internet_from_every_subnet():
    recording = site()
    gateway = recording.one(aws.ec2.VpcEndpoint, "site-s3")
    assert gateway.inputs["serviceName"] == "com.amazonaws.us-east-1.s3"
    assert gateway.inputs["vpcEndpointType"] == "Gateway"
    served = {each.inputs["routeTableId"] for each in recording.all(aws.ec2.RouteTableAssociation)}
    assert sorted(gateway.inputs["routeTableIds"]) == sorted(served)


def test_interface_endpoints_are_open_to_the_vpc_alone():
    recording = site()
    endpoint = recording.one(aws.ec2.VpcEndpoint, "site-ssm")
    assert endpoint.inputs["serviceName"] == "com.amazonaws.us-east-1.ssm"
    assert endpoint.inputs["privateDnsEnabled"] is True
    assert endpoint.inputs["securityGroupIds"] == [recording.one(aws.ec2.SecurityGroup, "site-endpoints").id]
    assert security_rules(recording, "site-endpoints") == {("in", "tcp", 443, 443, "10.0.0.0/16")}
    vpc = recording.one(aws.ec2.Vpc).inputs
    assert vpc["enableDnsSupport"] is vpc["enableDnsHostnames"] is True


def test_flow_logs_write_to_their_own_group_and_nowhere_else():
    recording = site()
    group, log = recording.one(aws.cloudwatch.LogGroup), recording.one(aws.ec2.FlowLog)
    assert group.inputs["retentionInDays"] == 30
    assert (log.inputs["trafficType"], log.inputs["logDestination"]) == ("ALL", group.outputs["arn"])
    policy = recording.one(aws.iam.RolePolicy, "site-flow-logs")
    (statement,) = json.loads(policy.inputs["policy"])["Statement"]
    assert statement["Resource"] == [group.outputs["arn"], f"{group.outputs['arn']}:*"]
    assert {action.partition(":")[0] for action in statement["Action"]} == {"logs"}
    assert policy.urn in log.options.depends_on
    assert "vpc-flow-logs.amazonaws.com" in recording.one(aws.iam.Role, "site-flow-logs").inputs["assumeRolePolicy"]


def test_a_log_groups_arn_with_a_star_names_the_same_group():
    assert flow_log_policy("arn:aws:logs:x:1:log-group:g:*") == flow_log_policy("arn:aws:logs:x:1:log-group:g")


def test_the_outputs_are_the_ids_of_what_was_made():
    recording = site()
    made = recording.named("site").outputs
    assert made["vpc_id"] == recording.one(aws.ec2.Vpc).id
    assert made["cidr_block"] == "10.0.0.0/16"
    assert made["carrier_gateway_id"] == recording.one(aws.ec2.CarrierGateway).id
    assert made["internet_gateway_id"] == recording.one(aws.ec2.InternetGateway).id
    assert made["parent_availability_zones"] == {BOSTON: made["parent_availability_zone"]}
    assert made["network_border_groups"] == {BOSTON: BOSTON}
    subnets = {each.name: each.id for each in recording.all(aws.ec2.Subnet)}
    assert made["zone_subnet_ids"] == {BOSTON: subnets[f"site-public-{BOSTON}"]}
    assert made["zone_private_subnet_ids"] == {BOSTON: subnets[f"site-private-{BOSTON}"]}
    assert made["public_subnet_ids"] == {"parent": subnets["site-public-parent"]}
    assert made["private_subnet_ids"] == {"parent": subnets["site-private-parent"]}
    address = recording.one(aws.ec2.Eip, "site-nat-parent")
    assert made["nat_public_ips"] == {"parent": address.outputs["publicIp"]}
    assert recording.one(aws.ec2.NatGateway).inputs["allocationId"] == address.id
    assert made["path_mtu"] == 1300


def test_without_nat_the_nat_outputs_are_empty():
    made = built().named("site").outputs
    assert (made["zone_private_subnet_ids"], made["nat_public_ips"]) == ({}, {})


def test_a_preview_knows_the_plan_and_not_the_ids():
    made = site(preview=True).named("site").outputs
    assert made["parent_availability_zones"] == site().named("site").outputs["parent_availability_zones"]
    assert made["vpc_id"] is UNKNOWN
    assert made["zone_subnet_ids"] in (UNKNOWN, {BOSTON: UNKNOWN})


def test_growing_changes_no_registration_of_what_is_there():
    before = asked(built(zones=[BOSTON], nat="single"), without=["site-s3"])
    recording = built(zones=[BOSTON, NEW_YORK], availability_zones=["us-east-1f"], nat="single")
    assert {urn: value for urn, value in asked(recording).items() if urn in before} == before


def test_vpcs_whose_names_begin_alike_do_not_collide():
    names = ("site", "site-private", "site-public")

    def program():
        for name in names:
            WavelengthVpc(name, {"zones": [BOSTON], "nat": "single"})

    recording = deploy(program)
    assert len(recording.all(aws.ec2.Subnet)) == 4 * len(names)
    assert {each.parent_name for each in recording.all(aws.ec2.Subnet)} == set(names)


def test_two_vpcs_share_nothing():
    def program():
        WavelengthVpc("north", {"zones": [BOSTON], "nat": "single"})
        WavelengthVpc("south", {"zones": [CASABLANCA], "nat": "single"})

    recording = deploy(program)
    for one, other in itertools.permutations(("north", "south")):
        ids = {each.id for each in recording.descendants(other)}
        used = {
            value for each in recording.descendants(one) for value in each.inputs.values() if isinstance(value, str)
        }
        assert used & ids == set()


def test_a_nat_address_is_released_before_the_internet_gateway_goes():
    recording = site()
    for address in ("site-nat-parent", "bastion-host", "front-1"):
        assert ("InternetGateway", "site-igw") in waits_for(recording, recording.one(aws.ec2.Eip, address))


def test_tags_of_the_vpc_may_be_outputs():
    recording = deploy(
        lambda: WavelengthVpc("site", {"zones": [BOSTON], "tags": {"owner": pulumi.Output.from_input("edge")}})
    )
    assert recording.one(aws.ec2.Vpc).inputs["tags"] == {"Name": "site-vpc", "owner": "edge"}
