"""The account is kept over stops, starts and kills."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.sandbox.aws.support import BOSTON, GROUP, Server, Site, refused


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("mortal") / "account")
    yield server
    server.kill()


@pytest.fixture
def own(mortal: Server) -> Server:
    """A server that the test may kill, with a new account."""
    mortal.control("reset", "POST")
    return mortal


def build(site: Site, number: int) -> None:
    """One thread's share of an account: interfaces, addresses, groups, instances, roles, secrets."""
    aws, name = site.aws, f"part-{number}"
    group = site.group(name)
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
    site.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    interface, address = site.interface(site.boston, Groups=[group]), site.address(BOSTON)
    site.ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)
    kept = site.running(NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": interface}])
    site.ec2.create_tags(Resources=[kept], Tags=[{"Key": "Name", "Value": name}])
    gone = site.running(SubnetId=site.region, UserData="#!/bin/sh\n")
    site.ec2.terminate_instances(InstanceIds=[gone])
    site.wait(gone)
    refused("DependencyViolation", site.ec2.delete_security_group, GroupId=group)
    iam = aws.client("iam", "us-east-1")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
    aws.client("ssm").put_parameter(Name=f"/{name}/key", Value="secret", Type="SecureString")
    aws.client("logs").create_log_group(logGroupName=f"/{name}")
    aws.client("s3").put_object(Bucket="bucket", Key=name, Body=bytes([number, 255]))


def without_state(inventory: dict[str, Any], instance: str) -> dict[str, Any]:
    """An inventory in which it does not matter whether that instance still is pending."""
    for row in inventory["ec2:instance"]:
        if row["id"] == instance:
            del row["state"]
    return inventory


def test_an_account_built_concurrently_survives_a_kill(own: Server) -> None:
    default_vpcs = own.client(region="eu-west-2").describe_vpcs()["Vpcs"]  # a Region that nothing is changed in
    site = Site(own)
    site.carrier_gateway()
    own.client("s3").create_bucket(Bucket="bucket")
    for service in ("iam", "ssm", "logs"):  # boto3 makes clients one at a time
        own.client(service)
    with ThreadPoolExecutor(6) as threads:
        for each in [threads.submit(build, site, number) for number in range(6)]:
            each.result()
    pending = site.run(SubnetId=site.new_york)
    before = without_state(own.inventory(), pending)
    created = own.client("iam").get_role(RoleName="part-0")["Role"]["CreateDate"]
    own.kill()
    own.start()
    assert without_state(own.inventory(), pending) == before
    assert own.client(region="eu-west-2").describe_vpcs()["Vpcs"] == default_vpcs
    health = own.control("health")
    assert health["replayed"]["differing"] == []
    assert health["replayed"]["lines"] > 100
    assert own.client("iam").get_role(RoleName="part-0")["Role"]["CreateDate"] == created
    assert own.client("s3").get_object(Bucket="bucket", Key="part-3")["Body"].read() == bytes([3, 255])
    value = own.client("ssm").get_parameter(Name="/part-1/key", WithDecryption=True)["Parameter"]["Value"]
    assert value == "secret"
    again = Site.__new__(Site)
    again.aws, again.ec2 = own, own.client()
    assert again.wait(pending)["State"]["Name"] == "running"
    build_more = again.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    assert build_more not in {row["id"] for row in before["ec2:vpc"]}
    assert own.stop() == 0
    own.start()
    assert build_more in {row["id"] for row in own.inventory()["ec2:vpc"]}


def test_a_torn_last_line_is_dropped(own: Server) -> None:
    ec2 = own.client()
    kept = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_vpc(CidrBlock="10.1.0.0/16")
    own.kill()
    journal = own.directory / "journal.jsonl"
    assert journal.stat().st_mode & 0o077 == 0  # parameters may be secrets
    journal.write_bytes(journal.read_bytes()[:-30])
    own.start()
    assert [row["id"] for row in own.inventory()["ec2:vpc"]] == [kept]
    own.client().create_vpc(CidrBlock="10.2.0.0/16")
    own.kill()
    own.start()
    assert len(own.inventory()["ec2:vpc"]) == 2


def test_faults_are_not_replayed(own: Server) -> None:
    site = Site(own)
    own.faults({"zone": BOSTON, "times": 1}, {"action": "CreateVpc", "code": "Broken", "late": True, "times": 1})
    request = {"ImageId": site.images["22.04"], "InstanceType": "t3.medium", "SubnetId": site.boston}
    once = own.client(attempts=0, mode="legacy")
    refused("InsufficientInstanceCapacity", once.run_instances, **request, MinCount=1, MaxCount=1)
    refused("Broken", once.create_vpc, CidrBlock="10.5.0.0/16")
    site.wait(site.run(SubnetId=site.boston, ClientToken="same"))
    before = own.inventory()
    own.kill()
    own.start()
    assert own.inventory() == before
    assert own.control("faults") == []
    again = Site.__new__(Site)
    again.aws, again.ec2, again.images = own, own.client(), site.images
    again.run(SubnetId=site.boston, ClientToken="same")
    assert len(own.inventory()["ec2:instance"]) == 1


def test_a_directory_is_one_servers(own: Server) -> None:
    command = [sys.executable, "-m", "edgelib.sandbox.aws", "--directory", str(own.directory)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert "another emulated AWS already runs on it" in second.stderr
    own.client().describe_vpcs()
    assert json.loads((own.directory / "endpoint.json").read_text())["url"] == own.url


def test_two_sandboxes_use_different_addresses(own: Server, running: Server) -> None:
    running.control("reset", "POST")

    def octet(server: Server) -> Any:
        return server.client().allocate_address(Domain="vpc")["PublicIp"].split(".")[1]

    mine = octet(own)
    own.control("reset", "POST")
    assert octet(own) == mine  # a directory keeps its own
    assert own.inventory()["opted_in"] == []


def test_a_reset_begins_a_new_account(aws: Server) -> None:
    Site(aws)
    assert aws.inventory()["opted_in"] == [GROUP]
    aws.control("reset", "POST")
    assert aws.inventory() == {"opted_in": []}
    assert (aws.directory / "journal.jsonl").read_text().count("\n") == 1
    aws.client().describe_vpcs()
    assert aws.inventory() == {"opted_in": []}
