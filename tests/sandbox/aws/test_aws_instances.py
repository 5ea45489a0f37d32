"""Instances: launches that AWS refuses, the states they pass through, what they leave behind."""

import base64
import gzip
import secrets

import pytest

from tests.sandbox.aws.support import BOSTON, Server, Site, refused


def test_instances_pass_through_their_states(site: Site) -> None:
    instance = site.run(SubnetId=site.boston)

    def states() -> list[str]:
        return [site.look(instance)["State"]["Name"] for _ in range(3)]

    which = {"InstanceIds": [instance]}
    assert states() == ["pending", "running", "running"]
    assert site.ec2.stop_instances(**which)["StoppingInstances"][0]["CurrentState"]["Name"] == "stopping"
    refused("IncorrectInstanceState", site.ec2.start_instances, **which)
    assert states() == ["stopping", "stopped", "stopped"]
    site.ec2.start_instances(**which)
    assert states() == ["pending", "running", "running"]
    site.ec2.terminate_instances(**which)
    assert states() == ["shutting-down", "terminated", "terminated"]
    site.ec2.terminate_instances(**which)
    assert "ec2:instance" not in site.aws.inventory()


def test_as_many_as_asked_for_or_none_at_all(site: Site) -> None:
    small = site.subnet("10.0.9.0/28", "us-east-1a")
    request = {"ImageId": site.images["22.04"], "InstanceType": "t3.medium", "SubnetId": small}
    assert len(site.ec2.run_instances(**request, MinCount=1, MaxCount=3)["Instances"]) == 3
    before = site.aws.inventory()
    refused("InsufficientFreeAddressesInSubnet", site.ec2.run_instances, **request, MinCount=9, MaxCount=9)
    assert site.aws.inventory() == before


def test_status_checks_are_looks_too(site: Site) -> None:
    instance = site.run(SubnetId=site.boston)
    which = {"InstanceIds": [instance], "IncludeAllInstances": True}
    seen = [site.ec2.describe_instance_status(**which)["InstanceStatuses"][0] for _ in range(2)]
    assert [each["InstanceState"]["Name"] for each in seen] == ["pending", "running"]
    assert seen[1]["InstanceStatus"]["Status"] == "ok"


def test_a_terminated_instance_leaves_nothing_but_what_was_given_to_it(site: Site) -> None:
    kept, group = site.interface(site.boston), site.group("g")
    first = site.running(NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": kept}])
    second = site.running(SubnetId=site.boston, SecurityGroupIds=[group])
    refused("InvalidParameterValue", site.ec2.delete_network_interface, NetworkInterfaceId=kept)
    site.ec2.terminate_instances(InstanceIds=[first, second])
    refused("DependencyViolation", site.ec2.delete_security_group, GroupId=group)  # still shutting down
    site.wait(first)
    gone = site.wait(second)
    assert not gone.get("PrivateIpAddress")
    assert gone["NetworkInterfaces"] == []
    left = site.aws.inventory()
    assert [row["id"] for row in left["ec2:network-interface"]] == [kept]
    assert "ec2:volume" not in left
    site.ec2.delete_security_group(GroupId=group)
    site.ec2.delete_network_interface(NetworkInterfaceId=kept)


def test_a_carrier_ip_stays_with_its_interface_when_the_instance_goes(site: Site) -> None:
    address, interface, _ = site.address(BOSTON), site.interface(site.boston), site.carrier_gateway()
    site.ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)
    nics = [{"DeviceIndex": 0, "NetworkInterfaceId": interface}]
    first = site.running(NetworkInterfaces=nics)
    refused("InvalidNetworkInterface.InUse", site.run, NetworkInterfaces=nics)
    site.ec2.terminate_instances(InstanceIds=[first])
    site.wait(first)
    seen = site.look(site.run(NetworkInterfaces=nics))
    assert seen["NetworkInterfaces"][0]["Association"]["CarrierIp"] == address["CarrierIp"]


