"""Providers against the emulated AWS."""

import os

import pytest

from edgelib.sandbox.providers import packages
from tests.sandbox.aws.support import Server
from tests.sandbox.providers.provider_client import Client


@pytest.fixture(scope="session")
def running_aws(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name in [each for each in os.environ if each.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        server = Server(tmp_path_factory.mktemp("aws") / "account")
        yield server
        server.stop()


@pytest.fixture
def account(running_aws):
    """An empty account."""
    running_aws.control("faults", "DELETE")
    running_aws.control("reset", "POST")
    return running_aws


@pytest.fixture
def connect(tmp_path, account):
    """Makes a client of the aws stand-in on the account: each is a provider process of its own, on one PULUMI_HOME."""
    clients = []

    def make(package="aws", **config):
        settings = (
            {"region": "us-east-1", "endpoints": f'[{{"": "{account.url}"}}]', **config} if package == "aws" else config
        )
        clients.append(Client(packages.load(package), tmp_path / "notes", settings))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def aws(connect):
    return connect(defaultTags='{"tags": {"team": "edge"}}')
