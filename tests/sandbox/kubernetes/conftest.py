"""One real control plane for the whole session, and kubectl to look at it as a user does."""

import pytest

from tests import kubectl as programs
from tests.sandbox.kubernetes.support import Cluster, machine


@pytest.fixture(scope="session")
def kubectl(tmp_path_factory):
    return programs.unpack(tmp_path_factory.getbasetemp() / "kubectl") / "kubectl"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory, kubectl):
    """One server, and one node that always runs."""
    made = Cluster(tmp_path_factory.mktemp("cluster"), number=1, kubectl=kubectl)
    try:
        made.up()
        made.plane.join(machine("steady", internal_ip="10.0.1.9"))
        made.await_condition("steady", "True")
        yield made
    finally:
        made.plane.destroy()
