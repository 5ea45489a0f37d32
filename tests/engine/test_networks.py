"""Networks of every kind on the real engine, judged by the emulated AWS's own rules."""

import shutil
from pathlib import Path

import pytest
from engine_stack import ROOT, Stack

from edgelib.sandbox import lifecycle

pytestmark = pytest.mark.engine

PROGRAMS = Path(__file__).parent / "programs"
BOSTON = "us-east-1-wl1-bos-wlz-1"


@pytest.fixture
def stack(sandbox, tmp_path, request):
    lifecycle.reset(sandbox.directory)
    shutil.copytree(PROGRAMS / request.param, tmp_path / request.param)
    return Stack(tmp_path / request.param, sandbox)


@pytest.mark.parametrize("stack", ["everything"], indirect=True)
def test_everything_comes_up_stays_and_goes(stack):
    done = stack.up()
    assert done.code == 0, done
    assert "share a VPC and cannot reach each other" in done.output
    outputs = stack.outputs()
    assert sorted(outputs["natPublicIps"]) == ["parent", "us-east-1f"]
    assert sorted(outputs["carrierIps"]) == ["gpu-1", "gpu-2", "gpu-3"]
    assert (outputs["publicIps"], outputs["privateCarrierIps"]) == ({}, {})
    disks = stack.aws("ec2").describe_volumes()["Volumes"]
    assert all(disk["Encrypted"] for disk in disks)
    in_zones = [disk for disk in disks if "-wl1-" in disk["AvailabilityZone"]]
    assert {disk["VolumeType"] for disk in in_zones} == {"gp2"}
    assert sorted(disk["Size"] for disk in in_zones) == [20] * 4 + [50] * 3 + [100] * 3
    again = stack.run("preview", "--refresh", "--expect-no-changes")
    assert again.code == 0, again
    gone = stack.destroy()
    assert gone.code == 0, gone
    assert stack.account() == {}


def test_root_project_of_a_clone_is_a_site(sandbox):
    lifecycle.reset(sandbox.directory)
    previewed = Stack(ROOT, sandbox).run("preview")
    assert previewed.code == 0, previewed
    assert set(previewed.changes) == {"create"}


def existing_vpc(ec2, *, carrier_route):
    """A VPC with a subnet in Boston, made by somebody else."""
    ec2.modify_availability_zone_group(GroupName="us-east-1-wl1", OptInStatus="opted-in")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24", AvailabilityZone=BOSTON)["Subnet"]["SubnetId"]
    gateway = ec2.create_carrier_gateway(VpcId=vpc)["CarrierGateway"]["CarrierGatewayId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    if carrier_route:
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", CarrierGatewayId=gateway)
    return vpc, subnet


@pytest.mark.parametrize("stack", ["existing"], indirect=True)
def test_pool_in_an_existing_vpc(stack):
    vpc, subnet = existing_vpc(stack.aws("ec2"), carrier_route=True)
    before = stack.account()
    stack.configure(vpc=vpc, subnet=subnet)
    done = stack.up()
    assert done.code == 0, done
    assert list(stack.outputs()["carrierIps"]) == ["edge-1"]
    gone = stack.destroy()
    assert gone.code == 0, gone
    assert stack.account() == before


@pytest.mark.parametrize("stack", ["existing"], indirect=True)
def test_existing_subnet_without_egress_is_refused_before_anything_is_made(stack):
    vpc, subnet = existing_vpc(stack.aws("ec2"), carrier_route=False)
    before = stack.account()
    stack.configure(vpc=vpc, subnet=subnet)
    refused = stack.run("preview")
    assert refused.code != 0
    assert "has the default route none, so that its nodes would have no egress" in refused.output
    assert stack.account() == before
