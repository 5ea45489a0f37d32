"""One cluster: what its datastore remembers, which of its servers run, and its control plane."""

import hashlib
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Optional

from edgelib.sandbox.kubernetes.control_plane import UnreachableError
from edgelib.sandbox.kubernetes.specs import ApiServer, ClusterSpec, Node
from edgelib.sandbox.machines.cluster_folder import cluster_folders, control_plane, destroy
from edgelib.sandbox.machines.joining import Token, hash_refusal
from edgelib.sandbox.machines.memory import read_document, write_document
from edgelib.sandbox.machines.once import OnceLog
from edgelib.sandbox.machines.planes import Plane, PlaneFactory
from edgelib.sandbox.machines.plans import Server
from edgelib.sandbox.processes import ProcessError

LOOK_SECONDS = 1.0
"""How often a cluster that serves is looked after: its processes, and its nodes, to see which were deleted."""

_TRY_SECONDS = 0.4
"""How often, until it serves."""

_ONCE = OnceLog(logging.getLogger(__name__))


class JoinError(Exception):
    """A server or node is not let in; the message is K3s'."""


@dataclass(frozen=True)
class Holder:
    """Which boot of which machine a node is; ``halted`` once the machine no longer runs and the node is NotReady."""

    machine: str
    boot: int
    halted: bool = False


@dataclass(kw_only=True)
class Record:
    """What lives with a cluster's datastore.

    Attributes:
        members: Node name by volume id: the servers that the datastore counts.
        passwords: SHA-256 of each node's password.
        holders: Who each node is.
        server_password: SHA-256 of what servers join with.
        agent_password: SHA-256 of what agents join with.
        etcd: Whether further servers can join.
    """

    name: str
    tls: dict[str, str] = field(repr=False)
    cluster_cidr: str
    service_cidr: str
    secrets_encryption: bool
    server_password: str
    agent_password: str
    etcd: bool
    members: dict[str, str] = field(default_factory=dict[str, str])
    passwords: dict[str, str] = field(default_factory=dict[str, str])
    holders: dict[str, Holder] = field(default_factory=dict[str, Holder])

    @property
    def spec(self) -> ClusterSpec:
        """What the control plane needs to know."""
        same = {
            name: getattr(self, name) for name in ("name", "tls", "cluster_cidr", "service_cidr", "secrets_encryption")
        }
        return ClusterSpec(**same)


