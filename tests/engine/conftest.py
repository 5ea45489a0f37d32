"""A sandbox for the tests that run the real engine, and the example as a stack on it."""

import os
import shutil

import pytest
from engine_stack import ROOT, Stack

from edgelib.sandbox import lifecycle
from edgelib.sandbox.directory import SandboxDirectory


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    directory = SandboxDirectory(tmp_path_factory.mktemp("sandbox"))
    yield lifecycle.start(directory, environ=os.environ, report=print)
    lifecycle.stop(directory)


@pytest.fixture(scope="module")
def boston(sandbox, tmp_path_factory):
    """The example's program in a folder of its own, so that tests may edit it."""
    folder = tmp_path_factory.mktemp("examples") / "boston"
    shutil.copytree(ROOT / "examples" / "boston", folder)
    return Stack(folder, sandbox)