def test_a_public_address_goes_with_a_stop(site: Site) -> None:
    nic = {"DeviceIndex": 0, "SubnetId": site.region, "AssociatePublicIpAddress": True}
    instance = site.running(NetworkInterfaces=[nic])
    assert site.look(instance)["PublicIpAddress"].startswith("127.")
    site.ec2.stop_instances(InstanceIds=[instance])
    assert not site.wait(instance).get("PublicIpAddress")
    site.ec2.start_instances(InstanceIds=[instance])
    assert site.wait(instance)["PublicIpAddress"].startswith("127.")


def test_a_zone_offers_few_types(site: Site) -> None:
    assert BOSTON in refused("Unsupported", site.run, SubnetId=site.boston, InstanceType="t3.micro")
    site.run(SubnetId=site.region, InstanceType="t3.micro")
    refused("InvalidParameterValue", site.run, SubnetId=site.region, InstanceType="t3.gigantic")
    refused("InvalidParameterValue", site.run, SubnetId=site.region, InstanceType="t4g.micro")  # an x86-64 image


def test_an_image_must_exist(site: Site) -> None:
    refused("InvalidAMIID.NotFound", site.run, SubnetId=site.boston, ImageId="ami-00000000000000000")
    refused("InvalidAMIID.Malformed", site.run, SubnetId=site.boston, ImageId="ubuntu")
    name = "resolve:ssm:/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id"
    assert site.look(site.run(SubnetId=site.boston, ImageId=name))["ImageId"] == site.images["22.04"]
    refused("InvalidKeyPair.NotFound", site.run, SubnetId=site.boston, KeyName="nobody")


def volume_types(site: Site, instance: str) -> dict[str, str]:
    rows = site.look(instance)["BlockDeviceMappings"]
    volumes = {row["DeviceName"]: row["Ebs"]["VolumeId"] for row in rows}
    seen = site.ec2.describe_volumes(VolumeIds=list(volumes.values()))["Volumes"]
    types = {volume["VolumeId"]: volume["VolumeType"] for volume in seen}
    return {device: types[volume] for device, volume in volumes.items()}


def test_a_2404_root_disk_has_to_be_overridden_in_a_zone(site: Site) -> None:
    refused(None, site.run, SubnetId=site.boston, ImageId=site.images["24.04"])
    disks = [
        {"DeviceName": "/dev/sda1", "Ebs": {"VolumeType": "gp2"}},
        {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 20}},
    ]
    instance = site.running(SubnetId=site.boston, ImageId=site.images["24.04"], BlockDeviceMappings=disks)
    assert volume_types(site, instance) == {"/dev/sda1": "gp2", "/dev/sdf": "gp2"}
    in_region = site.running(SubnetId=site.region, ImageId=site.images["24.04"])
    assert volume_types(site, in_region) == {"/dev/sda1": "gp3"}
    site.ec2.terminate_instances(InstanceIds=[instance])
    site.wait(instance)  # the root disk goes by the image's mapping, the other one stays by AWS's default
    left = site.aws.inventory()["ec2:volume"]
    assert [row["size"] for row in left if row["availability_zone"] == BOSTON] == [20]


def test_user_data_has_a_limit(site: Site) -> None:
    packed = gzip.compress(b"#!/bin/sh\n", mtime=0)
    instance = site.run(SubnetId=site.boston, UserData=packed + secrets.token_bytes(16384 - len(packed)))
    seen = site.ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(seen).startswith(packed)
    refused("InvalidParameterValue", site.run, SubnetId=site.boston, UserData="x" * 16385)


def test_termination_protection_at_launch(site: Site) -> None:
    instance = site.run(SubnetId=site.boston, DisableApiTermination=True)
    refused("OperationNotPermitted", site.ec2.terminate_instances, InstanceIds=[instance])
    attribute = {"InstanceId": instance, "Attribute": "disableApiTermination"}
    assert site.ec2.describe_instance_attribute(**attribute)["DisableApiTermination"]["Value"] is True
    site.ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
    site.ec2.terminate_instances(InstanceIds=[instance])


