"""What a machine is in a cluster, as its files say: a server, an agent, or nothing for a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from edgelib.sandbox.machines.joining import Token


@dataclass(frozen=True, kw_only=True)
class NodeSettings:
    """A node as its files describe it; ``taints`` are ``key=value:Effect``."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[str, ...]
    internal_ip: str
    external_ip: Optional[str]
    kubelet_version: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A machine that joins a cluster as a worker."""

    node: NodeSettings
    server_url: str
    token: Token = field(repr=False)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Server:
    """A machine that serves the API, and joins as a node as well.

    Attributes:
        server_url: The server that it joins; None for one that begins a cluster.
        agent_password: What agents join with, besides the token's own password.
        sans: Every name and address in its certificate.
        tls: PEM by name under server/tls, as far as present.
        peers: Private addresses that are asked for a cluster before one is begun on an empty disk.
        etcd: Whether the datastore takes further servers.
        volume: The EBS volume that the datastore is on.
    """

    node: NodeSettings
    server_url: Optional[str]
    token: Token = field(repr=False)
    agent_password: str = field(repr=False)
    advertise_address: str
    sans: tuple[str, ...]
    tls: Mapping[str, str] = field(repr=False)
    cluster_cidr: str
    service_cidr: str
    secrets_encryption: bool
    peers: tuple[str, ...]
    etcd: bool
    volume: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """The distribution ends with this message, whenever it is started."""

    message: str
