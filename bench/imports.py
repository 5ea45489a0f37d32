"""How long the imports of a program take: with edgelib, and with Pulumi alone."""

from collections.abc import Callable

from figures import BY_HAND, COMPONENTS, MILLISECONDS, Figure, Sample, figures, in_pairs
from workers import measure

UNITS = {"import": MILLISECONDS}
_IMPORTS = {BY_HAND: "import pulumi, pulumi_aws", COMPONENTS: "import pulumi, pulumi_aws; import edgelib"}
_TIMED = (
    "import json, time; start = time.perf_counter(); {}; print(json.dumps({{'import': time.perf_counter() - start}}))"
)


def run(program: str) -> Sample:
    """Imports what a program of this kind imports, in a fresh interpreter."""
    return measure(["-c", _TIMED.format(_IMPORTS[program])])


def measure_imports(pairs: int, report: Callable[[str], None]) -> list[Figure]:
    """The figures of the imports, from so many pairs after one that does not count."""
    in_pairs(1, run, lambda _: report("imports: warm-up"))
    return figures("imports", UNITS, in_pairs(pairs, run, lambda line: report(f"imports: {line}")))
