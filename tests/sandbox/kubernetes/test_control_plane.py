"""A real control plane: who it is, whom it lets in, what it keeps, and that it comes back."""

import base64
import json
import ssl
import stat
from dataclasses import replace

import psutil
import pytest
from kubernetes.client import CoreV1Api

from edgelib.sandbox.kubernetes.specs import ClusterSpec, IncompleteClusterError
from tests.sandbox.kubernetes.support import (
    Authorities,
    Cluster,
    accepts,
    alive,
    eventually,
    handshake,
    kill,
    machine,
    pod,
)


def test_an_admin_certificate_made_by_hand_works_with_kubectl(cluster):
    server = json.loads(cluster.kubectl("version", "-o", "json"))["serverVersion"]
    assert cluster.binaries.official or server["gitVersion"] == "v1.36.3"
    assert "system:masters" in cluster.kubectl("auth", "whoami")
    assert cluster.kubectl("auth", "can-i", "*", "*").strip() == "yes"


@pytest.mark.parametrize("name", ["api.example.test", "10.1.0.5", "kubernetes.default.svc", "10.43.0.1", "server-0"])
def test_its_certificate_holds_the_names_that_were_asked_for_and_those_of_k3s(cluster, name):
    handshake(cluster.servers[0].address, name=name, authority=cluster.authorities.root.crt)


def test_a_name_that_was_not_asked_for_fails(cluster):
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(cluster.servers[0].address, name="other.example.test", authority=cluster.authorities.root.crt)


def test_its_certificate_comes_from_the_given_ca(cluster):
    with pytest.raises(ssl.SSLCertVerificationError, match="signature failure"):
        handshake(cluster.servers[0].address, name="api.example.test", authority=Authorities().root.crt)


def test_a_client_of_another_ca_is_refused(cluster, tmp_path):
    stranger = tmp_path / "kubeconfig"
    stranger.write_text(cluster.kubeconfig_of(Authorities().admin()))
    done = cluster.try_kubectl("get", "nodes", kubeconfig=stranger)
    assert done.returncode != 0
    assert "Unauthorized" in done.stderr or "must be logged in" in done.stderr


def test_the_official_client_is_admin_too(cluster):
    with cluster.plane.client() as api:
        assert "default" in [each.metadata.name for each in CoreV1Api(api).list_namespace().items]


def test_service_accounts_get_tokens_that_count_and_the_ca(cluster, tmp_path):
    token = cluster.kubectl("create", "token", "default").strip()
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["iss"] == "https://kubernetes.default.svc.cluster.local"
    bearer = json.loads(cluster.kubeconfig.read_text())
    bearer["users"][0]["user"] = {"token": token}
    (tmp_path / "kubeconfig").write_text(json.dumps(bearer))
    known = cluster.try_kubectl("get", "nodes", kubeconfig=tmp_path / "kubeconfig")
    assert 'User "system:serviceaccount:default:default" cannot list' in known.stderr
    eventually(lambda: cluster.get("configmap", "-n", "default")["items"], what="the CA in the namespace")
    assert cluster.get("configmap", "kube-root-ca.crt")["data"]["ca.crt"] == cluster.spec.tls["server-ca.crt"]


