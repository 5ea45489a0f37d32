"""EC2 nodes of one role in one place."""

from collections.abc import Mapping, Sequence
from typing import Any, Optional, cast, overload

import pulumi
import pulumi_aws as aws

from edgelib.addressing import ANYWHERE
from edgelib.components._family import Family
from edgelib.components._host import DiskArgs, DiskType, Host, build_host, check_user_data, ubuntu_ami
from edgelib.components._ingress import (
    IngressArgs,
    Protocol,
    allow_in,
    allow_out,
    allow_path_mtu_discovery,
    security_group,
)
from edgelib.components._node_pool_plan import NodePoolArgs, NodePoolPlan, plan_node_pool
from edgelib.components._offerings import offering_checks
from edgelib.components._placement import Egress
from edgelib.components._roles import instance_profile
from edgelib.components.network import Network, keyed

__all__ = ["DiskArgs", "DiskType", "Egress", "IngressArgs", "NodePool", "NodePoolArgs", "Protocol", "plan_node_pool"]


class NodePool(pulumi.ComponentResource):
    """EC2 nodes of one role in one place, each with addresses and data disks that outlive its instance.

    Nodes are numbered from 1: a larger ``count`` adds nodes and touches none. A change that replaces nodes takes ``max_unavailable``
    at a time. They take IMDSv2 only, through one hop. They may open connections to anywhere on TCP 80 and 443, are reached
    by nobody but as ``ingress`` says, and by Session Manager.
    """

    instance_ids: pulumi.Output[dict[str, str]]
    """EC2 instance id by node name."""
    private_ips: pulumi.Output[dict[str, str]]
    """Private IPv4 address by node name."""
    public_ips: pulumi.Output[dict[str, str]]
    """Public IP by node name; empty unless the egress is by public IP."""
    carrier_ips: pulumi.Output[dict[str, str]]
    """Carrier IP by node name; empty unless the egress is by carrier IP."""
    security_group_id: pulumi.Output[str]
    """The pool's own security group."""
    role_name: pulumi.Output[str]
    """IAM role of the nodes, to attach policies to."""
    labels: pulumi.Output[dict[str, str]]
    """The labels that all nodes have."""

    @overload
    def __init__(self, name: str, args: NodePoolArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None: ...
    @overload
    def __init__(self, name: str, args: Mapping[str, Any], opts: Optional[pulumi.ResourceOptions] = None) -> None: ...
    def __init__(  # pyright: ignore[reportInconsistentOverload]  # the component schema reads this annotation
        self, name: str, args: NodePoolArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Builds the nodes.

        Raises:
            ArgsError: see `plan_node_pool`.
        """
        args = NodePoolArgs.of(args)
        plan = plan_node_pool(args)
        super().__init__("edgelib:index:NodePool", name, {}, opts)
        for note in plan.notes:
            pulumi.log.warn(note, resource=self)
        network = cast("Network", args.network)  # the plan refuses a pool without one
        family = Family(self, name, network.region, plan.tags)
        group = security_group(family, "nodes", f"Nodes of {name}", network.vpc_id)
        allow_in(family, group, plan.ingress)
        allow_path_mtu_discovery(family, group, network.cidr_block)
        allow_out(family, group, {"http": 80, "https": 443}, ANYWHERE)
        profile = instance_profile(family, "node")
        groups = [group.id, *(args.security_group_ids or [])]
        hosts = _build_hosts(family, plan, args.user_data, groups, profile)
        addresses = {node: host.address for node, host in hosts.items() if host.address}
        in_zone = plan.host.placement.egress is Egress.CARRIER_IP
        by_node: dict[str, dict[str, pulumi.Output[str]]] = {
            "instance_ids": {node: host.instance.id for node, host in hosts.items()},
            "private_ips": {node: host.private_ip for node, host in hosts.items()},
            "public_ips": {} if in_zone else {node: address.public_ip for node, address in addresses.items()},
            "carrier_ips": {node: address.carrier_ip for node, address in addresses.items()} if in_zone else {},
        }
        outputs: dict[str, pulumi.Output[Any]] = {
            **{key: keyed(values) for key, values in by_node.items()},
            "security_group_id": group.id,
            "role_name": profile.role.apply(str),
            "labels": keyed(plan.labels),
        }
        for key, value in outputs.items():
            setattr(self, key, value)
        self.register_outputs(outputs)


def _build_hosts(
    family: Family,
    plan: NodePoolPlan,
    user_data: Optional[pulumi.Input[str]],
    security_group_ids: Sequence[pulumi.Input[str]],
    profile: "aws.iam.InstanceProfile",
) -> dict[str, Host]:
    """The nodes by name, each held back by the one ``max_unavailable`` before it: so a change that replaces rolls."""
    checks = offering_checks(family, "NodePoolArgs.instance_type", plan.host.instance_type, plan.host.placement)
    ami = plan.host.ami or ubuntu_ami(family)
    if isinstance(user_data, pulumi.Output):
        user_data = user_data.apply(lambda text: check_user_data("NodePoolArgs.user_data", text))
    hosts: list[Host] = []
    for at, node in enumerate(plan.nodes):
        lane = hosts[at - plan.max_unavailable].gates if at >= plan.max_unavailable else ()
        hosts.append(
            build_host(
                family,
                node,
                plan.host,
                ami=ami,
                user_data=user_data,
                security_group_ids=security_group_ids,
                profile=profile,
                wait_for=[*checks, *lane],
            )
        )
    return {f"{family.name}-{node}": host for node, host in zip(plan.nodes, hosts, strict=True)}
