"""What a `K3sCluster` is made from."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Optional

import pulumi

from edgelib.components._args import Args
from edgelib.components._node_pool_plan import NodePoolArgs
from edgelib.components.bastion_host import BastionAccess
from edgelib.components.network import Network

DEFAULT_VERSION = "v1.36.2+k3s1"


class ControlPlane(Enum):
    """Where the servers of a cluster stand."""

    REGION = "region"
    """In the Region: the zone's nodes go on serving while they cannot reach it."""
    SITE = "site"
    """In the Wavelength Zone, beside the agents."""


class WaitFor(Enum):
    """What an update waits for before it goes on to the next node."""

    NODES_READY = "nodes-ready"
    """The node's kubelet reports to the API, and the node is Ready."""
    NOTHING = "nothing"
    """Only that EC2 runs the instance."""


@dataclass(kw_only=True)
class RegistryMirrorArgs(Args):
    """Where images of one registry are pulled from instead."""

    endpoints: list[str]
    """URLs, tried in order, such as ``https://mirror.example.com:5000``."""
    rewrites: Optional[dict[str, str]] = None
    """Regular expression to replacement for image names (default none)."""


@dataclass(kw_only=True)
class EtcdSnapshotsArgs(Args):
    """Snapshots of embedded etcd in an S3 bucket that is there already; the servers' own role writes them."""

    bucket: str
    """Name of the bucket."""
    folder: Optional[str] = None
    """Folder in it (default the cluster's name)."""
    region: Optional[str] = None
    """Region of the bucket (default the cluster's)."""
    schedule: Optional[str] = None
    """When, in cron's five fields (default ``0 */12 * * *``, as K3s)."""
    retention: Optional[int] = None
    """How many are kept (default 5, as K3s)."""


@dataclass(kw_only=True)
class K3sClusterArgs(Args):
    """What a `K3sCluster` is made from."""

    network: Network
    """The network that the cluster stands in."""
    servers: Optional[int] = None
    """How many servers, 1, 3 or 5 (default 1). From 3 on they hold embedded etcd."""
    control_plane: Optional[ControlPlane] = None
    """Where the servers stand (default the Region)."""
    server_pool: Optional[NodePoolArgs] = None
    """What the servers are like, without ``network`` and ``count``; ``zone`` only with ``control_plane=site`` (default ``t3.medium``)."""
    agents: Optional[dict[str, NodePoolArgs]] = None
    """Pools of agents by name, without ``network``; ``user_data`` is run beside what the node needs itself (default none)."""
    version: Optional[str] = None
    """K3s release (default ``v1.36.2+k3s1``). Changing it replaces the nodes, servers first."""
    bastion: Optional[BastionAccess] = None
    """``BastionHost(...).access``: may reach SSH of the nodes and the API; ``ssh_config`` goes through it (default none)."""
    ssh_authorized_keys: Optional[list[str]] = None
    """Public keys, one line each, that log in to the nodes as ``ubuntu`` (default none)."""
    api_allowed_cidrs: Optional[list[str]] = None
    """IPv4 blocks, /8 or longer, that may reach the API (default the VPC). With this the kubeconfig uses the servers' public or
    carrier IPs, where they have any."""
    api_sans: Optional[list[str]] = None
    """Further names and addresses that the API's certificate is for, such as a load balancer's (default none)."""
    cluster_cidr: Optional[str] = None
    """Pods' IPv4 block (default ``10.42.0.0/16``, as K3s)."""
    service_cidr: Optional[str] = None
    """Services' IPv4 block (default ``10.43.0.0/16``, as K3s)."""
    taint_zone_nodes: Optional[bool] = None
    """Whether agents in the zone have the taint ``edgelib.io/zone-type=wavelength-zone:NoSchedule`` (default no)."""
    install_url: Optional[str] = None
    """Mirror to install K3s from, for a site with no internet (default K3s' releases at GitHub)."""
    registries: Optional[dict[str, RegistryMirrorArgs]] = None
    """Mirrors by registry, such as ``docker.io`` or ``*`` (default none)."""
    secrets_encryption: Optional[bool] = None
    """Whether Secrets are encrypted in the datastore (default yes)."""
    snapshots: Optional[EtcdSnapshotsArgs] = None
    """Snapshots of the datastore in S3; a single server then holds embedded etcd, too (default none)."""
    datastore_gib: Optional[int] = None
    """Disk of each server's datastore in GiB; it outlives the instance (default 20)."""
    server_config: Optional[dict[str, Any]] = None
    """Further keys of the servers' ``config.yaml`` (default none)."""
    agent_config: Optional[dict[str, Any]] = None
    """Further keys of the agents' ``config.yaml`` (default none)."""
    wait_for: Optional[WaitFor] = None
    """What an update waits for (default that nodes are Ready if ``api_allowed_cidrs`` opens the API of servers in the Region that
    have public IPs, else nothing). Waiting needs ``python3`` on PATH, and the API to be reachable from where Pulumi runs."""
    wait_seconds: Optional[int] = None
    """Longest wait for one node in seconds (default 900)."""
    tags: Optional[dict[str, pulumi.Input[str]]] = None
    """Tags of every resource (default none but ``Name``)."""
