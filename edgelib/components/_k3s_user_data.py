"""User data of K3s nodes: the settings that are known only as resources come to be, put into the rendered text."""

from collections.abc import Mapping, Sequence
from typing import Any, Optional

import pulumi

from edgelib.cloudinit.k3s import K3sAgentSettings, K3sServerSettings, render_k3s_agent, render_k3s_server
from edgelib.components._cluster_pki import ClusterPki
from edgelib.components._cluster_pools import ClusterPool
from edgelib.components._host import HostBase, check_user_data
from edgelib.components._k3s_plan import DATASTORE_DEVICE, K3sClusterPlan
from edgelib.components._k3s_secrets import BootParameters, K3sTokens
from edgelib.components.network import keyed
from edgelib.kubernetes.k3s_config import API_PORT

_PEERS = 2
"""Servers that the first one asks before it begins a new cluster: two, so that growing from 3 to 5 servers replaces none."""


def join_url(server: HostBase) -> pulumi.Output[str]:
    """Where other nodes reach a server's API."""
    return pulumi.Output.concat("https://", server.private_ip, f":{API_PORT}")


def server_user_data(
    plan: K3sClusterPlan,
    bases: Mapping[str, HostBase],
    parameters: Sequence[BootParameters],
    pki: ClusterPki,
    tokens: K3sTokens,
    region: str,
) -> dict[str, Optional[pulumi.Input[str]]]:
    """User data by server. The first one begins the cluster, the others join it."""
    first, *others = bases
    url = join_url(bases[first])
    certificates = keyed({f"{name}.crt": ca.certificate for name, ca in pki.authorities.items()})
    peers = pulumi.Output.all(*[bases[node].private_ip for node in others[:_PEERS]])

    def of(node: str, base: HostBase) -> pulumi.Output[str]:
        common = _common(plan.servers, node, base, parameters, tokens, region)
        own: dict[str, Any] = {
            "server_url": None if node == first else url,
            "peers": peers if node == first else [],
            "ca_certificates": certificates,
            "datastore_volume_id": base.volumes[DATASTORE_DEVICE].id,
        }

        def render(found: dict[str, Any]) -> str:
            sans = [found["private_ip"], *([found["external_ip"]] if found["external_ip"] else []), *plan.api_sans]
            settings = K3sServerSettings(
                **_static(plan, plan.server_config),
                **found,
                embedded_etcd=plan.embedded_etcd,
                tls_sans=sans,
                service_cidr=plan.service_cidr,
                secrets_encryption=plan.secrets_encryption,
                snapshots=plan.snapshots,
            )
            return check_user_data(f"{plan.servers.field}.user_data", render_k3s_server(settings))

        return keyed({**common, **own}).apply(render)

    return {node: of(node, base) for node, base in bases.items()}


def agent_user_data(
    plan: K3sClusterPlan,
    pool: ClusterPool,
    bases: Mapping[str, HostBase],
    settings: BootParameters,
    first_server: HostBase,
    tokens: K3sTokens,
    region: str,
) -> dict[str, Optional[pulumi.Input[str]]]:
    """User data by agent of one pool."""
    join = {
        "server_url": join_url(first_server),
        "token": tokens.agent,
    }

    def render(found: dict[str, Any]) -> str:
        rendered = render_k3s_agent(K3sAgentSettings(**_static(plan, plan.agent_config), **found))
        return check_user_data(f"{pool.field}.user_data", rendered)

    return {
        node: keyed({**_common(pool, node, base, [settings], tokens, region), **join}).apply(render)
        for node, base in bases.items()
    }


def _static(plan: K3sClusterPlan, config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that the plan knows."""
    return {
        "version": plan.version,
        "cluster_cidr": plan.cluster_cidr,
        "mtu": plan.mtu,
        "install_url": plan.install_url,
        "registries": plan.registries,
        "ssh_authorized_keys": plan.ssh_authorized_keys,
        "config": config,
    }


def _common(
    pool: ClusterPool,
    node: str,
    base: HostBase,
    parameters: Sequence[BootParameters],
    tokens: K3sTokens,
    region: str,
) -> dict[str, Any]:
    """Settings of one node that Outputs hold."""
    names = {file: name for group in parameters for file, name in group.names.items()}
    return {
        "node_name": node,
        "private_ip": base.private_ip,
        "external_ip": base.public_ip or base.carrier_ip,
        "node_password": tokens.node_password(node),
        "region": region,
        "parameters": keyed(names),
        "extra_user_data": pool.user_data,
    }
