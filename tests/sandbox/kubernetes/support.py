"""A cluster as the tests see it: CAs as a user makes them, and a wait with a bound."""

import base64
import datetime as dt
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edgelib.sandbox.kubernetes.binaries import Binaries, find
from edgelib.sandbox.kubernetes.control_plane import ApiServer, ClusterSpec, ControlPlane, Node, UnreachableError

READY_SECONDS = 60.0
API_PORT = 6443


class Pair:
    """A certificate and its key, made by hand and not by what is tested."""

    def __init__(self, common_name, *, organization=None, issuer=None):
        self.key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
        if organization:
            attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        self.name = x509.Name(attributes)
        signer = issuer or self
        now = dt.datetime.now(dt.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(signer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=10))
            .add_extension(x509.BasicConstraints(ca=organization is None, path_length=None), critical=True)
            .sign(signer.key, hashes.SHA256())
        )

    @property
    def crt(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def pem(self):
        form = serialization.PrivateFormat.TraditionalOpenSSL
        return self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


class Authorities:
    """The root, and the CAs below it, as the first server of a cluster gets them."""

    def __init__(self):
        self.root = Pair("root")
        self.cas = {name: Pair(name, issuer=self.root) for name in ("server-ca", "client-ca", "request-header-ca")}
        self.service = Pair("service")

    @property
    def tls(self):
        files = {"service.key": self.service.pem}
        for name, pair in self.cas.items():
            files |= {f"{name}.crt": pair.crt + self.root.crt, f"{name}.key": pair.pem}
        return files

    def admin(self):
        return Pair("someone", organization="system:masters", issuer=self.cas["client-ca"])


class Cluster:
    """A control plane on addresses that no other test run uses, with the files of a user beside it."""

    def __init__(self, folder: Path, *, number: int, kubectl: Path, servers: int = 1):
        self.authorities = Authorities()
        self.directory = folder / "control-plane"
        self.kubectl_program = kubectl
        self.binaries: Binaries = find(os.environ)
        self.spec = ClusterSpec(
            name=f"test-{number}",
            tls=self.authorities.tls,
            cluster_cidr="10.42.0.0/16",
            service_cidr="10.43.0.0/16",
            secrets_encryption=True,
        )
        network = f"127.{64 + os.getpid() // 256 % 64}.{os.getpid() % 256}"
        self.servers = [
            ApiServer(
                node=f"server-{each}",
                address=f"{network}.{number * 16 + each + 1}",
                advertise_address=f"10.{number}.0.{each + 5}",
                sans=(f"{network}.{number * 16 + each + 1}", f"10.{number}.0.{each + 5}", "api.example.test"),
            )
            for each in range(servers)
        ]
        self.plane = self.taken_over()
        self.kubeconfig = folder / "kubeconfig"
        self.use(self.servers[0])

    def taken_over(self):
        """The same control plane as another process would see it."""
        return ControlPlane(self.directory, self.spec, self.binaries)

    def up(self, servers=None):
        """Apply until it is ready."""
        wanted = self.servers if servers is None else servers

        def ready():
            try:
                self.plane.apply(wanted)
            except UnreachableError:
                return False
            return self.plane.ready()

        eventually(ready, what=lambda: f"a control plane that is ready; {self.plane.problems()}", seconds=READY_SECONDS)
        return self

    def use(self, server):
        """Point kubectl at this server."""
        self.kubeconfig.write_text(self.kubeconfig_of(self.authorities.admin(), server=server.address))

    def kubeconfig_of(self, client: Pair, *, server=None, authority=None):
        def text(pem):
            return base64.b64encode(pem.encode()).decode()

        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {
                        "name": "c",
                        "cluster": {
                            "server": f"https://{server or self.servers[0].address}:{API_PORT}",
                            "certificate-authority-data": text(authority or self.authorities.root.crt),
                        },
                    }
                ],
                "users": [
                    {
                        "name": "u",
                        "user": {"client-certificate-data": text(client.crt), "client-key-data": text(client.pem)},
                    }
                ],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )

    def try_kubectl(self, *arguments, stdin=None, kubeconfig=None):
        return subprocess.run(
            [str(self.kubectl_program), "--kubeconfig", str(kubeconfig or self.kubeconfig), *arguments],
            input=stdin,
            env={"HOME": str(self.kubeconfig.parent), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def kubectl(self, *arguments, stdin=None):
        done = self.try_kubectl(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def apply(self, *documents):
        self.kubectl("apply", "-f", "-", stdin="\n---\n".join(json.dumps(each) for each in documents))

    def pids(self):
        return {file.stem: json.loads(file.read_text())["pid"] for file in (self.directory / "run").glob("*.json")}

    def condition(self, node):
        conditions = self.get("node", node)["status"].get("conditions", [])
        return next((each["status"] for each in conditions if each["type"] == "Ready"), None)

    def condition_since(self, node):
        conditions = self.get("node", node)["status"]["conditions"]
        return next(each["lastTransitionTime"] for each in conditions if each["type"] == "Ready")

    def await_condition(self, node, *statuses, seconds=30.0):
        eventually(lambda: self.condition(node) in statuses, what=f"{node} Ready={statuses}", seconds=seconds)

    def renewed(self, node):
        return self.get("lease", node, "-n", "kube-node-lease")["spec"]["renewTime"]


def machine(name, **changed):
    """A node with its usual attributes."""
    usual = {
        "labels": {"example.test/pool": "edge"},
        "taints": (),
        "internal_ip": "10.0.1.7",
        "external_ip": "127.18.0.9",
        "cpu": 4,
        "memory": 16 * 2**30,
        "kubelet_version": "v1.36.3+k3s1",
        "instance_id": f"i-{name}",
    }
    return Node(name=name, **(usual | changed))


def pod(name, **spec):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "example.test/c:1"}], **spec},
    }


def eventually(check: Callable[[], object], *, what, seconds=30.0):
    """Poll until it is true; fails with what was waited for."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what() if callable(what) else what}"
        time.sleep(0.1)


def alive(pid):
    """Whether it runs; one that nobody has waited for yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill(pid):
    """SIGKILL, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid), what=f"the end of pid {pid}")


def accepts(address):
    """Whether something listens at the API's port there."""
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex((address, API_PORT)) == 0


def handshake(address, *, name, authority):
    """Connect as a TLS client that knows `authority` alone and wants `name`. Raises ssl.SSLCertVerificationError."""
    context = ssl.create_default_context(cadata=authority)
    with (
        socket.create_connection((address, API_PORT), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name),
    ):
        pass
