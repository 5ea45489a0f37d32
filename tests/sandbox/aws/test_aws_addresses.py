"""Public and carrier addresses."""

import pytest

from tests.sandbox.aws.support import BOSTON, Server, Site, refused


@pytest.fixture(autouse=True)
def _gateways(request: pytest.FixtureRequest) -> None:
    """Addresses are of use in a VPC with gateways only."""
    if "site" in request.fixturenames and "gateway" not in request.node.name:
        site: Site = request.getfixturevalue("site")
        site.internet_gateway()
        site.carrier_gateway()


def association(site: Site, interface: str) -> dict:
    seen = site.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"][0]
    return seen.get("Association", {})


def test_a_carrier_ip_is_allocated_by_border_group(site: Site) -> None:
    tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "a", "Value": "b"}]}]
    refused(None, site.ec2.allocate_address, NetworkBorderGroup="us-east-1-wl1-xxx-wlz-1")
    refused(None, site.ec2.allocate_address, NetworkBorderGroup="us-west-2-wl1-sea-wlz-1")
    made = site.ec2.allocate_address(Domain="vpc", NetworkBorderGroup=BOSTON, TagSpecifications=tags)
    assert made["CarrierIp"]
    assert "PublicIp" not in made
    seen = site.ec2.describe_addresses(AllocationIds=[made["AllocationId"]])["Addresses"][0]
    assert (seen["CarrierIp"], seen["NetworkBorderGroup"], seen["Tags"]) == (made["CarrierIp"], BOSTON, tags[0]["Tags"])
    assert not seen.get("PublicIp")
    plain = site.address()
    assert plain["PublicIp"]
    assert "CarrierIp" not in plain


def test_addresses_are_loopback_ones_of_one_octet_and_never_given_twice(site: Site) -> None:
    given = [site.address()["PublicIp"] for _ in range(40)] + [site.address(BOSTON)["CarrierIp"] for _ in range(40)]
    nic = {"DeviceIndex": 0, "SubnetId": site.region, "AssociatePublicIpAddress": True}
    given.append(site.look(site.run(NetworkInterfaces=[nic]))["PublicIpAddress"])
    nic = {"DeviceIndex": 0, "SubnetId": site.boston, "AssociateCarrierIpAddress": True}
    launched = site.look(site.run(NetworkInterfaces=[nic]))["NetworkInterfaces"][0]
    given.append(launched["Association"]["CarrierIp"])
    assert len(set(given)) == len(given)
    octets = {tuple(int(part) for part in each.split(".")[:2]) for each in given}
    assert len(octets) == 1
    first, second = octets.pop()
    assert first == 127
    assert second > 1
    assert all(1 <= int(part) <= 254 for each in given for part in each.split(".")[2:])


def test_an_address_fits_interfaces_of_its_border_group_only(site: Site) -> None:
    carrier, plain, interface = site.address(BOSTON), site.address(), site.interface(site.boston)
    for subnet in (site.new_york, site.region):
        refused(
            None,
            site.ec2.associate_address,
            AllocationId=carrier["AllocationId"],
            NetworkInterfaceId=site.interface(subnet),
        )
    refused(None, site.ec2.associate_address, AllocationId=plain["AllocationId"], NetworkInterfaceId=interface)
    site.ec2.associate_address(AllocationId=carrier["AllocationId"], NetworkInterfaceId=interface)
    seen = association(site, interface)
    assert (seen["CarrierIp"], seen["AllocationId"]) == (carrier["CarrierIp"], carrier["AllocationId"])
    assert "PublicIp" not in seen


