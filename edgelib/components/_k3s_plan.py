"""What a `K3sCluster` will consist of, decided before any resource exists."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Optional

from edgelib.cloudinit.k3s import RegistryMirror, S3Snapshots, download_ports
from edgelib.components._cluster_pools import (
    RESERVED,
    SERVER,
    ZONE_TAINT,
    ClusterPool,
    check_names,
    one_zone,
    plan_cluster_pool,
)
from edgelib.components._host import DiskPlan
from edgelib.components._ingress import administrative_blocks, canonical_block
from edgelib.components._k3s_args import DEFAULT_VERSION, ControlPlane, EtcdSnapshotsArgs, K3sClusterArgs, WaitFor
from edgelib.components._k3s_reserved import ON_AGENTS, ON_SERVERS
from edgelib.components._node_pool_plan import NodePoolArgs
from edgelib.components._placement import Egress
from edgelib.components.bastion_host import check_public_key
from edgelib.errors import ArgsError
from edgelib.kubernetes.k3s_config import check_config
from edgelib.mtu import REGION_TO_ZONE_PRIVATE
from edgelib.tags import Tags, check_tags

DATASTORE_DEVICE = "/dev/sdp"
_DATASTORE_GIB = 20
_VERSION = re.compile(r"v1\.\d+\.\d+\+k3s\d+")
_QUORUMS = (1, 3, 5)
# EC2 user guide, "Instance types built on the AWS Nitro System": the ones that are not.
_XEN = re.compile(r"(?:t[12]|m[1-4]|c[134]|r[34]|x1e?|d2|h1|i[23]|f1|g[23]s?|p[23])\.")
_CRON = re.compile(r"@(?:hourly|daily|weekly|monthly|yearly|annually|midnight)|\S+(?: \S+){4}")


@dataclass(frozen=True, kw_only=True)
class K3sClusterPlan:
    """Every decision about a `K3sCluster`."""

    servers: ClusterPool
    agents: Mapping[str, ClusterPool]
    version: str
    mtu: Optional[int]
    """NIC MTU of every node where Region and zone meet; None leaves it alone."""
    embedded_etcd: bool
    cluster_cidr: str
    service_cidr: str
    api_blocks: Sequence[str]
    """Who may reach the API; empty: the VPC."""
    api_is_external: bool
    """Whether the API is reached at the servers' public or carrier IPs."""
    api_sans: Sequence[str]
    install_url: Optional[str]
    registries: Mapping[str, RegistryMirror]
    download_ports: Sequence[int]
    """TCP ports beside 80 and 443 that nodes download from."""
    ssh_authorized_keys: Sequence[str]
    secrets_encryption: bool
    snapshots: Optional[S3Snapshots]
    server_config: Mapping[str, Any]
    agent_config: Mapping[str, Any]
    wait_seconds: Optional[int]
    """Longest wait for a node; None: nodes are not waited for."""
    tags: Tags
    notes: Sequence[str]


def plan_k3s_cluster(name: str, args: K3sClusterArgs) -> K3sClusterPlan:
    """Decides everything about the `K3sCluster` called ``name``; needs no engine, no network and no clock.

    Raises:
        ArgsError: a number of servers without a quorum, pools in several zones or nowhere, names that cannot name nodes, blocks that
            overlap, an unknown K3s release or configuration key, or what the plan of a node pool refuses.
    """
    tags = check_tags("K3sClusterArgs.tags", args.tags)
    servers = _plan_servers(args, tags)
    agents = _plan_agents(args, tags)
    pools = {SERVER: servers, **agents}
    check_names(name, "K3sClusterArgs.agents", pools)
    zone = one_zone("K3sClusterArgs.agents", pools)
    spanning = zone is not None and any(pool.placement.zone is None for pool in pools.values())
    if args.taint_zone_nodes and not spanning:
        problem = "would leave no node to K3s' own pods" if zone else "has no node in a Wavelength Zone to taint"
        raise ArgsError("K3sClusterArgs.taint_zone_nodes", args.taint_zone_nodes, problem, "leave it out")
    cluster_cidr, service_cidr = _plan_blocks(args)
    registries = {
        registry: RegistryMirror(endpoints=mirror.endpoints, rewrites=mirror.rewrites or {})
        for registry, mirror in (args.registries or {}).items()
    }
    external = bool(args.api_allowed_cidrs) and servers.placement.egress is not Egress.NAT
    wait_seconds = _plan_wait(args, external=external)
    return K3sClusterPlan(
        servers=servers,
        agents=agents,
        version=_version(args.version or DEFAULT_VERSION),
        mtu=REGION_TO_ZONE_PRIVATE if spanning else None,
        embedded_etcd=len(servers.plan.nodes) > 1 or args.snapshots is not None,
        cluster_cidr=cluster_cidr,
        service_cidr=service_cidr,
        api_blocks=administrative_blocks(
            "K3sClusterArgs.api_allowed_cidrs", args.api_allowed_cidrs or [], "name the blocks that you connect from"
        ),
        api_is_external=external,
        api_sans=args.api_sans or [],
        install_url=args.install_url,
        registries=registries,
        download_ports=sorted(download_ports(args.install_url, registries)),
        ssh_authorized_keys=[
            check_public_key("K3sClusterArgs.ssh_authorized_keys", key) for key in args.ssh_authorized_keys or []
        ],
        secrets_encryption=args.secrets_encryption is not False,
        snapshots=_snapshots(name, args.network.region, args.snapshots),
        server_config=_config("server", args.server_config or {}),
        agent_config=_config("agent", args.agent_config or {}),
        wait_seconds=wait_seconds,
        tags=tags,
        notes=(*_notes(pools), *_wait_notes(args, wait_seconds)),
    )


