"""Instances as machines: what `GET /sandbox/machines` tells, boots, and console output."""

import base64
import json

from tests.sandbox.aws.support import BOSTON, Server, Site, refused


def machines(site: Site) -> dict[str, dict]:
    return {each["id"]: each for each in site.aws.control("machines")["machines"]}


def test_a_machine_is_described(site: Site, aws: Server) -> None:
    iam = aws.client("iam")
    iam.create_role(RoleName="node", AssumeRolePolicyDocument="{}")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="node", PolicyName="p", PolicyDocument=json.dumps(document))
    iam.attach_role_policy(RoleName="node", PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
    iam.create_instance_profile(InstanceProfileName="node")
    iam.add_role_to_instance_profile(InstanceProfileName="node", RoleName="node")
    address, interface, _ = site.address(BOSTON), site.interface(site.boston), site.carrier_gateway()
    site.ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)
    instance = site.running(
        NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": interface}],
        IamInstanceProfile={"Name": "node"},
        UserData="#cloud-config",
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "edge"}]}],
    )
    volume = site.ec2.create_volume(AvailabilityZone=BOSTON, Size=1, VolumeType="gp2")["VolumeId"]
    site.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    found = machines(site)[instance]
    seen = site.look(instance)
    assert found["region"] == "us-east-1"
    assert (found["state"], found["boot"], found["name"]) == ("running", 1, "edge")
    assert (found["type"], found["cpu"], found["memory"]) == ("t3.medium", 2, 4 * 1024**3)
    assert (found["zone"], found["vpc_id"], found["private_ip"]) == (BOSTON, site.vpc, seen["PrivateIpAddress"])
    assert found["public_ip"] == address["CarrierIp"]
    assert base64.b64decode(found["user_data"]) == b"#cloud-config"
    assert found["volumes"]["/dev/sdf"] == volume
    assert found["role"]["name"] == "node"
    assert json.loads(found["role"]["policies"][0]) == document
    assert "ssm:GetParameters" in found["role"]["policies"][1]
    told = aws.control("machines")
    assert volume in told["volumes"]
    octet = address["CarrierIp"].split(".")[1]
    assert told["private_range"] == f"127.{octet}.0.0/24"


def test_a_bare_machine_has_neither_role_nor_address_nor_user_data(site: Site) -> None:
    instance = site.running(SubnetId=site.boston)
    found = machines(site)[instance]
    assert (found["role"], found["public_ip"], found["user_data"], found["name"]) == (None, None, None, None)


def test_user_data_of_a_launch_template_is_the_machines(site: Site) -> None:
    data = {
        "ImageId": site.images["22.04"],
        "InstanceType": "t3.medium",
        "NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": site.boston}],
        "UserData": base64.b64encode(b"#!/bin/sh").decode(),
    }
    made = site.ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData=data)["LaunchTemplate"]
    template = {"LaunchTemplateId": made["LaunchTemplateId"]}
    site.ec2.run_instances(LaunchTemplate=template, MinCount=1, MaxCount=1)
    assert [base64.b64decode(each["user_data"]) for each in machines(site).values()] == [b"#!/bin/sh"]


def test_looking_at_machines_changes_nothing(site: Site) -> None:
    instance = site.run(SubnetId=site.boston)
    journal = site.aws.directory / "journal.jsonl"
    before, calls = journal.read_bytes(), site.aws.control("calls")
    assert [machines(site)[instance]["state"] for _ in range(3)] == ["pending"] * 3
    assert journal.read_bytes() == before
    assert site.aws.control("calls") == calls
    assert site.look(instance)["State"]["Name"] == "pending"


def test_boots_are_counted_over_a_restart_of_the_emulator(site: Site) -> None:
    instance = site.running(SubnetId=site.boston)
    which = {"InstanceIds": [instance]}
    site.ec2.reboot_instances(**which)
    assert machines(site)[instance]["boot"] == 2
    site.ec2.stop_instances(**which)
    refused("IncorrectInstanceState", site.ec2.reboot_instances, **which)
    site.wait(instance)
    refused("IncorrectInstanceState", site.ec2.reboot_instances, **which)
    site.ec2.start_instances(**which)
    site.wait(instance)
    site.ec2.start_instances(**which)
    assert machines(site)[instance]["boot"] == 3
    site.aws.kill()
    site.aws.start()
    assert site.aws.control("machines")["machines"][0]["boot"] == 3


def test_terminated_machines_are_not_told(site: Site) -> None:
    instance = site.running(SubnetId=site.boston)
    site.ec2.terminate_instances(InstanceIds=[instance])
    assert machines(site)[instance]["state"] == "shutting-down"
    site.wait(instance)
    assert machines(site) == {}


def test_console_output_is_the_machines_own(site: Site) -> None:
    instance, other = site.running(SubnetId=site.boston), site.running(SubnetId=site.boston)
    file = site.aws.consoles / instance / "console.log"
    file.parent.mkdir(parents=True)
    file.write_text("x" * 70000 + "\nk3s is up\n")
    seen = site.ec2.get_console_output(InstanceId=instance)
    assert seen["Output"].endswith("xxx\nk3s is up\n")
    assert len(seen["Output"]) == 64 * 1024
    assert abs(seen["Timestamp"].timestamp() - file.stat().st_mtime) < 1
    assert "k3s" not in site.ec2.get_console_output(InstanceId=other)["Output"]
