import base64

import pulumi
import pulumi_aws as aws
import pytest
import yaml
from component_sites import ANYWHERE, BOSTON, KEY, network, place, refuse, security_rules, site, waits_for

from edgelib import BastionHost, BastionHostArgs, Network
from edgelib.components.bastion_host import plan_bastion_host
from edgelib.ssh_config import BastionEndpoint, render_ssh_config
from edgelib.testing import UNKNOWN, deploy


def plan(**args):
    return plan_bastion_host(BastionHostArgs(**{"network": network(), **args}))


def built(**args):
    return deploy(lambda: BastionHost("bastion", {"network": network(), **args}))


def test_defaults_are_a_small_host_in_the_parent_that_nobody_reaches_from_outside():
    made = plan()
    assert (made.host.placement.key, made.host.placement.egress.value) == ("parent", "public-ip")
    assert (made.host.instance_type, made.host.ami, made.host.root_disk_gib) == ("t3.micro", None, 8)
    assert (made.ingress, made.host.disks, made.tags) == ((), (), {})
    assert not made.host.termination_protection


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (
            {"ssh_allowed_cidrs": ["203.0.113.7/32"]},
            ["BastionHostArgs.ssh_allowed_cidrs", "lets nobody in without a key", "Session Manager"],
        ),
        *(
            (
                {"ssh_allowed_cidrs": [block], "ssh_authorized_keys": [KEY]},
                ["BastionHostArgs.ssh_allowed_cidrs", block, *parts],
            )
            for block, *parts in (
                (ANYWHERE, "more than a /8", "Session Manager"),
                ("128.0.0.0/1", "more than a /8"),
                ("10.0.0.0/7", "more than a /8"),
                ("203.0.113.7/24", "not canonical", "write 203.0.113.0/24"),
                ("2001:db8::/32", "IPv6", "IPv4"),
                ("everywhere", "is no IPv4 block", "203.0.113.7/32"),
            )
        ),
        (
            {"ssh_allowed_cidrs": ["203.0.113.0/24"] * 2, "ssh_authorized_keys": [KEY]},
            ["BastionHostArgs.ssh_allowed_cidrs", "203.0.113.0/24", "is there twice"],
        ),
        (
            {"ssh_authorized_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb..."]},
            ["BastionHostArgs.ssh_authorized_keys: (a private key)", "would be readable", ".pub"],
        ),
        *(
            ({"ssh_authorized_keys": [key]}, ["BastionHostArgs.ssh_authorized_keys", "is no OpenSSH public key"])
            for key in ("id_ed25519.pub", "", "ssh-ed25519", f"{KEY}\n{KEY}", f'command="sh" {KEY}')
        ),
        ({"instance_type": "t4g.micro"}, ["BastionHostArgs.instance_type: t4g.micro", "arm64", "x86-64"]),
        ({"instance_type": "tiny"}, ["BastionHostArgs.instance_type: 'tiny'", "is no instance type"]),
        ({"ami": "ubuntu"}, ["BastionHostArgs.ami: 'ubuntu'", "is no AMI id", "leave it out"]),
        ({"root_disk_gib": 7}, ["BastionHostArgs.root_disk_gib: 7", "8 to 16384"]),
        ({"root_disk_gib": 0}, ["BastionHostArgs.root_disk_gib: 0", "8 to 16384"]),
        (
            {"availability_zone": "us-east-1b"},
            ["BastionHostArgs.availability_zone: us-east-1b", "is not in this network", "are: parent"],
        ),
        (
            {"network": network(public=False)},
            ["BastionHostArgs.network: parent", "no subnet that gives public-ip", "public subnet"],
        ),
        ({"ssh_authorized_keys": [f"{KEY}{'x' * 17000}"]}, ["BastionHostArgs.ssh_authorized_keys", "16384"]),
        ({"tags": {"": "x"}}, ["BastionHostArgs.tags: ''", "between 1 and 128"]),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(args, parts):
    refuse(lambda: plan(**args), *parts)


def test_a_private_key_is_not_shown_in_the_refusal():
    secret = base64.b64encode(b"the key itself").decode()
    with pytest.raises(ValueError, match="private key") as caught:
        plan(ssh_authorized_keys=[f"-----BEGIN RSA PRIVATE KEY-----\n{secret}"])
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        "ssh-ed25519 AAAAC3Nz",
        f"  {KEY}\n",
        "ecdsa-sha2-nistp256 AAAA= you@host",
        "sk-ssh-ed25519@openssh.com AAAA you@host",
    ],
)
def test_public_keys_are_taken_as_ssh_keygen_writes_them(key):
    keys = yaml.safe_load(plan(ssh_authorized_keys=[key]).user_data)["ssh_authorized_keys"]
    assert keys == [key.strip()]


