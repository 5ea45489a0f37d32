"""What the tests of components share: places, networks of plain ids, one whole site, and questions to a recording."""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from edgelib import BastionHost, Network, NodePool, WavelengthVpc
from edgelib.components.network import NetworkPlace, NetworkSubnet, SubnetEgress
from edgelib.testing import Recorded, Recording, deploy

BOSTON = "us-east-1-wl1-bos-wlz-1"
NEW_YORK = "us-east-1-wl1-nyc-wlz-1"
CASABLANCA = "eu-west-3-wl1-cmn-wlz-1"
GROUP = "us-east-1-wl1"
ANYWHERE = "0.0.0.0/0"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJp4vVgB operator@example.com"
AMI = "ami-0123456789abcdef0"


def refuse(plan: Callable[[], object], *parts: str) -> None:
    """Checks that ``plan`` is refused with a message that names the field first and holds every part, and a way out."""
    with pytest.raises(ValueError, match=re.escape(parts[0])) as caught:
        plan()
    message = str(caught.value).rpartition("ValueError has risen: ")[2]  # what the SDK puts before an apply's error
    assert message.startswith(parts[0]), message
    assert [part for part in parts if part not in message] == [], message


def subnet(name: str, zone: str, egress: SubnetEgress, cidr: str = "10.0.1.0/24") -> NetworkSubnet:
    """A subnet of plain ids."""
    return NetworkSubnet(id=f"subnet-{name}", availability_zone=zone, cidr_block=cidr, egress=egress)


def place(zone: str, *, public: bool = True, nat: bool = True, isolated: bool = False, cidr: str = "10.0.1.0/24"):
    """One place: in a zone its public subnet is behind the carrier gateway; ``isolated`` is a private one without egress."""
    in_zone = "-wl" in zone
    own = SubnetEgress.CARRIER_GATEWAY if in_zone else SubnetEgress.INTERNET_GATEWAY
    behind = SubnetEgress.NAT_GATEWAY if nat else SubnetEgress.NONE
    return NetworkPlace(
        public=subnet(f"public-{zone}", zone, own, cidr) if public else None,
        private=subnet(f"private-{zone}", zone, behind, cidr) if nat or isolated else None,
        network_border_group=zone if in_zone else None,
    )


def network(zone: str = BOSTON, **about: Any) -> Network:
    """A network of plain ids with one zone and its parent; ``about`` goes to both places."""
    region = zone.partition("-wl")[0]
    return Network(
        vpc_id="vpc-1",
        cidr_block="10.0.0.0/16",
        region=region,
        zones={zone: place(zone, **about)},
        availability_zones={"parent": place(f"{region}a", **about)},
    )


@functools.cache
def site(*, preview: bool = False, region: str = "us-east-1") -> Recording:
    """A VPC with everything, a bastion open to one block, a pool with carrier IPs and a disk, one behind NAT, one in the Region."""

    def program() -> None:
        vpc = WavelengthVpc(
            "site",
            {
                "zones": [BOSTON],
                "nat": "single",
                "interface_endpoints": ["ssm"],
                "flow_logs": {},
                "tags": {"team": "edge"},
            },
        )
        bastion = BastionHost(
            "bastion",
            {"network": vpc.network, "ssh_allowed_cidrs": ["203.0.113.0/24"], "ssh_authorized_keys": [KEY]},
        )
        pool: dict[str, Any] = {"network": vpc.network}
        edge = NodePool("edge", {**pool, "zone": BOSTON, "count": 2, "disks": {"/dev/sdf": {"size_gib": 5}}})
        NodePool("quiet", {**pool, "zone": BOSTON, "egress": "nat"})
        NodePool("core", {**pool, "disks": {"/dev/sdf": {"size_gib": 5}}})
        NodePool("front", {**pool, "egress": "public-ip"})
        pulumi.export("sshConfig", bastion.ssh_config(edge.private_ips))

    return deploy(program, preview=preview, config={"aws:region": region})


def kind(resource: Recorded) -> str:
    """Class name of a resource."""
    return resource.type.rpartition(":")[2]


def waits_for(recording: Recording, resource: Recorded) -> set[tuple[str, str]]:
    """Class and name of all that must exist before ``resource``, and that is deleted only after it."""
    by_urn = {each.urn: each for each in recording.resources}
    seen: set[str] = set()
    left = list(resource.options.depends_on)
    while left:
        urn = left.pop()
        if urn not in seen:
            seen.add(urn)
            left += by_urn[urn].options.depends_on
    return {(kind(by_urn[urn]), by_urn[urn].name) for urn in seen}


def asked(recording: Recording, *, without: Iterable[str] = ()) -> Mapping[str, Any]:
    """Everything that was asked of the engine, by URN, as one value to compare; without the resources of these names."""
    return {
        each.urn: (each.inputs, _ordered(each.options))
        for each in recording.resources
        if each.custom and each.name not in set(without)
    }


def _ordered(options: Any) -> Mapping[str, Any]:
    """Options with their sets of URNs in an order: the SDK's own is by chance."""
    found = {key: sorted(urns) for key, urns in options.property_dependencies.items()}
    return {**vars(options), "depends_on": sorted(options.depends_on), "property_dependencies": found}


def security_rules(recording: Recording, group: str) -> set[tuple[str, str, int, int, str]]:
    """Direction, protocol, ports and block (or group) of every rule of the security group called ``group``."""
    owner = recording.one(aws.ec2.SecurityGroup, group).id
    found = set[tuple[str, str, int, int, str]]()
    for direction, of in (
        ("in", aws.vpc.SecurityGroupIngressRule),
        ("out", aws.vpc.SecurityGroupEgressRule),
    ):
        for rule in recording.all(of):
            inputs = rule.inputs
            if inputs["securityGroupId"] == owner:
                source = inputs.get("cidrIpv4") or inputs["referencedSecurityGroupId"]
                found.add((direction, inputs["ipProtocol"], inputs["fromPort"], inputs["toPort"], source))
    return found
