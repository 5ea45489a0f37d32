"""Brings what runs to what the emulated account says, a round at a time: machines boot, clusters serve, nodes come and go.

A round is level-triggered: it compares what should be with what is remembered on disk, and takes the next step of each. So
a director can be killed at any moment, and the next one carries on.
"""

import base64
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Optional

from edgelib.sandbox.kubernetes.binaries import BinariesNotFoundError
from edgelib.sandbox.kubernetes.control_plane import UnreachableError
from edgelib.sandbox.kubernetes.specs import Node
from edgelib.sandbox.machines import distributions
from edgelib.sandbox.machines.cluster import Cluster, JoinError
from edgelib.sandbox.machines.clusters import Clusters
from edgelib.sandbox.machines.console import Console
from edgelib.sandbox.machines.distributions import Distribution
from edgelib.sandbox.machines.first_boot import FirstBoot, read_first_boot
from edgelib.sandbox.machines.joining import hash_refusal
from edgelib.sandbox.machines.machine import Account, Machine
from edgelib.sandbox.machines.memory import MachineFolder, Memory
from edgelib.sandbox.machines.once import OnceLog
from edgelib.sandbox.machines.parameters import ParameterError, ParameterReader
from edgelib.sandbox.machines.planes import PlaneFactory
from edgelib.sandbox.machines.plans import Agent, NodeSettings, Refusal, Server

_ONCE = OnceLog(logging.getLogger(__name__))

LONGEST_PAUSE = 15.0
"""Seconds between two attempts to fetch parameters, at most: the first ones come after 1, 2, 4 and 8."""
MOST_ATTEMPTS = 90
"""Attempts to fetch parameters in one boot: systemd runs the bootstrap three times, and it tries 30 times."""


class _NotYetError(Exception):
    """Something that a machine waits for, in the words of its console."""


@dataclass
class _Attempts:
    made: int = 0
    next: float = 0.0


@dataclass
class _Desk:
    """A machine in hand: what is remembered of it, and where to write."""

    folder: MachineFolder
    console: Console
    memory: Memory
    attempts: _Attempts
    first: Optional[FirstBoot] = None
    plan: Optional[Server | Agent | Refusal] = None
    rebooted: bool = False

    def remember(self, memory: Memory) -> None:
        if memory != self.memory:
            self.memory = memory
            self.folder.save(memory)


