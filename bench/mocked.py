"""Programs under Pulumi's own mocks: what the program itself costs, without an engine or a provider.

As a script, ``mocked.py PROGRAM SITES TIMES`` is the process that is measured. PROGRAM is one of ``programs``, or the file of a
recording, which has so many sites already.
"""

import asyncio
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from figures import (
    BY_HAND,
    COMPONENTS,
    MEBIBYTES,
    MILLISECONDS,
    REPLAY,
    SECONDS,
    SITE,
    Contest,
    Figure,
    Sample,
    check_same,
    figures,
    in_pairs,
)
from pulumi.runtime import mocks, settings
from pulumi.runtime.stack import run_in_stack
from replay import replay
from workers import BENCH, measure, peak_memory


@dataclass(frozen=True, kw_only=True)
class Part:
    """One comparison under mocks."""

    name: str
    contest: Contest
    shapes: Mapping[int, int]
    """Sites in the program to how many times it is built: the SDK's bookkeeping grows faster than the program does."""
    recorded: str = ""
    """The program that ``replay`` replays."""


CLUSTER = "k3s_cluster"
PARTS = (
    Part(name="site", contest=SITE, shapes={1: 20, 10: 2}),
    # how well a replay stands in for what one would write by hand: a ratio of 1 is the best
    Part(name="site", contest=(BY_HAND, REPLAY), shapes={10: 2}, recorded=COMPONENTS),
    Part(name="K3s cluster", contest=(REPLAY, CLUSTER), shapes={1: 5, 10: 1}, recorded=CLUSTER),
)
UNITS = {
    "registration per resource": MILLISECONDS,
    "registration per resource, CPU": MILLISECONDS,
    "wall time": SECONDS,
    "peak memory": MEBIBYTES,
}

_ANSWERS = {
    "aws:index/getAvailabilityZone:getAvailabilityZone": {
        "parentZoneName": "us-east-1c",
        "networkBorderGroup": "us-east-1-wl1-bos-wlz-1",
    },
    "aws:ssm/getParameter:getParameter": {"insecureValue": "ami-0123456789abcdef0"},
    "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": {"instanceTypes": ["t3.medium"]},
}
_STATE = {
    "allocationId": "eipalloc-1",
    "carrierIp": "155.146.0.1",
    "name": "named",
    "privateIp": "10.0.128.4",
    "publicIp": "203.0.113.1",
    **dict.fromkeys(("certPem", "certRequestPem"), "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"),
    "privateKeyPem": "-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----\n",
    "result": "random",
}


class _Mocks(pulumi.runtime.Mocks):
    """Answers at once, with as little as the programs read."""

    def __init__(self) -> None:
        self.resources = 0
        self.components = 0

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.custom:
            self.resources += 1
        else:
            self.components += 1
        return f"{args.name}-id", {**_STATE, **args.inputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return _ANSWERS[args.token], []


def program_of(name: str, sites: int) -> Callable[[], None]:
    """The program that builds so many sites: a module of ``programs``, or a recording's file."""
    if name.endswith(".json"):
        recording = json.loads(Path(name).read_text(encoding="utf-8"))
        return lambda: replay(recording)
    site = importlib.import_module(f"programs.{name}").site
    return lambda: [site(f"s{number}-") for number in range(sites)] and None


def build(program: Callable[[], None]) -> _Mocks:
    """Builds the program once, to the end of every apply."""
    answers = _Mocks()
    settings.set_root_resource(object())  # or set_mocks would make a stack, whose outputs would be closed already
    mocks.set_mocks(answers)
    settings.set_root_resource(None)
    asyncio.run(run_in_stack(program))
    return answers


def timed(program: str, sites: int, times: int) -> dict[str, float]:
    """Builds a program of so many sites in this process, so many times, after one that does not count."""
    whole = program_of(program, sites)
    build(program_of(program, 1))  # pulumi_aws loads its modules when they are first used
    start, cpu = time.perf_counter(), time.process_time()
    built = [build(whole) for _ in range(times)]
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    resources = sum(each.resources for each in built)
    return {
        "resources": resources,
        "components": sum(each.components for each in built),
        "registration per resource": elapsed / resources,
        "registration per resource, CPU": cpu / resources,
        "peak memory": peak_memory(),
    }


def run(program: str, sites: int, times: int) -> Sample:
    """Measures a program in an interpreter of its own; ``wall time`` is that of the whole process."""
    start = time.perf_counter()
    sample = measure([__file__, program, str(sites), str(times)])
    return {**sample, "wall time": time.perf_counter() - start}


def measure_part(part: Part, sites: int, times: int, pairs: int, report: Callable[[str], None]) -> list[Figure]:
    """The figures of one shape of one part, from so many pairs after one that does not count.

    Raises:
        RuntimeError: the programs did not register the same number of resources.
    """
    title = f"mocks, {sites} {part.name}{'s' if sites > 1 else ''} x {times}"
    with tempfile.TemporaryDirectory(prefix="edgelib-bench-") as folder:
        recording = Path(folder) / "recording.json"
        if part.recorded:
            asked_for = measure([str(BENCH / "record.py"), part.recorded, str(sites)])
            recording.write_text(json.dumps(asked_for), encoding="utf-8")

        def once(program: str) -> Sample:
            return run(str(recording) if program == REPLAY else program, sites, times)

        (warm,) = in_pairs(1, once, lambda _: report(f"{title}: warm-up"), part.contest)
        check_same({program: sample["resources"] for program, sample in warm.items()})
        found = in_pairs(pairs, once, lambda line: report(f"{title}: {line}"), part.contest)
    return figures(title, UNITS, found, part.contest)


def measure_mocked(pairs: int, report: Callable[[str], None]) -> list[Figure]:
    """The figures of all parts; see `measure_part`."""
    return [
        figure
        for part in PARTS
        for sites, times in part.shapes.items()
        for figure in measure_part(part, sites, times, pairs, report)
    ]


if __name__ == "__main__":
    print(json.dumps(timed(sys.argv[1], *(int(number) for number in sys.argv[2:]))))
