"""A K3s cluster over a Region and a Wavelength Zone."""

from collections.abc import Mapping, Sequence
from typing import Any, Optional, overload

import pulumi

from edgelib.components._cluster_pki import ClusterPki, build_pki
from edgelib.components._cluster_pools import SERVER, ClusterPool
from edgelib.components._cluster_security import ClusterGroups, ClusterPort, Members, build_cluster_groups
from edgelib.components._family import Family, publish
from edgelib.components._host import Host, HostBase
from edgelib.components._ingress import allow_in, security_group
from edgelib.components._k3s_args import (
    ControlPlane,
    EtcdSnapshotsArgs,
    K3sClusterArgs,
    RegistryMirrorArgs,
    WaitFor,
)
from edgelib.components._k3s_plan import K3sClusterPlan, plan_k3s_cluster
from edgelib.components._k3s_secrets import (
    BootParameters,
    K3sTokens,
    build_tokens,
    may_read,
    node_labels,
    pool_settings,
    server_secrets,
)
from edgelib.components._k3s_user_data import agent_user_data, server_user_data
from edgelib.components._node_gates import ApiAccess, gate_node, keep_members
from edgelib.components._pool import address_pool, boot_pool, facts_by_node
from edgelib.components._roles import instance_profile
from edgelib.components.network import Network, keyed
from edgelib.kubernetes.k3s_config import API_PORT
from edgelib.kubernetes.kubeconfig import render_kubeconfig
from edgelib.ssh_config import render_session_config

__all__ = [
    "ControlPlane",
    "EtcdSnapshotsArgs",
    "K3sCluster",
    "K3sClusterArgs",
    "RegistryMirrorArgs",
    "WaitFor",
    "plan_k3s_cluster",
]

# K3s documentation, "Requirements", networking. Agents dial out to the servers for logs and exec; the kubelet's port is metrics-server's.
_PORTS = (
    ClusterPort(key="api", protocol="tcp", first=API_PORT, last=API_PORT, source=Members.NODES, target=Members.SERVERS),
    ClusterPort(key="vxlan", protocol="udp", first=8472, last=8472, source=Members.NODES, target=Members.NODES),
    ClusterPort(key="kubelet", protocol="tcp", first=10250, last=10250, source=Members.NODES, target=Members.NODES),
)
_ETCD = ClusterPort(key="etcd", protocol="tcp", first=2379, last=2380, source=Members.SERVERS, target=Members.SERVERS)