def test_nobody_reaches_it_by_default_and_it_reaches_the_vpc_by_ssh_alone():
    assert security_rules(built(), "bastion-access") == {
        ("out", "tcp", 80, 80, ANYWHERE),
        ("out", "tcp", 443, 443, ANYWHERE),
        ("out", "tcp", 22, 22, "10.0.0.0/16"),
    }


def test_ssh_is_open_to_the_named_blocks_alone():
    recording = built(ssh_allowed_cidrs=["203.0.113.0/24", "10.0.0.0/8"], ssh_authorized_keys=[KEY])
    assert {rule for rule in security_rules(recording, "bastion-access") if rule[0] == "in"} == {
        ("in", "tcp", 22, 22, "203.0.113.0/24"),
        ("in", "tcp", 22, 22, "10.0.0.0/8"),
    }


def test_one_more_block_changes_no_rule_that_is_there():
    few = built(ssh_allowed_cidrs=["203.0.113.0/24"], ssh_authorized_keys=[KEY])
    many = built(ssh_allowed_cidrs=["198.51.100.0/24", "203.0.113.0/24"], ssh_authorized_keys=[KEY])
    (rule,) = few.all(aws.vpc.SecurityGroupIngressRule)
    assert many.one(aws.vpc.SecurityGroupIngressRule, rule.name).inputs == rule.inputs


def test_it_stands_in_the_named_availability_zone():
    places = {"us-east-1b": place("us-east-1b")}
    other = Network(vpc_id="vpc-1", cidr_block="10.0.0.0/16", region="us-east-1", availability_zones=places)
    recording = built(network=other, availability_zone="us-east-1b")
    assert recording.one(aws.ec2.NetworkInterface).inputs["subnetId"] == "subnet-public-us-east-1b"


def test_its_address_is_allocated_in_the_region_before_its_instance_boots():
    recording = site()
    address, instance = recording.one(aws.ec2.Eip, "bastion-host"), recording.one(aws.ec2.Instance, "bastion-host")
    assert "networkBorderGroup" not in address.inputs
    assert {("EipAssociation", "bastion-host"), ("Route", "site-public")} <= waits_for(recording, instance)
    assert instance.inputs["rootBlockDevice"]["volumeType"] == "gp3"


def test_the_outputs_are_those_of_its_resources():
    recording = built()
    assert recording.named("bastion").outputs == {
        "instance_id": recording.one(aws.ec2.Instance).id,
        "private_ip": recording.one(aws.ec2.NetworkInterface).outputs["privateIp"],
        "public_ip": recording.one(aws.ec2.Eip).outputs["publicIp"],
        "security_group_id": recording.one(aws.ec2.SecurityGroup).id,
    }


def test_the_ssh_config_is_secret_and_leads_to_every_node_through_the_bastion():
    recording = site()
    bastion = recording.named("bastion").outputs
    endpoint = BastionEndpoint(
        alias="bastion",
        region="us-east-1",
        instance_id=bastion["instance_id"],
        public_ip=bastion["public_ip"],
    )
    assert "sshConfig" in recording.secret_exports
    nodes = recording.named("edge").outputs["private_ips"]
    assert nodes.keys() == {"edge-1", "edge-2"}
    assert recording.exports["sshConfig"] == render_ssh_config(endpoint, nodes)


def test_without_open_ssh_the_config_goes_through_session_manager():
    def program():
        bastion = BastionHost("bastion", {"network": network(), "ssh_authorized_keys": [KEY]})
        pulumi.export("config", bastion.ssh_config({"core": "10.0.1.9"}))

    recording = deploy(program)
    config, made = recording.exports["config"], recording.named("bastion").outputs
    assert f"aws ssm start-session --region us-east-1 --target {made['instance_id']} " in config
    assert made["public_ip"] not in config
    assert "HostName 10.0.1.9\n    ProxyJump bastion\n" in config


def test_a_preview_has_the_ssh_config_unknown():
    assert site(preview=True).exports["sshConfig"] is UNKNOWN


def test_a_bastion_in_a_wavelength_zone_is_not_offered():
    refuse(lambda: plan(availability_zone=BOSTON), "BastionHostArgs.availability_zone", BOSTON, "not in this network")
