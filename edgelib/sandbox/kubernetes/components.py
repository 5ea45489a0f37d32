"""The processes of one control plane: each known by its pid file, so that any later process finds it again."""

import contextlib
import shutil
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Optional

import psutil

from edgelib.sandbox import processes
from edgelib.sandbox.kubernetes.layout import Layout
from edgelib.sandbox.processes import ProcessRecord

ETCD = "etcd"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
KWOK = "kwok"
FOLLOWERS = (KWOK, SCHEDULER, CONTROLLER_MANAGER)
"""What needs an API server, and stops before it."""

STOP_SECONDS = 15.0
"""Bound on the stop of a component; SIGKILL follows. 1 s is usual."""

API_SERVER_STOP_SECONDS = 3.0
"""The same for an API server, which would wait a minute for clients that watch. What it knows is in etcd."""

RESTART_SECONDS = 5.0
"""What ended is not started again earlier than this after its last start: RestartSec of K3s' systemd unit."""


def api_server(node: str) -> str:
    """Name of the component that is the API server of a node."""
    return f"kube-apiserver-{node}"


def ensure(layout: Layout, wanted: Mapping[str, tuple[str, ...]]) -> None:
    """Start what does not run with the command that is wanted; what runs with another one is stopped first."""
    stop_outdated(layout, wanted)
    for name, command in wanted.items():
        if record(layout, name) is None and not _just_ended(layout, name):
            for unrecorded in processes.running_with(command):  # its starter ended before it wrote the pid file
                processes.stop(unrecorded, seconds=STOP_SECONDS)
            started = processes.spawn(command, environ=_environ(layout), folder=layout.root, log=layout.log(name))
            started.save(layout.pid_file(name))


def stop_outdated(layout: Layout, wanted: Mapping[str, tuple[str, ...]]) -> None:
    """Stop those that run with another command than the one wanted."""
    live = {name: record(layout, name) for name in wanted}
    stop(layout, [name for name, found in live.items() if found is not None and found.command != wanted[name]])


def record(layout: Layout, name: str) -> Optional[ProcessRecord]:
    """What runs as this component, or None."""
    found = processes.recorded(layout.pid_file(name))
    return found if found is not None and found.process() is not None else None


def known(layout: Layout) -> set[str]:
    """Components that were started and not stopped, running or not."""
    return {file.stem for file in layout.run.glob("*.json")}


def api_servers(layout: Layout) -> set[str]:
    """API servers that were started and not stopped, running or not."""
    return known(layout) - {ETCD, *FOLLOWERS}


def stop(layout: Layout, names: Collection[str]) -> None:
    """Stop components, all at once, and forget them."""
    live: dict[str, psutil.Process] = {}
    for name in names:
        found = processes.recorded(layout.pid_file(name))
        process = None if found is None else found.process()
        if process is not None:
            live[name] = process
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
    quick = api_servers(layout)
    for name, process in live.items():
        processes.stop(process, seconds=API_SERVER_STOP_SECONDS if name in quick else STOP_SECONDS)
        _let_go(process)
    for name in names:
        layout.pid_file(name).unlink(missing_ok=True)


def stop_all(root: Path) -> None:
    """Stop a whole control plane by its directory: those that ask first, then the API servers, then etcd."""
    layout = Layout(root)
    for group in (known(layout).intersection(FOLLOWERS), api_servers(layout), known(layout)):
        stop(layout, group)
    for unrecorded in _others(layout):
        processes.stop(unrecorded, seconds=STOP_SECONDS)


def destroy(root: Path) -> None:
    """Stop a control plane and remove its directory, with all that the cluster held."""
    stop_all(root)
    if root.exists():
        shutil.rmtree(root)


def _let_go(process: psutil.Process) -> None:
    """Wait until its port is free: when its first thread has ended, others may still be about to close it."""
    deadline = time.monotonic() + STOP_SECONDS
    with contextlib.suppress(psutil.NoSuchProcess):
        while process.num_threads() > 1 and time.monotonic() < deadline:
            time.sleep(processes.POLL_SECONDS)


def _others(layout: Layout) -> list[psutil.Process]:
    """Components of this directory without a pid file: their starter ended before it wrote one."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.cwd() == str(layout.root) and any(f"={layout.root}/" in each for each in process.cmdline()):
                found.append(process)
    return found


def _environ(layout: Layout) -> dict[str, str]:
    """Nothing of the user's, a proxy least of all. Collecting garbage more often makes an API server a quarter smaller."""
    return {"HOME": str(layout.root), "PATH": "/usr/bin:/bin", "GOGC": "50"}


def _just_ended(layout: Layout, name: str) -> bool:
    last = processes.recorded(layout.pid_file(name))
    return last is not None and time.time() - last.created < RESTART_SECONDS
