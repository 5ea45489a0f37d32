"""Programs in folders run as Pulumi's own host runs them, and leave the test's process as it was."""

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from edgelib.testing import UNKNOWN, deploy

MAIN = """
    import json, pathlib
    import pulumi
    import network
    pulumi.export("vpc_id", network.vpc.id)
    pulumi.export("data", json.loads(pathlib.Path("data.json").read_text()))
    pulumi.export("name", __name__)
    pulumi.export("cidr", pulumi.Config().get("cidr"))
    pulumi.export("region", pulumi.Config("aws").get("region"))
    pulumi.export("project", pulumi.get_project())
"""
NETWORK = """
    import pulumi
    import pulumi_aws as aws
    vpc = aws.ec2.Vpc("main", cidr_block=pulumi.Config().get("cidr") or "10.0.0.0/16")
"""
PULUMI = """
    name: my-site
    runtime: python
    config:
      cidr:
        type: string
        default: 10.7.0.0/16
      spot: true
      unset:
        type: string
      aws:region:
        value: eu-west-2
"""


def write(folder: Path, **files: str) -> Path:
    names = {"main": "__main__.py", "network": "network.py", "pulumi": "Pulumi.yaml", "data": "data.json"}
    folder.mkdir(parents=True, exist_ok=True)
    for key, text in files.items():
        (folder / names[key]).write_text(dedent(text))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "site", main=MAIN, network=NETWORK, pulumi=PULUMI, data="[1]")


def test_a_folder_runs_with_its_own_modules_files_and_configuration(folder: Path) -> None:
    recording = deploy(folder)
    assert recording.exports == {
        "vpc_id": "vpc-main",
        "data": [1],
        "name": "__main__",
        "cidr": "10.7.0.0/16",
        "region": "eu-west-2",
        "project": "my-site",
    }
    assert recording.named("main").inputs["cidrBlock"] == "10.7.0.0/16"
    assert deploy(str(folder), preview=True).exports["vpc_id"] is UNKNOWN


def test_the_test_overrides_project_and_configuration(folder: Path) -> None:
    recording = deploy(folder, project="other", config={"cidr": "10.8.0.0/16", "aws:region": "us-east-1"})
    assert (recording.exports["project"], recording.exports["cidr"]) == ("other", "10.8.0.0/16")
    assert recording.exports["region"] == "us-east-1"


def test_local_modules_run_anew_each_time_and_do_not_stay(folder: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other", main="import network", network="import pulumi; pulumi.export('other', True)")
    before = (list(sys.path), set(sys.modules), Path.cwd())
    assert len(deploy(folder).resources) == 1
    assert len(deploy(folder).resources) == 1
    assert deploy(other).exports == {"other": True}
    assert "network" not in sys.modules
    assert list(sys.path) == before[0]
    assert Path.cwd() == before[2]


def test_a_module_that_the_test_has_loaded_is_hidden_and_comes_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = type(sys)("network")
    monkeypatch.setitem(sys.modules, "network", mine)
    assert deploy(folder).exports["vpc_id"] == "vpc-main"
    assert sys.modules["network"] is mine


def test_a_failing_program_leaves_the_process_as_it_was(folder: Path) -> None:
    write(folder, main="import network\nraise SystemExit('no zones')")
    before = (list(sys.path), Path.cwd())
    with pytest.raises(SystemExit, match="no zones"):
        deploy(folder)
    assert (list(sys.path), Path.cwd()) == before
    assert "network" not in sys.modules


def test_main_in_the_project_file_names_another_folder(tmp_path: Path) -> None:
    write(tmp_path, pulumi="name: whole\nruntime: python\nmain: stacks/one\n")
    write(tmp_path / "stacks" / "one", main="import pulumi; pulumi.export('project', pulumi.get_project())")
    assert deploy(tmp_path).exports == {"project": "whole"}


def test_a_file_can_be_named_itself(folder: Path) -> None:
    assert deploy(folder / "__main__.py").exports["project"] == "my-site"


def test_a_folder_without_a_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no Pulumi program: .*__main__\.py does not exist"):
        deploy(tmp_path)


def test_async_programs_run_with_pulumi_run(tmp_path: Path) -> None:
    text = """
        import pulumi
        async def main():
            return {"answer": 42}
        pulumi.run(main)
    """
    assert deploy(write(tmp_path, main=text)).exports == {"answer": 42}