def _plan_servers(args: K3sClusterArgs, tags: Tags) -> ClusterPool:
    field, count = "K3sClusterArgs.server_pool", 1 if args.servers is None else args.servers
    if count not in _QUORUMS:
        problem = "would lose quorum on any failure" if count == 2 else "is no size of a control plane"
        if count > 0 and count % 2 == 0:
            problem = f"tolerates no more failures than {count - 1}" if count > 2 else problem
        raise ArgsError("K3sClusterArgs.servers", count, problem, "use 1, 3 or 5")
    asked = args.server_pool or NodePoolArgs()
    for name, value, instead in (
        ("count", asked.count, "set K3sClusterArgs.servers"),
        ("max_unavailable", asked.max_unavailable, "leave it out: servers are replaced one at a time, to keep quorum"),
    ):
        if value is not None:
            raise ArgsError(f"{field}.{name}", value, "is not decided here", instead)
    if DATASTORE_DEVICE in (asked.disks or {}):
        raise ArgsError(f"{field}.disks", DATASTORE_DEVICE, "is the datastore's", "use /dev/sdf to /dev/sdo")
    in_zone = args.control_plane is ControlPlane.SITE
    if asked.zone and not in_zone:
        raise ArgsError(f"{field}.zone", asked.zone, "is set for servers in the Region", "set control_plane=site")
    zone = _site(args) if in_zone else None
    pool = plan_cluster_pool(
        field, SERVER, dataclasses.replace(asked, zone=zone, count=count, max_unavailable=1), args.network, tags=tags
    )
    if _XEN.match(pool.plan.host.instance_type):
        problem = "has no NVMe devices, by which a server finds the disk of its datastore"
        raise ArgsError(f"{field}.instance_type", pool.plan.host.instance_type, problem, "use t3.medium, for example")
    size = _DATASTORE_GIB if args.datastore_gib is None else args.datastore_gib
    if not 1 <= size <= 16384:
        raise ArgsError("K3sClusterArgs.datastore_gib", size, "is no size of a volume", "use 1 to 16384")
    disk = DiskPlan(device=DATASTORE_DEVICE, size_gib=size, type=pool.placement.volume_type)
    host = dataclasses.replace(pool.plan.host, disks=(*pool.plan.host.disks, disk))
    return dataclasses.replace(pool, plan=dataclasses.replace(pool.plan, host=host))


def _site(args: K3sClusterArgs) -> str:
    """The zone of servers that stand at the site."""
    asked = args.server_pool.zone if args.server_pool else None
    of_agents = {pool.zone for pool in (args.agents or {}).values() if pool.zone}
    found = {asked} if asked else of_agents or set(args.network.zones)
    if len(found) != 1:
        known = ", ".join(sorted(zone for zone in found if zone)) or "none"
        problem = f"does not say in which zone the servers stand (of {known})"
        raise ArgsError("K3sClusterArgs.control_plane", "site", problem, "set server_pool.zone")
    return str(found.pop())


