"""A sandbox for the tests that run the real engine, and the example as a stack on it."""

import os
import shutil

import pytest
from engine_stack import ROOT, Stack

from edgelib.sandbox import lifecycle
from edgelib.sandbox.directory import SandboxDirectory
from tests import kubectl as programs


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    directory = SandboxDirectory(tmp_path_factory.mktemp("sandbox"))
    yield lifecycle.start(directory, environ=os.environ, report=print)
    lifecycle.stop(directory)


@pytest.fixture(scope="module")
def example(sandbox, tmp_path_factory):
    """Copies an example's project into a folder of its own, so that tests may edit it."""

    def copy(name):
        folder = tmp_path_factory.mktemp("examples") / name
        shutil.copytree(ROOT / "examples" / name, folder)
        return folder, sandbox

    return copy


@pytest.fixture(scope="module")
def boston(example):
    return Stack(*example("boston"))


@pytest.fixture(scope="module")
def boston_k3s(example):
    return Stack(*example("boston-k3s"))


@pytest.fixture(scope="session")
def kubectl(tmp_path_factory):
    return programs.unpack(tmp_path_factory.mktemp("programs")) / "kubectl"
