"""Both programs on the real engine and a sandbox of their own: what a user waits for."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from figures import (
    COMPONENTS,
    MEBIBYTES,
    MILLISECONDS,
    SECONDS,
    SITE,
    Figure,
    Sample,
    check_same,
    figures,
    in_pairs,
)
from workers import BENCH

from edgelib.sandbox import lifecycle
from edgelib.sandbox.directory import SandboxDirectory

EXAMPLE = BENCH.parent / "examples" / "boston"
UP_SECONDS = 300
STACK = "sandbox"
UNITS = {
    "up": SECONDS,
    "up again, no change": SECONDS,
    "program of up, per resource": MILLISECONDS,
    "program of up, per resource, CPU": MILLISECONDS,
    "program of up, peak memory": MEBIBYTES,
}


@dataclass(frozen=True)
class Bench:
    """The project and the sandbox that all runs share."""

    folder: Path
    sandbox: lifecycle.Sandbox

    def run(self, program: str) -> Sample:
        """One program on a new account: up, and up again.

        Raises:
            RuntimeError: the engine failed, or the second up would have changed something.
        """
        lifecycle.reset(self.sandbox.directory)
        self._pulumi(program, "stack", "init", STACK)
        first = self._timed(program, "up", "--yes", "--skip-preview")
        inside = json.loads(self._sample.read_text(encoding="utf-8"))
        resources = self._resources(program)
        again = self._timed(program, "up", "--yes", "--skip-preview", "--expect-no-changes")
        return {
            "resources": resources,
            "up": first,
            "up again, no change": again,
            "program of up, per resource": inside["program"] / resources,
            "program of up, per resource, CPU": inside["CPU"] / resources,
            "program of up, peak memory": inside["peak memory"],
        }

    @property
    def _sample(self) -> Path:
        return self.folder / "sample.json"

    def _timed(self, program: str, *arguments: str) -> float:
        self._sample.unlink(missing_ok=True)
        start = time.perf_counter()
        self._pulumi(program, *arguments, "--stack", STACK)
        return time.perf_counter() - start

    def _resources(self, program: str) -> int:
        """How many resources of providers the stack has; the components themselves are no work to be done."""
        state = json.loads(self._pulumi(program, "stack", "export", "--stack", STACK))
        return sum(
            entry["custom"] and not entry["type"].startswith("pulumi:") for entry in state["deployment"]["resources"]
        )

    def _pulumi(self, program: str, *arguments: str) -> str:
        environment = {
            **self.sandbox.environment(os.environ),
            "PYTHONPATH": str(BENCH),
            "EDGELIB_BENCH_PROGRAM": program,
            "EDGELIB_BENCH_SAMPLE": str(self._sample),
        }
        done = subprocess.run(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(
                f"{program}: pulumi {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout


@contextmanager
def _bench(report: Callable[[str], None]) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="edgelib-bench-") as temporary:
        folder = Path(temporary) / "boston"
        folder.mkdir()
        for name in ("Pulumi.yaml", f"Pulumi.{STACK}.yaml"):
            shutil.copy(EXAMPLE / name, folder)
        shutil.copy(BENCH / "project" / "__main__.py", folder)
        directory = SandboxDirectory(Path(temporary) / "sandbox")
        try:
            yield Bench(folder, lifecycle.start(directory, environ=os.environ, report=report))
        finally:
            lifecycle.stop(directory)


def measure_on_engine(pairs: int, report: Callable[[str], None], *, warm_up: bool = True) -> list[Figure]:
    """The figures on the engine, from so many pairs after a run that does not count.

    Raises:
        RuntimeError: the engine failed, or the programs did not build the same number of resources.
    """
    with _bench(report) as bench:
        if warm_up:
            report("engine: warm-up")
            bench.run(COMPONENTS)
        measured = in_pairs(pairs, bench.run, lambda line: report(f"engine: {line}"))
    for pair in measured:
        check_same({program: pair[program]["resources"] for program in SITE})
    return figures("engine", UNITS, measured)
