"""User data of K3s nodes: what they are told, and the script that brings K3s up.

The script, ``edgelib-k3s.sh`` beside this module, is the same on every node; systemd runs it until K3s is up. What differs is in files:

- ``/etc/edgelib/k3s.env``: shell assignments that steer the script, see `_environment`;
- ``/etc/edgelib/parameters``: lines of an absolute path and the SSM parameter whose value belongs there (fetched at boot, 0600);
- ``/etc/edgelib/k3s/tls``: certificates of a server's CAs, installed once its data disk is mounted;
- ``/etc/rancher``: K3s' own files.

A mirror (``install_url``) serves what K3s' releases at GitHub serve, under the same paths, and the release's own installer::

    {install_url}/download/{version}/install.sh          from the release's tag of k3s-io/k3s
    {install_url}/download/{version}/sha256sum-amd64.txt
    {install_url}/download/{version}/k3s

The version's ``+`` is sent as it is; S3's own endpoints take it for a space. Images come from ``registries``.
"""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Optional, cast
from urllib.parse import urlsplit

import yaml

from edgelib.cloudinit.cloud_config import render_cloud_config
from edgelib.cloudinit.k3s_settings import (
    K3sAgentSettings,
    K3sNodeSettings,
    K3sServerSettings,
    RegistryMirror,
    S3Snapshots,
)
from edgelib.cloudinit.multipart import render_multipart
from edgelib.errors import ArgsError

MOST_PARAMETERS = 10
"""What one ``ssm:GetParameters`` call returns (AWS Systems Manager API reference)."""

_UNIT = """\
[Unit]
Description=Bring K3s up (edgelib)
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=14400
StartLimitBurst=3
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/edgelib-k3s
StandardOutput=journal+console
TimeoutStartSec=3600
Restart=on-failure
RestartSec=30
[Install]
WantedBy=multi-user.target
"""
# `systemctl start` would return at the first failure, though systemd tries again: this waits for the end, as long as the unit may
# take. A line of its own, not a command in a list, can end cloud-init's script, so that what follows does not hide the failure.
_WAIT = """\
for i in $(seq 2200); do
systemctl -q is-active edgelib-k3s && break
systemctl -q is-failed edgelib-k3s && exit 1
sleep 5
done
systemctl -q is-active edgelib-k3s || exit 1
"""


def render_k3s_server(settings: K3sServerSettings) -> str:
    """Renders the user data of a server. It holds no secret but the node's password."""
    config: dict[str, Any] = {
        **_node_config(settings),
        "token-file": "/etc/rancher/k3s/token",
        "agent-token-file": "/etc/rancher/k3s/agent-token",
        "advertise-address": settings.private_ip,
        "tls-san": list(settings.tls_sans),
        "cluster-cidr": settings.cluster_cidr,
        "service-cidr": settings.service_cidr,
        "secrets-encryption": settings.secrets_encryption,
        "write-kubeconfig-mode": "0600",
        **_snapshot_config(settings.version, settings.snapshots),
    }
    if settings.server_url:
        config["server"] = settings.server_url
    elif settings.embedded_etcd:
        config["cluster-init"] = True
    environment = {
        "SERVER_URL": settings.server_url,
        "PEERS": None if settings.server_url else " ".join(settings.peers),
        "DATASTORE_VOLUME": settings.datastore_volume_id,
    }
    certificates = [
        {"path": f"/etc/edgelib/k3s/tls/{name}", "content": bundle} for name, bundle in settings.ca_certificates.items()
    ]
    return _render("server", settings, config, environment, certificates)


def render_k3s_agent(settings: K3sAgentSettings) -> str:
    """Renders the user data of an agent. Its secrets are the agents' token and the node's password."""
    config = {**_node_config(settings), "server": settings.server_url, "token-file": "/etc/rancher/k3s/token"}
    token = _secret("/etc/rancher/k3s/token", f"{settings.token}\n")
    return _render("agent", settings, config, {"SERVER_URL": settings.server_url}, [token])


def render_pool_config(labels: Mapping[str, str], taints: Sequence[str]) -> str:
    """Renders ``/etc/rancher/k3s/config.yaml.d/10-pool.yaml``: the labels and taints that a node registers with."""
    config: dict[str, Any] = {}
    if labels:
        config["node-label"] = [f"{key}={value}" for key, value in sorted(labels.items())]
    if taints:
        config["node-taint"] = list(taints)
    return yaml.safe_dump(config, sort_keys=False, width=1000)


def download_ports(
    install_url: Optional[str], registries: Mapping[str, RegistryMirror], field_name: str = "K3sClusterArgs"
) -> set[int]:
    """TCP ports beside 80 and 443 that nodes must reach for these URLs.

    Raises:
        ArgsError: one that is no HTTP URL, holds a password or has a query.
    """
    urls = {f"{field_name}.install_url": install_url} if install_url is not None else {}
    for registry, mirror in registries.items():
        for at, endpoint in enumerate(mirror.endpoints):
            urls[f"{field_name}.registries[{registry!r}].endpoints[{at}]"] = endpoint
    return {_port(path, url) for path, url in urls.items()} - {80, 443}


def _port(path: str, url: str) -> int:
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        split, port = urlsplit(""), None
    if split.username is not None or split.password is not None:  # the URL is left out of the message
        raise ArgsError(path, "the URL", "holds a password, which user data would show", "use a mirror without one")
    if split.scheme not in {"http", "https"} or not split.hostname or split.query or re.search(r"\s", url):
        raise ArgsError(path, repr(url), "is no HTTP URL", "use a URL such as https://mirror.example.com:5000")
    return port or {"http": 80, "https": 443}[split.scheme]


