"""One cluster's control plane, brought to what is wanted step by step: callers ask, look and ask again."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

from kubernetes.client import ApiClient

from edgelib.sandbox.kubernetes import components, nodes
from edgelib.sandbox.kubernetes.binaries import Binaries
from edgelib.sandbox.kubernetes.client import Api, UnreachableError, official
from edgelib.sandbox.kubernetes.commands import Commands, follows
from edgelib.sandbox.kubernetes.credentials import Credentials, prepare
from edgelib.sandbox.kubernetes.layout import Layout
from edgelib.sandbox.kubernetes.specs import ApiServer, ClusterSpec, Node
from edgelib.sandbox.processes import tail

__all__ = ["ApiServer", "ClusterSpec", "ControlPlane", "Node", "UnreachableError"]

_STAGES = Path(__file__).with_name("stages.yaml")
_STORAGE_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_LOCAL_PATH = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": "local-path",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true", "defaultVolumeType": "local"},
    },
    "provisioner": "rancher.io/local-path",
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "WaitForFirstConsumer",
}


class ControlPlane:
    """A control plane in a directory of its own. It outlives the object: another one on the same directory takes it over.

    Args:
        directory: Made when needed, for its owner only; holds everything, also the cluster's keys.
        spec: What the cluster is. With other CAs than before, all components are started anew.
        binaries: What to run.
    """

    def __init__(self, directory: Path, spec: ClusterSpec, binaries: Binaries) -> None:
        self.layout = Layout(directory.absolute())
        self.spec = spec
        self.binaries = binaries
        self._servers = self._recorded()

    def apply(self, servers: Sequence[ApiServer]) -> None:
        """Bring the processes to what is wanted: these API servers, and one each of etcd, controller manager, scheduler
        and kwok. Without servers all is stopped, and the data kept.

        It waits for nothing: etcd and API servers are started at once, the others by the first call that finds an API
        server ready. So call it again, every second or so, as long as ready() says no, and after that now and then: what
        died is started again, at most every 5 s.

        Raises:
            UnreachableError: if an API server that was ready a moment ago does not answer; the next call goes on.
            ProcessError: if a process ends at once, or does not end.
        """
        if not servers:
            self.stop()
            self._record(())
            return
        for folder in (self.layout.root, self.layout.run, self.layout.logs, self.layout.credentials):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        credentials = prepare(self.layout, self.spec)
        commands = self._commands(credentials)
        self._record(tuple(servers))
        serving = {components.api_server(server.node): commands.api_server(server) for server in servers}
        components.ensure(self.layout, {components.ETCD: commands.etcd(), **serving})
        master = self._master(credentials)
        try:
            if master is not None:
                with Api(credentials, master) as api:
                    self._follow(master, commands, api)
        finally:
            # Last, so that heartbeats have already gone over to a server that stays.
            components.stop(self.layout, components.api_servers(self.layout) - set(serving))

    def ready(self) -> bool:
        """A quick look: whether everything runs, each API server says that it is ready, and the controllers have begun
        their work (the default service account exists)."""
        serving = {components.api_server(server.node) for server in self._servers}
        needed = serving | {components.ETCD, *components.FOLLOWERS}
        if not self._servers or any(components.record(self.layout, name) is None for name in needed):
            return False
        for server in self._servers:
            with Api(self._credentials(), server) as api:
                try:
                    if not api.is_ready() or api.find("/api/v1/namespaces/default/serviceaccounts/default") is None:
                        return False
                except UnreachableError:
                    return False
        return True

    def problems(self) -> tuple[str, ...]:
        """Components that ended by themselves, each with the end of its log."""
        ended = [name for name in sorted(components.known(self.layout)) if components.record(self.layout, name) is None]
        return tuple(f"{name} ended; its log ends with\n{tail(self.layout.log(name))}" for name in ended)

    def client(self) -> ApiClient:
        """The official Python client as admin, of a server that answers.

        Raises:
            UnreachableError: if there is none.
        """
        return official(self._credentials(), self._reachable())

    def join(self, node: Node) -> None:
        """The machine runs: make its Node object or take over the one that is there, and start its heartbeats.

        Labels and taints count only when the object is made; addresses, capacity and versions each time. Does nothing
        where all of it is so already.

        Raises:
            UnreachableError: if no API server is ready, or one refuses; the message has its words.
        """
        with self._api() as api:
            nodes.join(api, node)

    def halt(self, node_name: str) -> None:
        """The machine stopped: no more heartbeats; Kubernetes itself makes the node NotReady within 10 s.

        Raises:
            UnreachableError: if no API server is ready.
        """
        with self._api() as api:
            nodes.halt(api, node_name)

    def nodes(self) -> list[dict[str, Any]]:
        """The Node objects, as the API has them in JSON.

        Raises:
            UnreachableError: if no API server is ready.
        """
        with self._api() as api:
            return nodes.listed(api)

    def stop(self) -> None:
        """Stop everything; the data stays."""
        components.stop_all(self.layout.root)

    def destroy(self) -> None:
        """Stop everything and remove the directory."""
        components.destroy(self.layout.root)
        self._servers = ()

    def _commands(self, credentials: Credentials) -> Commands:
        return Commands(binaries=self.binaries, layout=self.layout, spec=self.spec, credentials=credentials)

    def _follow(self, master: ApiServer, commands: Commands, api: Api) -> None:
        """Start what needs an API server; before that, what must be there before it starts."""
        wanted = {
            components.CONTROLLER_MANAGER: commands.controller_manager(master),
            components.SCHEDULER: commands.scheduler(master),
            components.KWOK: commands.kwok(master),
        }
        components.stop_outdated(self.layout, wanted)
        if components.record(self.layout, components.KWOK) is None:
            self.layout.stages.write_text(_STAGES.read_text(encoding="utf-8").replace("@ADDRESS@", master.address))
            nodes.release_leases(api)
        if components.record(self.layout, components.CONTROLLER_MANAGER) is None:
            api.create(_STORAGE_CLASSES, _LOCAL_PATH)
        components.ensure(self.layout, wanted)

    def _master(self, credentials: Credentials) -> Optional[ApiServer]:
        """The API server that the others talk to: the one so far as long as it is ready, else the first that is."""
        records = [components.record(self.layout, name) for name in components.FOLLOWERS]
        commands = [each.command for each in records if each is not None]
        for server in sorted(self._servers, key=lambda server: not any(follows(each, server) for each in commands)):
            if components.record(self.layout, components.api_server(server.node)) is None:
                continue
            with Api(credentials, server) as api:
                if api.is_ready():
                    return server
        return None

    def _api(self) -> Api:
        return Api(self._credentials(), self._reachable())

    def _reachable(self) -> ApiServer:
        master = self._master(self._credentials())
        if master is None:
            raise UnreachableError(f"cluster {self.spec.name}: no API server is ready")
        return master

    def _credentials(self) -> Credentials:
        return Credentials(self.layout.credentials / self.spec.fingerprint)

    def _record(self, servers: tuple[ApiServer, ...]) -> None:
        if servers != self._servers:
            self.layout.applied.write_text(json.dumps([asdict(server) for server in servers]), encoding="utf-8")
            self._servers = servers

    def _recorded(self) -> tuple[ApiServer, ...]:
        try:
            content = json.loads(self.layout.applied.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ()
        return tuple(
            ApiServer(
                node=each["node"],
                address=each["address"],
                advertise_address=each["advertise_address"],
                sans=tuple(each["sans"]),
            )
            for each in content
        )
