"""The stand-ins under the real engine."""

import subprocess
import sys
import time

import psutil
import pytest

from tests.sandbox.providers.engine_stack import ROOT, Stack

pytestmark = pytest.mark.engine

PROGRAM = """
import os, pulumi, pulumi_aws as aws, pulumi_command as command, pulumi_random as random, pulumi_tls as tls
vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", enable_dns_hostnames=True, tags={"Name": os.environ["SITE_NAME"]})
subnet = aws.ec2.Subnet("subnet", vpc_id=vpc.id, cidr_block=os.environ["SITE_BLOCK"],
    availability_zone=aws.get_availability_zones(state="available").names[0])
group = aws.ec2.SecurityGroup("group", vpc_id=vpc.id)
rule = aws.vpc.SecurityGroupIngressRule("rule", security_group_id=group.id, ip_protocol="tcp", from_port=22, to_port=22,
    cidr_ipv4=vpc.cidr_block)
password = random.RandomPassword("password", length=20)
key = tls.PrivateKey("key", algorithm="ED25519")
aws.ssm.Parameter("parameter", type="SecureString", value=password.result)
told = command.local.Command("told", create="echo $WORD", environment={"WORD": pulumi.Output.secret("hushhush")})
pulumi.export("vpc", vpc.id)
pulumi.export("password", password.result)
pulumi.export("key", key.private_key_pem)
pulumi.export("told", told.stdout)
"""
ONE_VPC = """
import pulumi_aws as aws
aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", tags={"Name": "site"})
"""


@pytest.fixture
def stack_of(tmp_path, account):
    if not (ROOT / "tools" / "bin" / "pulumi").exists():
        pytest.skip("the engine is not built: run `make engine`")
    return lambda program: Stack(tmp_path, program, AWS_ENDPOINT_URL=account.url, AWS_REGION="us-east-1")


def vpcs(account):
    return [vpc for vpc in account.client().describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]


def test_the_life_of_a_stack(stack_of, account):
    before = account.inventory()
    stack = stack_of(PROGRAM)
    stack.environment |= {"SITE_NAME": "first", "SITE_BLOCK": "10.0.1.0/24"}
    assert stack.run("up") == {"create": {"vpc", "subnet", "group", "rule", "password", "key", "parameter", "told"}}
    outputs = stack.outputs()
    assert outputs["told"] == "hushhush"
    state = stack.state()
    for secret in (outputs["password"], "hushhush", "BEGIN PRIVATE KEY", "BEGIN OPENSSH"):
        assert secret not in state
    assert stack.run("up") == {}

    stack.environment |= {"SITE_NAME": "second", "SITE_BLOCK": "10.0.2.0/24"}
    preview = stack.pulumi("preview", "--diff")
    assert '~ Name: "first" => "second"' in preview
    assert '~ cidrBlock: "10.0.1.0/24" => "10.0.2.0/24"' in preview
    steps = stack.run("up")
    assert steps["update"] == {"vpc"}
    assert steps["replace"] == steps["create-replacement"] == steps["delete-replaced"] == {"subnet"}
    assert [vpc["VpcId"] for vpc in vpcs(account)] == [outputs["vpc"]]

    client = account.client()
    client.create_tags(Resources=[outputs["vpc"]], Tags=[{"Key": "Name", "Value": "behind"}])
    rule = client.describe_security_group_rules()["SecurityGroupRules"]
    gone = next(each for each in rule if each.get("CidrIpv4") == "10.0.0.0/16")
    client.revoke_security_group_ingress(GroupId=gone["GroupId"], SecurityGroupRuleIds=[gone["SecurityGroupRuleId"]])
    assert stack.run("up", "--refresh") == {"update": {"vpc"}, "create": {"rule"}}

    stack.run("destroy")
    assert account.inventory() == before


def test_a_provider_that_dies_while_it_creates_orphans_nothing(stack_of, account):
    stack = stack_of(ONE_VPC)
    account.faults({"action": "CreateVpc", "delay": 1.0, "times": 1})
    up = stack.start("up", "--yes", "--skip-preview")
    notes, until = stack.home / "creations", time.monotonic() + 60
    while not (notes.is_dir() and list(notes.glob("*.json"))):
        assert time.monotonic() < until
        assert up.poll() is None, up.communicate()[0]
        time.sleep(0.02)
    plugin = next(each for each in psutil.Process(up.pid).children(recursive=True) if "aws" in " ".join(each.cmdline()))
    while not any(
        each.raddr and each.raddr.port == int(account.url.rpartition(":")[2]) for each in plugin.net_connections()
    ):
        assert time.monotonic() < until
    plugin.kill()
    output, _ = up.communicate(timeout=60)
    assert up.returncode != 0, output
    while not vpcs(account):  # the account works on although nobody listens
        assert time.monotonic() < until
    (made,) = vpcs(account)
    stack.run("up")
    assert [vpc["VpcId"] for vpc in vpcs(account)] == [made["VpcId"]]
    assert made["VpcId"] in stack.state()
    assert list(notes.iterdir()) == []


ENGINE_OF_A_PLUGIN = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "from edgelib.sandbox.providers import main; main('random')"])
time.sleep(600)
"""


def test_a_plugin_ends_with_the_engine_that_started_it():
    command = [sys.executable, "-c", ENGINE_OF_A_PLUGIN]
    engine = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert int(engine.stdout.readline()) > 0
    (plugin,) = psutil.Process(engine.pid).children()
    engine.kill()
    engine.wait()
    engine.stdout.close()
    plugin.wait(timeout=30)
    assert not plugin.is_running()
