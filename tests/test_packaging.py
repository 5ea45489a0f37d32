"""What an installed wheel holds, and what importing it costs and offers."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import edgelib

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--out-dir", folder, ROOT], check=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_wheel_holds_one_top_level_package_and_all_of_its_files(wheel):
    top = {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")}
    assert top == {"edgelib"}
    tracked = subprocess.run(
        ["git", "ls-files", "edgelib"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    missing = [name for name in tracked if not (wheel / name).is_file()]
    assert not missing


def test_installed_wheel_is_used_with_its_own_dependencies_alone(wheel):
    """Neither the sandbox nor the command line is imported with the components."""
    program = (
        "from edgelib import WavelengthVpc, WavelengthVpcArgs, BastionHost, BastionHostArgs, NodePool, NodePoolArgs, Network\n"
        "import sys, edgelib\n"
        "extras = {'click', 'rich', 'moto', 'boto3', 'flask'} & set(sys.modules)\n"
        "print(edgelib.__file__, extras or '')"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={"PYTHONPATH": str(wheel)},
        cwd=wheel,
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stdout.strip() == str(wheel / "edgelib" / "__init__.py")


@pytest.mark.parametrize("door", ["components", "stacks"])
def test_top_level_door_refuses_to_be_a_second_copy(door):
    ran = subprocess.run(
        [sys.executable, "-c", f"import {door}"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert ran.returncode != 0
    assert f"from edgelib.{door} import" in ran.stderr


def test_everything_promised_is_there():
    assert sorted(edgelib.__all__, key=str.lower) == sorted(set(edgelib.__all__), key=str.lower)
    assert all(hasattr(edgelib, name) for name in edgelib.__all__)
