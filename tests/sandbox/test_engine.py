"""Which engine is taken, and what is said when there is none."""

import os
from pathlib import Path

import pytest

from edgelib.sandbox import engine
from edgelib.sandbox.engine import EngineNotFoundError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def no_build(tmp_path, monkeypatch):
    """A clone in which nothing was built."""
    built = tmp_path / "clone" / "tools" / "bin"
    monkeypatch.setattr(engine, "tools_bin", lambda: built)
    return built


@pytest.fixture
def build(fake_engine, monkeypatch):
    """A clone in which the engine was built."""
    built = fake_engine("built", version="v3.250.0")
    monkeypatch.setattr(engine, "tools_bin", lambda: built)
    return built


def path(*folders):
    return {"PATH": os.pathsep.join(map(str, folders))}


def test_a_recent_pulumi_on_path_is_taken_before_the_build(fake_engine, build):
    folder = fake_engine(version="v3.301.2")
    found = engine.find(path(folder))
    assert (found.directory, found.version, found.official) == (folder, "3.301.2", True)


@pytest.mark.parametrize(
    ("version", "official"), [("v3.250.0", True), ("v3.249.9", False), ("v4.0.0-alpha.1+dirty", True)]
)
def test_the_floor_decides(fake_engine, build, version, official):
    assert engine.find(path(fake_engine(version=version))).official is official


@pytest.mark.parametrize(
    "bad", [{"version": "hello"}, {"version": ""}, {"host": False}], ids=["no version", "silent", "no language host"]
)
def test_a_pulumi_that_cannot_serve_is_passed_over(fake_engine, build, bad):
    assert engine.find(path(fake_engine(**bad))).directory == build


def test_the_build_is_not_official_even_where_it_is_on_path(build):
    """As in a shell opened with `edgelib sandbox run`."""
    assert engine.find(path(build)).official is False


def test_a_language_host_elsewhere_on_path_will_do(fake_engine, no_build):
    engine_folder, host_folder = fake_engine(host=False), fake_engine("host")
    (host_folder / "pulumi").unlink()
    assert engine.find(path(engine_folder, host_folder)).official is True


def test_an_engine_behind_a_link_has_its_language_host_where_it_points(fake_engine, no_build, tmp_path):
    links = tmp_path / "links"
    links.mkdir()
    (links / "pulumi").symlink_to(fake_engine() / "pulumi")
    assert engine.find(path(links)).directory == links


def test_in_a_clone_without_any_engine_the_ways_out_are_named(fake_engine, no_build):
    old = fake_engine(version="v3.100.0")
    with pytest.raises(EngineNotFoundError) as error:
        engine.find(path(old))
    message = str(error.value)
    assert f"{old}/pulumi is 3.100.0, older than 3.250.0" in message
    assert "make setup" in message
    assert str(no_build.parent / "build.py") in message
    assert "https://www.pulumi.com/docs/iac/download-install/" in message


def test_outside_a_clone_only_the_cli_is_named(monkeypatch):
    monkeypatch.setattr(engine, "tools_bin", lambda: None)
    with pytest.raises(EngineNotFoundError, match=r"no `pulumi`.*3\.250\.0 or newer: https://www\.pulumi") as error:
        engine.find({"PATH": ""})
    assert "make setup" not in str(error.value)


def test_asking_for_the_version_leaves_the_users_pulumi_home_alone(fake_engine, no_build, tmp_path):
    folder = fake_engine()
    script = (folder / "pulumi").read_text().replace("then", 'then echo "$PULUMI_HOME" > "$0.home";')
    (folder / "pulumi").write_text(script)
    engine.find({**path(folder), "PULUMI_HOME": "/home/ann/.pulumi"})
    assert not Path((folder / "pulumi.home").read_text().strip()).exists()


def test_this_checkout_is_a_clone():
    assert engine.tools_bin() == ROOT / "tools" / "bin"


def test_the_floor_is_the_pinned_engine():
    pins = (ROOT / "tools" / "engine" / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{engine.floor()}" in pins
