"""The pools of a cluster, decided before any resource exists: who stands where, with which labels and taints."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

import pulumi

from edgelib import zones
from edgelib.components._node_pool_plan import NodePoolArgs, NodePoolPlan, plan_pool
from edgelib.components._placement import Placement
from edgelib.components.network import Network
from edgelib.errors import ArgsError
from edgelib.kubernetes.labels import check_node_labels, label_value
from edgelib.tags import Tags

SERVER = "server"
"""What the servers' pool is called, among the pools and in node names."""

RESERVED = (SERVER, "servers", "nodes", "api")
"""Names of the cluster's own groups of machines and rules, which no pool can have."""

ZONE_TYPE = "edgelib.io/zone-type"
ZONE_TAINT = f"{ZONE_TYPE}=wavelength-zone:NoSchedule"

MOST_GROUPS = 2
"""Security groups that a user may add: an interface takes 5 by default (Amazon VPC quotas), and the cluster needs up to 3."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LONGEST_NODE_NAME = 63  # of a label's value, which kubernetes.io/hostname makes of it
_LONGEST_NUMBER = len("-100")


@dataclass(frozen=True, kw_only=True)
class ClusterPool:
    """Every decision about one pool of a cluster."""

    field: str
    """The argument that says it, for messages."""
    plan: NodePoolPlan
    labels: Mapping[str, str]
    """Those of the place and the user's; the Availability Zone's name, which may be unknown, is apart."""
    taints: Sequence[str]
    user_data: Optional[pulumi.Input[str]]

    @property
    def placement(self) -> Placement:
        """Where its nodes stand."""
        return self.plan.host.placement


def plan_cluster_pool(
    field: str, key: str, args: NodePoolArgs, network: Network, *, tags: Tags, taints: Sequence[str] = ()
) -> ClusterPool:
    """Decides about the pool called ``key``, which ``field`` holds.

    Raises:
        ArgsError: a network of its own, more security groups than fit, a label that no node may give itself, or what the plan of
            a node pool refuses.
    """
    if args.network is not None:
        raise ArgsError(f"{field}.network", "a network", "is set beside the cluster's", "leave it out")
    if len(args.security_group_ids or []) > MOST_GROUPS:
        problem = (
            "and the cluster's own are more than the 5 that a network interface has by default (Amazon VPC quotas)"
        )
        raise ArgsError(
            f"{field}.security_group_ids", len(args.security_group_ids or []), problem, "merge some of them"
        )
    taken = dataclasses.replace(args, network=network, tags={**tags, **(args.tags or {})}, user_data=None)
    try:
        plan = plan_pool(taken)
    except ArgsError as error:
        raise ArgsError.saying(str(error).replace("NodePoolArgs", field, 1)) from error
    own = check_node_labels(f"{field}.labels", plan.labels)
    return ClusterPool(
        field=field,
        plan=plan,
        labels={**place_labels(plan.host.placement, network.region), "edgelib.io/pool": key, **own},
        taints=(*taints, *plan.taints),
        user_data=args.user_data,
    )


def place_labels(placement: Placement, region: str) -> dict[str, str]:
    """What every node says about where it stands."""
    zone = placement.zone
    about = {
        "topology.kubernetes.io/region": region,
        ZONE_TYPE: "wavelength-zone" if zone else "availability-zone",
    }
    if zone and zone.carrier:
        about["edgelib.io/carrier"] = label_value(zone.carrier)
    if zone and zone.city:
        about["edgelib.io/location"] = label_value(zone.city)
    return about


def one_zone(field: str, pools: Mapping[str, ClusterPool]) -> Optional[zones.Zone]:
    """The Wavelength Zone that the cluster reaches into, if any.

    Raises:
        ArgsError: the pools stand in several, which cannot talk to each other within one VPC (AWS Wavelength quotas).
    """
    found = {pool.placement.zone.name: pool.placement.zone for pool in pools.values() if pool.placement.zone}
    if len(found) > 1:
        problem = "cannot talk to each other within one VPC (AWS Wavelength quotas)"
        raise ArgsError(field, " and ".join(found), problem, "make one VPC and one cluster per zone")
    return next(iter(found.values()), None)


def check_names(component: str, field: str, pools: Mapping[str, ClusterPool]) -> None:
    """Checks what the names of nodes are made of.

    Raises:
        ArgsError: a component or pool name that cannot be part of a node's name, or makes it too long.
    """
    for what, name in {"the component's name": component, **{f"{field}[{key!r}]": key for key in pools}}.items():
        if not _NAME.fullmatch(name):
            problem = "cannot be part of a node's name (RFC 1123)"
            raise ArgsError(what, repr(name), problem, "use lower-case letters, digits and dashes")
    for key in pools:
        if len(f"{component}-{key}") + _LONGEST_NUMBER > _LONGEST_NODE_NAME:
            problem = f"makes node names longer than {_LONGEST_NODE_NAME} characters"
            raise ArgsError(f"{field}[{key!r}]", repr(f"{component}-{key}"), problem, "shorten one of the two")
