"""Machines as nodes: they join, stop and come back, and the real scheduler places pods on them."""

import pytest

from edgelib.sandbox.kubernetes.nodes import quantity, registration, taint
from tests.sandbox.kubernetes.support import eventually, kill, machine, pod

TAINTED = "example.test/zone=boston:NoSchedule"


@pytest.fixture
def join(cluster):
    """Joins machines, and takes them away again after the test."""
    joined = []

    def join(name, **changed):
        joined.append(name)
        cluster.plane.join(machine(name, **changed))
        cluster.await_condition(name, "True")
        return cluster.get("node", name)

    yield join
    for name in joined:
        cluster.plane.halt(name)
        cluster.kubectl("delete", "node", name, "--ignore-not-found")


def test_a_machine_joins_as_what_it_is(cluster, join):
    node = join("edge-0", labels={"example.test/pool": "edge", "topology.kubernetes.io/zone": "z"}, taints=(TAINTED,))
    labels = node["metadata"]["labels"]
    assert labels["topology.kubernetes.io/zone"] == "z"
    assert labels["kubernetes.io/hostname"] == "edge-0"
    assert labels["kubernetes.io/arch"] == "amd64"
    assert {"key": "example.test/zone", "value": "boston", "effect": "NoSchedule"} in node["spec"]["taints"]
    assert {each["type"]: each["address"] for each in node["status"]["addresses"]} == {
        "InternalIP": "10.0.1.7",
        "ExternalIP": "127.18.0.9",
        "Hostname": "edge-0",
    }
    assert node["status"]["capacity"] == {"cpu": "4", "memory": "16Gi", "pods": "110"}
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.36.3+k3s1"
    shown = cluster.kubectl("get", "node", "edge-0", "-o", "wide", "--no-headers").split()
    assert shown[1] == "Ready"
    assert {"10.0.1.7", "127.18.0.9", "v1.36.3+k3s1"} <= set(shown)
    eventually(
        lambda: cluster.get("node", "edge-0")["spec"].get("podCIDR", "").startswith("10.42."), what="its pod range"
    )


def test_joining_again_changes_nothing(cluster, join):
    join("edge-1")
    eventually(lambda: "podCIDR" in cluster.get("node", "edge-1")["spec"], what="its pod range")
    eventually(lambda: not cluster.get("node", "edge-1")["spec"].get("taints"), what="its not-ready taint to go")
    before = cluster.get("node", "edge-1")["metadata"]["resourceVersion"]
    cluster.plane.join(machine("edge-1", labels={"example.test/pool": "other"}, taints=(TAINTED,)))
    assert cluster.get("node", "edge-1")["metadata"]["resourceVersion"] == before


def test_a_machine_that_stops_is_not_ready_soon_and_is_taken_over_when_it_comes_back(cluster, join):
    born = join("edge-2", labels={"example.test/pool": "first", "example.test/old": "stays"}, taints=(TAINTED,))
    steady = cluster.condition_since("steady")
    cluster.apply(pod("stuck", nodeSelector={"kubernetes.io/hostname": "edge-2"}, tolerations=[{"operator": "Exists"}]))
    cluster.kubectl("wait", "pod/stuck", "--for=condition=Ready", "--timeout=30s")
    cluster.plane.halt("edge-2")
    silent = cluster.renewed("edge-2")
    cluster.await_condition("edge-2", "Unknown", seconds=12)
    seen = cluster.renewed("steady")
    eventually(lambda: cluster.renewed("steady") != seen, what="a heartbeat of the one that runs")
    assert cluster.renewed("edge-2") == silent
    assert cluster.condition_since("steady") == steady
    cluster.kubectl("wait", "pod/stuck", "--for=condition=Ready=false", "--timeout=30s")
    cluster.kubectl("delete", "pod/stuck", "--wait=false")
    assert "deletionTimestamp" in cluster.get("pod", "stuck")["metadata"]

    again = join("edge-2", labels={"example.test/pool": "second"}, internal_ip="10.0.1.8", external_ip=None)
    assert again["metadata"]["uid"] == born["metadata"]["uid"]
    assert again["metadata"]["labels"]["example.test/pool"] == "second"
    assert again["metadata"]["labels"]["example.test/old"] == "stays"
    assert "taints" in again["spec"], "taints count at the first registration only"
    assert [each["type"] for each in again["status"]["addresses"]] == ["InternalIP", "Hostname"]
    assert again["status"]["addresses"][0]["address"] == "10.0.1.8"
    assert again["status"]["nodeInfo"]["bootID"] != born["status"]["nodeInfo"]["bootID"]
    eventually(lambda: cluster.renewed("edge-2") != silent, what="its heartbeats again")
    cluster.kubectl("wait", "pod/stuck", "--for=delete", "--timeout=30s")