def test_type_and_user_data_change_while_stopped_only(site: Site) -> None:
    instance = site.running(SubnetId=site.boston)
    change = {"InstanceId": instance, "InstanceType": {"Value": "t3.xlarge"}}
    refused("IncorrectInstanceState", site.ec2.modify_instance_attribute, **change)
    site.ec2.stop_instances(InstanceIds=[instance])
    site.wait(instance)
    site.ec2.modify_instance_attribute(**change)
    assert site.look(instance)["InstanceType"] == "t3.xlarge"
    site.ec2.modify_instance_attribute(InstanceId=instance, UserData={"Value": b"#!/bin/sh\necho new\n"})
    seen = site.ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(seen) == b"#!/bin/sh\necho new\n"
    oversized = {"InstanceId": instance, "UserData": {"Value": b"x" * 16385}}
    refused("InvalidParameterValue", site.ec2.modify_instance_attribute, **oversized)


def test_credits_and_monitoring(site: Site) -> None:
    instance = site.running(SubnetId=site.boston, CreditSpecification={"CpuCredits": "standard"})

    def seen(which: str) -> str:
        rows = site.ec2.describe_instance_credit_specifications(InstanceIds=[which])["InstanceCreditSpecifications"]
        return rows[0]["CpuCredits"]

    assert (seen(instance), seen(site.run(SubnetId=site.boston))) == ("standard", "unlimited")
    change = {"InstanceId": instance, "CpuCredits": "unlimited"}
    site.ec2.modify_instance_credit_specification(InstanceCreditSpecifications=[change])
    assert seen(instance) == "unlimited"
    site.ec2.monitor_instances(InstanceIds=[instance])
    assert site.look(instance)["Monitoring"]["State"] == "enabled"
    site.ec2.unmonitor_instances(InstanceIds=[instance])
    assert site.look(instance)["Monitoring"]["State"] == "disabled"


def test_groups_of_an_instance_are_those_of_its_interface(site: Site) -> None:
    first, second = site.group("first"), site.group("second")
    instance = site.running(SubnetId=site.boston, SecurityGroupIds=[first])
    site.ec2.modify_instance_attribute(InstanceId=instance, Groups=[second])
    seen = site.look(instance)
    for groups in (seen["SecurityGroups"], seen["NetworkInterfaces"][0]["Groups"]):
        assert [group["GroupId"] for group in groups] == [second]
    site.ec2.delete_security_group(GroupId=first)
    nics = [{"DeviceIndex": 0, "SubnetId": site.boston, "Groups": [second]}]
    refused(None, site.run, NetworkInterfaces=nics, SecurityGroupIds=[second])


def test_a_launch_template_is_honoured(site: Site, aws: Server) -> None:
    aws.client("iam").create_instance_profile(InstanceProfileName="edge")
    tags = [{"ResourceType": kind, "Tags": [{"Key": "kind", "Value": kind}]} for kind in ("instance", "volume")]
    data = {
        "ImageId": site.images["22.04"],
        "InstanceType": "t3.xlarge",
        "NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": site.boston, "AssociateCarrierIpAddress": True}],
        "IamInstanceProfile": {"Name": "edge"},
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "TagSpecifications": tags,
    }
    made = site.ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData=data)["LaunchTemplate"]
    launch = {"LaunchTemplate": {"LaunchTemplateId": made["LaunchTemplateId"]}, "MinCount": 1, "MaxCount": 1}
    seen = site.look(site.ec2.run_instances(**launch)["Instances"][0]["InstanceId"])
    assert (seen["SubnetId"], seen["InstanceType"]) == (site.boston, "t3.xlarge")
    assert seen["NetworkInterfaces"][0]["Association"]["CarrierIp"]
    assert seen["MetadataOptions"]["HttpTokens"] == "required"
    assert seen["IamInstanceProfile"]["Arn"].endswith("/edge")
    assert {"Key": "kind", "Value": "instance"} in seen["Tags"]
    volume = site.ec2.describe_volumes()["Volumes"][0]
    assert volume["Tags"] == [{"Key": "kind", "Value": "volume"}]
    refused("InvalidParameterCombination", site.ec2.run_instances, **launch, SubnetId=site.boston)
    refused("InvalidParameterValue", site.run, SubnetId=site.boston, IamInstanceProfile={"Name": "nobody"})


