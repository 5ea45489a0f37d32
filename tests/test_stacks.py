"""The bundled programs, run as the engine would run them, against recorded providers."""

from pathlib import Path

import pulumi_aws as aws
import pytest

from edgelib.testing import UNKNOWN, deploy

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted(project.parent for project in (ROOT / "examples").glob("*/Pulumi.yaml"))
BOSTON = "us-east-1-wl1-bos-wlz-1"


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_example_runs(folder, preview):
    recording = deploy(folder, project=folder.name, preview=preview)
    assert recording.exports
    assert (UNKNOWN in recording.exports.values()) is preview


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_example_is_complete(folder):
    assert {"Pulumi.yaml", "Pulumi.sandbox.yaml", "__main__.py", "README.md"} <= {
        path.name for path in folder.iterdir()
    }


def test_boston_takes_its_settings_from_configuration():
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGExampleExampleExampleExampleExample me@example"
    config = {
        "nodes": "3",
        "instanceType": "t3.xlarge",
        "sshAllowedCidrs": '["203.0.113.0/24"]',
        "sshAuthorizedKeys": f'["{key}"]',
    }
    recording = deploy(ROOT / "examples" / "boston", project="boston", config=config)
    assert sorted(recording.exports["nodeCarrierIps"]) == ["edge-1", "edge-2", "edge-3"]
    nodes = [resource for resource in recording.all(aws.ec2.Instance) if resource.name.startswith("edge-")]
    assert {node.inputs["instanceType"] for node in nodes} == {"t3.xlarge"}
    assert all(key in node.inputs["userData"] for node in nodes)
    assert "HostName" in recording.exports["sshConfig"]


def test_root_project_builds_the_configured_zone():
    recording = deploy(ROOT / "edgelib" / "stacks", config={"zone": "us-west-2-wl1-las-wlz-1", "nodes": "1"})
    assert list(recording.exports["nodeCarrierIps"]) == ["edge-1"]
    assert recording.one(aws.ec2.Subnet, "site-public-us-west-2-wl1-las-wlz-1").inputs["region"] == "us-west-2"
