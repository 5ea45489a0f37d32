"""What a cluster and its machines are, as values: what the files of a K3s server and of each node say."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

API_PORT = 6443

CERTIFICATES = ("server-ca.crt", "client-ca.crt", "request-header-ca.crt")
KEYS = ("server-ca.key", "client-ca.key", "request-header-ca.key", "service.key")


class IncompleteClusterError(ValueError):
    """The cluster's files lack something that an API server cannot do without."""


@dataclass(frozen=True, kw_only=True)
class ClusterSpec:
    """What the first server's files say.

    Attributes:
        name: For messages.
        tls: PEM by K3s' names below server/tls: server-ca.crt and .key, client-ca.crt and .key, request-header-ca.crt and
            .key, service.key. A .crt is a bundle, the CA first. Others are not looked at.
        cluster_cidr: Of the pods.
        service_cidr: Of the services.
        secrets_encryption: Whether secrets are encrypted at rest (AES-CBC, a key of the cluster's own). Once on, it stays.

    Raises:
        IncompleteClusterError: if `tls` lacks one of them.
    """

    name: str
    tls: Mapping[str, str] = field(repr=False)
    cluster_cidr: str
    service_cidr: str
    secrets_encryption: bool

    def __post_init__(self) -> None:
        missing = [name for name in (*CERTIFICATES, *KEYS) if not self.tls.get(name, "").strip()]
        if missing:
            raise IncompleteClusterError(f"cluster {self.name}: no {', '.join(missing)} in server/tls")

    @property
    def fingerprint(self) -> str:
        """Changes with every certificate and key: 12 hexadecimal digits."""
        content = "\0".join(self.tls[name] for name in (*CERTIFICATES, *KEYS))
        return hashlib.sha256(content.encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class ApiServer:
    """One server machine.

    Attributes:
        node: Its node name.
        address: Its own loopback address, 127.x.y.z; the API listens there on port 6443.
        advertise_address: Its private IP, which the service `kubernetes` names.
        sans: IPs and DNS names of its serving certificate. Those that K3s gives to every server ("kubernetes" and its
            longer forms, "localhost", 127.0.0.1, the first service IP, the node's name) are added.
    """

    node: str
    address: str
    advertise_address: str
    sans: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"https://{self.address}:{API_PORT}"


@dataclass(frozen=True, kw_only=True)
class Node:
    """A machine as its kubelet registers it.

    Attributes:
        name: The node's name, and its host name.
        labels: Beside those that every kubelet sets itself (os, arch, hostname). Roles too: a K3s server has
            node-role.kubernetes.io/control-plane=true.
        taints: "key=value:Effect" or "key:Effect".
        internal_ip: Private IP.
        external_ip: Public or carrier IP.
        cpu: Cores.
        memory: Bytes.
        pods: How many fit.
        kubelet_version: "v1.36.3+k3s1".
        instance_id: Which machine it is; a replacement with the same name has another one.
    """

    name: str
    labels: Mapping[str, str]
    taints: tuple[str, ...]
    internal_ip: str
    external_ip: Optional[str]
    cpu: int
    memory: int
    pods: int = 110
    kubelet_version: str
    instance_id: str