def _node_config(settings: K3sNodeSettings) -> dict[str, Any]:
    return {
        "node-name": settings.node_name,
        "node-ip": settings.private_ip,
        **({"node-external-ip": settings.external_ip} if settings.external_ip else {}),
        **({"flannel-conf": "/etc/rancher/k3s/flannel.json"} if settings.mtu else {}),
    }


def _snapshot_config(version: str, snapshots: Optional[S3Snapshots]) -> dict[str, Any]:
    if snapshots is None:
        return {}
    config = {
        "etcd-s3": True,
        "etcd-s3-bucket": snapshots.bucket,
        "etcd-s3-region": snapshots.region,
        "etcd-s3-folder": snapshots.folder,
        "etcd-snapshot-schedule-cron": snapshots.schedule,
        "etcd-snapshot-retention": snapshots.retention,
    }
    # Since 1.34 what is kept in S3 is counted by a key of its own; earlier releases refuse to start with it.
    minor = re.match(r"v1\.(\d+)\.", version)
    if minor and int(minor[1]) >= 34:
        config["etcd-s3-retention"] = snapshots.retention
    return config


def _with_extra(config: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """``config`` with the user's ``extra`` keys, of which ``key+`` appends."""
    merged = dict(config)
    for key, value in extra.items():
        if key.endswith("+"):
            key = key.removesuffix("+")  # noqa: PLW2901
            merged[key] = [*_as_list(merged.get(key, [])), *_as_list(value)]
        else:
            merged[key] = value
    return merged


def _as_list(value: Any) -> list[Any]:
    return list(cast("Sequence[Any]", value)) if isinstance(value, (list, tuple)) else [value]


def _render(
    role: str,
    settings: K3sNodeSettings,
    config: Mapping[str, Any],
    environment: Mapping[str, Optional[str]],
    further_files: Sequence[Mapping[str, str]],
) -> str:
    if len(settings.parameters) > MOST_PARAMETERS:
        raise ValueError(f"{len(settings.parameters)} parameters are more than the {MOST_PARAMETERS} of one call")
    written: list[Mapping[str, str]] = [
        _secret("/etc/rancher/k3s/config.yaml", _yaml(_with_extra(config, settings.config))),
        _secret("/etc/rancher/node/password", f"{settings.node_password}\n"),
        {"path": "/etc/edgelib/k3s.env", "content": _environment(role, settings, environment)},
        {"path": "/etc/edgelib/parameters", "content": _lines(settings.parameters)},
        *_flannel_files(settings),
        *_registry_files(settings.registries),
        *further_files,
        {"path": "/usr/local/sbin/edgelib-k3s", "permissions": "0755", "content": bootstrap_script()},
        {"path": "/etc/systemd/system/edgelib-k3s.service", "content": _UNIT},
    ]
    rendered = render_cloud_config(
        {
            "ssh_pwauth": False,
            **({"ssh_authorized_keys": list(settings.ssh_authorized_keys)} if settings.ssh_authorized_keys else {}),
            "write_files": [dict(file) for file in written],
            "runcmd": [["systemctl", "enable", "--now", "--no-block", "edgelib-k3s.service"], _WAIT],
        }
    )
    if settings.extra_user_data is None:
        return rendered
    return render_multipart([rendered, settings.extra_user_data])


def bootstrap_script() -> str:
    """The script that brings K3s up, without its comments, which would count against EC2's 16 KiB."""
    text = (files("edgelib.cloudinit") / "edgelib-k3s.sh").read_text(encoding="utf-8")
    return "".join(line for line in text.splitlines(keepends=True) if line.strip() and not re.match(r"\s*# ", line))


def _environment(role: str, settings: K3sNodeSettings, further: Mapping[str, Optional[str]]) -> str:
    values = {
        "ROLE": role,
        "AWS_REGION": settings.region,
        "K3S_VERSION": settings.version,
        "INSTALL_URL": (settings.install_url or "").rstrip("/"),
        "NIC_MTU": None if settings.mtu is None else str(settings.mtu),
        **further,
    }
    return "".join(f"{key}={_quoted(value)}\n" for key, value in values.items() if value)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\"'\"'") + "'"


def _lines(parameters: Mapping[str, str]) -> str:
    return "".join(f"{path} {name}\n" for path, name in parameters.items())


def _flannel_files(settings: K3sNodeSettings) -> list[dict[str, str]]:
    if settings.mtu is None:
        return []
    # K3s writes this file itself, but without an MTU, unless it is given one (pkg/agent/flannel/setup.go)
    flannel = {
        "Network": settings.cluster_cidr,
        "EnableIPv4": True,
        "EnableIPv6": False,
        "IPv6Network": "::/0",
        "Backend": {"Type": "vxlan", "MTU": settings.mtu},
    }
    return [{"path": "/etc/rancher/k3s/flannel.json", "content": json.dumps(flannel) + "\n"}]


def _registry_files(registries: Mapping[str, RegistryMirror]) -> list[dict[str, str]]:
    if not registries:
        return []
    mirrors = {
        registry: {
            "endpoint": list(mirror.endpoints),
            **({"rewrite": dict(mirror.rewrites)} if mirror.rewrites else {}),
        }
        for registry, mirror in registries.items()
    }
    return [{"path": "/etc/rancher/k3s/registries.yaml", "content": _yaml({"mirrors": mirrors})}]


def _secret(path: str, content: str) -> dict[str, str]:
    return {"path": path, "permissions": "0600", "content": content}


def _yaml(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(document), sort_keys=False, width=1000)
