"""What the site's program asks AWS for. Needs no cloud account, no engine and no network: `python -m pytest`."""

from pathlib import Path
from typing import Any

import pulumi_aws as aws
import pytest
import yaml

from edgelib import ArgsError
from edgelib.testing import UNKNOWN, Recorded, Recording, deploy

PROJECT = Path(__file__).parent
BOSTON = "us-east-1-wl1-bos-wlz-1"
VPC = "10.0.0.0/16"


def site(**config: Any) -> Recording:
    """The site with this configuration over the defaults of Pulumi.yaml."""
    return deploy(PROJECT, config=config)


@pytest.fixture(scope="module")
def production() -> Recording:
    """The site as the stack `production` has it."""
    stack = yaml.safe_load((PROJECT / "Pulumi.production.yaml").read_text())
    return deploy(PROJECT, stack="production", config=stack["config"])


def opened(recording: Recording) -> set[str]:
    """Every rule that lets something in, as `security group: source -> port`."""

    def rule(resource: Recorded) -> str:
        asked = resource.inputs
        source = asked.get("cidrIpv4") or asked["referencedSecurityGroupId"]
        return f"{asked['securityGroupId']}: {source} -> {asked['ipProtocol']} {asked['fromPort']}-{asked['toPort']}"

    return {rule(each) for each in recording.all(aws.vpc.SecurityGroupIngressRule)}


def test_machines_reach_mqtt_on_the_agents_and_nothing_else(production: Recording) -> None:
    assert {rule for rule in opened(production) if "10.120.0.0/16" in rule} == {
        "sg-k3s-edge-nodes: 10.120.0.0/16 -> tcp 8883-8883"
    }


def test_admins_reach_the_bastion_and_the_api(production: Recording) -> None:
    assert {rule for rule in opened(production) if "203.0.113.0/24" in rule} == {
        "sg-bastion-access: 203.0.113.0/24 -> tcp 22-22",
        "sg-k3s-servers: 203.0.113.0/24 -> tcp 6443-6443",
    }


def test_nobody_outside_reaches_a_site_that_opens_nothing() -> None:
    outside = {rule for rule in opened(site()) if ": sg-" not in rule and f": {VPC} " not in rule}
    assert outside == set()


def test_no_rule_lets_everybody_in(production: Recording) -> None:
    assert opened(production)
    assert not [rule for rule in opened(production) if "0.0.0.0/0" in rule]


def test_only_what_stands_in_the_zone_has_a_carrier_ip(production: Recording) -> None:
    in_zone = {each.name for each in production.all(aws.ec2.Eip) if each.inputs.get("networkBorderGroup") == BOSTON}
    assert in_zone == {"k3s-edge-1", "k3s-edge-2", "k3s-edge-3", "k3s-edge-4"}
    assert set(production.exports["reportTo"]) == in_zone
    for name in in_zone:
        subnet = production.one(aws.ec2.NetworkInterface, name).inputs["subnetId"]
        assert subnet == production.one(aws.ec2.Subnet, f"factory-public-{BOSTON}").id


def test_the_kubeconfig_is_a_secret_and_no_key_is_in_user_data(production: Recording) -> None:
    assert {"kubeconfig", "sshConfig"} <= production.secret_exports
    for instance in production.all(aws.ec2.Instance):
        assert "PRIVATE KEY" not in instance.inputs["userData"]


def test_two_servers_are_refused() -> None:
    with pytest.raises(ArgsError, match=r"K3sClusterArgs\.servers: 2"):
        site(servers=2)


def test_admins_without_a_key_are_refused() -> None:
    with pytest.raises(ArgsError, match="ssh_allowed_cidrs"):
        site(adminCidrs=["203.0.113.0/24"])


def test_a_preview_shows_every_resource() -> None:
    preview, update = deploy(PROJECT, preview=True), deploy(PROJECT)
    assert {each.urn for each in preview.resources} == {each.urn for each in update.resources}
    assert preview.exports["reportTo"] is UNKNOWN
    assert update.exports["reportTo"]["k3s-edge-1"]


@pytest.mark.parametrize("agents", [1, 3])
def test_there_are_as_many_agents_as_configured(agents: int) -> None:
    instances = {each.name for each in site(agents=agents).all(aws.ec2.Instance)}
    assert instances == {"bastion-host", "k3s-server-1", *(f"k3s-edge-{number + 1}" for number in range(agents))}
