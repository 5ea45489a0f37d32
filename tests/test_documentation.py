"""What the documentation shows works: every python block of README.md and docs/ runs."""

import collections
import inspect
import re
from pathlib import Path

import pytest

from edgelib.testing import deploy

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    pytest.param(page, block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE), 1)
]
VPC = "vpc-0123456789abcdef0"  # the one of docs/components/network.md
EXISTING = {
    VPC: {"cidrBlock": "10.0.0.0/16"},
    "subnet-0aaaaaaaaaaaaaaa0": {
        "vpcId": VPC,
        "availabilityZone": "us-east-1-wl1-bos-wlz-1",
        "cidrBlock": "10.0.1.0/24",
    },
    "subnet-0bbbbbbbbbbbbbbb0": {"vpcId": VPC, "availabilityZone": "us-east-1a", "cidrBlock": "10.0.2.0/24"},
    "rtb-carrier": {
        "vpcId": VPC,
        "routes": [{"cidrBlock": "0.0.0.0/0", "carrierGatewayId": "cagw-1"}],
        "associations": [{"subnetId": "subnet-0aaaaaaaaaaaaaaa0"}],
    },
    "rtb-main": {
        "vpcId": VPC,
        "routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}],
        "associations": [{"main": True}],
    },
}


@pytest.fixture(scope="module")
def names():
    """What the test blocks of a page have defined so far: they read as one file."""
    return collections.defaultdict(dict)


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_block_runs(page, block, names):
    code = compile(block, f"{page.name}, a python block", "exec")
    if "def test_" not in block:
        assert deploy(lambda: exec(code, {"__name__": "__main__"}), existing=EXISTING).resources
        return
    before = set(names[page])
    exec(code, names[page])
    new = [names[page][name] for name in set(names[page]) - before if name.startswith("test_")]
    assert new
    for test in new:
        if not inspect.signature(test).parameters:  # what takes fixtures is a test runner's to call
            test()


def test_first_program_of_the_readme_is_a_whole_site():
    _, block = BLOCKS[0].values
    recording = deploy(lambda: exec(block, {"__name__": "__main__"}))
    kinds = {resource.type for resource in recording.resources}
    assert {"edgelib:index:WavelengthVpc", "edgelib:index:BastionHost", "edgelib:index:K3sCluster"} <= kinds
    assert set(recording.exports) == {"carrierGatewayId", "kubeconfig", "sshConfig"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
