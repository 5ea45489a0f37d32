"""User data of K3s nodes, written by hand after the contract that nodes and the sandbox share; and a cluster's CAs."""

import base64
import datetime as dt
import hashlib
from dataclasses import dataclass, field
from functools import cache

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = dt.datetime.now(dt.UTC)
BOOTSTRAP = "/usr/local/sbin/edgelib-k3s"
UNIT = f"[Service]\nType=oneshot\nExecStart={BOOTSTRAP}\n[Install]\nWantedBy=multi-user.target\n"
TLS = "/var/lib/rancher/k3s/server/tls"


def _pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


def _certificate(common_name, key, issuer=None, organization=None, ca=True):
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    subject = x509.Name(attributes)
    signer, signing_key = issuer or (None, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(hours=1))
        .not_valid_after(NOW + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
    )
    if not ca:
        usage = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(signing_key, hashes.SHA256())


def _text(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Pki:
    """Root and intermediates of a cluster, and its admin's certificate."""

    name: str = "k3s"
    certificates: dict = field(default_factory=dict)
    keys: dict = field(default_factory=dict)

    def __post_init__(self):
        root_key = ec.generate_private_key(ec.SECP256R1())
        root = _certificate(f"{self.name}-root", root_key)
        self.root_pem = _text(root)
        self.root_hash = hashlib.sha256(root.public_bytes(serialization.Encoding.DER)).hexdigest()
        for name in ("server-ca", "client-ca", "request-header-ca", "etcd/peer-ca", "etcd/server-ca"):
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = _certificate(f"{self.name}-{name}", key, (root, root_key))
            self.certificates[f"{name}.crt"] = _text(certificate) + self.root_pem
            self.keys[f"{name}.key"] = _pem(key)
            if name == "client-ca":
                admin_key = ec.generate_private_key(ec.SECP256R1())
                admin = _certificate("admin", admin_key, (certificate, key), "system:masters", ca=False)
                self.admin = _text(admin), _pem(admin_key)
        self.keys["service.key"] = _pem(ec.generate_private_key(ec.SECP256R1()))

    def token(self, user, password):
        return f"K10{self.root_hash}::{user}:{password}"

    def kubeconfig(self, address):
        certificate, key = self.admin
        encoded = {
            name: base64.b64encode(text.encode()).decode()
            for name, text in (("ca", self.root_pem), ("crt", certificate), ("key", key))
        }
        cluster = {"server": f"https://{address}:6443", "certificate-authority-data": encoded["ca"]}
        user = {"client-certificate-data": encoded["crt"], "client-key-data": encoded["key"]}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "k3s", "cluster": cluster}],
            "users": [{"name": "admin", "user": user}],
            "contexts": [{"name": "k3s", "context": {"cluster": "k3s", "user": "admin"}}],
            "current-context": "k3s",
        }


@cache
def pki(name="k3s"):
    return Pki(name)


def cloud_config(files, commands=(["systemctl", "enable", "--now", "edgelib-k3s.service"],)):
    written = [{"path": path, "content": content, "permissions": "0600"} for path, content in files.items()]
    document = {"write_files": written, "runcmd": [list(each) for each in commands]}
    return "#cloud-config\n" + yaml.safe_dump(document, sort_keys=False)


def node_files(config, env, parameters, password):
    return {
        "/etc/rancher/k3s/config.yaml": yaml.safe_dump(config),
        "/etc/rancher/node/password": password,
        "/etc/edgelib/k3s.env": "".join(f"{key}='{value}'\n" for key, value in env.items()),
        "/etc/edgelib/parameters": "".join(f"{path} {name}\n" for path, name in parameters.items()),
        BOOTSTRAP: "#!/bin/bash\n",
        "/etc/systemd/system/edgelib-k3s.service": UNIT,
    }


def server_files(
    node, private_ip, *, volume, prefix="/k3s", authority=None, config=None, env=None, password="server-1"
):
    authority = authority or pki()
    settings = {
        "node-name": node,
        "node-ip": private_ip,
        "token-file": "/etc/rancher/k3s/token",
        "agent-token-file": "/etc/rancher/k3s/agent-token",
        "advertise-address": private_ip,
        "cluster-cidr": "10.42.0.0/16",
        "service-cidr": "10.43.0.0/16",
        **(config or {}),
    }
    environment = {
        "ROLE": "server",
        "AWS_REGION": "us-east-1",
        "K3S_VERSION": "v1.36.2+k3s1",
        "DATASTORE_VOLUME": volume,
        **(env or {}),
    }
    files = node_files(settings, environment, server_parameters(prefix), password)
    return files | {f"/etc/edgelib/k3s/tls/{name}": text for name, text in authority.certificates.items()}


def server_parameters(prefix="/k3s"):
    keys = (
        "server-ca.key",
        "client-ca.key",
        "request-header-ca.key",
        "etcd/peer-ca.key",
        "etcd/server-ca.key",
        "service.key",
    )
    return {
        **{f"{TLS}/{name}": f"{prefix}/tls/{name}" for name in keys},
        "/etc/rancher/k3s/token": f"{prefix}/token",
        "/etc/rancher/k3s/agent-token": f"{prefix}/agent-token",
        "/etc/rancher/k3s/config.yaml.d/10-pool.yaml": f"{prefix}/servers",
    }


def parameter_values(prefix="/k3s", authority=None):
    authority = authority or pki()
    return {
        **{f"{prefix}/tls/{name}": key for name, key in authority.keys.items()},
        f"{prefix}/token": authority.token("server", "server-password"),
        f"{prefix}/agent-token": authority.token("node", "agent-password"),
        f"{prefix}/servers": yaml.safe_dump({"node-label": ["example.com/pool=servers"]}),
        f"{prefix}/agents": yaml.safe_dump(
            {
                "node-label": ["example.com/pool=edge", "topology.kubernetes.io/zone=us-east-1-wl1-bos-wlz-1"],
                "node-taint": ["edge=true:NoSchedule"],
            }
        ),
    }


def agent_files(
    node, private_ip, server_ip, *, prefix="/k3s", authority=None, token=None, config=None, password="agent-1"
):
    settings = {
        "node-name": node,
        "node-ip": private_ip,
        "server": f"https://{server_ip}:6443",
        "token-file": "/etc/rancher/k3s/token",
        **(config or {}),
    }
    env = {"ROLE": "agent", "AWS_REGION": "us-east-1", "K3S_VERSION": "v1.36.2+k3s1"}
    parameters = {"/etc/rancher/k3s/config.yaml.d/10-pool.yaml": f"{prefix}/agents"}
    files = node_files(settings, env, parameters, password)
    return files | {"/etc/rancher/k3s/token": token or (authority or pki()).token("node", "agent-password")}
