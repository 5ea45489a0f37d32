"""What the user data of a K3s node is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional


@dataclass(frozen=True, kw_only=True)
class RegistryMirror:
    """Where images of one registry are pulled from instead."""

    endpoints: Sequence[str]
    """URLs, tried in order."""
    rewrites: Mapping[str, str] = field(default_factory=dict[str, str])
    """Regular expression to replacement, for image names."""


@dataclass(frozen=True, kw_only=True)
class S3Snapshots:
    """Snapshots of embedded etcd in S3, written with the node's own role."""

    bucket: str
    region: str
    folder: str
    schedule: str
    """Cron expression."""
    retention: int


@dataclass(frozen=True, kw_only=True)
class K3sNodeSettings:
    """What servers and agents have in common."""

    node_name: str
    private_ip: str
    external_ip: Optional[str]
    """Public or carrier IP; None: the node has none."""
    node_password: str
    """With it a replaced node takes over its Node object."""
    region: str
    """AWS Region of the parameters."""
    version: str
    """K3s release, such as ``v1.36.2+k3s1``."""
    parameters: Mapping[str, str]
    """File on the node to the SSM parameter that it is filled from, at most 10."""
    cluster_cidr: str
    mtu: Optional[int]
    """MTU of the network interfaces of all nodes; None: the interface and flannel are left alone."""
    install_url: Optional[str]
    """Mirror to install from; None: GitHub."""
    registries: Mapping[str, RegistryMirror]
    ssh_authorized_keys: Sequence[str]
    config: Mapping[str, Any]
    """Further keys of K3s' configuration, already checked."""
    extra_user_data: Optional[str]
    """User data in any format of cloud-init, which joins ours."""


@dataclass(frozen=True, kw_only=True)
class K3sServerSettings(K3sNodeSettings):
    """A server."""

    server_url: Optional[str]
    """URL of the first server; None: this is the first."""
    peers: Sequence[str]
    """Private IPs of the other servers: asked before an empty disk becomes a new cluster. Only the first server needs them."""
    embedded_etcd: bool
    tls_sans: Sequence[str]
    ca_certificates: Mapping[str, str]
    """Name below ``server/tls`` (``server-ca.crt``, ``etcd/peer-ca.crt``, ...) to PEM bundle."""
    service_cidr: str
    secrets_encryption: bool
    snapshots: Optional[S3Snapshots]
    datastore_volume_id: str
    """EBS volume of the datastore, ``vol-...``."""


@dataclass(frozen=True, kw_only=True)
class K3sAgentSettings(K3sNodeSettings):
    """An agent."""

    server_url: str
    """URL of a server."""
    token: str
    """The agents' token, which pins the cluster's CA."""
