"""One background process, known by its pid file: started so that it outlives its starter, never taken for another."""

import contextlib
import fcntl
import json
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

import psutil

POLL_SECONDS = 0.05
LOCK_SECONDS = 180.0
"""How long one command waits for another on the same sandbox: longer than a start may take."""

_CLOCK_SECONDS = 5.0
"""The start time of a process is derived from the wall clock, which NTP may correct while it runs."""

_TAIL_LINES = 20


class ProcessError(RuntimeError):
    """A process did not start, did not become ready, or did not end. The message shows the tail of its log."""


class BusyError(RuntimeError):
    """Another command holds the lock."""


@dataclass(frozen=True, kw_only=True)
class ProcessRecord:
    """What a pid file holds.

    Attributes:
        pid: Process id. Not enough by itself: after a crash the system may give it to someone else.
        created: When that process started, seconds since the epoch.
        command: Its arguments, first of all the program.
    """

    pid: int
    created: float
    command: tuple[str, ...]

    def process(self) -> Optional[psutil.Process]:
        """The process, or None when it is gone: nothing has its pid, or what has it began at another time or runs
        another command."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < _CLOCK_SECONDS and runs(process, self.command)
        except psutil.NoSuchProcess:
            return None
        return process if same else None

    def save(self, file: Path) -> None:
        """Write the pid file, whole or not at all."""
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self)), encoding="utf-8")
        partial.replace(file)


def recorded(file: Path) -> Optional[ProcessRecord]:
    """What the pid file says, or None when there is none or it is not one of ours."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return ProcessRecord(
            pid=int(content["pid"]), created=float(content["created"]), command=tuple(map(str, content["command"]))
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def runs(process: psutil.Process, command: Sequence[str]) -> bool:
    """Whether a live process was started as `command`. The program's own name does not count: some interpreters change
    it as they start."""
    return alive(process) and _arguments(process) == list(command[1:])


def alive(process: psutil.Process) -> bool:
    """Whether it still runs. One that ended and waits for its parent to notice does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def running_with(command: Sequence[str]) -> list[psutil.Process]:
    """All live processes whose arguments begin with those of `command`: for the one whose pid file was lost."""
    wanted = list(command[1:])
    return [
        process for process in psutil.process_iter() if alive(process) and _arguments(process)[: len(wanted)] == wanted
    ]


def spawn(command: Sequence[str], *, environ: Mapping[str, str], folder: Path, log: Path) -> ProcessRecord:
    """Start `command` in the background, in a session of its own and as a child of init.

    It must not be a child of the caller: `edgelib sandbox run` becomes the user's command, which knows nothing of a
    server among its children. A shell in between, which ends at once, sees to that.

    Args:
        command: Program by absolute path, and its arguments.
        environ: The whole environment.
        folder: Working folder.
        log: Gets stdout and stderr. The log of the run before is kept as `<name>.previous<suffix>`.
    """
    if log.exists():
        log.replace(log.with_name(f"{log.stem}.previous{log.suffix}"))
    with log.open("wb") as output:
        shell = subprocess.run(  # noqa: S603 - our own command
            ["/bin/sh", "-c", '"$@" >&2 & echo "$!"', "sh", *command],
            env=dict(environ),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
            check=True,
        )
    pid = int(shell.stdout)
    try:
        created = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess as error:
        raise ProcessError(f"{' '.join(command)} ended at once\n{tail(log)}") from error
    return ProcessRecord(pid=pid, created=created, command=tuple(command))


def wait_until(ready: Callable[[], bool], process: psutil.Process, *, what: str, seconds: float, log: Path) -> None:
    """Wait until `ready`, or until the process ends, or for `seconds`.

    Raises:
        ProcessError: in the last two cases; the process is left as it is.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if not alive(process):
            raise ProcessError(f"pid {process.pid} ended before {what}; its log, {log}, ends with\n{tail(log)}")
        if time.monotonic() > deadline:
            raise ProcessError(f"waited {seconds:.0f} s for {what}; the log, {log}, ends with\n{tail(log)}")
        time.sleep(POLL_SECONDS)


def stop(process: psutil.Process, *, seconds: float) -> None:
    """End a process: SIGTERM, then SIGKILL when it is still there after `seconds`. One that is gone is fine.

    Raises:
        ProcessError: if even SIGKILL does not end it within `seconds`.
    """
    for signal in (process.terminate, process.kill):
        with contextlib.suppress(psutil.NoSuchProcess):
            signal()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not alive(process):
                return
            time.sleep(POLL_SECONDS)
    raise ProcessError(f"pid {process.pid} did not end within {seconds:.0f} s of SIGKILL")


@contextlib.contextmanager
def locked(file: Path, *, seconds: float = LOCK_SECONDS) -> Generator[None, None, None]:
    """Hold a lock that the system gives back even when its holder is killed.

    Raises:
        BusyError: if another process keeps it for `seconds`.
    """
    deadline = time.monotonic() + seconds
    with file.open("a", encoding="utf-8") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise BusyError(f"another edgelib command held {file} for {seconds:.0f} s; try again") from error
                time.sleep(POLL_SECONDS)
        yield


def tail(log: Path) -> str:
    """The last 20 lines of a log; a short word when it is empty."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:] if log.exists() else []
    return "\n".join(f"  {line}" for line in lines) or "  (nothing)"


def _arguments(process: psutil.Process) -> list[str]:
    """Its arguments without the program; empty when they may not be read."""
    try:
        return process.cmdline()[1:]
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return []
