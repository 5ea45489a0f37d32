"""Security groups of a cluster: its nodes reach each other on the distribution's own ports, and nobody else does."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Optional

import pulumi
import pulumi_aws as aws

from edgelib.addressing import ANYWHERE
from edgelib.components._family import Family
from edgelib.components._ingress import (
    IngressRule,
    allow_between,
    allow_in,
    allow_out,
    allow_path_mtu_discovery,
    security_group,
)
from edgelib.components.bastion_host import BastionAccess
from edgelib.components.network import Network


class Members(Enum):
    """Who of a cluster a rule is about."""

    NODES = "nodes"
    """Servers and agents."""
    SERVERS = "servers"


@dataclass(frozen=True, kw_only=True)
class ClusterPort:
    """Ports on which some nodes of a cluster reach some."""

    key: str
    protocol: str
    first: int
    last: int
    source: Members
    target: Members


@dataclass(frozen=True, kw_only=True)
class ClusterGroups:
    """The security groups that all nodes, and the servers, are members of."""

    nodes: "aws.ec2.SecurityGroup"
    servers: "aws.ec2.SecurityGroup"

    def of(self, members: Members) -> "aws.ec2.SecurityGroup":
        """The group of ``members``."""
        return self.nodes if members is Members.NODES else self.servers


def build_cluster_groups(
    family: Family,
    network: Network,
    *,
    ports: Sequence[ClusterPort],
    api_port: int,
    api_blocks: Sequence[str],
    download_ports: Sequence[int],
    bastion: Optional[BastionAccess],
) -> ClusterGroups:
    """Builds the groups. The API is open to ``api_blocks``, or to the VPC where there are none, and to the bastion."""
    groups = ClusterGroups(
        nodes=security_group(family, "nodes", f"Nodes of {family.name}", network.vpc_id),
        servers=security_group(family, "servers", f"Servers of {family.name}", network.vpc_id),
    )
    for port in ports:
        source = groups.of(port.source).id
        allow_between(family, _rule(port.key, port.first, port.last, port.protocol, source), groups.of(port.target))
    for block in api_blocks or [network.cidr_block]:
        key = f"api-{block}" if api_blocks else "api-vpc"
        opened = IngressRule(key=key, protocol="tcp", from_port=api_port, to_port=api_port, cidr_block=block)
        allow_in(family, groups.servers, [opened])
    allow_path_mtu_discovery(family, groups.nodes, network.cidr_block)
    downloads = {"http": 80, "https": 443, **{f"tcp-{port}": port for port in download_ports}}
    allow_out(family, groups.nodes, downloads, ANYWHERE)
    if bastion:
        source = bastion.security_group_id
        allow_in(family, groups.nodes, [_rule("bastion-ssh", 22, 22, "tcp", source)])  # the bastion itself lets 22 out
        allow_between(family, _rule("bastion-api", api_port, api_port, "tcp", source), groups.servers)
    return groups


def _rule(key: str, first: int, last: int, protocol: str, source: pulumi.Input[str]) -> IngressRule:
    return IngressRule(key=key, protocol=protocol, from_port=first, to_port=last, security_group_id=source)