def test_secrets_are_encrypted_at_rest_and_nothing_else_is_open_to_others(cluster):
    cluster.kubectl("create", "secret", "generic", "hidden", "--from-literal=word=correct-horse-battery")
    cluster.kubectl("create", "configmap", "open", "--from-literal=word=plain-horse-battery")
    files = [file for file in (cluster.directory / "etcd").rglob("*") if file.is_file()]
    stored = b"".join(file.read_bytes() for file in files)
    assert b"plain-horse-battery" in stored
    assert b"correct-horse-battery" not in stored
    assert stat.S_IMODE(cluster.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((cluster.directory / "encryption.json").stat().st_mode) == 0o600
    keys = list((cluster.directory / "credentials").rglob("*.key"))
    assert keys
    assert {stat.S_IMODE(file.stat().st_mode) for file in keys} == {0o600}


def test_no_key_is_in_the_arguments_of_a_process(cluster):
    for pid in cluster.pids().values():
        assert "PRIVATE KEY" not in " ".join(psutil.Process(pid).cmdline())


def test_only_the_api_has_a_port(cluster):
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for pid in cluster.pids().values()
        for connection in psutil.Process(pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {(cluster.servers[0].address, 6443)}


def test_another_object_finds_it_running_and_changes_nothing(cluster):
    before = cluster.pids()
    other = cluster.taken_over()
    assert other.ready()
    other.apply(cluster.servers)
    assert cluster.pids() == before


def test_what_was_killed_is_started_again(cluster):
    before = cluster.pids()
    killed = {"kube-apiserver-server-0", "kube-scheduler"}
    for name in killed:
        kill(before[name])
    assert not cluster.plane.ready()
    assert any(problem.startswith("kube-scheduler ended") for problem in cluster.plane.problems())
    after = cluster.up().pids()
    assert {name for name in before if before[name] != after[name]} == killed
    assert cluster.plane.problems() == ()


def test_a_claim_gets_a_volume_on_the_node_of_its_pod_and_gives_it_back(cluster):
    assert cluster.get("storageclass", "local-path")["metadata"]["annotations"][
        "storageclass.kubernetes.io/is-default-class"
    ]
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    cluster.apply(claim)
    cluster.apply(pod("with-data", volumes=[volume]))
    cluster.kubectl("wait", "pod/with-data", "--for=condition=Ready", "--timeout=30s")
    (made,) = cluster.get("persistentvolume")["items"]
    terms = made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert terms[0]["matchExpressions"][0]["values"] == [cluster.get("pod", "with-data")["spec"]["nodeName"]]
    cluster.kubectl("delete", "pod/with-data", "pvc/data", "--timeout=30s")
    eventually(lambda: not cluster.get("persistentvolume")["items"], what="the volume to go")


def test_a_claim_that_local_path_cannot_serve_waits(cluster):
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "shared", "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    cluster.apply(claim)
    cluster.apply(
        pod("with-shared", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "shared"}}]), pod("later")
    )
    cluster.kubectl("wait", "pod/later", "--for=condition=Ready", "--timeout=30s")
    assert cluster.get("pvc", "shared")["status"]["phase"] == "Pending"
    cluster.kubectl("delete", "pod/with-shared", "pod/later", "pvc/shared", "--timeout=30s")


def test_a_load_balancer_gets_the_address_of_the_server(cluster):
    cluster.kubectl("create", "service", "loadbalancer", "web", "--tcp=80:80")
    address = "--for=jsonpath={.status.loadBalancer.ingress[0].ip}=" + cluster.servers[0].address
    cluster.kubectl("wait", "service/web", address, "--timeout=30s")


def test_nothing_is_sent_to_the_address_of_a_node(cluster):
    """It may be that of a real machine in the network of whoever runs the sandbox."""
    cluster.apply(pod("quiet"))
    cluster.kubectl("wait", "pod/quiet", "--for=condition=Ready", "--timeout=30s")
    assert "simulated-nodes-have-no-network" in cluster.try_kubectl("logs", "quiet").stderr
    cluster.kubectl("delete", "pod/quiet", "--timeout=30s")


def test_files_that_lack_a_key_are_refused():
    tls = Authorities().tls
    del tls["service.key"]
    with pytest.raises(IncompleteClusterError, match=r"cluster edge: no service\.key in server/tls"):
        ClusterSpec(
            name="edge", tls=tls, cluster_cidr="10.42.0.0/16", service_cidr="10.43.0.0/16", secrets_encryption=False
        )


