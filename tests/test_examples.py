"""Examples that bring tests of their own: they pass where a user has them, outside this repository."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
TESTED = sorted({tests.parent for tests in EXAMPLES.glob("*/test_*.py")})


def test_an_example_shows_how_to_test():
    assert [folder.name for folder in TESTED] == ["unit-testing"]


@pytest.mark.parametrize("folder", TESTED, ids=lambda folder: folder.name)
def test_tests_of_the_example_pass(folder, tmp_path):
    project = shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=project, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
