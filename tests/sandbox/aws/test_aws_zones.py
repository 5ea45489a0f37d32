"""Zones, opt-in and subnets."""

import pytest

from edgelib import zones
from tests.sandbox.aws.support import BOSTON, GROUP, NEW_YORK, UBUNTU, Server, Site, refused

REGIONS = sorted({zone.region for zone in zones.catalogue()})


def ask(ec2, *, everything: bool, **filters: list[str]) -> list[dict]:
    rows = [{"Name": name.replace("_", "-"), "Values": values} for name, values in filters.items()]
    return ec2.describe_availability_zones(AllAvailabilityZones=everything, Filters=rows)["AvailabilityZones"]


@pytest.mark.parametrize("region", REGIONS)
def test_every_zone_of_the_catalogue_is_there_and_hidden_until_opted_in(aws: Server, region: str) -> None:
    ec2 = aws.client(region=region)
    plain = ec2.describe_availability_zones()["AvailabilityZones"]
    assert {zone["ZoneType"] for zone in plain} == {"availability-zone"}
    hidden = ask(ec2, everything=True, zone_type=["wavelength-zone"])
    assert {(z["ZoneName"], z["ZoneId"], z["GroupName"], z["NetworkBorderGroup"]) for z in hidden} == {
        (z.name, z.zone_id, z.group, z.network_border_group) for z in zones.catalogue(region=region)
    }
    assert {zone["OptInStatus"] for zone in hidden} == {"not-opted-in"}
    assert {zone["ParentZoneName"] for zone in hidden} <= {zone["ZoneName"] for zone in plain}
    name, group = hidden[0]["ZoneName"], hidden[0]["GroupName"]
    refused(None, ec2.describe_availability_zones, ZoneNames=[name])
    ec2.modify_availability_zone_group(GroupName=group, OptInStatus="opted-in")
    assert name in [zone["ZoneName"] for zone in ask(ec2, everything=False, opt_in_status=["opted-in"])]
    assert ec2.describe_availability_zones(ZoneNames=[name])["AvailabilityZones"][0]["ParentZoneId"]


def test_an_unknown_filter_is_refused(aws: Server) -> None:
    refused("InvalidParameterValue", aws.client().describe_availability_zones, Filters=[{"Name": "x", "Values": ["y"]}])


def test_opt_in_is_by_group_and_for_good(aws: Server) -> None:
    ec2 = aws.client()
    refused(None, ec2.modify_availability_zone_group, GroupName=BOSTON, OptInStatus="opted-in")
    refused(None, ec2.modify_availability_zone_group, GroupName=GROUP, OptInStatus="not-opted-in")
    ec2.modify_availability_zone_group(GroupName=GROUP, OptInStatus="opted-in")
    assert aws.inventory() == {"opted_in": [GROUP]}
    assert not ask(aws.client(region="us-west-2"), everything=False, zone_type=["wavelength-zone"])


def test_a_subnet_needs_a_zone_of_the_region_that_is_opted_in(aws: Server) -> None:
    ec2 = aws.client()
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    wanted = {"VpcId": vpc, "CidrBlock": "10.0.0.0/24"}
    text = refused("InvalidParameterValue", ec2.create_subnet, **wanted, AvailabilityZone=BOSTON)
    assert "Subnets can currently only be created in" in text
    refused("InvalidParameterValue", ec2.create_subnet, **wanted, AvailabilityZone="us-west-2a")
    ec2.modify_availability_zone_group(GroupName=GROUP, OptInStatus="opted-in")
    refused(None, ec2.create_subnet, **wanted, AvailabilityZone=BOSTON, Ipv6CidrBlock="2600:1f18::/64")
    made = ec2.create_subnet(**wanted, AvailabilityZone=BOSTON)["Subnet"]
    assert (made["AvailabilityZone"], made["AvailabilityZoneId"]) == (BOSTON, "use1-wl1-bos-wlz1")
    assert (made["MapPublicIpOnLaunch"], made["DefaultForAz"]) == (False, False)
    by_id = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZoneId="use1-wl1-nyc-wlz1")["Subnet"]
    assert by_id["AvailabilityZone"] == NEW_YORK


def test_map_public_ip_on_launch_fails_in_a_zone_only(site: Site) -> None:
    change = {"MapPublicIpOnLaunch": {"Value": True}}
    refused(None, site.ec2.modify_subnet_attribute, SubnetId=site.boston, **change)
    site.ec2.modify_subnet_attribute(SubnetId=site.region, **change)


def test_what_a_zone_offers(site: Site) -> None:
    where = {"LocationType": "availability-zone", "Filters": [{"Name": "location", "Values": [BOSTON]}]}
    offers = site.ec2.describe_instance_type_offerings(**where)["InstanceTypeOfferings"]
    assert sorted(offer["InstanceType"] for offer in offers) == sorted(zones.INSTANCE_TYPES)


def test_a_subnet_in_use_stays(site: Site) -> None:
    interface = site.interface(site.boston)
    table = site.route_table()
    site.ec2.associate_route_table(RouteTableId=table, SubnetId=site.boston)
    refused("DependencyViolation", site.ec2.delete_subnet, SubnetId=site.boston)
    site.ec2.delete_network_interface(NetworkInterfaceId=interface)
    site.ec2.delete_subnet(SubnetId=site.boston)
    site.ec2.delete_route_table(RouteTableId=table)  # the association went with the subnet


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-3"])
def test_ubuntu_images_as_canonical_publishes_them(aws: Server, region: str) -> None:
    ssm, ec2 = aws.client("ssm", region), aws.client(region=region)
    refused("ParameterNotFound", ssm.get_parameter, Name=UBUNTU.format("24.04", "gp2"))
    for version, disk in (("22.04", "gp2"), ("24.04", "gp3")):
        image = ssm.get_parameter(Name=UBUNTU.format(version, disk))["Parameter"]["Value"]
        seen = ec2.describe_images(ImageIds=[image])["Images"][0]
        assert (seen["OwnerId"], seen["Architecture"]) == ("099720109477", "x86_64")
        assert seen["BlockDeviceMappings"][0]["Ebs"]["VolumeType"] == disk
    stable = "/aws/service/canonical/ubuntu/server/24.04/stable"
    assert len(ssm.get_parameters_by_path(Path=stable, Recursive=True)["Parameters"]) == 2
