"""Instances of the real emulator, launched with boto3 and hand-written user data, on a real Kubernetes control plane."""

import os

import kubernetes
import psutil
import pytest
import urllib3

from edgelib.sandbox import emulator, processes
from edgelib.sandbox.kubernetes.components import known, record
from edgelib.sandbox.kubernetes.layout import Layout
from edgelib.sandbox.machines import service
from tests.sandbox.machines import k3s_user_data as k3s
from tests.sandbox.machines.machine_site import MachineSite, ready_nodes, wait_for

SERVER_IP, AGENT_IP = "10.0.3.10", "10.0.3.20"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("site"))
    made = MachineSite(folder)
    try:
        yield made
    finally:
        made.close()
        assert not [each for each in psutil.process_iter(["cmdline"]) if folder in " ".join(each.info["cmdline"] or ())]


class Cluster:
    """A server with a public address on a data volume, and an agent."""

    def __init__(self, site):
        self.site, self.volume = site, site.volume()
        self.nic, self.address = site.interface(SERVER_IP, public=True)
        self.agent_nic, _ = site.interface(AGENT_IP)
        self.core = site.core(self.address)
        self.server = self.launch_server()
        self.agent = self.launch_agent()

    def launch_server(self, **how):
        config = {"tls-san": [self.address], "cluster-init": True, "node-external-ip": self.address}
        files = k3s.server_files("server-1", SERVER_IP, volume=self.volume, config=config)
        return self.site.launch("server", self.nic, k3s.cloud_config(files), volume=self.volume, **how)

    def launch_agent(self, **how):
        files = k3s.agent_files("agent-1", AGENT_IP, SERVER_IP, **how)
        return self.site.launch("agent", self.agent_nic, k3s.cloud_config(files))

    def ready(self):
        """The nodes that are Ready; None while the API does not answer."""
        try:
            return ready_nodes(self.core)
        except (kubernetes.client.ApiException, urllib3.exceptions.HTTPError):
            return None

    def wait_ready(self, *names):
        wait_for(f"exactly {names} to be Ready", lambda: self.ready() == set(names))


@pytest.fixture(scope="module")
def cluster(site):
    made = Cluster(site)
    made.wait_ready("server-1", "agent-1")
    return made


def test_instances_become_nodes_that_a_kubeconfig_from_before_shows(cluster):
    nodes = {node.metadata.name: node for node in cluster.core.list_node().items}
    agent, server = nodes["agent-1"], nodes["server-1"]
    assert agent.metadata.labels["example.com/pool"] == "edge"
    assert ("edge", "true", "NoSchedule") in {(each.key, each.value, each.effect) for each in agent.spec.taints}
    assert (agent.status.capacity["cpu"], agent.status.capacity["memory"]) == ("2", "4Gi")
    assert agent.status.node_info.kubelet_version == "v1.36.2+k3s1"
    addresses = {each.type: each.address for each in server.status.addresses}
    assert (addresses["InternalIP"], addresses["ExternalIP"]) == (SERVER_IP, cluster.address)
    assert server.metadata.labels["node-role.kubernetes.io/control-plane"] == "true"


def test_status_tells_machines_and_clusters(cluster, site):
    found = wait_for("both nodes in the status", lambda: [e for e in service.clusters(site.directory) if e.ready == 2])
    assert found[0].api == (f"https://{cluster.address}:6443",)
    machine = site.machine(cluster.agent)
    assert (machine.name, machine.state, machine.node, machine.problem) == ("agent", "running", "agent-1", "")


def test_get_console_output_tells_the_boot(cluster, site):
    console = site.console(cluster.agent)
    assert "Successfully registered node agent-1" in console
    assert "agent-password" not in console


def test_an_agent_with_a_wrong_token_is_refused(cluster, site):
    nic, _ = site.interface("10.0.3.21")
    files = k3s.agent_files("wrong", "10.0.3.21", SERVER_IP, authority=k3s.pki("other"))
    instance = site.launch("wrong", nic, k3s.cloud_config(files))
    site.wait_console(instance, "token CA hash does not match the Cluster CA certificate hash")
    site.ec2.terminate_instances(InstanceIds=[instance])
    assert cluster.ready() == {"server-1", "agent-1"}


def test_a_bad_key_and_a_role_without_permission_are_refused(cluster, site):
    nics = [site.interface(f"10.0.3.{number}")[0] for number in (22, 23)]
    bad = k3s.agent_files("bad", "10.0.3.22", SERVER_IP, config={"node-lable": ["a=b"]})
    plain = k3s.agent_files("plain", "10.0.3.23", SERVER_IP)
    site.role("powerless")
    first = site.launch("bad", nics[0], k3s.cloud_config(bad))
    second = site.launch("plain", nics[1], k3s.cloud_config(plain), profile="powerless")
    site.wait_console(first, "flag provided but not defined: -node-lable")
    site.wait_console(second, "AccessDeniedException")
    site.ec2.terminate_instances(InstanceIds=[first, second])
    assert cluster.ready() == {"server-1", "agent-1"}


