"""K3s nodes of the tests, and user data read back as cloud-init reads it."""

import email
from dataclasses import replace

import yaml

from edgelib.cloudinit.k3s import (
    K3sAgentSettings,
    K3sServerSettings,
    RegistryMirror,
    S3Snapshots,
    bootstrap_script,
    render_k3s_agent,
    render_k3s_server,
)

TLS = "/var/lib/rancher/k3s/server/tls"
CERTIFICATES = ("server-ca", "client-ca", "request-header-ca", "etcd/peer-ca", "etcd/server-ca")
AGENT_TOKEN = "K10" + "ab" * 32 + "::node:agentpassword"
POOL_CONFIG = "/etc/rancher/k3s/config.yaml.d/10-pool.yaml"

SERVER = K3sServerSettings(
    node_name="boston-server-1",
    private_ip="10.0.1.10",
    external_ip="203.0.113.7",
    node_password="0123456789abcdef0123456789abcdef",
    region="us-east-1",
    version="v1.36.2+k3s1",
    parameters={
        "/etc/rancher/k3s/token": "/edgelib/boston/k3s/server-token",
        "/etc/rancher/k3s/agent-token": "/edgelib/boston/k3s/agent-token",
        **{f"{TLS}/{name}.key": f"/edgelib/boston/k3s/{name}.key" for name in (*CERTIFICATES, "service")},
        POOL_CONFIG: "/edgelib/boston/k3s/pool/server",
    },
    cluster_cidr="10.42.0.0/16",
    mtu=None,
    install_url=None,
    registries={},
    ssh_authorized_keys=[],
    config={},
    extra_user_data=None,
    server_url=None,
    peers=[],
    embedded_etcd=False,
    tls_sans=["203.0.113.7"],
    ca_certificates={
        f"{name}.crt": "".join(
            f"-----BEGIN CERTIFICATE-----\n{issued}\n-----END CERTIFICATE-----\n"
            for issued in ([name, "root-ca"] if name == "server-ca" else [name])
        )
        for name in CERTIFICATES
    },
    service_cidr="10.43.0.0/16",
    secrets_encryption=True,
    snapshots=None,
    datastore_volume_id="vol-0123456789abcdef0",
)
AGENT = K3sAgentSettings(
    node_name="boston-edge-1",
    private_ip="10.0.2.10",
    external_ip="155.146.0.10",
    node_password="fedcba9876543210fedcba9876543210",
    region="us-east-1",
    version="v1.36.2+k3s1",
    parameters={POOL_CONFIG: "/edgelib/boston/k3s/pool/edge"},
    cluster_cidr="10.42.0.0/16",
    mtu=1300,
    install_url=None,
    registries={},
    ssh_authorized_keys=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJp4vVgB operator@example.com"],
    config={},
    extra_user_data=None,
    server_url="https://10.0.1.10:6443",
    token=AGENT_TOKEN,
)

MIRRORS = {
    "docker.io": RegistryMirror(
        endpoints=["https://mirror.example.com:5000", "http://10.0.1.5"],
        rewrites={"^rancher/(.*)": "mirror/rancher/$1"},
    ),
    "*": RegistryMirror(endpoints=["https://mirror.example.com:5000"]),
}
SNAPSHOTS = S3Snapshots(bucket="boston-etcd", region="us-east-1", folder="k3s", schedule="0 */6 * * *", retention=14)
SCRIPT_PART = "#!/bin/sh\nFrom the start\necho 'one more thing'\n"

FIRST_OF_THREE = replace(
    SERVER,
    embedded_etcd=True,
    mtu=1300,
    peers=["10.0.1.11", "10.0.1.12"],
    tls_sans=["203.0.113.7", "203.0.113.8", "203.0.113.9", "api.example.com"],
    snapshots=SNAPSHOTS,
    config={"kube-apiserver-arg+": ["audit-log-maxage=30"], "disable": ["traefik"]},
)
FURTHER = replace(
    FIRST_OF_THREE,
    node_name="boston-server-2",
    private_ip="10.0.1.11",
    external_ip="203.0.113.8",
    server_url="https://10.0.1.10:6443",
    peers=["10.0.1.10", "10.0.1.12"],
)
MATRIX = {
    "server-in-region.yaml": SERVER,
    "server-first-of-three-spanning.yaml": FIRST_OF_THREE,
    "server-second-of-three-spanning.yaml": FURTHER,
    "server-at-site-from-mirror.yaml": replace(
        SERVER, external_ip=None, install_url="https://mirror.example.com:8443/k3s/", registries=MIRRORS
    ),
    "agent-in-zone-spanning.yaml": AGENT,
    "agent-behind-nat-from-mirror.yaml": replace(
        AGENT,
        external_ip=None,
        mtu=None,
        install_url="https://mirror.example.com:8443/k3s",
        registries=MIRRORS,
        config={"kubelet-arg": ["max-pods=50"]},
    ),
    "agent-with-extra-script.mime": replace(AGENT, extra_user_data=SCRIPT_PART),
    "agent-with-extra-cloud-config.mime": replace(
        AGENT, extra_user_data="#cloud-config\npackages: [nfs-common]\nruncmd: [[touch, /run/extra]]\n"
    ),
}


def render(settings: K3sServerSettings | K3sAgentSettings) -> str:
    if isinstance(settings, K3sServerSettings):
        return render_k3s_server(settings)
    return render_k3s_agent(settings)


def without_script(user_data: str) -> str:
    """``user_data`` with the script, which is a file of its own, left out."""
    lines = "".join(f"    {line}" for line in bootstrap_script().splitlines(keepends=True))
    assert user_data.count(lines) == 1
    return user_data.replace(lines, "    (edgelib-k3s.sh)\n")


def parts(user_data: str) -> list[tuple[str, str, str | None]]:
    """Type, text and merge type of each part, as cloud-init takes user data apart."""
    if user_data.startswith("#cloud-config\n"):
        return [("text/cloud-config", user_data, None)]
    message = email.message_from_string(user_data)
    return [
        (part.get_content_type(), part.get_payload(decode=True).decode(), part.get("Merge-Type"))
        for part in message.walk()
        if part.get_content_maintype() != "multipart"
    ]


def cloud_config(user_data: str) -> dict:
    return yaml.safe_load(parts(user_data)[-1][1])


def files(settings: K3sServerSettings | K3sAgentSettings) -> dict[str, str]:
    """Path to content of what cloud-init writes."""
    return {file["path"]: file["content"] for file in cloud_config(render(settings))["write_files"]}


def k3s_config(settings: K3sServerSettings | K3sAgentSettings) -> dict:
    return yaml.safe_load(files(settings)["/etc/rancher/k3s/config.yaml"])
