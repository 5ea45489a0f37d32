"""Interpreters of their own for what is measured."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

BENCH = Path(__file__).resolve().parent
WORKER_SECONDS = 300


def measure(arguments: Sequence[str]) -> dict[str, Any]:
    """Runs a fresh interpreter and returns the JSON on the last line that it prints.

    Raises:
        RuntimeError: it failed; with what it printed.
        subprocess.TimeoutExpired: it took longer than WORKER_SECONDS.
    """
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=BENCH,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=WORKER_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def own_bytecode() -> Iterator[None]:
    """Has every Python that is started from here compile what it imports once, whatever the user's settings and caches are."""
    with tempfile.TemporaryDirectory(prefix="edgelib-bench-") as cache, mock.patch.dict(os.environ):
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = cache
        yield


def peak_memory() -> int:
    """The most memory that this process ever had resident, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # getrusage(2): bytes there, kilobytes here
