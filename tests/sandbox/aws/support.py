"""A server process to test against, a site in it, and how a refusal is asserted."""

import functools
import json
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

BOSTON, NEW_YORK, GROUP = "us-east-1-wl1-bos-wlz-1", "us-east-1-wl1-nyc-wlz-1", "us-east-1-wl1"
UBUNTU = "/aws/service/canonical/ubuntu/server/{}/stable/current/amd64/hvm/ebs-{}/ami-id"


@functools.cache
def _client(url: str, service: str, region: str, attempts: int, mode: str) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
        config=Config(retries={"max_attempts": attempts, "mode": mode}, s3={"addressing_style": "path"}),
    )


class Server:
    """A server process on a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.consoles = directory.parent / "machines"
        self.url = ""
        self.start()

    def start(self) -> None:
        directory = str(self.directory)
        log = (self.directory.parent / f"{self.directory.name}.log").open("ab")
        command = [
            sys.executable,
            "-m",
            "edgelib.sandbox.aws",
            "--directory",
            directory,
            "--consoles",
            str(self.consoles),
        ]
        self.process = subprocess.Popen(command, stderr=log, stdout=log)
        log.close()
        endpoint, until = self.directory / "endpoint.json", time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            if endpoint.exists() and json.loads(endpoint.read_text())["pid"] == self.process.pid:
                self.url = json.loads(endpoint.read_text())["url"]
                return
            time.sleep(0.02)
        raise AssertionError(Path(log.name).read_text())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(30)

    def control(self, path: str, method: str = "GET", document: Any = None) -> Any:
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}/sandbox/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def client(
        self, service: str = "ec2", region: str = "us-east-1", *, attempts: int = 1, mode: str = "standard"
    ) -> Any:
        """A client; making one takes longer than most tests, so they are kept."""
        return _client(self.url, service, region, attempts, mode)

    def faults(self, *rules: dict[str, Any]) -> None:
        self.control("faults", "POST", list(rules))

    def inventory(self) -> dict[str, Any]:
        return self.control("inventory")


def refused(code: Optional[str], call: Any, **arguments: Any) -> str:
    """The message of an AWS refusal. No code where AWS's own is not known: tests never pin a guessed one."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] != "SandboxFailure", error
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400 or code, error
    if code is not None:
        assert error["Code"] == code, error
    return error["Message"]


@dataclass
class Site:
    """A VPC with subnets in two Wavelength Zones and one Availability Zone."""

    aws: Server
    ec2: Any = None
    vpc: str = ""
    boston: str = ""
    new_york: str = ""
    region: str = ""
    images: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ec2 = self.aws.client()
        self.ec2.modify_availability_zone_group(GroupName=GROUP, OptInStatus="opted-in")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.boston = self.subnet("10.0.1.0/24", BOSTON)
        self.new_york = self.subnet("10.0.2.0/24", NEW_YORK)
        self.region = self.subnet("10.0.3.0/24", "us-east-1a")
        ssm = self.aws.client("ssm")
        for version, disk in (("22.04", "gp2"), ("24.04", "gp3")):
            name = UBUNTU.format(version, disk)
            self.images[version] = ssm.get_parameter(Name=name)["Parameter"]["Value"]

    def subnet(self, cidr: str, zone: str) -> str:
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=zone)
        return made["Subnet"]["SubnetId"]

    def interface(self, subnet: str, **arguments: Any) -> str:
        made = self.ec2.create_network_interface(SubnetId=subnet, **arguments)
        return made["NetworkInterface"]["NetworkInterfaceId"]

    def group(self, name: str) -> str:
        return self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]

    def run(self, **arguments: Any) -> str:
        request = {"ImageId": self.images["22.04"], "InstanceType": "t3.medium", "MinCount": 1, "MaxCount": 1}
        return self.ec2.run_instances(**(request | arguments))["Instances"][0]["InstanceId"]

    def look(self, instance: str) -> dict[str, Any]:
        return self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]

    def wait(self, instance: str) -> dict[str, Any]:
        """Look until the instance's state lasts."""
        for _ in range(3):
            seen = self.look(instance)
        return seen

    def running(self, **arguments: Any) -> str:
        instance = self.run(**arguments)
        assert self.wait(instance)["State"]["Name"] == "running"
        return instance

    def route_table(self) -> str:
        return self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]

    def internet_gateway(self) -> str:
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        return gateway

    def carrier_gateway(self) -> str:
        return self.ec2.create_carrier_gateway(VpcId=self.vpc)["CarrierGateway"]["CarrierGatewayId"]

    def address(self, group: str = "us-east-1") -> dict[str, Any]:
        return self.ec2.allocate_address(Domain="vpc", NetworkBorderGroup=group)
