"""One story: two clusters of one program, one of them with three servers. Each test goes on from the one before."""

import shutil
import threading
from pathlib import Path

import pytest
import yaml
from cluster_looks import connect, eventually, nodes, ready_nodes
from engine_stack import Stack
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from edgelib.sandbox import lifecycle

pytestmark = pytest.mark.engine

INSTANCE = "aws:ec2/instance:Instance"
SERVERS = ["north-server-1", "north-server-2", "north-server-3"]


@pytest.fixture(scope="module")
def clusters(sandbox, tmp_path_factory):
    lifecycle.reset(sandbox.directory)
    folder = tmp_path_factory.mktemp("programs") / "clusters"
    shutil.copytree(Path(__file__).parent / "programs" / "clusters", folder)
    return Stack(folder, sandbox)


def kubeconfig(stack, name):
    return stack.outputs()[name]["kubeconfig"]


def test_both_come_up_with_nodes_of_their_own(clusters):
    done = clusters.up()
    assert done.code == 0, done
    assert ready_nodes(connect(kubeconfig(clusters, "north"))) == {*SERVERS, "north-edge-1"}
    assert ready_nodes(connect(kubeconfig(clusters, "south"))) == {"south-server-1", "south-edge-1"}


def test_one_clusters_administrator_is_nobody_in_the_other(clusters):
    north, south = (yaml.safe_load(kubeconfig(clusters, name)) for name in ("north", "south"))
    south["users"][0]["user"] = north["users"][0]["user"]
    with pytest.raises(Exception, match="Unauthorized"):
        nodes(connect(yaml.safe_dump(south)))


def test_every_server_answers_at_its_own_context(clusters):
    text = kubeconfig(clusters, "north")
    addresses = {each["cluster"]["server"] for each in yaml.safe_load(text)["clusters"]}
    assert len(addresses) == 3
    for server in SERVERS:
        assert len(nodes(connect(text, server))) == 4


class Watcher(threading.Thread):
    """Asks the servers in turn, without a pause, and notes when none of them answered."""

    def __init__(self, text):
        super().__init__()
        self.apis = [connect(text, server) for server in SERVERS]
        for api in self.apis:
            api.api_client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        self.done, self.rounds, self.outages = threading.Event(), 0, 0

    def run(self):
        while not self.done.is_set():
            self.rounds += 1
            self.outages += not any(map(self.answers, self.apis))

    @staticmethod
    def answers(api):
        try:
            return api.read_namespace("default", _request_timeout=5).metadata.name == "default"
        except (ApiException, HTTPError, OSError):  # one that starts answers, too, but not with what was asked for
            return False


def test_the_api_stays_up_while_its_servers_are_replaced(clusters):
    watcher = Watcher(kubeconfig(clusters, "north"))
    watcher.start()
    try:
        clusters.edit('"disable": ["traefik"]', '"disable": ["servicelb"]')
        done = clusters.up()
    finally:
        watcher.done.set()
        watcher.join()
    assert done.code == 0, done
    replaced = [(op, name) for op, kind, name in done.steps if kind == INSTANCE and op != "replace"]
    assert replaced == [(op, name) for name in SERVERS for op in ("delete-replaced", "create-replacement")]
    assert watcher.rounds > 20
    assert watcher.outages == 0, f"{watcher.outages} of {watcher.rounds}"
    north = connect(kubeconfig(clusters, "north"))
    eventually(lambda: ready_nodes(north) == {*SERVERS, "north-edge-1"}, "all are Ready")


def test_destroy_leaves_no_control_plane(clusters):
    done = clusters.destroy()
    assert done.code == 0, done
    assert clusters.account() == {}

    def left():
        return lifecycle.status(clusters.sandbox.directory, environ=clusters.environment).clusters

    eventually(lambda: not left(), "no control plane is left")
