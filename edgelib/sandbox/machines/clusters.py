"""All clusters of a sandbox: which there are, which machines serve them, and who finds which at an address."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Optional
from urllib.parse import urlsplit

from edgelib.sandbox.kubernetes.binaries import BinariesNotFoundError
from edgelib.sandbox.kubernetes.specs import ApiServer
from edgelib.sandbox.machines.cluster import Cluster, JoinError, load_all
from edgelib.sandbox.machines.joining import hash_refusal
from edgelib.sandbox.machines.machine import Account, Machine
from edgelib.sandbox.machines.memory import Memory
from edgelib.sandbox.machines.once import OnceLog
from edgelib.sandbox.machines.own_authorities import completed
from edgelib.sandbox.machines.planes import PlaneFactory
from edgelib.sandbox.machines.plans import Server

_ONCE = OnceLog(logging.getLogger(__name__))

Memories = Callable[[str], Memory]
"""What is remembered of a machine, by its instance id."""


class Clusters:
    """The clusters in a folder, each in one of its own."""

    def __init__(self, folder: Path, planes: PlaneFactory, memories: Memories) -> None:
        """Take over what is in the folder."""
        self._folder = folder
        self._planes = planes
        self._memories = memories
        self._all = load_all(folder, planes)

    def get(self, cluster_id: str) -> Optional[Cluster]:
        """The cluster of an id; None when it is no more."""
        return self._all.get(cluster_id)

    def settle(self, account: Account) -> None:
        """Bring every cluster to what its machines are, and end those whose volumes are all gone."""
        for cluster in list(self._all.values()):
            if not set(cluster.record.members) & account.volumes:
                self._all.pop(cluster.id).destroy()
        live = [(each.id, each.boot) for each in account.machines.values() if each.running]
        for cluster in self._all.values():
            try:
                cluster.settle(self._servers(cluster, account), live)
            except BinariesNotFoundError as error:
                _ONCE.warning(str(error))
            except Exception as error:  # noqa: BLE001  # a defect with one cluster must not hold up all others
                _ONCE.defect(f"cluster {cluster.id}", error)

    def _servers(self, cluster: Cluster, account: Account) -> Sequence[ApiServer]:
        """The API servers of a cluster's machines that run, by node."""
        serving = [each for each in account.machines.values() if self._serves(each) == cluster.id]
        servers = [_api_server(each, self._memories(each.id)) for each in serving]
        return sorted(servers, key=lambda each: each.node)

    def _serves(self, machine: Machine) -> Optional[str]:
        """The cluster that a machine serves in its present boot, while the datastore's volume is attached to it."""
        memory = self._memories(machine.id)
        current = machine.running and memory.boot == machine.boot and memory.volume in machine.volumes.values()
        return memory.cluster if current and memory.serves else None

    def serving(self, url: str, machine: Machine, account: Account) -> Optional[Cluster]:
        """The cluster whose API answers at a URL, as seen from a machine; None when none does."""
        address = urlsplit(url).hostname
        for other in account.machines.values():
            if address == other.public_ip or (address == other.private_ip and other.vpc_id == machine.vpc_id):
                cluster = self._all.get(self._serves(other) or "")
                return cluster if cluster is not None and cluster.ready else None
        return None

    def datastore(self, machine: Machine, server: Server, account: Account) -> Cluster:
        """The cluster of a server: that of its volume, else one that it joins, else a new one.

        Raises:
            JoinError: it may not be the cluster's server.
        """
        mine = next((each for each in self._all.values() if server.volume in each.record.members), None)
        if mine is not None:
            mine.check_data(server)
            return mine
        urls = [server.server_url] if server.server_url else [f"https://{peer}:6443" for peer in server.peers]
        for url in urls:
            joined = self.serving(url, machine, account)
            if joined is not None:
                joined.check_server(server, url)
                return joined
        if server.server_url:
            refused = f'Get "{server.server_url}/cacerts": dial tcp: connect: connection refused'
            raise JoinError(f"failed to get CA certs: {refused}")
        return self._begin(server)

    def _begin(self, server: Server) -> Cluster:
        tls = completed(server.tls)
        if refusal := hash_refusal(server.token, tls["server-ca.crt"]):
            raise JoinError(refusal)
        cluster = Cluster.begin(self._folder / server.volume, server, tls, self._planes)
        self._all[cluster.id] = cluster
        return cluster


def _api_server(machine: Machine, memory: Memory) -> ApiServer:
    return ApiServer(
        node=memory.node,
        address=machine.public_ip or memory.loopback,
        advertise_address=memory.advertise_address,
        sans=memory.sans,
    )
