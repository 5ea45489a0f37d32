"""Who may reach a host: rules that name their source, and none that opens everything."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from ipaddress import IPv4Network, ip_network
from typing import Optional, cast

import pulumi
import pulumi_aws as aws

from edgelib import zones
from edgelib.addressing import ANYWHERE
from edgelib.components._args import Args
from edgelib.components._family import Family
from edgelib.errors import ArgsError

_SHORTEST_ADMINISTRATIVE_PREFIX = 8  # no organisation has more in one block
_PATH_MTU_DISCOVERY = "path-mtu-discovery"

ADMINISTRATIVE = {
    22: "SSH",
    2379: "etcd",
    2380: "etcd",
    3389: "RDP",
    6443: "the Kubernetes API",
    8472: "flannel's VXLAN",
    10250: "the kubelet",
    16443: "the Kubernetes API of MicroK8s",
    25000: "the MicroK8s cluster agent",
}
"""Ports that run machines rather than serve users: never open to everybody."""


class Protocol(Enum):
    """Transport protocol of a rule."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(kw_only=True)
class IngressArgs(Args):
    """One port, or one range of ports, and who may reach it: blocks or a security group."""

    port: int
    """First port, 1 to 65535."""
    to_port: Optional[int] = None
    """Last port (default: the first)."""
    protocol: Optional[Protocol] = None
    """Transport protocol (default TCP)."""
    cidr_blocks: Optional[list[str]] = None
    """IPv4 blocks. ``0.0.0.0/0`` is refused for administrative ports; in a Wavelength Zone it means the carrier's devices, but the
    whole internet in the African zones and in the Region."""
    security_group_id: Optional[pulumi.Input[str]] = None
    """Members of this security group, such as ``BastionHost(...).security_group_id``."""


@dataclass(frozen=True, kw_only=True)
class IngressRule:
    """One security group rule; the source of one that lets out is where it leads."""

    key: str
    protocol: str
    from_port: int
    to_port: int
    cidr_block: Optional[pulumi.Input[str]] = None
    security_group_id: Optional[pulumi.Input[str]] = None


def canonical_block(field: str, cidr: str) -> str:
    """Returns ``cidr``.

    Raises:
        ArgsError: it is no IPv4 block, or has host bits set.
    """
    try:
        block = ip_network(cidr, strict=False)
    except ValueError:
        raise ArgsError(field, repr(cidr), "is no IPv4 block", "use CIDR notation such as 203.0.113.7/32") from None
    if not isinstance(block, IPv4Network):
        raise ArgsError(
            field, cidr, "is IPv6, which Wavelength Zones and these networks do not have", "use an IPv4 block"
        )
    if str(block) != cidr:
        raise ArgsError(field, cidr, "is not canonical", f"write {block}")
    return cidr


def canonical_blocks(field: str, cidrs: Sequence[str]) -> Sequence[str]:
    """Returns ``cidrs``.

    Raises:
        ArgsError: one is no IPv4 block, has host bits set or is there twice.
    """
    for cidr in cidrs:
        canonical_block(field, cidr)
        if cidrs.count(cidr) > 1:
            raise ArgsError(field, cidr, "is there twice", "name each block once")
    return cidrs


def administrative_blocks(field: str, cidrs: Sequence[str], way_out: str) -> Sequence[str]:
    """Returns ``cidrs``, from which somebody administers.

    Raises:
        ArgsError: see `canonical_blocks`, or one is so large that it opens the door to strangers; ``way_out`` is what to do instead.
    """
    for cidr in canonical_blocks(field, cidrs):
        if ip_network(cidr).prefixlen < _SHORTEST_ADMINISTRATIVE_PREFIX:
            problem = f"is more than a /{_SHORTEST_ADMINISTRATIVE_PREFIX}, much of the internet"
            raise ArgsError(field, cidr, problem, way_out)
    return cidrs


def plan_ingress(field: str, ingress: Mapping[str, IngressArgs]) -> list[IngressRule]:
    """The rules of ``ingress``, one per block, under keys that adding or removing another never changes.

    Raises:
        ArgsError: a name that AWS takes for no rule, a port out of range, no source or both kinds of source, a block that is not
            canonical or there twice, an administrative port open to everybody.
    """
    rules: list[IngressRule] = []
    for key, wanted in ingress.items():
        path = f"{field}[{key!r}]"
        _check_key(path, key)
        first, last = wanted.port, wanted.port if wanted.to_port is None else wanted.to_port
        if not 1 <= first <= last <= 65535:
            raise ArgsError(
                f"{path}.port",
                f"{first} to {last}",
                "is no range of ports",
                "use 1 to 65535, the first not above the last",
            )
        if bool(wanted.cidr_blocks) == (wanted.security_group_id is not None):
            raise ArgsError(
                path,
                "the source",
                "must be blocks or a security group",
                "set exactly one of cidr_blocks, security_group_id",
            )
        opened = IngressRule(
            key=key,
            protocol=(wanted.protocol or Protocol.TCP).value,
            from_port=first,
            to_port=last,
            security_group_id=wanted.security_group_id,
        )
        if wanted.security_group_id is not None:
            rules.append(opened)
        for block in canonical_blocks(f"{path}.cidr_blocks", wanted.cidr_blocks or []):
            if ip_network(block).prefixlen < _SHORTEST_ADMINISTRATIVE_PREFIX:
                _refuse_administrative(path, block, first, last)
            rules.append(replace(opened, key=f"{key}-{block}", cidr_block=block))
    return rules


