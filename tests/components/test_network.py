import pulumi
import pulumi_aws as aws
import pytest
from component_sites import ANYWHERE, BOSTON, CASABLANCA, refuse

from edgelib import ArgsError, BastionHost, ExistingSubnets, Network, NodePool
from edgelib.testing import deploy

OUT = {"cidrBlock": ANYWHERE}
LOCAL = {"cidrBlock": "10.0.0.0/16", "gatewayId": "local"}
TO_CARRIER = {**OUT, "carrierGatewayId": "cagw-1"}
TO_INTERNET = {**OUT, "gatewayId": "igw-1"}
TO_NAT = {**OUT, "natGatewayId": "nat-1"}


def table(vpc, *routes, subnets=(), main=False):
    associations = [{"subnetId": each} for each in subnets] + [{"main": True}] * main
    return {"vpcId": vpc, "routes": [LOCAL, *routes], "associations": associations}


def subnet(vpc, zone, cidr):
    return {"vpcId": vpc, "availabilityZone": zone, "cidrBlock": cidr}


def account(**changes):
    """A VPC as somebody else built it: a main table without a way out, and one table per subnet."""
    return {
        "vpc-1": {"cidrBlock": "10.0.0.0/16"},
        "subnet-zone": subnet("vpc-1", BOSTON, "10.0.1.0/24"),
        "subnet-zone-private": subnet("vpc-1", BOSTON, "10.0.2.0/24"),
        "subnet-public": subnet("vpc-1", "us-east-1a", "10.0.3.0/24"),
        "subnet-private": subnet("vpc-1", "us-east-1a", "10.0.4.0/24"),
        "rtb-main": table("vpc-1", main=True),
        "rtb-zone": table("vpc-1", TO_CARRIER, subnets=["subnet-zone"]),
        "rtb-public": table("vpc-1", TO_INTERNET, subnets=["subnet-public"]),
        "rtb-nat": table("vpc-1", TO_NAT, subnets=["subnet-private", "subnet-zone-private"]),
        **{key.replace("_", "-"): value for key, value in changes.items()},
    }


def existing(zone_public="subnet-zone", **args):
    defaults = {
        "vpc_id": "vpc-1",
        "region": "us-east-1",
        "zones": {BOSTON: ExistingSubnets(public_subnet_id=zone_public, private_subnet_id="subnet-zone-private")},
        "availability_zones": {
            "us-east-1a": ExistingSubnets(public_subnet_id="subnet-public", private_subnet_id="subnet-private")
        },
    }
    return Network.existing(**{**defaults, **args})


def pool_on(network, **args):
    return NodePool("edge", {"network": network, "zone": BOSTON, **args})


def test_a_good_vpc_is_taken_as_it_is():
    def program():
        network = existing()
        pool_on(network)
        NodePool("quiet", {"network": network, "zone": BOSTON, "egress": "nat"})
        NodePool("core", {"network": network, "availability_zone": "us-east-1a"})
        BastionHost("bastion", {"network": network, "availability_zone": "us-east-1a"})
        pulumi.export("cidr", network.cidr_block)

    recording = deploy(program, existing=account())
    assert {each.name: each.inputs["subnetId"] for each in recording.all(aws.ec2.NetworkInterface)} == {
        "edge-1": "subnet-zone",
        "quiet-1": "subnet-zone-private",
        "core-1": "subnet-private",
        "bastion-host": "subnet-public",
    }
    assert {each.name: each.inputs.get("networkBorderGroup") for each in recording.all(aws.ec2.Eip)} == {
        "edge-1": BOSTON,
        "bastion-host": None,
    }
    assert recording.exports["cidr"] == "10.0.0.0/16"
    assert {each.inputs["vpcId"] for each in recording.all(aws.ec2.SecurityGroup)} == {"vpc-1"}
    made = {"Vpc", "Subnet", "Route", "RouteTable", "CarrierGateway", "InternetGateway", "NatGateway"}
    assert {each.type.rpartition(":")[2] for each in recording.resources} & made == set()


def test_a_subnet_without_a_table_of_its_own_uses_the_main_one():
    known = account(rtb_main=table("vpc-1", TO_CARRIER, main=True), rtb_zone=table("vpc-1"))
    recording = deploy(lambda: pool_on(existing()), existing=known)
    assert recording.one(aws.ec2.NetworkInterface).inputs["subnetId"] == "subnet-zone"