def test_a_node_that_was_deleted_is_made_anew(cluster, join):
    born = join("edge-3")
    cluster.plane.halt("edge-3")
    cluster.kubectl("delete", "node", "edge-3")
    again = join("edge-3", labels={"example.test/pool": "second"})
    assert again["metadata"]["uid"] != born["metadata"]["uid"]
    assert again["metadata"]["labels"]["example.test/pool"] == "second"


def test_heartbeats_survive_the_end_of_who_sends_them(cluster):
    """A successor has another identity, and leases of the one before are to be had at once."""
    since = cluster.condition_since("steady")
    holder = cluster.get("lease", "steady", "-n", "kube-node-lease")["spec"]["holderIdentity"]
    kill(cluster.pids()["kwok"])
    cluster.up()
    eventually(
        lambda: (
            cluster.get("lease", "steady", "-n", "kube-node-lease")["spec"].get("holderIdentity") not in (None, holder)
        ),
        what="a new holder of the lease",
    )
    assert cluster.condition("steady") == "True"
    assert cluster.condition_since("steady") == since


def test_halting_an_unknown_machine_is_fine(cluster):
    cluster.plane.halt("never-was")


def test_a_taint_keeps_pods_out_and_a_toleration_lets_them_in(cluster, join):
    join("edge-4", taints=(TAINTED,))
    here = {"kubernetes.io/hostname": "edge-4"}
    tolerated = [{"key": "example.test/zone", "value": "boston", "effect": "NoSchedule"}]
    cluster.apply(
        pod("stays-out", nodeSelector=here),
        pod("comes-in", nodeSelector=here, tolerations=tolerated),
    )
    cluster.kubectl("wait", "pod/comes-in", "--for=condition=Ready", "--timeout=30s")
    placed = cluster.get("pod", "comes-in")
    assert placed["spec"]["nodeName"] == "edge-4"
    assert placed["status"]["hostIP"] == "10.0.1.7"
    cluster.kubectl("wait", "pod/stays-out", "--for=condition=PodScheduled=false", "--timeout=30s")
    (condition,) = cluster.get("pod", "stays-out")["status"]["conditions"]
    assert "untolerated taint" in condition["message"]
    cluster.kubectl("delete", "pod/stays-out", "pod/comes-in", "--timeout=30s")


def test_a_selector_places_a_pod(cluster, join):
    join("edge-5", labels={"example.test/pool": "elsewhere"})
    cluster.apply(pod("picky", nodeSelector={"example.test/pool": "elsewhere"}))
    cluster.kubectl("wait", "pod/picky", "--for=condition=Ready", "--timeout=30s")
    assert cluster.get("pod", "picky")["spec"]["nodeName"] == "edge-5"
    cluster.kubectl("delete", "pod/picky", "--timeout=30s")


@pytest.mark.parametrize(
    ("amount", "written"), [(16 * 2**30, "16Gi"), (3 * 2**29, "1536Mi"), (1000, "1000"), (2**52, "4096Ti")]
)
def test_memory_is_written_as_the_api_writes_it_back(amount, written):
    assert quantity(amount) == written


def test_a_role_is_a_label():
    labels = registration(machine("s", labels={"node-role.kubernetes.io/control-plane": "true"}))["metadata"]["labels"]
    assert labels["node-role.kubernetes.io/control-plane"] == "true"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a/b=c:NoSchedule", {"key": "a/b", "value": "c", "effect": "NoSchedule"}),
        ("a/b:NoExecute", {"key": "a/b", "effect": "NoExecute"}),
        ("a=:NoExecute", {"key": "a", "value": "", "effect": "NoExecute"}),
    ],
)
def test_taints_are_read_as_kubernetes_writes_them(text, parts):
    assert taint(text) == parts