class Director:
    """Acts out the machines of one sandbox. One at a time: the caller holds the sandbox's director lock."""

    def __init__(
        self,
        machines: Path,
        clusters: Path,
        *,
        planes: PlaneFactory,
        parameters: ParameterReader,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take over what an earlier director left in the folders ``machines`` and ``clusters``."""
        self._machines = machines
        self._parameters = parameters
        self._clock = clock
        self._desks: dict[str, _Desk] = {}
        self._clusters = Clusters(clusters, planes, lambda machine_id: self._desk(machine_id).memory)

    def round(self, account: Account) -> None:
        """One round for the account as it is now."""
        self._forget_terminated(account)
        self._clusters.settle(account)
        for machine in account.machines.values():
            desk = self._desk(machine.id)
            try:
                self._attend(machine, desk, account)
            except UnreachableError as error:
                _ONCE.warning(f"{machine.id}: {error}")
            except BinariesNotFoundError as error:
                desk.console.system(f"the sandbox cannot run Kubernetes: {error}")
                desk.remember(replace(desk.memory, problem=str(error)))
            except Exception as error:  # noqa: BLE001  # a defect with one machine must not hold up all others
                _ONCE.defect(machine.id, error)

    def _desk(self, machine_id: str) -> _Desk:
        if machine_id not in self._desks:
            folder = MachineFolder(self._machines / machine_id)
            self._desks[machine_id] = _Desk(folder, Console(folder.console), folder.load(), _Attempts())
        return self._desks[machine_id]

    def _forget_terminated(self, account: Account) -> None:
        for machine_id in set(self._desks) - set(account.machines):
            del self._desks[machine_id]
        folders = [MachineFolder(each) for each in self._machines.iterdir()] if self._machines.is_dir() else []
        for folder in folders:
            if folder.path.name not in account.machines and folder.remembered():
                Console(folder.console).system("the instance was terminated")
                folder.forget()

    def _attend(self, machine: Machine, desk: _Desk, account: Account) -> None:
        memory = desk.memory
        if not machine.running:
            if memory.stage != "off":
                desk.console.system(f"the instance is {machine.state}")
                desk.remember(replace(memory, stage="off", problem=""))
            return
        if memory.boot != machine.boot or memory.stage == "off":
            desk.console.boot(machine.boot)
            desk.plan, desk.attempts, desk.rebooted = None, _Attempts(), memory.boot not in (0, machine.boot)
            desk.remember(replace(memory, boot=machine.boot, stage="booting", problem="", serves=False))
        if desk.memory.stage != "booting":
            return
        try:
            self._boot(machine, desk, account)
        except _NotYetError as error:
            desk.remember(replace(desk.memory, problem=str(error)))
        except JoinError as error:
            self._refused(desk, str(error))

    def _boot(self, machine: Machine, desk: _Desk, account: Account) -> None:
        """Take a boot as far as it goes now."""
        if desk.first is None:
            data = base64.b64decode(desk.folder.user_data(machine.user_data))
            desk.first = read_first_boot(data)
            for problem in desk.first.problems:
                desk.console.init(f"[WARNING]: {problem}")
        distribution = distributions.recognise(desk.first)
        if distribution is None:
            desk.console.init("finished; no Kubernetes in the user data")
            desk.remember(replace(desk.memory, stage="idle"))
            return
        if desk.rebooted and not desk.memory.came_up and not distribution.boots_each_time(desk.first):
            desk.console.init(
                f"finished; {distribution.NAME} is not installed: its bootstrap ran at the first boot only"
            )
            desk.remember(replace(desk.memory, stage="idle"))
            return
        if desk.plan is None:
            files = self._disk(machine, desk, distribution, desk.first)
            desk.plan = distribution.plan(files, machine)
            desk.console.bootstrap(f"{distribution.NAME} is installed and started")
            for warning in desk.plan.warnings if isinstance(desk.plan, Server | Agent) else ():
                desk.console.k3s("warning", warning)
        if isinstance(desk.plan, Refusal):
            desk.console.k3s("fatal", desk.plan.message)
            desk.remember(replace(desk.memory, stage="failed", problem=desk.plan.message))
        elif isinstance(desk.plan, Server):
            self._serve(machine, desk, desk.plan, account)
        else:
            self._work(machine, desk, desk.plan, account)

    def _disk(self, machine: Machine, desk: _Desk, distribution: Distribution, first: FirstBoot) -> Mapping[str, str]:
        """The texts on the machine's disk once the bootstrap has fetched what it fetches."""
        files = {path: file.text for path, file in first.files.items()}
        volume = distribution.data_volume(files)
        if volume and volume not in machine.volumes.values():
            desk.console.bootstrap(f"waiting for the data volume {volume} to be attached")
            raise _NotYetError(f"the data volume {volume} is not attached")
        wanted = distribution.parameter_files(files)
        if not wanted:
            return files
        fetched = desk.folder.fetched() if desk.memory.came_up else None
        if fetched is None:
            fetched = self._fetch(machine, desk, wanted, distribution.parameter_region(files) or machine.region)
        return {**files, **fetched}

    def _fetch(self, machine: Machine, desk: _Desk, wanted: Mapping[str, str], region: str) -> dict[str, str]:
        now, attempts = self._clock(), desk.attempts
        if now < attempts.next:
            raise _NotYetError(desk.memory.problem)
        try:
            values = self._parameters(machine, region, sorted(set(wanted.values())))
        except ParameterError as error:
            desk.console.bootstrap(f"cannot fetch the parameters: {error}")
            attempts.made += 1
            attempts.next = now + min(2.0 ** (attempts.made - 1), LONGEST_PAUSE)
            if attempts.made >= MOST_ATTEMPTS:
                desk.console.bootstrap("gives up")
                desk.remember(replace(desk.memory, stage="failed"))
            raise _NotYetError(f"cannot fetch the parameters: {error}") from error
        desk.console.bootstrap(f"fetched {len(values)} parameters")
        fetched = {path: values[name] for path, name in wanted.items()}
        desk.folder.save_fetched(fetched)
        return fetched

    def _refused(self, desk: _Desk, message: str) -> None:
        """K3s says why it does not come up, and is started again, or tries again, for ever."""
        server = isinstance(desk.plan, Server) and not desk.memory.serves
        desk.console.k3s("fatal" if server else "info", message)
        desk.remember(replace(desk.memory, problem=message))

    def _serve(self, machine: Machine, desk: _Desk, server: Server, account: Account) -> None:
        prefix = "starting kubernetes: preparing server: "
        if not desk.memory.serves:
            try:
                cluster = self._clusters.datastore(machine, server, account)
            except JoinError as error:
                raise JoinError(prefix + str(error)) from error
            desk.console.k3s("info", f"Starting k3s {server.node.kubelet_version}")
            cluster.add_member(server.volume, server.node.name)
            desk.remember(
                replace(
                    desk.memory,
                    cluster=cluster.id,
                    node=server.node.name,
                    serves=True,
                    volume=server.volume,
                    advertise_address=server.advertise_address,
                    sans=server.sans,
                    loopback=desk.memory.loopback or self._loopback(account),
                )
            )
        cluster = self._clusters.get(desk.memory.cluster)
        if cluster is None:
            raise _NotYetError("its datastore was deleted")
        if not cluster.ready:
            ended = [each.partition(";")[0] for each in cluster.plane.problems()]
            raise _NotYetError("; ".join(["the API server does not answer yet", *ended]))
        desk.console.k3s("info", "k3s is up and running")
        roles = {"node-role.kubernetes.io/control-plane": "true"}
        if cluster.record.etcd:
            roles["node-role.kubernetes.io/etcd"] = "true"
        self._register(machine, desk, cluster, server.node, roles)

    def _loopback(self, account: Account) -> str:
        """An address of the sandbox's own, for the time that a server has neither a public nor a carrier one."""
        taken = {self._desk(each).memory.loopback for each in account.machines}
        return next(str(each) for each in ip_network(account.private_range).hosts() if str(each) not in taken)

    def _work(self, machine: Machine, desk: _Desk, agent: Agent, account: Account) -> None:
        desk.console.k3s("info", f"Starting k3s agent {agent.node.kubelet_version}")
        cluster = self._clusters.serving(agent.server_url, machine, account)
        validating = f"Failed to validate connection to cluster at {agent.server_url}: "
        if cluster is None:
            raise JoinError(validating + 'failed to get CA certs: Get "https://127.0.0.1:6444/cacerts": EOF')
        if refusal := hash_refusal(agent.token, cluster.server_ca):
            raise JoinError(validating + refusal)
        cluster.check_agent(agent.token)
        desk.remember(replace(desk.memory, cluster=cluster.id, node=agent.node.name))
        self._register(machine, desk, cluster, agent.node, {})

    def _register(
        self, machine: Machine, desk: _Desk, cluster: Cluster, settings: NodeSettings, roles: Mapping[str, str]
    ) -> None:
        """The machine's kubelet registers its node."""
        node = Node(
            name=settings.name,
            labels={"node.kubernetes.io/instance-type": "k3s", **roles, **settings.labels},
            taints=settings.taints,
            internal_ip=settings.internal_ip,
            external_ip=settings.external_ip,
            cpu=machine.cpu,
            memory=machine.memory,
            kubelet_version=settings.kubelet_version,
            instance_id=machine.id,
        )
        try:
            cluster.join(node, machine.boot, settings.password)
        except JoinError as error:
            raise JoinError(f"Waiting to retrieve agent configuration; server is not ready: {error}") from error
        desk.console.k3s("info", f"Successfully registered node {settings.name}")
        desk.remember(replace(desk.memory, stage="up", problem="", came_up=True))
