"""What a `NodePool` will consist of, decided before any resource exists."""

from dataclasses import dataclass
from typing import Optional

import pulumi

from edgelib import addressing, zones
from edgelib.components._args import Args
from edgelib.components._host import (
    DiskArgs,
    HostPlan,
    check_ami,
    check_instance_type,
    check_root_disk,
    check_user_data,
    plan_disks,
)
from edgelib.components._ingress import IngressArgs, IngressRule, exposure_notes, plan_ingress
from edgelib.components._placement import Egress, Placement, place
from edgelib.components.network import Network
from edgelib.errors import ArgsError
from edgelib.kubernetes.labels import check_labels, check_taints
from edgelib.tags import Tags, check_tags

MOST_NODES = 100
"""The time that Pulumi's SDK takes for a chain of dependencies grows with its square; 1,000 end in a RecursionError."""


@dataclass(kw_only=True)
class NodePoolArgs(Args):
    """What a `NodePool` is made from."""

    network: Optional[Network] = None
    """The network that the nodes stand in; required, except where a cluster that has one takes the pool."""
    zone: Optional[str] = None
    """Wavelength Zone to stand in (default: the Region)."""
    availability_zone: Optional[str] = None
    """In the Region: Availability Zone of the network (default ``parent``)."""
    count: Optional[int] = None
    """How many nodes, 1 to 100 (default 1)."""
    instance_type: Optional[str] = None
    """EC2 instance type, x86-64, offered in the place (default ``t3.medium``, which every known Wavelength Zone has)."""
    egress: Optional[Egress] = None
    """How nodes reach out (default: a carrier IP in a zone that has a subnet for it; in the Region NAT where there is one, else a
    public IP)."""
    root_disk_gib: Optional[int] = None
    """Root disk in GiB, encrypted (default 20)."""
    disks: Optional[dict[str, DiskArgs]] = None
    """Data disks of each node by device, ``/dev/sdf`` to ``/dev/sdp`` (default none)."""
    ami: Optional[str] = None
    """AMI id to stay on (default: Ubuntu 24.04 of the day of creation). Changing it replaces the nodes."""
    user_data: Optional[pulumi.Input[str]] = None
    """What cloud-init does at first boot, at most 16 KiB (default nothing). Changing it replaces the nodes."""
    labels: Optional[dict[str, str]] = None
    """Labels in Kubernetes' syntax; also tags of each instance, so that nodes are found by label (default none)."""
    taints: Optional[list[str]] = None
    """Taints of the Kubernetes nodes, ``key=value:NoSchedule``; only where a cluster takes the pool (default none)."""
    ingress: Optional[dict[str, IngressArgs]] = None
    """Who may reach the nodes, by a name of yours (default nobody)."""
    security_group_ids: Optional[list[pulumi.Input[str]]] = None
    """Further security groups of each node, at most 4 (default none)."""
    max_unavailable: Optional[int] = None
    """How many nodes a change that replaces takes down at a time; creation goes in as many lanes (default 1)."""
    termination_protection: Optional[bool] = None
    """Whether EC2 refuses to terminate the nodes until this is off again (default off)."""
    tags: Optional[dict[str, pulumi.Input[str]]] = None
    """Tags of every resource (default none but ``Name``)."""


@dataclass(frozen=True, kw_only=True)
class NodePoolPlan:
    """Every decision about a `NodePool`."""

    host: HostPlan
    nodes: tuple[str, ...]
    """Keys of the nodes, ``1`` first: a node keeps its key for life."""
    max_unavailable: int
    ingress: tuple[IngressRule, ...]
    labels: dict[str, str]
    taints: tuple[str, ...]
    tags: Tags
    notes: tuple[str, ...]


def plan_node_pool(args: NodePoolArgs) -> NodePoolPlan:
    """Decides everything about a `NodePool`; needs no engine, no network and no clock.

    Raises:
        ArgsError: taints, or what `plan_pool` refuses.
    """
    if args.taints:
        way_out = "pass the pool to a cluster, such as K3sClusterArgs.agents"
        raise ArgsError("NodePoolArgs.taints", args.taints, "taint Kubernetes nodes, and these are none yet", way_out)
    return plan_pool(args)


