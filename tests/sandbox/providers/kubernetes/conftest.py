"""The stand-in for pulumi-kubernetes against a real control plane."""

import itertools

import pytest

from edgelib.sandbox.providers import packages
from tests import kubectl as programs
from tests.sandbox.kubernetes.support import Cluster, machine
from tests.sandbox.providers.kubernetes.kubernetes_support import obj
from tests.sandbox.providers.provider_client import Client

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def kubernetes_programs(tmp_path_factory):
    """The folder of kubectl and helm."""
    return programs.unpack(tmp_path_factory.getbasetemp() / "kubectl")


@pytest.fixture(scope="session")
def kubernetes(tmp_path_factory, kubernetes_programs):
    """A cluster with one node."""
    made = Cluster(tmp_path_factory.mktemp("provider"), number=9, kubectl=kubernetes_programs / "kubectl")
    try:
        made.up()
        made.plane.join(machine("worker", internal_ip="10.0.1.9", cpu=64))
        made.await_condition("worker", "True")
        yield made
    finally:
        made.plane.destroy()


@pytest.fixture(scope="session")
def kubeconfig(kubernetes):
    """Its admin's kubeconfig, as text."""
    return kubernetes.kubeconfig.read_text()


@pytest.fixture
def connect(tmp_path, kubeconfig):
    """Makes a client of the stand-in on the cluster, with these settings of the provider."""
    clients = []

    def make(**settings):
        package = packages.load("kubernetes")
        clients.append(Client(package, tmp_path / "notes", {"kubeconfig": kubeconfig, **settings}))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def namespace(kubernetes):
    """A namespace of the test's own. It is left behind: deleting one takes the API 5 s."""
    name = f"test-{next(_numbers)}"
    kubernetes.apply(obj("v1", "Namespace", name=name))
    return name
