"""What a benchmark run measured, and the table that shows it. Nothing here runs or times anything."""

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table

BY_HAND, COMPONENTS, REPLAY = "by_hand", "components", "replay"
GOAL = 1.05

Sample = Mapping[str, float]
"""What one run of one program measured, by figure."""
Pair = Mapping[str, Sample]
"""One run of each program, one right after the other, by program."""
Contest = tuple[str, str]
"""What is compared: the plain program, and the one whose ratio to it is shown."""

SITE: Contest = (BY_HAND, COMPONENTS)


@dataclass(frozen=True)
class Unit:
    """How a figure is shown: ``value * scale`` with ``digits`` after the point."""

    name: str
    scale: float = 1.0
    digits: int = 2


SECONDS = Unit("s")
MILLISECONDS = Unit("ms", scale=1000)
MEBIBYTES = Unit("MiB", scale=1 / 2**20, digits=1)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One quantity, measured in pairs of runs."""

    part: str
    name: str
    unit: Unit
    contest: Contest
    plain: Sequence[float]
    other: Sequence[float]

    @property
    def ratios(self) -> list[float]:
        """The other to the plain, pair by pair: what slows both runs of a pair down leaves their ratio as it is."""
        return [other / plain for plain, other in zip(self.plain, self.other, strict=True)]


def in_pairs(
    count: int, run: Callable[[str], Sample], report: Callable[[str], None], contest: Contest = SITE
) -> list[Pair]:
    """Runs both programs ``count`` times in turn; who goes first alternates, so that a drift of the machine favours neither."""
    pairs: list[Pair] = []
    for number in range(count):
        order = contest if number % 2 == 0 else contest[::-1]
        report(f"pair {number + 1} of {count}")
        pairs.append({program: run(program) for program in order})
    return pairs


def check_same(resources: Mapping[str, float]) -> None:
    """Checks that every program registered as many resources (program to number).

    Raises:
        RuntimeError: they did not, so that comparing them says nothing.
    """
    if len(set(resources.values())) != 1:
        raise RuntimeError(f"the programs do not build the same: {dict(resources)} resources; see tests/test_bench.py")


def figures(part: str, units: Mapping[str, Unit], pairs: Sequence[Pair], contest: Contest = SITE) -> list[Figure]:
    """The figures of one part, in the order of ``units`` (figure to unit)."""
    return [
        Figure(
            part=part,
            name=name,
            unit=unit,
            contest=contest,
            plain=[pair[contest[0]][name] for pair in pairs],
            other=[pair[contest[1]][name] for pair in pairs],
        )
        for name, unit in units.items()
    ]


def table(measured: Sequence[Figure]) -> Table:
    """Medians with the smallest and the largest value; the ratio is that of the right program to the left one, pair by pair."""
    title = f"Components beside the same in plain Pulumi: median (min..max); goal {GOAL} beside what is written by hand"
    shown = Table(box=SIMPLE_HEAD, title=title, show_header=False)
    shown.add_column()
    for _ in range(3):
        shown.add_column(justify="right", no_wrap=True)
    for part, group in itertools.groupby(measured, key=lambda each: each.part):
        rows = list(group)
        headings = [program.replace("_", " ") for program in rows[0].contest]
        shown.add_row(f"[bold]{part}[/], {len(rows[0].ratios)} pairs", *headings, "ratio")
        for each in rows:
            shown.add_row(
                f"  {each.name}, {each.unit.name}",
                _spread(each.plain, each.unit.scale, each.unit.digits),
                _spread(each.other, each.unit.scale, each.unit.digits),
                _spread(each.ratios, 1, 3),
            )
        shown.add_section()
    return shown


def _spread(values: Sequence[float], scale: float, digits: int) -> str:
    low, middle, high = (
        f"{value * scale:.{digits}f}" for value in (min(values), statistics.median(values), max(values))
    )
    return f"{middle} ({low}..{high})"
