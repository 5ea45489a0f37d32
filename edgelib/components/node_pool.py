"""EC2 nodes of one role in one place."""

from collections.abc import Mapping
from typing import Any, Optional, cast, overload

import pulumi

from edgelib.addressing import ANYWHERE
from edgelib.components._family import Family, publish
from edgelib.components._host import DiskArgs, DiskType, check_user_data
from edgelib.components._ingress import (
    IngressArgs,
    Protocol,
    allow_in,
    allow_out,
    allow_path_mtu_discovery,
    security_group,
)
from edgelib.components._node_pool_plan import NodePoolArgs, plan_node_pool
from edgelib.components._placement import Egress
from edgelib.components._pool import address_pool, boot_pool, facts_by_node
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
        user_data = args.user_data
        if isinstance(user_data, pulumi.Output):
            user_data = user_data.apply(lambda text: check_user_data("NodePoolArgs.user_data", text))
        bases = address_pool(family, plan, groups)
        hosts = boot_pool(family, plan, bases, user_data=dict.fromkeys(bases, user_data), profile=profile)
        outputs: dict[str, pulumi.Output[Any]] = {
            **{key: keyed(values) for key, values in facts_by_node(hosts).items()},
            "security_group_id": group.id,
            "role_name": profile.role.apply(str),
            "labels": keyed(plan.labels),
        }
        publish(self, outputs)
