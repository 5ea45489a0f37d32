"""The emulator process as the rest of the sandbox sees it: how to start it, whether it is well, what it holds."""

import http.client
import json
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional, cast
from urllib.parse import urlsplit

import psutil

from edgelib.sandbox import processes
from edgelib.sandbox.directory import SandboxDirectory
from edgelib.sandbox.environment import without_accounts

READY_SECONDS = 120.0
"""Bound on a start. An empty account takes 2 s; the journal of a big one is replayed, on a machine that may be busy."""

STOP_SECONDS = 15.0
ANSWER_SECONDS = 30.0
"""Bound on one answer. A live server that misses it is taken for hung and replaced, so a busy one must make it."""
LOOPBACK = "127.0.0.1"


class EmulatorError(RuntimeError):
    """The emulator runs and does not answer as it should."""


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A live emulator.

    Attributes:
        url: Endpoint for AWS calls and proxy for all others, "http://127.0.0.1:PORT".
        pid: Its process.
        created: When it started, seconds since the epoch.
    """

    url: str
    pid: int
    created: float

    def inventory(self) -> dict[str, Any]:
        """What exists in the account: lists by kind ("ec2:vpc"), and the zone groups opted in."""
        return cast("dict[str, Any]", json.loads(request(self.url, "GET", "/sandbox/inventory")))

    def reset(self) -> None:
        """Give it a new, empty account."""
        request(self.url, "POST", "/sandbox/reset")


def find(directory: SandboxDirectory) -> Optional[Emulator]:
    """The emulator of this sandbox if it is alive and answers, else None."""
    record = processes.recorded(directory.aws_process)
    url = endpoint(directory)
    if record is None or url is None or record.process() is None or not _healthy(url):
        return None
    return Emulator(url=url, pid=record.pid, created=record.created)


def start(directory: SandboxDirectory, environ: Mapping[str, str]) -> Emulator:
    """Start the emulator, on the port that it had before if that is still free.

    Programs that remember the endpoint, such as a shell that was opened before a crash, then work again.

    Raises:
        ProcessError: if it is not healthy within 120 s; nothing is left running then.
    """
    arguments = command(directory)
    previous = endpoint(directory)
    port = urlsplit(previous).port if previous else None
    directory.endpoint_file.unlink(missing_ok=True)
    record = processes.spawn(
        [*arguments, "--port", str(port if port and _is_free(port) else 0)],
        environ=without_accounts(environ),  # the emulator, too, must not see an account of the user
        folder=directory.root,
        log=directory.aws_log,
    )
    record.save(directory.aws_process)
    process = psutil.Process(record.pid)

    def answers() -> bool:
        url = endpoint(directory)
        return url is not None and _healthy(url)

    try:
        processes.wait_until(
            answers,
            process,
            what=f"the AWS emulator wrote {directory.endpoint_file.name} and answered /sandbox/health",
            seconds=READY_SECONDS,
            log=directory.aws_log,
        )
    except BaseException:
        stop(directory)
        raise
    found = find(directory)
    if found is None:
        raise EmulatorError(
            f"the AWS emulator (pid {record.pid}) answered once and then no more; log: {directory.aws_log}"
        )
    return found


def stop(directory: SandboxDirectory) -> bool:
    """Stop what runs as this sandbox's emulator, well or not, recorded or not. Returns whether anything ran."""
    record = processes.recorded(directory.aws_process)
    found = record.process() if record is not None else None
    live = [found] if found is not None else processes.running_with(command(directory))
    for process in live:
        processes.stop(process, seconds=STOP_SECONDS)
    directory.aws_process.unlink(missing_ok=True)
    return bool(live)


def request(url: str, method: str, path: str) -> bytes:
    """One control request, which no proxy sees.

    Raises:
        EmulatorError: if there is no answer within 30 s, or a bad one.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url + path, method=method), timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            return answer.read()
    except urllib.error.HTTPError as error:
        body = error.read(500).decode(errors="replace")
        raise EmulatorError(f"{method} {url}{path} was answered with {error.code}: {body}") from error
    except (OSError, http.client.HTTPException) as error:
        raise EmulatorError(f"{method} {url}{path} was not answered: {error}") from error


def _healthy(url: str) -> bool:
    try:
        return json.loads(request(url, "GET", "/sandbox/health")).get("ok") is True
    except (EmulatorError, ValueError, AttributeError):
        return False


def machines(url: str) -> dict[str, Any]:
    """The account's instances as machines; see :mod:`edgelib.sandbox.aws.machines`.

    Raises:
        EmulatorError: if there is no answer, or a bad one.
    """
    try:
        return cast("dict[str, Any]", json.loads(request(url, "GET", "/sandbox/machines")))
    except ValueError as error:
        raise EmulatorError(f"GET {url}/sandbox/machines: {error}") from error


def endpoint(directory: SandboxDirectory) -> Optional[str]:
    """The url in endpoint.json; None when there is none, or one that is not on loopback."""
    try:
        url = str(json.loads(directory.endpoint_file.read_text(encoding="utf-8"))["url"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    parts = urlsplit(url)
    return url if (parts.scheme, parts.hostname) == ("http", LOOPBACK) else None


def command(directory: SandboxDirectory) -> list[str]:
    """The emulator's arguments, without the port."""
    folders = ["--directory", str(directory.aws), "--consoles", str(directory.machines)]
    return [sys.executable, "-m", "edgelib.sandbox.aws", *folders]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