def _plan_agents(args: K3sClusterArgs, tags: Tags) -> dict[str, ClusterPool]:
    pools: dict[str, ClusterPool] = {}
    for key, asked in (args.agents or {}).items():
        field = f"K3sClusterArgs.agents[{key!r}]"
        if key in RESERVED:
            raise ArgsError(field, repr(key), "is a name of the cluster's own", "use another name")
        taints = [ZONE_TAINT] if args.taint_zone_nodes and asked.zone else []
        pools[key] = plan_cluster_pool(field, key, asked, args.network, tags=tags, taints=taints)
    return pools


def _plan_blocks(args: K3sClusterArgs) -> tuple[str, str]:
    """Blocks of pods and services."""
    cluster = canonical_block("K3sClusterArgs.cluster_cidr", args.cluster_cidr or "10.42.0.0/16")
    service = canonical_block("K3sClusterArgs.service_cidr", args.service_cidr or "10.43.0.0/16")
    taken: dict[str, str] = {"pods": cluster}
    if isinstance(args.network.cidr_block, str):
        taken["the VPC"] = args.network.cidr_block
        _check_apart("K3sClusterArgs.cluster_cidr", cluster, {"the VPC": args.network.cidr_block})
    _check_apart("K3sClusterArgs.service_cidr", service, taken)
    return cluster, service


def _check_apart(field: str, block: str, others: Mapping[str, str]) -> None:
    for what, other in others.items():
        if ip_network(block).overlaps(ip_network(other)):
            problem = f"overlaps the block {other} of {what}"
            raise ArgsError(field, block, problem, "use a private block of its own, such as 10.44.0.0/16")


def _version(version: str) -> str:
    if not _VERSION.fullmatch(version):
        raise ArgsError("K3sClusterArgs.version", repr(version), "is no K3s release", "use a tag such as v1.36.2+k3s1")
    return version


def _config(role: str, config: Mapping[str, Any]) -> dict[str, Any]:
    reserved = ON_SERVERS if role == "server" else ON_AGENTS
    return check_config(
        f"K3sClusterArgs.{role}_config", config, role="server" if role == "server" else "agent", reserved=reserved
    )


def _snapshots(name: str, region: str, asked: Optional[EtcdSnapshotsArgs]) -> Optional[S3Snapshots]:
    if asked is None:
        return None
    field = "K3sClusterArgs.snapshots"
    retention = 5 if asked.retention is None else asked.retention
    if retention < 1:
        raise ArgsError(f"{field}.retention", retention, "would keep no snapshot", "use 1 or more")
    schedule = asked.schedule or "0 */12 * * *"
    if not _CRON.fullmatch(schedule):
        raise ArgsError(
            f"{field}.schedule", repr(schedule), "is no cron schedule", "use five fields such as '0 */6 * * *'"
        )
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", asked.bucket):  # Amazon S3 user guide, bucket naming rules
        raise ArgsError(f"{field}.bucket", repr(asked.bucket), "is no name of a bucket", "pass the name, without s3://")
    return S3Snapshots(
        bucket=asked.bucket,
        region=asked.region or region,
        folder=asked.folder or name,
        schedule=schedule,
        retention=retention,
    )


def _plan_wait(args: K3sClusterArgs, *, external: bool) -> Optional[int]:
    reachable = external and args.control_plane is not ControlPlane.SITE
    wait = args.wait_for or (WaitFor.NODES_READY if reachable else WaitFor.NOTHING)
    seconds = 900 if args.wait_seconds is None else args.wait_seconds
    if seconds < 1:
        raise ArgsError(
            "K3sClusterArgs.wait_seconds", seconds, "waits for nothing", "use 1 or more, or wait_for=nothing"
        )
    return seconds if wait is WaitFor.NODES_READY else None


def _wait_notes(args: K3sClusterArgs, wait_seconds: Optional[int]) -> list[str]:
    if wait_seconds is not None or args.wait_for is not None:
        return []
    why = "because nothing says that the API can be reached from here"
    harm = "a change does not stop at a node that does not come back"
    if args.servers and args.servers > 1:
        harm = "a change takes servers down faster than they come up, and with them the API"
    return [
        f"K3sClusterArgs.wait_for: nodes are not waited for, {why}: {harm}; set api_allowed_cidrs, or wait_for=nothing to silence this."
    ]


def _notes(pools: Mapping[str, ClusterPool]) -> list[str]:
    return [note.replace("NodePoolArgs", pool.field, 1) for pool in pools.values() for note in pool.plan.notes]