def _check_key(path: str, key: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}", key):
        way_out = "use up to 64 letters, digits, spaces, dots, dashes and underscores"
        raise ArgsError(path, "the name", "does not do as a rule's description", way_out)
    if key == _PATH_MTU_DISCOVERY:
        raise ArgsError(path, "the name", "is that of a rule which every pool has", "use another one")


def _refuse_administrative(path: str, block: str, first: int, last: int) -> None:
    exposed = [f"{port} ({what})" for port, what in ADMINISTRATIVE.items() if first <= port <= last]
    if exposed:
        way_out = "name the blocks that may reach it, or a bastion's security group"
        raise ArgsError(f"{path}.cidr_blocks", block, f"would open {', '.join(exposed)} to everybody", way_out)


def exposure_notes(field: str, zone: Optional[zones.Zone], rules: list[IngressRule]) -> list[str]:
    """What opening ports to ``0.0.0.0/0`` means where the rules apply, if it means the whole internet."""
    ports = [f"{rule.protocol}/{rule.from_port}" for rule in rules if rule.cidr_block == ANYWHERE]
    if not ports or (zone and not zone.internet_inbound):
        return []
    where = f"in {zone.name}, which the internet can reach" if zone else "in the Region"
    return [
        f"{field}: {', '.join(ports)} open to {ANYWHERE} {where}: that is the whole internet, not only the carrier's devices."
    ]


def security_group(family: Family, role: str, about: str, vpc_id: pulumi.Input[str]) -> "aws.ec2.SecurityGroup":
    """A security group that allows nothing yet."""
    return aws.ec2.SecurityGroup(**family.tagged(role), description=about, vpc_id=vpc_id)


def allow_in(family: Family, group: "aws.ec2.SecurityGroup", rules: Sequence[IngressRule]) -> None:
    """Adds ``rules`` to ``group``."""
    for rule in rules:
        aws.vpc.SecurityGroupIngressRule(
            **family.tagged(rule.key),
            security_group_id=group.id,
            description=rule.key,
            ip_protocol=rule.protocol,
            from_port=rule.from_port,
            to_port=rule.to_port,
            cidr_ipv4=rule.cidr_block,
            referenced_security_group_id=rule.security_group_id,
        )


def allow_path_mtu_discovery(family: Family, group: "aws.ec2.SecurityGroup", cidr: pulumi.Input[str]) -> None:
    """Lets "fragmentation needed" in from ``cidr``: Region and zone differ in MTU (AWS Wavelength developer guide, networking)."""
    aws.vpc.SecurityGroupIngressRule(
        **family.tagged(_PATH_MTU_DISCOVERY),
        security_group_id=group.id,
        description="ICMP fragmentation needed",
        ip_protocol="icmp",
        from_port=3,
        to_port=4,
        cidr_ipv4=cidr,
    )


def allow_out(family: Family, group: "aws.ec2.SecurityGroup", ports: Mapping[str, int], to: pulumi.Input[str]) -> None:
    """Lets members of ``group`` open TCP connections to ``ports`` (name to port) of the block ``to``."""
    for key, port in ports.items():
        rule = IngressRule(key=f"to-{key}", protocol="tcp", from_port=port, to_port=port, cidr_block=to)
        _allow_out(family, group.id, rule)


def allow_between(family: Family, rule: IngressRule, group: "aws.ec2.SecurityGroup") -> None:
    """Lets the members of the security group that ``rule`` names reach the members of ``group``: opens both ends."""
    allow_in(family, group, [rule])
    way_out = replace(rule, key=f"to-{rule.key}", security_group_id=group.id)
    _allow_out(family, cast("pulumi.Input[str]", rule.security_group_id), way_out)


def _allow_out(family: Family, group_id: pulumi.Input[str], rule: IngressRule) -> None:
    aws.vpc.SecurityGroupEgressRule(
        **family.tagged(rule.key),
        security_group_id=group_id,
        description=rule.key.replace("to-", "to ", 1),
        ip_protocol=rule.protocol,
        from_port=rule.from_port,
        to_port=rule.to_port,
        cidr_ipv4=rule.cidr_block,
        referenced_security_group_id=rule.security_group_id,
    )