def plan_pool(args: NodePoolArgs) -> NodePoolPlan:
    """Decides everything about the nodes of a pool, those of a cluster too.

    Raises:
        ArgsError: no network, no such place in it or no egress there, a count that is none or does not fit the subnet, a type, disk,
            AMI id, label, rule or user data that cannot work.
    """
    if args.network is None:
        raise ArgsError(
            "NodePoolArgs.network",
            "(missing)",
            "is required",
            "pass WavelengthVpc(...).network or Network.existing(...)",
        )
    placement = place("NodePoolArgs", args.network, args.zone, args.availability_zone, args.egress)
    count, lanes = 1 if args.count is None else args.count, 1 if args.max_unavailable is None else args.max_unavailable
    _check_count(count, lanes, placement)
    if isinstance(args.user_data, str):
        check_user_data("NodePoolArgs.user_data", args.user_data)
    if len(args.security_group_ids or []) > 4:
        problem = "and the pool's own are more than the 5 that a network interface has by default (Amazon VPC quotas)"
        raise ArgsError(
            "NodePoolArgs.security_group_ids", len(args.security_group_ids or []), problem, "merge some of them"
        )
    instance_type = check_instance_type("NodePoolArgs.instance_type", args.instance_type or "t3.medium", placement.zone)
    labels = check_labels("NodePoolArgs.labels", args.labels or {})
    tags = check_tags("NodePoolArgs.tags", args.tags)
    rules = plan_ingress("NodePoolArgs.ingress", args.ingress or {})
    host = HostPlan(
        placement=placement,
        instance_type=instance_type,
        ami=check_ami("NodePoolArgs.ami", args.ami),
        root_disk_gib=check_root_disk(
            "NodePoolArgs.root_disk_gib", 20 if args.root_disk_gib is None else args.root_disk_gib
        ),
        disks=plan_disks("NodePoolArgs.disks", args.disks or {}, placement),
        termination_protection=bool(args.termination_protection),
        instance_tags=check_tags("NodePoolArgs.labels", {**labels, **tags}),
    )
    return NodePoolPlan(
        host=host,
        nodes=tuple(str(number) for number in range(1, count + 1)),
        max_unavailable=lanes,
        tags=tags,
        ingress=tuple(rules),
        labels=labels,
        taints=tuple(check_taints("NodePoolArgs.taints", args.taints or [])),
        notes=(*_exposure_notes(placement, rules), *_type_notes(placement, instance_type)),
    )


def _check_count(count: int, max_unavailable: int, placement: Placement) -> None:
    if count < 1:
        raise ArgsError("NodePoolArgs.count", count, "would build nothing", "use 1 or more, or leave the pool out")
    if count > MOST_NODES:
        raise ArgsError("NodePoolArgs.count", count, f"is more than {MOST_NODES}", "split the pool")
    if max_unavailable < 1:
        raise ArgsError("NodePoolArgs.max_unavailable", max_unavailable, "would never replace a node", "use 1 or more")
    block = placement.subnet.cidr_block
    if isinstance(block, str) and count > (room := addressing.usable_addresses(block)):
        problem = f"nodes do not fit in the subnet {block}, of which AWS leaves {room} addresses"
        raise ArgsError("NodePoolArgs.count", count, problem, "use fewer, or a VPC with a larger block")


def _exposure_notes(placement: Placement, rules: list[IngressRule]) -> list[str]:
    if placement.egress is Egress.NAT:  # nobody outside the VPC can open a connection to its nodes
        return []
    return exposure_notes("NodePoolArgs.ingress", placement.zone, rules)


def _type_notes(placement: Placement, instance_type: str) -> list[str]:
    if placement.zone is None or instance_type in zones.INSTANCE_TYPES:
        return []
    known = ", ".join(zones.INSTANCE_TYPES)
    return [
        f"NodePoolArgs.instance_type: {instance_type} is not known to be offered in Wavelength Zones ({known} are); EC2 decides."
    ]
