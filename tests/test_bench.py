"""The benchmark compares like with like: its programs ask for exactly what examples/boston asks for, a replay for what it replays."""

import collections
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bench.figures import MILLISECONDS, check_same, figures, in_pairs, table
from bench.replay import replay
from edgelib.testing import deploy

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
PROGRAMS = ("by_hand", "components")
REPLAYED = ("components", "k3s_cluster")


def script(*arguments):
    """The JSON that a script of the benchmark prints last."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=BENCH, check=True, capture_output=True, text=True, timeout=120
    )
    return json.loads(done.stdout.splitlines()[-1])


def asked_for(program, *, preview=False):
    """What a program asks of the engine and of providers; whose child a resource is does not count, nor do components."""
    recording = deploy(program, preview=preview)
    custom = [each for each in recording.resources if each.custom]
    by_urn = {each.urn: (each.type, each.name) for each in recording.resources}

    def options(each):
        using = each.options.property_dependencies.items()
        return {
            **vars(each.options),
            "depends_on": {by_urn[urn] for urn in each.options.depends_on},
            "property_dependencies": {key: {by_urn[urn] for urn in urns} for key, urns in using if urns},
        }

    return {
        "resources": sorted((each.type, each.name) for each in custom),
        "inputs": {(each.type, each.name): (each.inputs, each.secret_inputs) for each in custom},
        "options": {(each.type, each.name): options(each) for each in custom},
        "invokes": collections.Counter(
            (each.token, json.dumps(each.args, sort_keys=True), each.provider) for each in recording.invokes
        ),
        # a preview shows {"edge-1": unknown} by hand where an output of a component is unknown as a whole
        "exports": sorted(recording.exports) if preview else recording.exports,
        "secret exports": recording.secret_exports,
    }


@pytest.fixture(scope="module", params=[False, True], ids=["up", "preview"])
def preview(request):
    return request.param


@pytest.fixture(scope="module")
def example(preview):
    return asked_for(ROOT / "examples" / "boston", preview=preview)


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request, preview):
    return asked_for(BENCH / "programs" / f"{request.param}.py", preview=preview)


@pytest.mark.parametrize("what", ["resources", "inputs", "options", "invokes", "exports", "secret exports"])
def test_program_asks_for_what_the_example_asks_for(program, example, what):
    assert example[what]
    assert program[what] == example[what]


@pytest.fixture(scope="module", params=REPLAYED)
def recorded(request):
    """A program's name, and the recording of two of its sites in one program."""
    return request.param, script("record.py", request.param, 2)


def test_replay_asks_for_what_it_replays(recorded):
    name, recording = recorded
    site = runpy.run_path(str(BENCH / "programs" / f"{name}.py"))["site"]
    original = asked_for(lambda: [site("s0-"), site("s1-")])
    replayed = asked_for(lambda: replay(recording))
    for what, asked in original.items():
        assert asked
        assert replayed[what] == asked


@pytest.mark.parametrize("module", ["programs.by_hand", "replay", "mocked"])
def test_plain_programs_do_without_edgelib(module):
    code = f"import sys, {module}; sys.exit(any(name.split('.')[0] == 'edgelib' for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], cwd=BENCH, check=True, timeout=60)


def test_replay_is_measured_beside_its_program(recorded, tmp_path):
    name, recording = recorded
    file = tmp_path / "recording.json"
    file.write_text(json.dumps(recording))
    original, replayed = script("mocked.py", name, 2, 1), script("mocked.py", file, 2, 1)
    assert replayed["components"] == 0
    assert original["components"] >= 2
    assert replayed["resources"] == original["resources"]


def test_both_programs_run_under_pulumi_mocks_and_are_measured():
    measured = {program: script("mocked.py", program, 2, 1) for program in PROGRAMS}
    assert measured["by_hand"]["components"] == 0
    assert measured["components"]["components"] == 2 * 3
    assert measured["components"]["resources"] == measured["by_hand"]["resources"]
    for sample in measured.values():
        assert sample["registration per resource"] > 0
        assert sample["peak memory"] > 2**20


def test_programs_that_build_different_things_are_not_compared():
    check_same({"by_hand": 44, "components": 44})
    with pytest.raises(RuntimeError, match=r"do not build the same: .*'components': 45"):
        check_same({"by_hand": 44, "components": 45})


def test_neither_program_always_goes_first():
    ran = []
    in_pairs(2, lambda program: ran.append(program) or {}, lambda _: None)
    assert ran == ["by_hand", "components", "components", "by_hand"]


def test_ratio_is_that_of_each_pair():
    # the machine was ten times slower during the last pair
    pairs = [
        {"by_hand": {"up": 1.0}, "components": {"up": 1.1}},
        {"by_hand": {"up": 2.0}, "components": {"up": 2.0}},
        {"by_hand": {"up": 10.0}, "components": {"up": 12.0}},
    ]
    (figure,) = figures("engine", {"up": MILLISECONDS}, pairs)
    assert figure.ratios == pytest.approx([1.1, 1.0, 1.2])
    console = Console(width=120)
    with console.capture() as captured:
        console.print(table([figure]))
    shown = captured.get()
    assert "2000.00 (1000.00..10000.00)" in shown
    assert "2000.00 (1100.00..12000.00)" in shown
    assert "1.100 (1.000..1.200)" in shown
    assert "goal 1.05" in shown
    assert re.search(r"engine, 3 pairs +by hand +components +ratio", shown)
