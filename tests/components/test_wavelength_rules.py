"""What AWS Wavelength does not allow or does not do by itself: one test per rule, over a whole site."""

import pulumi_aws as aws
import pytest
from component_sites import ANYWHERE, BOSTON, CASABLANCA, NEW_YORK, network, refuse, site, waits_for

from edgelib import BastionHost, NodePool, NodePoolArgs, WavelengthVpc, mtu, zones
from edgelib.components._node_pool_plan import plan_node_pool
from edgelib.testing import deploy

IN_ZONE = ["edge-1", "edge-2", "quiet-1"]
IN_REGION = ["core-1", "front-1", "bastion-host"]
CARRIER_IP = ["edge-1", "edge-2"]
OWN_ADDRESS = [*CARRIER_IP, "front-1", "bastion-host"]
PRIVATE = ["quiet-1", "core-1"]


def in_zones(recording):
    return [each for each in recording.all(aws.ec2.Subnet) if "-wl" in each.inputs["availabilityZone"]]


def test_one_vpc_per_zone_reaches_both_zones_without_a_warning():
    def program():
        for name, zone in (("boston", BOSTON), ("new-york", NEW_YORK)):
            vpc = WavelengthVpc(name, {"zones": [zone]})
            NodePool(f"{name}-edge", {"network": vpc.network, "zone": zone})

    recording = deploy(program)
    assert recording.warnings == []
    assert len(recording.all(aws.ec2.CarrierGateway)) == len(recording.all(aws.ec2.Vpc)) == 2


def test_the_mtu_between_region_and_zone_on_private_addresses_is_1300_and_discovery_is_let_in():
    assert mtu.REGION_TO_ZONE_PRIVATE == site().named("site").outputs["path_mtu"] == 1300
    rules = site().all(aws.vpc.SecurityGroupIngressRule)
    pools = {rule.parent_name for rule in rules if rule.inputs["ipProtocol"] == "icmp"}
    assert pools == {"edge", "quiet", "core", "front"}


@pytest.mark.parametrize(("name", "own"), [*((n, True) for n in OWN_ADDRESS), *((n, False) for n in PRIVATE)])
def test_every_host_has_exactly_one_way_out(name, own):
    recording = site()
    addresses = [each for each in recording.all(aws.ec2.EipAssociation) if each.name == name]
    subnet_id = recording.one(aws.ec2.NetworkInterface, name).inputs["subnetId"]
    (association,) = [
        each for each in recording.all(aws.ec2.RouteTableAssociation) if each.inputs["subnetId"] == subnet_id
    ]
    (route,) = [
        each
        for each in recording.all(aws.ec2.Route)
        if each.inputs["routeTableId"] == association.inputs["routeTableId"]
    ]
    assert len(addresses) == (1 if own else 0)
    assert ("natGatewayId" in route.inputs) is not own
    assert route.urn in recording.one(aws.ec2.Instance, name).options.depends_on


def test_map_public_ip_on_launch_is_false_on_every_subnet():
    assert {each.inputs["mapPublicIpOnLaunch"] for each in site().all(aws.ec2.Subnet)} == {False}


@pytest.mark.parametrize("name", OWN_ADDRESS)
def test_interface_then_address_then_association_then_instance(name):
    recording = site()
    nic, address = recording.one(aws.ec2.NetworkInterface, name), recording.one(aws.ec2.Eip, name)
    association, instance = recording.one(aws.ec2.EipAssociation, name), recording.one(aws.ec2.Instance, name)
    assert association.inputs["networkInterfaceId"] == nic.id
    assert association.inputs["allocationId"] == address.id
    assert instance.inputs["primaryNetworkInterface"] == {"networkInterfaceId": nic.id}
    assert instance.inputs.keys() & {"associatePublicIpAddress", "subnetId", "vpcSecurityGroupIds"} == set()
    assert association.urn in instance.options.depends_on


@pytest.mark.parametrize("name", CARRIER_IP)
def test_the_address_of_a_zones_node_is_of_the_zones_network_border_group(name):
    address = site().one(aws.ec2.Eip, name)
    assert (address.inputs["domain"], address.inputs["networkBorderGroup"]) == ("vpc", BOSTON)


@pytest.mark.parametrize("name", CARRIER_IP)
def test_an_address_is_released_before_the_carrier_gateway_goes(name):
    recording = site()
    route = recording.one(aws.ec2.Route, f"site-public-{BOSTON}")
    address = recording.one(aws.ec2.Eip, name)
    assert route.urn in address.options.depends_on
    assert ("CarrierGateway", "site-cagw") in waits_for(recording, address)


def test_opting_in_by_zone_group_is_kept_when_the_stack_is_destroyed():
    assert [
        (each.inputs["groupName"], each.options.retain_on_delete) for each in site().all(aws.ec2.AvailabilityZoneGroup)
    ] == [("us-east-1-wl1", True)]


@pytest.mark.parametrize(("names", "volume_type"), [(IN_ZONE, "gp2"), (IN_REGION, "gp3")])
def test_disks_in_a_zone_are_gp2_and_encrypted_everywhere(names, volume_type):
    recording = site()
    roots = [recording.one(aws.ec2.Instance, name).inputs["rootBlockDevice"] for name in names]
    assert [(root["volumeType"], root["encrypted"], root["deleteOnTermination"]) for root in roots] == [
        (volume_type, True, True)
    ] * len(names)
    data = [each.inputs["type"] for each in recording.all(aws.ebs.Volume) if each.name.removesuffix("-sdf") in names]
    assert set(data) == {volume_type}


