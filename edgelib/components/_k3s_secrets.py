"""Tokens and boot parameters of one K3s cluster: what nodes fetch from SSM Parameter Store as they boot, and who may."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from edgelib.cloudinit.k3s import render_pool_config
from edgelib.components._cluster_pki import ClusterPki
from edgelib.components._cluster_pools import ClusterPool
from edgelib.components._family import Family
from edgelib.kubernetes.tokens import AGENT_USER, SERVER_USER, secure_token

_TLS = "/var/lib/rancher/k3s/server/tls"
_POOL_CONFIG = "/etc/rancher/k3s/config.yaml.d/10-pool.yaml"


@dataclass(frozen=True, kw_only=True)
class K3sTokens:
    """Secrets that nodes prove themselves with."""

    server: pulumi.Output[str]
    agent: pulumi.Output[str]
    node_passwords: pulumi.Output[str]
    """What each node's own password is derived from; no node has it."""

    def node_password(self, node: str) -> pulumi.Output[str]:
        """What a node shows to be the owner of its name: the same when its instance is replaced."""
        return self.node_passwords.apply(lambda key: hmac.new(key.encode(), node.encode(), hashlib.sha256).hexdigest())


@dataclass(frozen=True, kw_only=True)
class BootParameters:
    """SSM parameters by the file that a node writes them to."""

    by_file: "Mapping[str, aws.ssm.Parameter]"

    @property
    def names(self) -> dict[str, pulumi.Output[str]]:
        """Parameter names by file."""
        return {file: parameter.name for file, parameter in self.by_file.items()}


def build_tokens(family: Family, pki: ClusterPki) -> K3sTokens:
    """Makes the tokens, in the form that pins the cluster's root."""

    def password(role: str) -> pulumi.Output[str]:
        made = random.RandomPassword(f"{family.name}-{role}", length=48, special=False, opts=family.opts())
        return made.result

    def token(role: str, user: str) -> pulumi.Output[str]:
        found = pulumi.Output.all(pki.root_certificate, password(role))
        return found.apply(lambda values: secure_token(values[0], user, values[1]))

    return K3sTokens(
        server=token("server-token", SERVER_USER),
        agent=token("agent-token", AGENT_USER),
        node_passwords=password("node-passwords"),
    )


def server_secrets(family: Family, pki: ClusterPki, tokens: K3sTokens) -> BootParameters:
    """Stores what servers alone may read: keys of the authorities, and the tokens."""
    files = {
        "/etc/rancher/k3s/token": ("server-token", tokens.server),
        "/etc/rancher/k3s/agent-token": ("agent-token", tokens.agent),
        f"{_TLS}/service.key": ("service-key", pki.service_key),
        **{f"{_TLS}/{name}.key": (f"{name.replace('/', '-')}-key", ca.key) for name, ca in pki.authorities.items()},
    }
    return BootParameters(
        by_file={file: _parameter(family, role, value, secret=True) for file, (role, value) in files.items()}
    )


def pool_settings(family: Family, pool: ClusterPool) -> BootParameters:
    """Stores labels and taints of a pool: beside the user data, so that a change of them replaces no node."""
    text = node_labels(pool).apply(lambda labels: render_pool_config(labels, pool.taints))
    return BootParameters(by_file={_POOL_CONFIG: _parameter(family, "settings", text, secret=False)})


def node_labels(pool: ClusterPool) -> pulumi.Output[dict[str, str]]:
    """The labels of the pool's nodes, of which one is known only when the network is."""
    zone = pulumi.Output.from_input(pool.placement.subnet.availability_zone)
    return zone.apply(lambda found: {"topology.kubernetes.io/zone": found, **pool.labels})


def may_read(parameters: Sequence[BootParameters]) -> dict[str, Any]:
    """The IAM statement that lets a role read these parameters and no others."""
    arns = [parameter.arn for group in parameters for parameter in group.by_file.values()]
    return {"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": arns}


def _parameter(family: Family, role: str, value: pulumi.Output[str], *, secret: bool) -> "aws.ssm.Parameter":
    return aws.ssm.Parameter(
        **family.tagged(role),
        name=f"/edgelib/{pulumi.get_project()}/{pulumi.get_stack()}/{family.name}/{role}",
        type="SecureString" if secret else "String",
        value=pulumi.Output.secret(value) if secret else value,
    )
