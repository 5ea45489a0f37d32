"""The director's process, and what is left of clusters when it does not run: as the rest of the sandbox sees them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

import psutil

from edgelib.sandbox import processes
from edgelib.sandbox.directory import SandboxDirectory
from edgelib.sandbox.environment import without_accounts
from edgelib.sandbox.machines import cluster_folder
from edgelib.sandbox.machines.memory import MachineFolder, read_document

STOP_SECONDS = 15.0
"""Bound on the end of the director: a round may be starting or stopping control planes."""


@dataclass(frozen=True, kw_only=True)
class ClusterStatus:
    """A cluster: its id, where its API servers listen ("https://127.x.y.z:6443"), how many nodes it has and how many are
    Ready."""

    id: str
    api: tuple[str, ...]
    nodes: int
    ready: int


@dataclass(frozen=True, kw_only=True)
class MachineStatus:
    """A machine: instance id, Name tag, state of the instance, node name, and what keeps it from being up (or empty)."""

    id: str
    name: str
    state: str
    node: str
    problem: str


def find(directory: SandboxDirectory) -> Optional[psutil.Process]:
    """The director of this sandbox; None when it does not run."""
    record = processes.recorded(directory.machines_process)
    return None if record is None else record.process()


def start(directory: SandboxDirectory, environ: Mapping[str, str]) -> bool:
    """Start the director. Returns False when it runs already."""
    if find(directory) is not None:
        return False
    for process in processes.running_with(command(directory)):
        processes.stop(process, seconds=STOP_SECONDS)  # its pid file was lost: two would work against each other
    cluster_folder.stop_lost(directory.clusters)
    record = processes.spawn(
        command(directory),
        environ=without_accounts(environ),
        folder=directory.root,
        log=directory.machines_log,
    )
    record.save(directory.machines_process)
    return True


def stop(directory: SandboxDirectory) -> bool:
    """Stop the director, and then all control planes; what they hold stays. Returns whether the director ran."""
    found = find(directory)
    live = [found] if found is not None else processes.running_with(command(directory))
    for process in live:
        processes.stop(process, seconds=STOP_SECONDS)
    directory.machines_process.unlink(missing_ok=True)
    for folder in cluster_folder.cluster_folders(directory.clusters):
        cluster_folder.stop(folder)
    return bool(live)


def destroy_clusters(directory: SandboxDirectory) -> None:
    """End all control planes and remove what they hold. The director must not run."""
    for folder in cluster_folder.cluster_folders(directory.clusters):
        cluster_folder.destroy(folder)


def clusters(directory: SandboxDirectory) -> tuple[ClusterStatus, ...]:
    """The clusters as the director saw them last."""
    told: list[Any] = [
        read_document(folder / "status.json") for folder in cluster_folder.cluster_folders(directory.clusters)
    ]
    return tuple(
        ClusterStatus(id=each["id"], api=tuple(each["api"]), nodes=each["nodes"], ready=each["ready"])
        for each in told
        if each
    )


def machines(directory: SandboxDirectory, account: Mapping[str, Any]) -> tuple[MachineStatus, ...]:
    """The machines of the emulator's answer to ``GET /sandbox/machines``, with what the director remembers of them."""
    found: list[MachineStatus] = []
    for row in account["machines"]:
        memory = MachineFolder(directory.machines / row["id"]).load()
        found.append(
            MachineStatus(
                id=row["id"], name=row["name"] or "", state=row["state"], node=memory.node, problem=memory.problem
            )
        )
    return tuple(found)


def command(directory: SandboxDirectory) -> list[str]:
    """The director's arguments."""
    return [sys.executable, "-m", "edgelib.sandbox.machines", "--directory", str(directory.root)]