@pytest.fixture(scope="module")
def three(tmp_path_factory, kubectl):
    """A second cluster, of three servers, beside the first."""
    made = Cluster(tmp_path_factory.mktemp("three"), number=2, kubectl=kubectl, servers=3)
    try:
        yield made.up()
    finally:
        made.plane.destroy()


def test_two_clusters_side_by_side_know_nothing_of_each_other(cluster, three, tmp_path):
    three.kubectl("create", "namespace", "only-here")
    assert "only-here" not in cluster.kubectl("get", "namespaces")
    crossed = tmp_path / "kubeconfig"
    crossed.write_text(
        three.kubeconfig_of(
            cluster.authorities.admin(), server=three.servers[0].address, authority=three.authorities.root.crt
        )
    )
    assert three.try_kubectl("get", "nodes", kubeconfig=crossed).returncode != 0
    assert cluster.plane.ready()


def test_each_of_three_servers_serves_the_same_cluster(three, tmp_path):
    for server in three.servers:
        kubeconfig = tmp_path / server.node
        kubeconfig.write_text(three.kubeconfig_of(three.authorities.admin(), server=server.address))
        assert three.try_kubectl("get", "namespace", "kube-system", kubeconfig=kubeconfig).returncode == 0


def test_the_service_kubernetes_names_the_private_ips_of_all_servers(three):
    def named():
        endpoints = three.get("endpointslice", "kubernetes", "-n", "default")["endpoints"]
        return {address for each in endpoints for address in each["addresses"]}

    eventually(lambda: named() == {"10.2.0.5", "10.2.0.6", "10.2.0.7"}, what=lambda: f"three addresses, not {named()}")


def test_the_first_of_three_servers_goes_and_the_others_carry_on(three, tmp_path):
    three.plane.join(machine("steady"))
    three.await_condition("steady", "True")
    before, since = three.pids(), three.condition_since("steady")
    gone, *rest = three.servers
    three.up(rest)
    assert not accepts(gone.address)
    three.use(rest[0])
    for server in rest:
        kubeconfig = tmp_path / server.node
        kubeconfig.write_text(three.kubeconfig_of(three.authorities.admin(), server=server.address))
        assert three.try_kubectl("create", "configmap", f"by-{server.node}", kubeconfig=kubeconfig).returncode == 0
    after = three.pids()
    kept = ("etcd", "kube-apiserver-server-1", "kube-apiserver-server-2")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert "kube-apiserver-server-0" not in after
    seen = three.renewed("steady")
    eventually(lambda: three.renewed("steady") != seen, what="a heartbeat by way of another server")
    assert three.condition_since("steady") == since


def test_a_server_that_starts_with_other_names_gets_another_certificate(three):
    server = three.servers[1]
    three.up([replace(server, sans=("new.example.test",))])
    handshake(server.address, name="new.example.test", authority=three.authorities.root.crt)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(server.address, name="api.example.test", authority=three.authorities.root.crt)


def test_it_stops_keeps_its_data_comes_back_and_is_destroyed_without_a_trace(three):
    wanted = three.servers[1:2]
    three.up(wanted).use(wanted[0])
    three.kubectl("create", "configmap", "kept", "--from-literal=word=kept")
    pids = three.pids()
    three.plane.apply(())
    assert not three.plane.ready()
    assert not any(alive(pid) for pid in pids.values())
    assert not accepts(wanted[0].address)
    three.up(wanted)
    assert three.get("configmap", "kept")["data"] == {"word": "kept"}
    pids = three.pids()
    (three.directory / "run" / "etcd.json").unlink()  # as if its starter had been killed just after the start
    three.plane.destroy()
    assert not any(alive(pid) for pid in pids.values())
    assert not accepts(wanted[0].address)
    assert not three.directory.exists()


def test_destroying_what_never_was_is_fine(tmp_path, cluster):
    made = Cluster(tmp_path, number=3, kubectl=cluster.kubectl_program)
    assert not made.plane.ready()
    made.plane.stop()
    made.plane.destroy()
