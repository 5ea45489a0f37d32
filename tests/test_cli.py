import json
import subprocess
import sys
import types

import click
import pytest
from click.testing import CliRunner

from edgelib import cli
from edgelib.commands import edgelib
from edgelib.errors import ArgsError

SANDBOX = "edgelib.sandbox.commands"


@pytest.fixture
def run():
    def invoke(*arguments):
        return CliRunner().invoke(edgelib, arguments, prog_name="edgelib")

    return invoke


@pytest.fixture
def sandbox(monkeypatch):
    """A stand-in for the sandbox's commands, loaded by name as the real ones are; tests add commands to it."""
    module = types.ModuleType(SANDBOX)
    module.sandbox = click.Group("sandbox", help="The real help.")
    monkeypatch.setitem(sys.modules, SANDBOX, module)
    return module.sandbox


def rows(result):
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()[1:]


def test_zones_are_listed_whole_when_not_on_a_terminal(run):
    result = run("zones")
    assert result.stdout.split(maxsplit=1)[0] == "ZONE"
    assert len(rows(result)) == 33
    assert "…" not in result.stdout
    (dakar,) = [row for row in rows(result) if "Dakar" in row]
    assert dakar.split() == ["eu-west-3-wl1-dss-wlz-1", "Sonatel", "(Orange)", "Dakar", "SN", "internet", "its", "area"]
    assert "EC2 API" in result.stderr


def test_zones_table_is_whole_in_a_narrow_pipe(monkeypatch, run):
    monkeypatch.setenv("COLUMNS", "40")
    assert len(rows(run("zones"))) == 33


def test_zones_are_filtered(run):
    assert [row.split()[0] for row in rows(run("zones", "--carrier", "bt"))] == ["eu-west-2-wl2-man-wlz-1"]
    assert len(rows(run("zones", "--region", "us-east-1", "--country", "us"))) == 14
    assert rows(run("zones", "--region", "us-east-1", "--country", "ca")) == []


def test_zones_near_a_point_are_sorted_with_their_distance(run):
    """The latitude is south: a value that begins with a minus sign is no option."""
    result = run("zones", "--near", "-33.9,18.4", "--carrier", "orange")
    assert result.stdout.split("\n", 1)[0].split()[-1] == "KM"
    assert [(row.split()[0], row.split()[-1]) for row in rows(result)] == [
        ("eu-west-3-wl1-dss-wlz-1", "6607"),
        ("eu-west-3-wl1-cmn-wlz-1", "7978"),
    ]


def test_zones_as_json_have_every_field(run):
    result = run("zones", "--country", "MA", "--json")
    assert result.stderr == ""
    assert json.loads(result.stdout) == [
        {
            "name": "eu-west-3-wl1-cmn-wlz-1",
            "region": "eu-west-3",
            "group": "eu-west-3-wl1",
            "network_border_group": "eu-west-3-wl1-cmn-wlz-1",
            "internet_inbound": True,
            "catalogued": True,
            "zone_id": "euw3-wl1-cmn-wlz1",
            "carrier": "Orange",
            "city": "Casablanca",
            "country": "MA",
            "latitude": 33.57,
            "longitude": -7.59,
            "listing": "section",
            "evidence": "its code is in AWS's price list of 2025-09-11",
            "note": "name and group inferred from the price list's code",
        }
    ]
    near = json.loads(run("zones", "--country", "MA", "--near", "33.57,-7.59", "--json").stdout)
    assert near[0]["distance_km"] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--carrier", "Verizom"], "Error: carrier: no catalogued zone has 'Verizom'; known are BT, Bell"),
        (["--near", "95,0"], "Error: latitude: 95.0 is outside -90..90 degrees"),
        (["--near", "boston"], "'boston' is not a latitude and a longitude, such as 42.36,-71.06"),
        (["--near", "1,2,3"], "'1,2,3' is not a latitude and a longitude"),
        (["--nonsense"], "No such option"),
    ],
)
def test_wrong_input_ends_in_one_line_and_exit_code_2(run, arguments, says):
    result = run("zones", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


def test_version_is_the_installed_one(run):
    assert run("--version").stdout == "edgelib, version 0.1.0\n"


def test_sandbox_commands_are_the_real_ones(run, sandbox):
    @sandbox.command()
    @click.argument("words", nargs=-1)
    def echo(words):
        click.echo(" ".join(words))
        raise SystemExit(3)

    result = run("sandbox", "echo", "--", "--one", "two")
    assert (result.stdout, result.exit_code) == ("--one two\n", 3)
    assert "The real help." in run("sandbox", "--help").stdout
    assert "Usage: edgelib sandbox echo" in run("sandbox", "echo", "--help").stdout


def test_errors_that_edgelib_defines_are_one_line(run, sandbox):
    @sandbox.command()
    def refuse():
        raise ArgsError("count", 0, "builds nothing", "use 1")

    result = run("sandbox", "refuse")
    assert (result.stderr, result.exit_code) == ("Error: count: 0 builds nothing; use 1\n", 2)


def test_any_other_exception_is_not_swallowed(run, sandbox):
    @sandbox.command()
    def fail():
        raise ValueError("a defect")

    assert str(run("sandbox", "fail").exception) == "a defect"


@pytest.mark.parametrize("missing", ["moto", "psutil"])
def test_sandbox_without_its_extra_says_what_to_install(monkeypatch, run, sandbox, missing):
    """Whether the module is missing when the commands are loaded or only when one of them runs."""

    @sandbox.command()
    def start():
        __import__(missing)

    monkeypatch.setitem(sys.modules, missing, None)
    result = run("sandbox", "start")
    assert result.stderr == f'Error: edgelib sandbox needs {missing}: pip install "edgelib[sandbox]"\n'
    assert result.exit_code == 2


def test_missing_module_of_another_command_is_a_defect(monkeypatch, run):
    def look_up(**_filters):
        raise ModuleNotFoundError("No module named 'moto'", name="moto")

    monkeypatch.setattr("edgelib.zones.catalogue", look_up)
    assert isinstance(run("zones").exception, ModuleNotFoundError)


def test_missing_module_of_edgelib_itself_is_a_defect(monkeypatch, run):
    monkeypatch.setitem(sys.modules, SANDBOX, None)
    result = run("sandbox", "start")
    assert isinstance(result.exception, ModuleNotFoundError)


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_base_install_says_what_to_install(monkeypatch, capsys, missing):
    for name in list(sys.modules):
        if name == "edgelib.commands" or name.partition(".")[0] == missing:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    assert cli.main() == 2
    assert capsys.readouterr().err == ('edgelib: the command line needs click and rich: pip install "edgelib[cli]"\n')


def test_defect_in_the_commands_is_not_taken_for_a_missing_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "edgelib.commands", None)
    with pytest.raises(ModuleNotFoundError, match=r"edgelib\.commands"):
        cli.main()


def test_listing_zones_does_not_load_the_sandbox():
    program = (
        "import sys; from edgelib.cli import main\n"
        "for arguments in (['zones'], ['--help']):\n"
        "    sys.argv = ['edgelib', *arguments]\n"
        "    try: main()\n"
        "    except SystemExit as end: assert end.code == 0\n"
        "heavy = {'moto', 'boto3', 'flask', 'cryptography', 'edgelib.sandbox'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)
