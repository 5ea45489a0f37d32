"""Both programs under Pulumi's own mocks: what the program itself costs, without an engine or a provider.

As a script, ``mocked.py PROGRAM SITES TIMES`` is the process that is measured.
"""

import asyncio
import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pulumi
from figures import MEBIBYTES, MILLISECONDS, PROGRAMS, SECONDS, Figure, Sample, check_same, figures, in_pairs
from pulumi.runtime import mocks, settings
from pulumi.runtime.stack import run_in_stack
from workers import measure, peak_memory

SHAPES = {1: 20, 10: 2}
"""Sites in the program to how many times it is built: the SDK's bookkeeping grows faster than the program does."""
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


def build(site: Callable[[str], None], sites: int) -> _Mocks:
    """Builds so many sites in one program, to the end of every apply."""
    answers = _Mocks()
    settings.set_root_resource(object())  # or set_mocks would make a stack, whose outputs would be closed already
    mocks.set_mocks(answers)
    settings.set_root_resource(None)
    asyncio.run(run_in_stack(lambda: [site(f"s{number}-") for number in range(sites)] and None))
    return answers


def timed(program: str, sites: int, times: int) -> dict[str, float]:
    """Builds a program of so many sites in this process, so many times, after one that does not count."""
    module = importlib.import_module(f"programs.{program}")
    build(module.site, 1)  # pulumi_aws loads its modules when they are first used
    start, cpu = time.perf_counter(), time.process_time()
    built = [build(module.site, sites) for _ in range(times)]
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


def measure_mocked(pairs: int, report: Callable[[str], None]) -> list[Figure]:
    """The figures under mocks, from so many pairs after one that does not count.

    Raises:
        RuntimeError: the programs did not register the same number of resources.
    """
    measured: list[Figure] = []
    for sites, times in SHAPES.items():
        part = f"mocks, {sites} site{'s' if sites > 1 else ''} x {times}"

        def once(program: str, sites: int = sites, times: int = times) -> Sample:
            return run(program, sites, times)

        (warm,) = in_pairs(1, once, lambda _, part=part: report(f"{part}: warm-up"))
        check_same({program: warm[program]["resources"] for program in PROGRAMS})
        found = in_pairs(pairs, once, lambda line, part=part: report(f"{part}: {line}"))
        measured += figures(part, UNITS, found)
    return measured


if __name__ == "__main__":
    print(json.dumps(timed(sys.argv[1], *(int(number) for number in sys.argv[2:]))))
