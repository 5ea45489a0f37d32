"""Which provider plugins a sandbox gets, and that the engine regards them as installed."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from edgelib.sandbox import engine, plugins
from edgelib.sandbox.directory import SandboxDirectory
from edgelib.sandbox.engine import Engine
from edgelib.sandbox.plugins import Plugin

AWS = {"aws": "7.51.1"}

DOWNLOADS = """
echo "$PULUMI_HOME $AWS_PROFILE $@" >> "$0.calls"
folder="$PULUMI_HOME/plugins/resource-$4-$5"
mkdir -p "$folder"; echo binary > "$folder/pulumi-resource-$4"; chmod +x "$folder/pulumi-resource-$4"
"""
FAILS = """
echo "$@" >> "$0.calls"
mkdir -p "$PULUMI_HOME/plugins/resource-$4-$5"; touch "$PULUMI_HOME/plugins/resource-$4-$5.partial"
echo "no route to host" >&2; exit 255
"""


@pytest.fixture
def directory(tmp_path):
    made = SandboxDirectory(tmp_path / "a project" / ".sandbox")
    made.prepare()
    return made


class Installer:
    def __init__(self, directory, home):
        self.directory = directory
        self.environ = {"HOME": str(home), "PATH": os.environ["PATH"], "AWS_PROFILE": "production"}
        self.said = []

    def __call__(self, folder, *, official=True, versions=AWS):
        found = Engine(directory=folder, version="3.250.0", official=official)
        return plugins.install(self.directory, found, environ=self.environ, versions=versions, report=self.said.append)


@pytest.fixture
def install(directory, tmp_path):
    return Installer(directory, tmp_path / "home")


def in_users_cache(home, *, package="aws", version="7.51.1", whole=True):
    folder = home / ".pulumi" / "plugins" / f"resource-{package}-v{version}"
    folder.mkdir(parents=True)
    (folder / f"pulumi-resource-{package}").write_text("the user's own")
    (folder / f"pulumi-resource-{package}").chmod(0o755)
    if not whole:
        folder.with_name(f"{folder.name}.partial").touch()


def calls(folder: Path) -> list[str]:
    file = folder / "pulumi.calls"
    return file.read_text().splitlines() if file.exists() else []


def test_the_versions_are_those_of_the_installed_sdks():
    assert plugins.wanted()["aws"] == metadata.version("pulumi-aws")
    assert set(plugins.wanted()) == {"aws", "command", "kubernetes", "random", "tls"}


def test_an_sdk_that_is_not_installed_needs_no_plugin(monkeypatch):
    monkeypatch.setattr(plugins, "PACKAGES", ("aws", "no-such-package"))
    assert set(plugins.wanted()) == {"aws"}


def test_with_the_built_engine_all_are_stand_ins(install, fake_engine):
    folder = fake_engine(body=DOWNLOADS)
    found = install(folder, official=False, versions={**AWS, "tls": "5.6.2"})
    assert found == (
        Plugin(package="aws", version="7.51.1", kind="stand-in"),
        Plugin(package="tls", version="5.6.2", kind="stand-in"),
    )
    assert calls(folder) == []


def test_an_official_engine_downloads_into_the_sandbox_and_knows_no_account_of_the_user(
    install, fake_engine, directory
):
    folder = fake_engine(body=DOWNLOADS)
    assert install(folder) == (Plugin(package="aws", version="7.51.1", kind="official"),)
    assert calls(folder) == [f"{directory.pulumi_home}  plugin install resource aws v7.51.1"]
    assert any("downloading the official aws plugin 7.51.1" in line for line in install.said)


def test_what_is_there_is_neither_downloaded_nor_changed_again(install, fake_engine):
    folder = fake_engine(body=DOWNLOADS)
    assert install(folder) == install(folder)
    assert len(calls(folder)) == 1


def test_the_users_own_plugin_is_used_without_a_download(install, fake_engine, directory, tmp_path):
    in_users_cache(tmp_path / "home")
    folder = fake_engine(body=FAILS)
    assert install(folder) == (Plugin(package="aws", version="7.51.1", kind="official"),)
    assert calls(folder) == []
    program = directory.plugins / "resource-aws-v7.51.1" / "pulumi-resource-aws"
    assert program.read_text() == "the user's own"
    assert not program.parent.is_symlink(), "the engine skips a version folder that is a link"


def test_a_half_downloaded_plugin_of_the_user_is_not_used(install, fake_engine, tmp_path):
    in_users_cache(tmp_path / "home", whole=False)
    assert install(fake_engine(body=FAILS))[0].kind == "stand-in"


def test_where_nothing_can_be_downloaded_stand_ins_serve_and_it_is_said_once(install, fake_engine, directory):
    folder = fake_engine(body=FAILS)
    found = install(folder, versions={**AWS, "random": "4.21.4", "tls": "5.6.2"})
    assert [plugin.kind for plugin in found] == ["stand-in"] * 3
    assert len(calls(folder)) == 1, "one failed download is enough to know"
    assert any("could not be downloaded (exit code 255" in line and "stand-in" in line for line in install.said)
    assert "no route to host" in directory.plugins_log.read_text()
    assert list(directory.plugins.glob("*.partial")) == [], "the engine would not see the stand-in"


def test_a_download_that_hangs_is_given_up(install, fake_engine, monkeypatch):
    monkeypatch.setattr(plugins, "DOWNLOAD_SECONDS", 0.3)
    assert install(fake_engine(body="exec sleep 60"))[0].kind == "stand-in"
    assert any("not downloaded within" in line for line in install.said)


def test_a_stack_keeps_its_kind_of_provider(install, fake_engine):
    """Their states differ; the official one, once it could be had, must not take over half-way."""
    install(fake_engine("no-network", body=FAILS))
    folder = fake_engine("network", body=DOWNLOADS)
    assert install(folder)[0].kind == "stand-in"
    assert calls(folder) == []


def test_a_new_version_of_the_sdk_gets_its_plugin_beside_the_old(install, fake_engine, directory):
    folder = fake_engine()
    install(folder, official=False)
    install(folder, official=False, versions={"aws": "7.60.0"})
    assert {each.name for each in directory.plugins.iterdir()} == {"resource-aws-v7.51.1", "resource-aws-v7.60.0"}


def test_a_stand_in_follows_its_virtual_environment(install, fake_engine, directory, monkeypatch):
    folder = fake_engine()
    install(folder, official=False)
    monkeypatch.setattr(sys, "executable", "/moved/.venv/bin/python")
    install(folder, official=False)
    assert "/moved/.venv/bin/python" in (directory.plugins / "resource-aws-v7.51.1" / "pulumi-resource-aws").read_text()


def test_a_stand_in_runs_from_an_interpreter_with_a_long_path_and_spaces(tmp_path):
    """The system cuts a #! line; and the engine starts it in the user's project, whose modules must not be taken."""
    python = tmp_path / ("a folder " * 12) / "it's python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    program = tmp_path / "pulumi-resource-aws"
    program.write_text(plugins.stand_in_script("aws", python).replace("edgelib.sandbox.providers", "probe"))
    program.chmod(0o755)
    library = tmp_path / "library"
    library.mkdir()
    (library / "probe.py").write_text("import sys\ndef main(package): print(package, *sys.argv[1:])")
    project = tmp_path / "project"
    project.mkdir()
    (project / "probe.py").write_text("raise SystemExit('a module of the project was taken')")
    done = subprocess.run(
        [str(program), "127.0.0.1:5", "--x=a b"],
        cwd=project,
        env={"PYTHONPATH": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("aws 127.0.0.1:5 --x=a b\n", "")


@pytest.mark.engine
def test_the_real_engine_regards_stand_ins_as_installed(install, directory):
    found = engine.find(os.environ)
    install(found.directory, official=False, versions={**AWS, "random": "4.21.4"})
    listed = subprocess.run(
        [str(found.directory / "pulumi"), "plugin", "ls", "--json"],
        env={"PULUMI_HOME": str(directory.pulumi_home), "PULUMI_SKIP_UPDATE_CHECK": "1", "HOME": str(directory.root)},
        cwd=directory.root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert '"name": "aws"' in listed
    assert '"version": "7.51.1"' in listed
    assert '"name": "random"' in listed