class Cluster:
    """A cluster in a directory of its own, named after the volume that it began on."""

    def __init__(self, directory: Path, record: Record, planes: PlaneFactory) -> None:
        self.id = directory.name
        self.record = record
        self._directory = directory
        self._file = directory / "cluster.json"
        self._status = directory / "status.json"
        self._planes = planes
        self._made: Optional[Plane] = None
        self._applied: Optional[tuple[ApiServer, ...]] = None
        self._next = 0.0
        self.ready = False
        """Whether its API answered when it was last looked at."""

    @classmethod
    def begin(cls, directory: Path, server: Server, tls: Mapping[str, str], planes: PlaneFactory) -> "Cluster":
        """A new cluster, of a first server's settings."""
        record = Record(
            name=directory.name,
            tls=dict(tls),
            cluster_cidr=server.cluster_cidr,
            service_cidr=server.service_cidr,
            secrets_encryption=server.secrets_encryption,
            server_password=digest(server.token.password),
            agent_password=digest(server.agent_password),
            etcd=server.etcd,
            members={server.volume: server.node.name},
        )
        cluster = cls(directory, record, planes)
        cluster.save()
        return cluster

    @classmethod
    def load(cls, directory: Path, planes: PlaneFactory) -> Optional["Cluster"]:
        """The cluster of a directory; None when its record was never completed."""
        document: Any = read_document(directory / "cluster.json")
        if document is None:
            return None
        document["holders"] = {name: Holder(**each) for name, each in document["holders"].items()}
        return cls(directory, Record(**document), planes)

    def save(self) -> None:
        """Keep the record."""
        write_document(self._file, asdict(self.record))

    @property
    def plane(self) -> Plane:
        """The control plane.

        Raises:
            BinariesNotFoundError: there are no Kubernetes programs.
        """
        if self._made is None:
            self._made = self._planes(control_plane(self._directory), self.record.spec)
        return self._made

    @property
    def server_ca(self) -> str:
        return self.record.tls["server-ca.crt"]

    def check_data(self, server: Server) -> None:
        """Whether a server can start on a datastore of this cluster.

        Raises:
            JoinError: its token or its certificates are not those in the datastore.
        """
        if digest(server.token.password) != self.record.server_password:
            raise JoinError("bootstrap data already found and encrypted with different token")
        other = [name for name, pem in server.tls.items() if self.record.tls.get(name, pem) != pem]
        if other:
            paths = ", ".join(f"/var/lib/rancher/k3s/server/tls/{name}" for name in other)
            raise JoinError(
                f"{paths} newer than datastore and could cause a cluster outage. "
                "Remove the file(s) from disk and restart to be recreated from datastore."
            )

    def check_server(self, server: Server, url: str) -> None:
        """Whether a further server may join, through the server at ``url``.

        Raises:
            JoinError: it may not.
        """
        if refusal := hash_refusal(server.token, self.server_ca):
            raise JoinError(refusal)
        if digest(server.token.password) != self.record.server_password:
            raise JoinError(f"{url}/v1-k3s/server-bootstrap: 401 Unauthorized")
        if not self.record.etcd:
            raise JoinError(f"{url}/v1-k3s/server-bootstrap: 400 Bad Request")
        names = ("cluster_cidr", "service_cidr", "secrets_encryption")
        if any(getattr(server, name) != getattr(self.record, name) for name in names):
            raise JoinError(
                "failed to validate server configuration: critical configuration value mismatch between servers"
            )
        self.check_data(server)
        if server.node.name in self.record.members.values():
            raise JoinError(
                "etcd cluster join failed: duplicate node name found, please use a unique name for this node"
            )

    def check_agent(self, token: Token) -> None:
        """Whether an agent with a token may join: the server's password is good for agents as well.

        Raises:
            JoinError: it may not.
        """
        if digest(token.password) not in (self.record.agent_password, self.record.server_password):
            raise JoinError("failed to retrieve configuration from server: not authorized")

    def add_member(self, volume: str, node: str) -> None:
        """A server is a member of the datastore from now on."""
        if self.record.members.get(volume) != node:
            self.record.members[volume] = node
            self.save()

    def join(self, node: Node, boot: int, password: str) -> None:
        """A machine's kubelet registers.

        Raises:
            JoinError: the node is known with another password.
            UnreachableError: the API does not answer.
        """
        hashed = digest(password)
        if self.record.passwords.get(node.name, hashed) != hashed:
            raise JoinError(
                "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match "
                "server node-passwd entry, try enabling a unique node name with the --with-node-id flag"
            )
        self.plane.join(node)
        self.record.passwords[node.name] = hashed
        self.record.holders[node.name] = Holder(node.instance_id, boot)
        self.save()

    def settle(self, servers: Sequence[ApiServer], live: Iterable[tuple[str, int]]) -> None:
        """Bring the control plane to what it should be: served by ``servers``, its nodes held by ``live`` machines.

        Args:
            servers: The API servers of the machines that run.
            live: Machine and boot, of all machines that run.
        """
        wanted = tuple(servers) if len(servers) > len(self.record.members) // 2 else ()
        changed, now = wanted != self._applied, time.monotonic()
        if not changed and (not wanted or now < self._next):
            return
        try:
            self.plane.apply(wanted)
            self._applied = wanted
            self.ready = bool(wanted) and self.plane.ready()
            nodes = self._look(set(live)) if self.ready else ()
        except (UnreachableError, ProcessError) as error:
            _ONCE.warning(f"cluster {self.id}: {error}")
            self.ready, nodes = False, ()
        self._next = now + (LOOK_SECONDS if self.ready else _TRY_SECONDS)
        self._tell(servers, nodes)

    def _look(self, live: set[tuple[str, int]]) -> Sequence[Mapping[str, Any]]:
        """See which nodes are there, and halt those whose machine no longer runs.

        A deleted node's password is forgotten, and its place among the members is free.
        """
        before = asdict(self.record)
        for name, holder in self.record.holders.items():
            if not holder.halted and (holder.machine, holder.boot) not in live:
                self.plane.halt(name)
                self.record.holders[name] = replace(holder, halted=True)
        nodes = self.plane.nodes()
        for name in set(self.record.passwords) - {str(node["metadata"]["name"]) for node in nodes}:
            del self.record.passwords[name]
            holder = self.record.holders.pop(name, None)
            if holder is None or holder.halted:
                members = {volume: node for volume, node in self.record.members.items() if node != name}
                self.record.members = members or self.record.members
        if asdict(self.record) != before:
            self.save()
        return nodes

    def _tell(self, servers: Sequence[ApiServer], nodes: Sequence[Mapping[str, Any]]) -> None:
        """Write what `edgelib sandbox status` shows."""
        ready = sum(is_ready(node) for node in nodes)
        told = {"id": self.id, "api": [each.url for each in servers], "nodes": len(nodes), "ready": ready}
        if read_document(self._status) != told:
            write_document(self._status, told)

    def destroy(self) -> None:
        """Its last volume is gone: processes end, and nothing of it stays."""
        destroy(self._directory)


def is_ready(node: Mapping[str, Any]) -> bool:
    """Whether a Node, as the API has it, is Ready."""
    conditions = node.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def digest(secret: str) -> str:
    """SHA-256 in hex: the record holds no password in clear."""
    return hashlib.sha256(secret.encode()).hexdigest()


def load_all(clusters: Path, planes: PlaneFactory) -> dict[str, Cluster]:
    """The clusters of a folder, by id."""
    found = [Cluster.load(each, planes) for each in cluster_folders(clusters)]
    return {each.id: each for each in found if each is not None}