FIELD = f"Network.existing: zones['{BOSTON}'].public_subnet_id: subnet-zone"


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"rtb_zone": table("vpc-1", subnets=["subnet-zone"])}, ["default route none", "no egress", "carrier gateway"]),
        (
            {"rtb_zone": table("vpc-1", TO_INTERNET, subnets=["subnet-zone"])},
            ["default route internet-gateway", "0.0.0.0/0 to the carrier gateway"],
        ),
        ({"rtb_zone": table("vpc-1", TO_NAT, subnets=["subnet-zone"])}, ["default route nat-gateway", "as private"]),
        (
            {"rtb_zone": table("vpc-1", {**TO_CARRIER, "cidrBlock": "192.0.2.0/24"}, subnets=["subnet-zone"])},
            ["default route none"],
        ),
        (
            {"rtb_zone": table("vpc-1", {**OUT, "gatewayId": "vgw-1"}, subnets=["subnet-zone"])},
            ["default route none"],
        ),
        (
            # a table of its own counts, whatever the main one says
            {
                "rtb_main": table("vpc-1", TO_CARRIER, main=True),
                "rtb_zone": table("vpc-1", subnets=["subnet-zone"]),
            },
            ["default route none"],
        ),
        (
            {"subnet_zone": subnet("vpc-2", BOSTON, "10.0.1.0/24")},
            ["is a subnet of vpc-2, not of vpc-1", "a subnet of this VPC"],
        ),
        (
            {"subnet_zone": subnet("vpc-1", "us-east-1a", "10.0.1.0/24")},
            ["is in us-east-1a, not in " + BOSTON],
        ),
    ],
)
@pytest.mark.parametrize("preview", [False, True])
def test_a_zones_subnet_that_does_not_fit_stops_every_node_on_it(changes, parts, preview):
    launched = []
    nodes = {aws.ec2.NetworkInterface: lambda new: launched.append(new.name) or {}}

    def program():
        deploy(lambda: pool_on(existing()), existing=account(**changes), outputs=nodes, preview=preview)

    refuse(program, FIELD, *parts)
    assert launched == []


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        (
            {"rtb_public": table("vpc-1", TO_NAT, subnets=["subnet-public"])},
            ["availability_zones['us-east-1a'].public_subnet_id: subnet-public", "nat-gateway", "internet gateway"],
        ),
        (
            {"rtb_nat": table("vpc-1", TO_INTERNET, subnets=["subnet-private"])},
            ["availability_zones['us-east-1a'].private_subnet_id: subnet-private", "internet-gateway", "NAT gateway"],
        ),
    ],
)
def test_a_subnet_of_the_region_that_does_not_fit_is_refused(changes, parts):
    def program():
        network = existing(zones=None)
        egress = "nat" if "private" in parts[0] else "public-ip"
        NodePool("core", {"network": network, "availability_zone": "us-east-1a", "egress": egress})

    refuse(lambda: deploy(program, existing=account(**changes)), f"Network.existing: {parts[0]}", *parts[1:])


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ({"zones": None, "availability_zones": None}, ["Network.existing", "no subnet", "zones={...}"]),
        ({"zones": {BOSTON: ExistingSubnets()}}, [f"Network.existing: {BOSTON}", "public or its private subnet id"]),
        (
            {"zones": {CASABLANCA: ExistingSubnets(public_subnet_id="subnet-1")}},
            ["Network.existing: zones", CASABLANCA, "not in us-east-1"],
        ),
        (
            {"zones": {"boston": ExistingSubnets(public_subnet_id="subnet-1")}},
            ["Network.existing: zones: 'boston'", BOSTON],
        ),
    ],
)
def test_a_network_that_names_nothing_useful_is_refused_before_any_look_up(args, parts):
    refuse(lambda: existing(**args), *parts)


def test_the_look_ups_are_made_in_the_vpcs_region_whatever_the_providers():
    recording = deploy(lambda: pool_on(existing()), existing=account(), config={"aws:region": "eu-west-1"})
    assert {each.args.get("region") for each in recording.invokes} == {"us-east-1"}


def test_ids_that_are_known_only_later_are_checked_later():
    def program():
        subnet_id = aws.ec2.Subnet("theirs", vpc_id="vpc-1", cidr_block="10.0.1.0/24", availability_zone=BOSTON).id
        pool_on(existing(zone_public=subnet_id, vpc_id=pulumi.Output.from_input("vpc-1"), availability_zones=None))

    known = account(rtb_zone=table("vpc-1", TO_CARRIER, subnets=["subnet-theirs"]))
    assert len(deploy(program, existing=known, preview=True).all(aws.ec2.Instance)) == 1
    assert deploy(program, existing=known).one(aws.ec2.NetworkInterface).inputs["subnetId"] == "subnet-theirs"
    with pytest.raises(ArgsError, match="default route none"):
        deploy(program, existing={**known, "rtb-zone": table("vpc-1", subnets=["subnet-theirs"])})


def test_a_network_may_be_a_plain_mapping():
    made = Network.of(
        {
            "vpc_id": "vpc-1",
            "cidr_block": "10.0.0.0/16",
            "region": "us-east-1",
            "zones": {
                BOSTON: {
                    "public": {
                        "id": "subnet-1",
                        "availability_zone": BOSTON,
                        "cidr_block": "10.0.1.0/24",
                        "egress": "carrier-gateway",
                    }
                }
            },
        }
    )
    assert made.zones[BOSTON].public.egress.value == "carrier-gateway"
    assert made.availability_zones == {}
