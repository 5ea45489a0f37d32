"""Running Go for tools/build.py: which one there is, in which environment, with progress, stopped when we are."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

HEARTBEAT_SECONDS = 10.0


class BuildError(Exception):
    """Something stopped the build; the message says what and what to do."""


class Progress:
    """Counts lines of a tool and prints one line every 10 s, so that no minute is silent."""

    def __init__(self, what: str, *, total: Optional[int] = None, only: str = "") -> None:
        self.what, self.total, self.only = what, total, only
        self.count = 0
        self.started = time.monotonic()

    def see(self, line: str) -> None:
        self.count += line.startswith(self.only)

    def show(self) -> None:
        of = "" if self.total is None else f" of {self.total} packages"
        print(f"  {self.what}, {self.count}{of}, {time.monotonic() - self.started:.0f} s", flush=True)


def run(command: Sequence[str], *, cwd: Path, progress: Optional[Progress] = None) -> str:
    """Run a Go command and return its stdout; its stderr feeds `progress` and, when it fails, the BuildError."""
    lines: list[str] = []
    output: list[str] = []
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=go_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def read_errors() -> None:
        for line in process.stderr or ():
            lines.append(line)
            if progress is not None:
                progress.see(line)

    def read_output() -> None:
        output.extend(process.stdout or ())

    readers = [threading.Thread(target=reader, daemon=True) for reader in (read_errors, read_output)]
    for reader in readers:
        reader.start()
    try:
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(HEARTBEAT_SECONDS)
            if process.returncode is None and progress is not None:
                progress.show()
    finally:
        stop(process)
    for reader in readers:
        reader.join()
    if process.returncode != 0:
        tail = "".join(lines[-15:])
        raise BuildError(
            f"`{' '.join(command)}` in {cwd} failed with exit code {process.returncode}:\n{tail}"
            "If modules could not be downloaded, set GOPROXY to a proxy that this machine reaches and run this again."
        )
    return "".join(output)


def stop(process: subprocess.Popen[str]) -> None:
    """End a child that still runs: SIGINT, on which `go` removes its work folder, then SIGKILL after 10 s."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def installed_go(module_folder: Path) -> Optional[str]:
    """Version and platform of the Go that builds the module in that folder, "go1.26.8 linux/amd64", or None.

    An older Go that may fetch newer toolchains (GOTOOLCHAIN=auto, its default) answers with the one that it fetched for
    this module; one that may not, or cannot, answers with its own version, and the caller compares.

    Raises:
        BuildError: if there is a `go` and it does not work.
    """
    if shutil.which("go") is None:
        return None
    fetched, own = go_environment(), {**go_environment(), "GOTOOLCHAIN": "local"}
    for environ in (fetched, own):
        answer = subprocess.run(
            ("go", "version"), cwd=module_folder, env=environ, capture_output=True, text=True, check=False
        )
        if answer.returncode == 0:
            return answer.stdout.removeprefix("go version ").strip()
        reason = answer.stderr.strip()
    raise BuildError(f"`go version` failed: {reason}")


def go_environment() -> dict[str, str]:
    """No C compiler is needed, and a go.work above the clone has no say."""
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