def test_an_instance_started_on_an_interface_has_its_carrier_ip(site: Site) -> None:
    carrier, interface = site.address(BOSTON), site.interface(site.boston)
    site.ec2.associate_address(AllocationId=carrier["AllocationId"], NetworkInterfaceId=interface)
    seen = site.look(site.run(NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": interface}]))
    assert seen["Placement"]["AvailabilityZone"] == BOSTON
    assert seen["SubnetId"] == site.boston
    assert not seen.get("PublicIpAddress")
    assert seen["NetworkInterfaces"][0]["Association"]["CarrierIp"] == carrier["CarrierIp"]
    primary = seen["NetworkInterfaces"][0]["PrivateIpAddresses"][0]
    assert primary["Association"]["CarrierIp"] == carrier["CarrierIp"]
    address = site.ec2.describe_addresses(AllocationIds=[carrier["AllocationId"]])["Addresses"][0]
    assert (address["NetworkInterfaceId"], address["InstanceId"]) == (interface, seen["InstanceId"])


def test_an_address_in_use_is_not_released(site: Site) -> None:
    carrier, interface = site.address(BOSTON), site.interface(site.boston)
    which = {"AllocationId": carrier["AllocationId"], "NetworkBorderGroup": BOSTON}
    made = site.ec2.associate_address(AllocationId=carrier["AllocationId"], NetworkInterfaceId=interface)
    refused("InvalidIPAddress.InUse", site.ec2.release_address, **which)
    site.ec2.disassociate_address(AssociationId=made["AssociationId"])
    assert not association(site, interface)
    refused(None, site.ec2.release_address, AllocationId=carrier["AllocationId"])  # needs the border group
    site.ec2.release_address(**which)
    assert "ec2:address" not in site.aws.inventory()


def test_deleting_an_interface_frees_its_address(site: Site) -> None:
    address, interface = site.address(), site.interface(site.region)
    site.ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)
    site.ec2.delete_network_interface(NetworkInterfaceId=interface)
    site.ec2.release_address(AllocationId=address["AllocationId"])


def test_an_address_moves_unless_the_caller_forbids_it(site: Site) -> None:
    address, first, second = site.address(), site.interface(site.region), site.interface(site.region)
    which = {"AllocationId": address["AllocationId"]}
    site.ec2.associate_address(**which, NetworkInterfaceId=first)
    move = {**which, "NetworkInterfaceId": second}
    refused("Resource.AlreadyAssociated", site.ec2.associate_address, **move, AllowReassociation=False)
    site.ec2.associate_address(**move)
    assert not association(site, first)
    assert association(site, second)["PublicIp"] == address["PublicIp"]


def test_a_second_address_takes_the_place_of_the_first(site: Site) -> None:
    first, second, interface = site.address(), site.address(), site.interface(site.region)
    for each in (first, second):
        site.ec2.associate_address(AllocationId=each["AllocationId"], NetworkInterfaceId=interface)
    assert association(site, interface)["PublicIp"] == second["PublicIp"]
    site.ec2.release_address(AllocationId=first["AllocationId"])


def test_a_pending_instance_takes_no_address(site: Site) -> None:
    address, instance = site.address(), site.run(SubnetId=site.region)
    refused("InvalidInstanceID", site.ec2.associate_address, AllocationId=address["AllocationId"], InstanceId=instance)
    site.wait(instance)
    site.ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance)
    assert site.look(instance)["PublicIpAddress"] == address["PublicIp"]


def test_an_address_needs_a_gateway_to_lead_through(site: Site) -> None:
    for group, subnet, code in (("us-east-1", site.region, "Gateway.NotAttached"), (BOSTON, site.boston, None)):
        which = {"AllocationId": site.address(group)["AllocationId"], "NetworkInterfaceId": site.interface(subnet)}
        refused(code, site.ec2.associate_address, **which)
    site.internet_gateway()
    which = {"AllocationId": site.address()["AllocationId"], "NetworkInterfaceId": site.interface(site.region)}
    site.ec2.associate_address(**which)


def test_an_elastic_address_stays_over_a_stop(site: Site) -> None:
    nic = {"DeviceIndex": 0, "SubnetId": site.region, "AssociatePublicIpAddress": True}
    instance, address = site.running(NetworkInterfaces=[nic]), site.address()
    site.ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance)
    site.ec2.stop_instances(InstanceIds=[instance])
    assert site.wait(instance)["PublicIpAddress"] == address["PublicIp"]


def test_a_carrier_ip_at_launch_needs_a_zone(site: Site) -> None:
    nic = {"DeviceIndex": 0, "SubnetId": site.region, "AssociateCarrierIpAddress": True}
    refused(None, site.run, NetworkInterfaces=[nic])
    nic = {"DeviceIndex": 0, "SubnetId": site.boston, "AssociatePublicIpAddress": True}
    refused(None, site.run, NetworkInterfaces=[nic])


def test_a_launch_template_assigns_carrier_ips_also_in_an_auto_scaling_group(site: Site, aws: Server) -> None:
    nic = {"DeviceIndex": 0, "AssociateCarrierIpAddress": True}
    data = {"ImageId": site.images["22.04"], "InstanceType": "t3.xlarge", "NetworkInterfaces": [nic]}
    made = site.ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData=data)["LaunchTemplate"]
    template = {"LaunchTemplateId": made["LaunchTemplateId"]}
    groups = aws.client("autoscaling")
    groups.create_auto_scaling_group(
        AutoScalingGroupName="g", MinSize=2, MaxSize=3, LaunchTemplate=template, VPCZoneIdentifier=site.boston
    )
    rows = groups.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"]
    assert len(rows) == 2
    for row in rows:
        seen = site.look(row["InstanceId"])
        assert seen["SubnetId"] == site.boston
        assert seen["NetworkInterfaces"][0]["Association"]["CarrierIp"]


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_attributes_of_addresses(aws: Server, region: str) -> None:
    ec2 = aws.client(region=region)
    made = ec2.allocate_address(Domain="vpc")
    seen = ec2.describe_addresses_attribute(AllocationIds=[made["AllocationId"]], Attribute="domain-name")
    assert seen["Addresses"][0]["AllocationId"] == made["AllocationId"]
