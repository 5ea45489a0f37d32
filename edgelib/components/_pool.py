"""The hosts of one pool: addresses and data disks first, then the instances, so many at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional

import pulumi
import pulumi_aws as aws

from edgelib.components._family import Family
from edgelib.components._host import Host, HostBase, address_host, boot_host, ubuntu_ami
from edgelib.components._node_pool_plan import NodePoolPlan
from edgelib.components._offerings import offering_checks

Gate = Callable[[str, Host], Sequence[pulumi.Resource]]
"""Builds what shows that a host (by node name) has come up, which joins the host's gates."""


def address_pool(
    family: Family, plan: NodePoolPlan, security_group_ids: Sequence[pulumi.Input[str]]
) -> dict[str, HostBase]:
    """What outlives the instances of the pool, by node name (``<family>-1`` first)."""
    return {f"{family.name}-{node}": address_host(family, node, plan.host, security_group_ids) for node in plan.nodes}


def boot_pool(
    family: Family,
    plan: NodePoolPlan,
    bases: Mapping[str, HostBase],
    *,
    user_data: Mapping[str, Optional[pulumi.Input[str]]],
    profile: "aws.iam.InstanceProfile",
    wait_for: Sequence[pulumi.Input[pulumi.Resource]] = (),
    gate: Optional[Gate] = None,
) -> dict[str, Host]:
    """The instances by node name, each held back by the one ``max_unavailable`` before it: so a change that replaces rolls."""
    checks = offering_checks(family, "NodePoolArgs.instance_type", plan.host.instance_type, plan.host.placement)
    ami = plan.host.ami or ubuntu_ami(family)
    hosts: dict[str, Host] = {}
    names = list(bases)
    for at, (name, base) in enumerate(bases.items()):
        lane = hosts[names[at - plan.max_unavailable]].gates if at >= plan.max_unavailable else ()
        host = boot_host(
            family, base, ami=ami, user_data=user_data[name], profile=profile, wait_for=[*checks, *wait_for, *lane]
        )
        hosts[name] = replace(host, gates=[*host.gates, *(gate(name, host) if gate else ())])
    return hosts


def facts_by_node(hosts: Mapping[str, Host]) -> dict[str, dict[str, pulumi.Output[Any]]]:
    """Instance ids and addresses, each by node name; an address that a node has not is left out."""
    return {
        "instance_ids": {name: host.instance.id for name, host in hosts.items()},
        "private_ips": {name: host.base.private_ip for name, host in hosts.items()},
        "public_ips": {name: host.base.public_ip for name, host in hosts.items() if host.base.public_ip},
        "carrier_ips": {name: host.base.carrier_ip for name, host in hosts.items() if host.base.carrier_ip},
    }