def test_a_stopped_agent_is_not_ready_and_comes_back(cluster, site):
    site.ec2.stop_instances(InstanceIds=[cluster.agent])
    site.wait_state(cluster.agent, "stopped")
    cluster.wait_ready("server-1")
    site.ec2.start_instances(InstanceIds=[cluster.agent])
    site.wait_state(cluster.agent, "running")
    cluster.wait_ready("server-1", "agent-1")


def test_a_rebooted_server_keeps_its_objects(cluster, site):
    body = kubernetes.client.V1ConfigMap(metadata=kubernetes.client.V1ObjectMeta(name="kept"), data={"a": "1"})
    cluster.core.create_namespaced_config_map("default", body)
    site.ec2.reboot_instances(InstanceIds=[cluster.server])
    site.wait_console(cluster.server, "boot 2)")
    cluster.wait_ready("server-1", "agent-1")
    assert cluster.core.read_namespaced_config_map("kept", "default").data == {"a": "1"}


def test_a_killed_director_and_emulator_carry_on_with_the_same_processes(cluster, site):
    before = _pids(site)
    for process in (service.find(site.directory), psutil.Process(site.emulator.pid)):
        process.kill()
        psutil.wait_procs([process], timeout=10)  # a zombie's threads may hold the emulator's port for a moment
    site.emulator = emulator.start(site.directory, os.environ)
    service.start(site.directory, os.environ)
    cluster.wait_ready("server-1", "agent-1")
    assert _pids(site) == before
    nic, _ = site.interface("10.0.3.24")
    late = site.launch("late", nic, k3s.cloud_config(k3s.agent_files("late", "10.0.3.24", SERVER_IP, password="late")))
    cluster.wait_ready("server-1", "agent-1", "late")
    site.ec2.terminate_instances(InstanceIds=[late])
    cluster.core.delete_node("late")


def test_a_replaced_server_continues_on_its_volume(cluster, site):
    site.ec2.terminate_instances(InstanceIds=[cluster.server])
    site.wait_state(cluster.server, "terminated")
    cluster.server = cluster.launch_server()
    site.wait_console(cluster.server, "Successfully registered node server-1")
    cluster.wait_ready("server-1", "agent-1")
    assert cluster.core.read_namespaced_config_map("kept", "default").data == {"a": "1"}


def test_a_missing_san_fails_as_it_would(site):
    nic, address = site.interface("10.0.3.40", public=True)
    volume = site.volume()
    site.parameters(k3s.parameter_values("/k3s/second", k3s.pki("second")))
    files = k3s.server_files("lone", "10.0.3.40", volume=volume, prefix="/k3s/second", authority=k3s.pki("second"))
    instance = site.launch("lone", nic, k3s.cloud_config(files), volume=volume)
    core = site.core(address, k3s.pki("second"))

    def refusal():
        with pytest.raises(urllib3.exceptions.HTTPError) as caught:
            ready_nodes(core)
        return f"certificate is not valid for '{address}'" in str(caught.value)

    wait_for("the certificate to be refused", refusal)
    site.ec2.terminate_instances(InstanceIds=[instance])
    site.wait_state(instance, "terminated")
    site.ec2.delete_volume(VolumeId=volume)
    wait_for("the second cluster to be gone", lambda: not (site.directory.clusters / volume).exists())


def test_a_server_without_a_public_address_is_reached_as_from_within_its_vpc(site):
    address, authority = "10.0.3.41", k3s.pki("private")
    nic, _ = site.interface(address)
    volume = site.volume()
    site.parameters(k3s.parameter_values("/k3s/private", authority))
    files = k3s.server_files("hidden", address, volume=volume, prefix="/k3s/private", authority=authority)
    core = site.core(address, authority, proxy=site.emulator.url)

    def answer():
        try:
            return ready_nodes(core)
        except (kubernetes.client.ApiException, urllib3.exceptions.HTTPError) as error:
            return str(error)

    nobody = f"no running instance has the private address {address}"
    assert nobody in answer()
    instance = site.launch("hidden", nic, k3s.cloud_config(files), volume=volume)
    wait_for("its node to be Ready", lambda: answer() == {"hidden"})
    site.ec2.terminate_instances(InstanceIds=[instance])
    site.wait_state(instance, "terminated")
    wait_for("its tunnels to end with it", lambda: nobody in answer())
    site.ec2.delete_volume(VolumeId=volume)
    wait_for("the cluster to be gone", lambda: not (site.directory.clusters / volume).exists())


def test_terminated_to_nothing(cluster, site):
    instances = [cluster.server, cluster.agent]
    site.ec2.terminate_instances(InstanceIds=instances)
    for instance in instances:
        site.wait_state(instance, "terminated")
    wait_for("the control plane's end", lambda: not _pids(site))
    assert (site.directory.clusters / cluster.volume).exists(), "the volume still holds the datastore"
    site.ec2.delete_volume(VolumeId=cluster.volume)
    wait_for("the datastore's end", lambda: list(site.directory.clusters.iterdir()) == [])
    with pytest.raises(urllib3.exceptions.HTTPError):
        ready_nodes(cluster.core)


def _pids(site):
    layouts = [Layout(folder / "control-plane") for folder in site.directory.clusters.iterdir()]
    found = {(layout.root, name): record(layout, name) for layout in layouts for name in known(layout)}
    return {
        key: each.pid for key, each in found.items() if each is not None and processes.alive(psutil.Process(each.pid))
    }