def test_there_is_no_internet_gateway_nat_gateway_endpoint_or_ipv6_in_a_zone():
    recording = site()
    zone_subnets = {each.id for each in in_zones(recording)}
    assert len(zone_subnets) == 2
    placed = [each.inputs["subnetId"] for each in recording.all(aws.ec2.NatGateway)]
    placed += [each for endpoint in recording.all(aws.ec2.VpcEndpoint) for each in endpoint.inputs.get("subnetIds", [])]
    assert placed
    assert zone_subnets & set(placed) == set()
    tables = {
        each.inputs["routeTableId"]
        for each in recording.all(aws.ec2.RouteTableAssociation)
        if each.inputs["subnetId"] in zone_subnets
    }
    ways = [each.inputs for each in recording.all(aws.ec2.Route) if each.inputs["routeTableId"] in tables]
    assert [way for way in ways if "gatewayId" in way] == []
    ipv6 = [(str(each), key) for each in recording.resources for key in each.inputs if "ipv6" in key.lower()]
    assert ipv6 == []


@pytest.mark.parametrize("wrong", ["t4g.medium", "m6g.large", "c7gn.xlarge", "a1.large", "im4gn.large", "m5.metal"])
def test_only_x86_64_virtual_machines(wrong):
    plan = NodePoolArgs(network=network(), zone=BOSTON, instance_type=wrong)
    refuse(lambda: plan_node_pool(plan), f"NodePoolArgs.instance_type: {wrong}", "Wavelength Zones")


@pytest.mark.parametrize(
    "right", [*zones.INSTANCE_TYPES, "g4ad.xlarge", "m7i-flex.large", "g6e.xlarge", "p4d.24xlarge"]
)
def test_x86_64_types_pass_with_a_g_in_their_family_too(right):
    args = NodePoolArgs(network=network(), zone=BOSTON, instance_type=right)
    assert plan_node_pool(args).host.instance_type == right


@pytest.mark.parametrize(("zone", "world_facing"), [(BOSTON, False), (CASABLANCA, True)])
def test_open_to_everybody_warns_in_zones_that_the_internet_can_reach(zone, world_facing):
    everybody = {"web": {"port": 443, "cidr_blocks": [ANYWHERE]}}
    recording = deploy(lambda: NodePool("edge", {"network": network(zone), "zone": zone, "ingress": everybody}))
    assert [zone in warning and "whole internet" in warning for warning in recording.warnings] == [True] * world_facing


def test_nothing_is_open_to_everybody_unless_the_user_says_so():
    blocks = {each.name: each.inputs.get("cidrIpv4") for each in site().all(aws.vpc.SecurityGroupIngressRule)}
    assert set(blocks.values()) == {"10.0.0.0/16", "203.0.113.0/24"}
    inline = [each.name for each in site().all(aws.ec2.SecurityGroup) if each.inputs.keys() & {"ingress", "egress"}]
    assert inline == []


@pytest.mark.parametrize("name", [*IN_ZONE, *IN_REGION])
def test_metadata_is_imdsv2_through_one_hop(name):
    assert site().one(aws.ec2.Instance, name).inputs["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }


def test_everything_is_built_and_asked_in_the_zones_region_whatever_the_providers():
    recording = site(region="eu-west-1")
    elsewhere = [
        str(each)
        for each in recording.resources
        if each.custom and not each.type.startswith("aws:iam/") and each.inputs.get("region") != "us-east-1"
    ]
    assert elsewhere == []
    assert {each.args.get("region") for each in recording.invokes} == {"us-east-1"}


def test_two_sites_side_by_side_reach_only_their_own():
    def program():
        for name, zone in (("north", BOSTON), ("south", CASABLANCA)):
            vpc = WavelengthVpc(name, {"zones": [zone]})
            BastionHost(f"{name}-bastion", {"network": vpc.network})
            NodePool(f"{name}-edge", {"network": vpc.network, "zone": zone})

    recording = deploy(program)
    by_urn = {each.urn: each.name for each in recording.resources}
    crossed = [
        (each.name, by_urn[urn])
        for each in recording.resources
        for urn in each.options.depends_on
        if each.name[:5] != by_urn[urn][:5]
    ]
    assert crossed == []
    regions = {each.name[:5]: each.inputs["region"] for each in recording.all(aws.ec2.Instance)}
    assert regions == {"north": "us-east-1", "south": "eu-west-3"}


@pytest.mark.parametrize("name", [*IN_ZONE, *IN_REGION])
def test_a_host_goes_before_its_way_out(name):
    recording = site()
    instance = recording.one(aws.ec2.Instance, name)
    routes = {each for each in waits_for(recording, instance) if each[0] == "Route"}
    where = BOSTON if name in IN_ZONE else "parent"
    way = f"site-private-{where}" if name in PRIVATE else f"site-public-{where}".removesuffix("-parent")
    assert ("Route", way) in routes