class K3sCluster(pulumi.ComponentResource):
    """A K3s cluster: servers in the Region or at the site, agents in the zone or in the Region, which come up by themselves.

    Nothing logs in to a node. Tokens and certificate authorities are made first, so that the kubeconfig is known before the first
    boot and outlives every node. A change that replaces nodes does so in order, servers first and one at a time, then each pool
    ``max_unavailable`` at a time. The datastore is on disks that outlive the servers' instances.
    """

    kubeconfig: pulumi.Output[str]
    """Secret. The administrator's kubeconfig: a context called like the cluster, and one per server."""
    api_endpoint: pulumi.Output[str]
    """URL of the API of the first server, such as ``https://203.0.113.7:6443``."""
    nodes: pulumi.Output[dict[str, dict[str, dict[str, str]]]]
    """By pool (``server`` is the servers') and node name: ``instance_id``, ``private_ip``, and ``public_ip`` or ``carrier_ip``."""
    security_group_ids: pulumi.Output[dict[str, str]]
    """Security group ids: ``nodes`` (all), ``servers``, and one per pool under its name."""
    server_token: pulumi.Output[str]
    """Secret. Token of the servers, also the passphrase of the datastore's bootstrap data: needed for a restore."""
    agent_token: pulumi.Output[str]
    """Secret. Token that agents join with."""
    ssh_config: pulumi.Output[str]
    """Secret. An ``ssh_config(5)`` file of all nodes: through the bastion, or by Session Manager where there is none."""

    @overload
    def __init__(self, name: str, args: K3sClusterArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None: ...
    @overload
    def __init__(self, name: str, args: Mapping[str, Any], opts: Optional[pulumi.ResourceOptions] = None) -> None: ...
    def __init__(  # pyright: ignore[reportInconsistentOverload]  # the component schema reads this annotation
        self, name: str, args: K3sClusterArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Builds the cluster.

        Raises:
            ArgsError: see `plan_k3s_cluster`.
        """
        args = K3sClusterArgs.of(args)
        plan = plan_k3s_cluster(name, args)
        super().__init__("edgelib:index:K3sCluster", name, {}, opts)
        for note in plan.notes:
            pulumi.log.warn(note, resource=self)
        publish(self, _Cluster(Family(self, name, args.network.region, plan.tags), plan, args).build())


class _Cluster:
    """The resources of one cluster, in the order in which they are built."""

    def __init__(self, family: Family, plan: K3sClusterPlan, args: K3sClusterArgs) -> None:
        self.family, self.plan, self.args = family, plan, args
        self.network: Network = args.network
        self.pki: ClusterPki = build_pki(family)
        self.tokens: K3sTokens = build_tokens(family, self.pki)
        self.groups: ClusterGroups = build_cluster_groups(
            family,
            args.network,
            ports=[*_PORTS, _ETCD] if len(plan.servers.plan.nodes) > 1 else _PORTS,
            api_port=API_PORT,
            api_blocks=plan.api_blocks,
            download_ports=plan.download_ports,
            bastion=args.bastion,
        )
        self.pool_groups: dict[str, pulumi.Output[str]] = {}

    def build(self) -> dict[str, pulumi.Output[Any]]:
        """Builds all nodes; returns the component's outputs."""
        servers = self._address(SERVER, self.plan.servers)
        agents = {key: self._address(key, pool) for key, pool in self.plan.agents.items()}
        first = next(iter(servers.values()))
        endpoints = {node: self._endpoint(base) for node, base in servers.items()}
        api = ApiAccess(
            server=next(iter(endpoints.values())),
            ca=self.pki.authorities["server-ca"].certificate,
            certificate=self.pki.admin.certificate,
            key=self.pki.admin.key,
        )
        server_hosts = self._boot_servers(servers, api)
        hosts = {SERVER: server_hosts, **self._boot_agents(agents, first, api, _gates(server_hosts))}
        if self.plan.wait_seconds is not None:
            everyone = {node: host for of_pool in hosts.values() for node, host in of_pool.items()}
            keep_members(self.family, api, list(everyone), _gates(everyone))
        return self._outputs(hosts, endpoints, api)

    def _pool_family(self, key: str) -> Family:
        return Family(self.family.component, f"{self.family.name}-{key}", self.family.region, self._pool(key).plan.tags)

    def _pool(self, key: str) -> ClusterPool:
        return self.plan.servers if key == SERVER else self.plan.agents[key]

    def _address(self, key: str, pool: ClusterPool) -> dict[str, HostBase]:
        family = self._pool_family(key)
        own = security_group(family, "nodes", f"Nodes of {family.name}", self.network.vpc_id)
        allow_in(family, own, pool.plan.ingress)
        self.pool_groups[key] = own.id
        groups = [self.groups.nodes.id, *([self.groups.servers.id] if key == SERVER else []), own.id]
        asked = self.args.server_pool if key == SERVER else (self.args.agents or {})[key]
        return address_pool(family, pool.plan, [*groups, *((asked and asked.security_group_ids) or [])])

    def _endpoint(self, base: HostBase) -> pulumi.Output[str]:
        """URL of a server's API."""
        external = (base.public_ip or base.carrier_ip) if self.plan.api_is_external else None
        return pulumi.Output.concat("https://", external or base.private_ip, f":{API_PORT}")

    def _boot_servers(self, bases: Mapping[str, HostBase], api: ApiAccess) -> dict[str, Host]:
        pool, family = self.plan.servers, self._pool_family(SERVER)
        secrets, settings = server_secrets(self.family, self.pki, self.tokens), pool_settings(family, pool)
        parameters = [secrets, settings]
        statements = [may_read(parameters), *self._snapshot_statements()]
        return boot_pool(
            family,
            pool.plan,
            bases,
            user_data=server_user_data(self.plan, bases, parameters, self.pki, self.tokens, self.family.region),
            profile=instance_profile(self.family, "servers", statements),
            wait_for=_resources(parameters),
            gate=lambda node, host: self._gate(family, pool, node, host, api),
        )

    def _boot_agents(
        self,
        pools: Mapping[str, Mapping[str, HostBase]],
        first_server: HostBase,
        api: ApiAccess,
        servers_up: Sequence[pulumi.Resource],
    ) -> dict[str, dict[str, Host]]:
        """The agents by pool; they come after the servers, whose kubelets they must never be ahead of."""
        settings = {key: pool_settings(self._pool_family(key), self._pool(key)) for key in pools}
        if not pools:
            return {}
        profile = instance_profile(self.family, "agents", [may_read(list(settings.values()))])
        hosts: dict[str, dict[str, Host]] = {}
        for key, bases in pools.items():
            pool, family = self._pool(key), self._pool_family(key)
            hosts[key] = boot_pool(
                family,
                pool.plan,
                bases,
                user_data=agent_user_data(
                    self.plan, pool, bases, settings[key], first_server, self.tokens, self.family.region
                ),
                profile=profile,
                wait_for=[*_resources([settings[key]]), *servers_up],
                gate=lambda node, host, family=family, pool=pool: self._gate(family, pool, node, host, api),
            )
        return hosts

    def _gate(
        self, family: Family, pool: ClusterPool, node: str, host: Host, api: ApiAccess
    ) -> Sequence[pulumi.Resource]:
        if self.plan.wait_seconds is None:
            return ()
        made = gate_node(
            family,
            host.base.role,
            host,
            api,
            node=node,
            labels=node_labels(pool),
            taints=pool.taints,
            wait_seconds=self.plan.wait_seconds,
        )
        return [made]

    def _snapshot_statements(self) -> list[dict[str, Any]]:
        """What K3s needs to write, list and prune snapshots (K3s documentation, "k3s etcd-snapshot", S3)."""
        snapshots = self.plan.snapshots
        if snapshots is None:
            return []
        bucket = f"arn:aws:s3:::{snapshots.bucket}"
        objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        return [
            {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": bucket},
            {"Effect": "Allow", "Action": objects, "Resource": f"{bucket}/{snapshots.folder}/*"},
        ]

    def _outputs(
        self, hosts: Mapping[str, Mapping[str, Host]], endpoints: Mapping[str, pulumi.Output[str]], api: ApiAccess
    ) -> dict[str, pulumi.Output[Any]]:
        name = self.family.name
        nodes = {key: keyed(_by_node(of_pool)) for key, of_pool in hosts.items()}
        everyone = {node: host for of_pool in hosts.values() for node, host in of_pool.items()}
        groups = {"nodes": self.groups.nodes.id, "servers": self.groups.servers.id, **self.pool_groups}
        facts = pulumi.Output.all(keyed({name: api.server, **endpoints}), api.ca, api.certificate, api.key)
        kubeconfig = facts.apply(
            lambda found: render_kubeconfig(
                servers=found[0], ca_pem=found[1], certificate_pem=found[2], key_pem=found[3]
            )
        )
        return {
            "kubeconfig": pulumi.Output.secret(kubeconfig),
            "api_endpoint": api.server,
            "nodes": keyed(nodes),
            "security_group_ids": keyed(groups),
            "server_token": pulumi.Output.secret(self.tokens.server),
            "agent_token": pulumi.Output.secret(self.tokens.agent),
            "ssh_config": self._ssh_config(everyone),
        }

    def _ssh_config(self, hosts: Mapping[str, Host]) -> pulumi.Output[str]:
        if self.args.bastion:
            return self.args.bastion.ssh_config(keyed({node: host.base.private_ip for node, host in hosts.items()}))
        ids = keyed({node: host.instance.id for node, host in hosts.items()})
        return pulumi.Output.secret(ids.apply(lambda found: render_session_config(self.family.region, found)))


def _gates(hosts: Mapping[str, Host]) -> list[pulumi.Resource]:
    return [gate for host in hosts.values() for gate in host.gates]


def _resources(parameters: Sequence[BootParameters]) -> list[pulumi.Resource]:
    return [parameter for group in parameters for parameter in group.by_file.values()]


def _by_node(hosts: Mapping[str, Host]) -> dict[str, pulumi.Output[dict[str, str]]]:
    """What a user looks up about each node."""
    facts = facts_by_node(hosts)
    singular = {fact: fact.removesuffix("s") for fact in facts}
    return {
        node: keyed({singular[fact]: values[node] for fact, values in facts.items() if node in values})
        for node in hosts
    }
