"""Components beside the same resources in plain Pulumi: `make bench`.

One run, three parts: imports, under Pulumi's mocks, on the engine. The example stands beside a program written by hand, a K3s
cluster beside a replay of what it registers (replay.py). Both programs of a pair run in turn, on the same machine; it prints what
they took and the ratios, and judges nothing. About 8 minutes on two cores.
"""

import argparse
import sys

from figures import table
from imports import measure_imports
from mocked import measure_mocked
from on_engine import measure_on_engine
from rich.console import Console
from workers import own_bytecode

PAIRS = {"imports": 15, "mocks": 4, "engine": 3}


def main() -> int:
    """Runs the benchmark; fails only when something could not run."""
    parser = argparse.ArgumentParser(prog="bench/components.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one pair of runs each, to see that everything runs")
    quick = parser.parse_args().quick
    pairs = dict.fromkeys(PAIRS, 1) if quick else PAIRS

    def report(line: str) -> None:
        print(line, file=sys.stderr)

    with own_bytecode():
        measured = [
            *measure_imports(pairs["imports"], report),
            *measure_mocked(pairs["mocks"], report),
            *measure_on_engine(pairs["engine"], report, warm_up=not quick),
        ]
    Console(width=None if sys.stdout.isatty() else 120).print(table(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
