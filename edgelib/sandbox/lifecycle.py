"""Starting, stopping, resetting and describing one sandbox; the commands and the tests are thin over this."""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Optional, cast

from edgelib.sandbox import emulator, engine, plugins, processes
from edgelib.sandbox.directory import SandboxDirectory
from edgelib.sandbox.emulator import Emulator
from edgelib.sandbox.engine import Engine
from edgelib.sandbox.environment import sandbox_environment
from edgelib.sandbox.kubernetes.binaries import BinariesNotFoundError
from edgelib.sandbox.kubernetes.binaries import find as find_kubernetes
from edgelib.sandbox.machines import service
from edgelib.sandbox.machines.service import ClusterStatus, MachineStatus
from edgelib.sandbox.plugins import Plugin

State = Literal["running", "crashed", "stopped"]
Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A sandbox that runs.

    Attributes:
        directory: Where it keeps everything.
        emulator: The AWS that it emulates.
        engine: The Pulumi that works on it.
        plugins: The providers that this engine finds.
        started: False when it ran already.
    """

    directory: SandboxDirectory
    emulator: Emulator
    engine: Engine
    plugins: tuple[Plugin, ...]
    started: bool

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """`environ` as a program in this sandbox must see it."""
        return sandbox_environment(environ, directory=self.directory, engine=self.engine, endpoint=self.emulator.url)


@dataclass(frozen=True, kw_only=True)
class Status:
    """What `edgelib sandbox status` tells.

    Attributes:
        state: "running"; "crashed": it was started and does not answer, `start` heals it; "stopped": stopped or never
            started.
        emulator: None unless running.
        uptime: Seconds; None unless running.
        resources: Number of resources in the account by kind, such as "ec2:vpc"; empty unless running.
        machines: The account's instances; empty unless running.
        clusters: The Kubernetes clusters that they make.
        problem: What keeps machines from being acted out, with what to do; empty when nothing does.
        stacks: "project/stack" of the file backend, whether running or not.
    """

    directory: SandboxDirectory
    state: State
    emulator: Optional[Emulator]
    uptime: Optional[float]
    engine: Optional[Engine]
    plugins: tuple[Plugin, ...]
    resources: Mapping[str, int]
    machines: tuple[MachineStatus, ...]
    clusters: tuple[ClusterStatus, ...]
    problem: str
    stacks: tuple[str, ...]


def start(directory: SandboxDirectory, *, environ: Mapping[str, str], report: Report) -> Sandbox:
    """Start the sandbox, or leave it as it is when it runs; one that crashed, or does not answer, is healed.

    Args:
        directory: Made if it is not there.
        environ: The user's environment.
        report: Told, in a line each, the steps that take time.

    Raises:
        EngineNotFoundError, NotASandboxError, ProcessError, EmulatorError, BusyError: with what to do.
    """
    found = engine.find(environ)
    directory.prepare()
    with processes.locked(directory.lock):
        providers = plugins.install(directory, found, environ=environ, versions=plugins.wanted(), report=report)
        running = emulator.find(directory)
        started = running is None
        if running is None:
            if emulator.stop(directory):
                report("the AWS emulator did not answer and was stopped")
            report("starting the AWS emulator")
            running = emulator.start(directory, environ)
        service.start(directory, environ)
    return Sandbox(directory=directory, emulator=running, engine=found, plugins=providers, started=started)


def stop(directory: SandboxDirectory) -> bool:
    """Stop the sandbox; account and stacks stay for the next start. Returns whether it ran."""
    if not directory.exists():
        return False
    directory.prepare()
    with processes.locked(directory.lock):
        service.stop(directory)
        return emulator.stop(directory)


def reset(directory: SandboxDirectory) -> None:
    """A new AWS account, no machines, no clusters, and an empty Pulumi backend.

    A sandbox that runs keeps running; the plugins stay.
    """
    if not directory.exists():
        return
    directory.prepare()
    with processes.locked(directory.lock):
        director = service.find(directory)
        environ = None if director is None else director.environ()
        service.stop(directory)
        service.destroy_clusters(directory)
        running = emulator.find(directory)
        if running is not None:
            running.reset()
        else:
            emulator.stop(directory)  # one that hangs would write its old account back
            _empty(directory.aws)
        for folder in (directory.machines, directory.clusters, directory.state, directory.workspaces):
            _empty(folder)
        if environ is not None:
            service.start(directory, environ)


def status(directory: SandboxDirectory, *, environ: Mapping[str, str]) -> Status:
    """Look at the sandbox without changing anything.

    Raises:
        EmulatorError: if the emulator is well and does not tell what it holds.
    """
    running = emulator.find(directory)
    if running is not None:
        state: State = "running"
    else:
        state = "crashed" if directory.aws_process.exists() else "stopped"
    try:
        found = engine.find(environ)
    except engine.EngineNotFoundError:
        found = None
    return Status(
        directory=directory,
        state=state,
        emulator=running,
        uptime=None if running is None else max(0.0, time.time() - running.created),
        engine=found,
        plugins=plugins.installed(directory, plugins.wanted()),
        resources={} if running is None else count(running.inventory()),
        machines=() if running is None else service.machines(directory, emulator.machines(running.url)),
        clusters=service.clusters(directory),
        problem="" if running is None else _machines_problem(directory, environ),
        stacks=stacks(directory.state),
    )


def _machines_problem(directory: SandboxDirectory, environ: Mapping[str, str]) -> str:
    """Why user data is not acted out, or only in part, in a sandbox that runs; empty when it is."""
    if service.find(directory) is None:
        return f"nothing acts them out; `edgelib sandbox start` heals it; log: {directory.machines_log}"
    try:
        find_kubernetes(environ)
    except BinariesNotFoundError as error:
        return str(error)
    return ""


def count(inventory: Mapping[str, object]) -> dict[str, int]:
    """Resources by kind; kinds without any, and the zone groups opted in, are left out."""
    kinds = {kind: cast("list[object]", found) for kind, found in inventory.items() if ":" in kind}
    return {kind: len(found) for kind, found in sorted(kinds.items()) if found}


def stacks(state: Path) -> tuple[str, ...]:
    """The stacks of a file backend, "project/stack", by name."""
    folder = state / ".pulumi" / "stacks"
    found = {
        f"{file.parent.name}/{file.name.split('.json')[0]}"
        for file in folder.glob("*/*")
        if file.name.endswith((".json", ".json.gz", ".json.zst"))
    }
    return tuple(sorted(found))


def _empty(folder: Path) -> None:
    """Remove what is in a folder of the sandbox; links are removed, never followed."""
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            Path(entry.path).unlink()
