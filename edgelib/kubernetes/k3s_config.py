"""The keys of K3s' configuration file.

Source: `k3s server --help` and `k3s agent --help` as k3s-io/docs prints them (docs/cli/server.md, docs/cli/agent.md, K3s 1.31), and
what later releases are said to have added. One-letter aliases and deprecated flags are left out.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from edgelib.errors import ArgsError

_OF_AGENTS = """
debug v vmodule log alsologtostderr
token token-file server data-dir bind-address
node-name with-node-id node-label node-taint node-ip node-external-ip node-internal-dns node-external-dns
image-credential-provider-bin-dir image-credential-provider-config selinux lb-server-port protect-kernel-defaults
container-runtime-endpoint default-runtime image-service-endpoint pause-image snapshotter private-registry
airgap-extra-registry disable-default-registry-endpoint nonroot-devices docker
resolv-conf flannel-iface flannel-conf flannel-cni-conf vpn-auth vpn-auth-file
kubelet-arg kube-proxy-arg
enable-pprof rootless prefer-bundled-bin disable-apiserver-lb
"""
_OF_SERVERS = """
https-listen-port supervisor-port apiserver-port apiserver-bind-address advertise-address advertise-port
tls-san tls-san-security
cluster-cidr service-cidr service-node-port-range cluster-dns cluster-domain
flannel-backend flannel-ipv6-masq flannel-external-ip egress-selector-mode servicelb-namespace
write-kubeconfig write-kubeconfig-mode write-kubeconfig-group helm-job-image
agent-token agent-token-file cluster-init cluster-reset cluster-reset-restore-path
kube-apiserver-arg etcd-arg kube-controller-manager-arg kube-scheduler-arg kube-cloud-controller-manager-arg
helm-controller-arg
kine-tls datastore-endpoint datastore-cafile datastore-certfile datastore-keyfile
etcd-expose-metrics etcd-disable-snapshots etcd-snapshot-name etcd-snapshot-schedule-cron
etcd-snapshot-reconcile-interval etcd-snapshot-retention etcd-snapshot-dir etcd-snapshot-compress
etcd-s3 etcd-s3-endpoint etcd-s3-endpoint-ca etcd-s3-skip-ssl-verify etcd-s3-access-key etcd-s3-secret-key
etcd-s3-session-token etcd-s3-bucket etcd-s3-bucket-lookup-type etcd-s3-region etcd-s3-folder etcd-s3-retention
etcd-s3-proxy etcd-s3-config-secret etcd-s3-insecure etcd-s3-timeout
default-local-storage-path
disable disable-agent disable-apiserver disable-controller-manager disable-etcd disable-scheduler
disable-cloud-controller disable-kube-proxy disable-network-policy disable-helm-controller
embedded-registry supervisor-metrics system-default-registry
secrets-encryption secrets-encryption-provider
"""

API_PORT = 6443
"""TCP port of a server's API."""

AGENT_KEYS: frozenset[str] = frozenset(_OF_AGENTS.split())
"""What an agent's configuration may hold."""

_SERVERS_ONLY = frozenset(_OF_SERVERS.split())
SERVER_KEYS: frozenset[str] = AGENT_KEYS - {"disable-apiserver-lb"} | _SERVERS_ONLY
"""What a server's configuration may hold: a server runs an agent, too."""


def check_config(
    field: str, config: Mapping[str, Any], *, role: Literal["server", "agent"], reserved: Mapping[str, str]
) -> dict[str, Any]:
    """Returns ``config``, further keys of K3s' ``config.yaml`` on nodes of ``role``.

    A key may end in ``+``, K3s' own form for "append to what is there". ``reserved`` names the keys that edgelib sets itself, and
    the way to get what they are for.

    Raises:
        ArgsError: a key that K3s does not know or that is a server's alone, a reserved key, or a value that is neither a scalar nor
            a list of scalars.
    """
    known = SERVER_KEYS if role == "server" else AGENT_KEYS
    for written, value in config.items():
        key = written.removesuffix("+")
        if key in reserved:  # the value is left out of the message: it may be a token
            raise ArgsError(field, repr(written), "is a key that edgelib sets itself", reserved[key])
        if key not in known:
            raise _unknown(field, written, key, role)
        if not _is_plain(value):
            problem = "is neither a scalar nor a list of scalars, and K3s takes no other value"
            raise ArgsError(
                f"{field}[{written!r}]", repr(value), problem, "write a string, a number, a boolean or a list"
            )
    return dict(config)


def _is_plain(value: Any) -> bool:
    items = cast("Sequence[Any]", value) if isinstance(value, (list, tuple)) else [value]
    return all(isinstance(item, (str, int, float)) for item in items)


def _unknown(field: str, written: str, key: str, role: str) -> ArgsError:
    if key in _SERVERS_ONLY:
        return ArgsError(field, repr(written), "is a key of K3s servers, not of agents", "set it for the servers")
    if key in AGENT_KEYS:
        return ArgsError(field, repr(written), "is a key of K3s agents, not of servers", "set it for the agents")
    known = SERVER_KEYS if role == "server" else AGENT_KEYS
    near = difflib.get_close_matches(key.removeprefix("--").replace("_", "-").lower(), sorted(known), n=1)
    way_out = f"did you mean {near[0]!r}?" if near else f"see `k3s {role} --help`"
    return ArgsError(field, repr(written), f"is no key of a K3s {role}'s configuration", way_out)