def test_volumes_stay_in_their_zone_and_are_gp2(site: Site) -> None:
    refused(None, site.ec2.create_volume, AvailabilityZone=BOSTON, Size=10, VolumeType="gp3")
    refused("InvalidZone.NotFound", site.ec2.create_volume, AvailabilityZone="us-east-1z", Size=10)
    volume = site.ec2.create_volume(AvailabilityZone=BOSTON, Size=10, VolumeType="gp2")["VolumeId"]
    refused(None, site.ec2.modify_volume, VolumeId=volume, VolumeType="gp3")
    here, there = site.run(SubnetId=site.boston), site.running(SubnetId=site.region)
    attach = {"VolumeId": volume, "Device": "/dev/sdf"}
    refused("InvalidVolume.ZoneMismatch", site.ec2.attach_volume, **attach, InstanceId=there)
    refused("IncorrectState", site.ec2.attach_volume, **attach, InstanceId=here)  # pending
    site.wait(here)
    site.ec2.attach_volume(**attach, InstanceId=here)
    refused("VolumeInUse", site.ec2.attach_volume, **attach, InstanceId=here)
    refused("VolumeInUse", site.ec2.delete_volume, VolumeId=volume)
    site.ec2.detach_volume(VolumeId=volume)
    site.ec2.delete_volume(VolumeId=volume)


def test_default_encryption_covers_new_volumes(site: Site) -> None:
    before = site.running(SubnetId=site.boston)
    site.ec2.enable_ebs_encryption_by_default()
    after = site.running(SubnetId=site.boston)
    site.ec2.create_volume(AvailabilityZone=BOSTON, Size=1)
    for instance, encrypted in ((before, False), (after, True)):
        volume = site.look(instance)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        assert site.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Encrypted"] is encrypted
    assert [volume["Encrypted"] for volume in site.ec2.describe_volumes()["Volumes"] if volume["Size"] == 1] == [True]
    assert site.ec2.get_ebs_default_kms_key_id()["KmsKeyId"]
    assert "kms:key" not in site.aws.inventory()  # AWS's own key is not the account's


@pytest.mark.parametrize("times", [2])
def test_a_client_token_is_honoured(site: Site, times: int) -> None:
    carrier = {"VpcId": site.vpc, "ClientToken": "cagw"}
    launch = {"SubnetId": site.boston, "ClientToken": "launch"}
    volume = {"AvailabilityZone": BOSTON, "Size": 1, "ClientToken": "volume"}
    interface = {"subnet": site.boston, "ClientToken": "interface"}
    for call, arguments in (
        (site.ec2.create_carrier_gateway, carrier),
        (site.run, launch),
        (site.ec2.create_volume, volume),
        (site.interface, interface),
    ):
        answers = [call(**arguments) for _ in range(times)]
        ids = [{k: v for k, v in a.items() if k != "ResponseMetadata"} if isinstance(a, dict) else a for a in answers]
        assert ids[0] == ids[1]
    counts = {kind: len(rows) for kind, rows in site.aws.inventory().items()}
    assert (counts["ec2:carrier-gateway"], counts["ec2:instance"], counts["ec2:volume"]) == (1, 1, 2)
    assert counts["ec2:network-interface"] == 2
    refused("IdempotentParameterMismatch", site.run, SubnetId=site.new_york, ClientToken="launch")
