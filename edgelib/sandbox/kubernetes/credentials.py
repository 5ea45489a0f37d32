"""The files of keys, certificates and kubeconfigs that the components read, made once per set of CAs."""

import base64
import hashlib
import ipaddress
import json
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from edgelib.sandbox.kubernetes.layout import Layout
from edgelib.sandbox.kubernetes.pki import Authority, Credential, write_private
from edgelib.sandbox.kubernetes.specs import CERTIFICATES, ApiServer, ClusterSpec

SERVER_NAME = "kubernetes.default.svc"
"""A name that every server's certificate holds: our own clients check for it, whatever address they connect to."""

_K3S_NAMES = ("kubernetes", "kubernetes.default", SERVER_NAME, "kubernetes.default.svc.cluster.local", "localhost")

_USERS = {
    "admin": ("system:admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager",),
    "kube-scheduler": ("system:kube-scheduler",),
}
"""Common name and organizations of the client certificates that K3s, too, makes from client-ca."""


@dataclass(frozen=True)
class Credentials:
    """The folder of one set of CAs.

    Attributes:
        folder: Its path changes with the CAs, and so do the arguments of every component, which is then started anew.
    """

    folder: Path

    def file(self, name: str) -> Path:
        return self.folder / name

    def serving(self, spec: ClusterSpec, server: ApiServer) -> tuple[Path, Path]:
        """Certificate and key of an API server; made when there are none with these names on them yet."""
        sans = serving_names(spec, server)
        name = f"serving-{server.node}-{hashlib.sha256(' '.join(sans).encode()).hexdigest()[:12]}"
        certificate, key = self.file(f"{name}.crt"), self.file(f"{name}.key")
        if not (certificate.exists() and key.exists()):
            authority = Authority(bundle=spec.tls["server-ca.crt"], key=spec.tls["server-ca.key"])
            _write(authority.server("kube-apiserver", sans), certificate, key)
        return certificate, key

    def kubeconfig(self, component: str, server: ApiServer) -> Path:
        """How this component talks to this API server; made when it is not there yet.

        A file per server, as the name that is looked for in the certificate counts only together with the file's own server.
        """
        file = self.file(f"{component}@{server.address}.kubeconfig")
        if not file.exists():
            certificate, key = self.file(f"{component}.crt"), self.file(f"{component}.key")
            write_private(file, _kubeconfig(server.url, self.file("server-ca.crt"), certificate, key))
        return file


def prepare(layout: Layout, spec: ClusterSpec) -> Credentials:
    """Write what is missing, readable by its owner only, and remove what was made for other CAs."""
    found = Credentials(layout.credentials / spec.fingerprint)
    if not found.file("complete").exists():
        found.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in (*CERTIFICATES, "service.key"):
            write_private(found.file(name), spec.tls[name])
        clients = Authority(bundle=spec.tls["client-ca.crt"], key=spec.tls["client-ca.key"])
        for component, (user, *groups) in _USERS.items():
            certificate, key = found.file(f"{component}.crt"), found.file(f"{component}.key")
            _write(clients.client(user, *groups), certificate, key)
        aggregator = Authority(bundle=spec.tls["request-header-ca.crt"], key=spec.tls["request-header-ca.key"])
        _write(aggregator.client("system:auth-proxy"), found.file("auth-proxy.crt"), found.file("auth-proxy.key"))
        found.file("complete").touch()
    for other in layout.credentials.iterdir():
        if other != found.folder:
            shutil.rmtree(other)
    if spec.secrets_encryption and not layout.encryption.exists():
        write_private(layout.encryption, _encryption())
    if not layout.egress.exists():
        write_private(layout.egress, _egress(layout))
    return found


def serving_names(spec: ClusterSpec, server: ApiServer) -> tuple[str, ...]:
    """The names of a server's certificate: its own and those that K3s adds to each."""
    first_service = str(ipaddress.ip_network(spec.service_cidr)[1])
    return tuple(sorted({*server.sans, *_K3S_NAMES, "127.0.0.1", first_service, server.node}))


def _write(credential: Credential, certificate: Path, key: Path) -> None:
    write_private(key, credential.key)
    write_private(certificate, credential.certificate)


def _kubeconfig(url: str, authority: Path, certificate: Path, key: Path) -> str:
    """JSON, which is YAML too."""
    cluster = {"server": url, "certificate-authority": str(authority), "tls-server-name": SERVER_NAME}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "sandbox", "cluster": cluster}],
            "users": [{"name": "user", "user": {"client-certificate": str(certificate), "client-key": str(key)}}],
            "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "user"}}],
            "current-context": "sandbox",
        }
    )


def _egress(layout: Layout) -> str:
    """Nodes, pods and services are simulated, and their addresses may be of real machines in the user's own network. So
    logs, exec and webhooks end at once, with the name of this socket, and nothing is sent there."""
    nowhere = {"udsName": str(layout.root / "simulated-nodes-have-no-network.sock")}
    connection = {"proxyProtocol": "HTTPConnect", "transport": {"uds": nowhere}}
    return json.dumps(
        {
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": [{"name": "cluster", "connection": connection}],
        }
    )


def _encryption() -> str:
    """AES-CBC with a new key, as K3s' secrets-encryption; what was written before it was on stays readable."""
    key = {"name": "aescbckey", "secret": base64.b64encode(secrets.token_bytes(32)).decode()}
    return json.dumps(
        {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [{"resources": ["secrets"], "providers": [{"aescbc": {"keys": [key]}}, {"identity": {}}]}],
        }
    )
