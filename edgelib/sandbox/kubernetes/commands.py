"""The arguments of each component: K3s' own where they show, cheap and quick ones where they do not."""

from dataclasses import dataclass
from pathlib import Path

from edgelib.sandbox.kubernetes.binaries import Binaries
from edgelib.sandbox.kubernetes.credentials import Credentials
from edgelib.sandbox.kubernetes.layout import ETCD_SOCKET, Layout
from edgelib.sandbox.kubernetes.specs import API_PORT, ApiServer, ClusterSpec

RUNNING_LABEL = "sandbox.edgelib/running"
"""On a Node whose machine runs: kwok sends heartbeats for these alone. It watches by label only, not by annotation."""

LEASE_SECONDS = 12
"""kwok renews a node's lease every quarter of this, 3 s."""

GRACE_SECONDS = 8
"""A node that stopped is NotReady after at most GRACE_SECONDS + 1 s. Two renewals in a row may come late on a busy machine."""

_ISSUER = "https://kubernetes.default.svc.cluster.local"


@dataclass(frozen=True, kw_only=True)
class Commands:
    """Commands of one control plane. All run in its directory."""

    binaries: Binaries
    layout: Layout
    spec: ClusterSpec
    credentials: Credentials

    def etcd(self) -> tuple[str, ...]:
        """On Unix sockets: no port, and nobody but the owner of the directory reaches it. Advertised URLs must be of TCP,
        and are for other members, which there are none of."""
        return (
            *self.binaries.commands["etcd"],
            "--name=sandbox",
            f"--data-dir={self.layout.etcd}",
            "--unsafe-no-fsync",
            f"--listen-client-urls=unix://{ETCD_SOCKET}",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=unix://etcd-peer.sock",
            "--initial-advertise-peer-urls=http://127.0.0.1:2380",
            "--initial-cluster=sandbox=http://127.0.0.1:2380",
            "--log-level=warn",
        )

    def api_server(self, server: ApiServer) -> tuple[str, ...]:
        certificate, key = self.credentials.serving(self.spec, server)
        encryption = self.layout.encryption
        return (
            *self.binaries.commands["kube-apiserver"],
            f"--etcd-servers=unix://{ETCD_SOCKET}",
            f"--bind-address={server.address}",
            f"--secure-port={API_PORT}",
            f"--advertise-address={server.advertise_address}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={self._file('client-ca.crt')}",
            f"--requestheader-client-ca-file={self._file('request-header-ca.crt')}",
            "--requestheader-allowed-names=system:auth-proxy",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={self._file('auth-proxy.crt')}",
            f"--proxy-client-key-file={self._file('auth-proxy.key')}",
            f"--service-account-issuer={_ISSUER}",
            f"--service-account-key-file={self._file('service.key')}",
            f"--service-account-signing-key-file={self._file('service.key')}",
            f"--api-audiences={_ISSUER},k3s",
            f"--service-cluster-ip-range={self.spec.service_cidr}",
            f"--egress-selector-config-file={self.layout.egress}",
            "--anonymous-auth=false",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--profiling=false",
            *((f"--encryption-provider-config={encryption}",) if encryption.exists() else ()),
        )

    def controller_manager(self, master: ApiServer) -> tuple[str, ...]:
        return (
            *self.binaries.commands["kube-controller-manager"],
            *self._follower("kube-controller-manager", master),
            "--controllers=*,tokencleaner",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={self._file('service.key')}",
            f"--root-ca-file={self._file('server-ca.crt')}",
            "--allocate-node-cidrs",
            f"--cluster-cidr={self.spec.cluster_cidr}",
            f"--service-cluster-ip-range={self.spec.service_cidr}",
            "--node-monitor-period=1s",
            f"--node-monitor-grace-period={GRACE_SECONDS}s",
        )

    def scheduler(self, master: ApiServer) -> tuple[str, ...]:
        return (*self.binaries.commands["kube-scheduler"], *self._follower("kube-scheduler", master))

    def kwok(self, master: ApiServer) -> tuple[str, ...]:
        return (
            *self.binaries.commands["kwok"],
            f"--kubeconfig={self.credentials.kubeconfig('admin', master)}",
            f"--config={self.layout.stages}",
            f"--manage-nodes-with-label-selector={RUNNING_LABEL}",
            f"--node-lease-duration-seconds={LEASE_SECONDS}",
            f"--cidr={self.spec.cluster_cidr}",
            "--v=WARN",
        )

    def _follower(self, component: str, master: ApiServer) -> tuple[str, ...]:
        """It is alone, so it elects nobody; nobody asks it anything, so it has no port. The limits on calls are far above
        the defaults: with those, a new cluster takes 5 s longer until its first service account exists."""
        return (
            f"--kubeconfig={self.credentials.kubeconfig(component, master)}",
            "--secure-port=0",
            "--leader-elect=false",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            "--profiling=false",
        )

    def _file(self, name: str) -> Path:
        return self.credentials.file(name)


def follows(command: tuple[str, ...], server: ApiServer) -> bool:
    """Whether a component with this command talks to this API server."""
    return any(argument.endswith(f"@{server.address}.kubeconfig") for argument in command)
