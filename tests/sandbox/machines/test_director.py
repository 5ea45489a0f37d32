"""The director's rounds, with control planes that only remember: who joins what, when, and what survives what."""

import base64
import dataclasses

import pytest

from edgelib.sandbox.kubernetes.binaries import BinariesNotFoundError
from edgelib.sandbox.machines.machine import Role
from tests.sandbox.machines import k3s_user_data as k3s

SECRETS = ("server-password", "agent-password", "PRIVATE KEY", "s1-password", "a1-password")


@pytest.fixture
def cluster(account):
    """A server and an agent, up."""
    account.server(config={"cluster-init": True})
    account.agent()
    account.rounds()
    assert account.nodes() == {"s1": True, "a1": True}
    return account


def test_a_server_and_an_agent_come_up(cluster):
    server, agent = cluster.plane().joins
    assert server.labels["node-role.kubernetes.io/control-plane"] == "true"
    assert server.labels["example.com/pool"] == "servers"
    assert (agent.labels["example.com/pool"], agent.taints) == ("edge", ("edge=true:NoSchedule",))
    assert (agent.internal_ip, agent.cpu, agent.memory, agent.kubelet_version, agent.instance_id) == (
        "10.0.3.20",
        2,
        4 * 1024**3,
        "v1.36.2+k3s1",
        "i-a1",
    )
    assert cluster.plane().spec.tls["server-ca.crt"] == k3s.pki().certificates["server-ca.crt"]
    assert "Successfully registered node a1" in cluster.console("i-a1")
    assert cluster.memory("i-a1")["problem"] == ""


def test_no_secret_is_on_a_console(cluster):
    cluster.agent("i-a2", "a1", "10.0.3.21", password="other")
    cluster.rounds()
    for machine_id in cluster.machines:
        assert not [each for each in SECRETS if each in cluster.console(machine_id)]


def test_more_rounds_change_nothing(cluster):
    before = cluster.console("i-a1"), len(cluster.plane().joins)
    cluster.rounds(10)
    assert (cluster.console("i-a1"), len(cluster.plane().joins)) == before
    assert cluster.reads == ["i-s1", "i-a1"]


def test_the_api_listens_at_the_machines_public_address_or_one_of_the_sandboxs_own(account):
    account.server(machine={"public_ip": "127.16.4.5"})
    account.rounds()
    assert [each.address for each in account.plane().servers] == ["127.16.4.5"]
    account.change("i-s1", public_ip=None)
    account.rounds()
    assert [each.address for each in account.plane().servers] == ["127.16.0.1"]


def test_an_agent_waits_for_its_server_and_an_api_that_answers(account):
    account.agent()
    account.rounds()
    url = "https://10.0.3.10:6443"
    assert f"Failed to validate connection to cluster at {url}: failed to get CA certs" in account.console("i-a1")
    account.server()
    account.rounds(1)
    account.plane().slow = True
    account.rounds()
    assert account.nodes() == {}
    assert account.memory("i-s1")["problem"] == "the API server does not answer yet"
    account.plane().slow = False
    account.rounds()
    assert account.nodes() == {"s1": True, "a1": True}
    assert account.memory("i-a1")["problem"] == ""
    assert account.console("i-a1").count("Failed to validate") == 1, "what is tried again and again is said once"


def test_an_agent_in_another_vpc_does_not_reach_the_server(cluster):
    cluster.agent("i-a2", "a2", "10.0.3.20", machine={"vpc_id": "vpc-2"})
    cluster.rounds()
    assert "a2" not in cluster.nodes()
    assert "failed to get CA certs" in cluster.memory("i-a2")["problem"]


def test_a_token_of_another_clusters_ca_is_refused(cluster):
    other = k3s.pki("other")
    cluster.agent("i-a2", "a2", "10.0.3.21", authority=other)
    cluster.rounds()
    words = f"token CA hash does not match the Cluster CA certificate hash: {other.root_hash} != {k3s.pki().root_hash}"
    assert words in cluster.console("i-a2")
    assert "a2" not in cluster.nodes()


@pytest.mark.parametrize(("password", "joins"), [("agent-password", True), ("server-password", True), ("other", False)])
def test_an_agent_needs_a_password_of_the_cluster(cluster, password, joins):
    cluster.agent("i-a2", "a2", "10.0.3.21", token=k3s.pki().token("node", password))
    cluster.rounds()
    assert ("a2" in cluster.nodes()) is joins
    assert ("not authorized" in cluster.console("i-a2")) is not joins


def test_a_known_nodes_name_needs_its_password_until_the_node_is_deleted(cluster):
    cluster.terminate("i-a1")
    cluster.agent("i-a2", "a1", "10.0.3.20", password="other")
    cluster.rounds()
    assert "Node password rejected, duplicate hostname" in cluster.console("i-a2")
    assert cluster.nodes()["a1"] is False
    del cluster.plane().registered["a1"]
    cluster.rounds()
    assert cluster.nodes()["a1"] is True


def test_a_replaced_agent_takes_its_node_over(cluster):
    cluster.terminate("i-a1")
    cluster.agent("i-a2", "a1", "10.0.3.20")
    cluster.rounds()
    assert cluster.nodes() == {"s1": True, "a1": True}
    assert cluster.plane().joins[-1].instance_id == "i-a2"


def test_a_stopped_machine_is_a_node_that_is_not_ready(cluster):
    cluster.stop("i-a1")
    cluster.rounds()
    assert cluster.nodes() == {"s1": True, "a1": False}
    assert "the instance is stopped" in cluster.console("i-a1")
    cluster.start("i-a1")
    cluster.rounds()
    assert cluster.nodes()["a1"] is True
    cluster.terminate("i-a1")
    cluster.rounds()
    assert cluster.nodes()["a1"] is False
    assert "terminated" in cluster.console("i-a1")
    assert not (cluster.folder / "machines" / "i-a1" / "user-data").exists()


def test_a_reboot_registers_the_node_again(cluster):
    cluster.reboot("i-a1")
    cluster.rounds()
    assert [each.name for each in cluster.plane().joins] == ["s1", "a1", "a1"]
    assert cluster.nodes()["a1"] is True
    assert "boot 2" in cluster.console("i-a1")
    assert cluster.reads == ["i-s1", "i-a1"], "the bootstrap's work was done at the first boot"


def test_a_rebooted_servers_api_is_away_for_a_moment(cluster):
    cluster.reboot("i-s1")
    cluster.rounds(1)
    assert cluster.plane().servers == ()
    cluster.rounds()
    assert cluster.nodes() == {"s1": True, "a1": True}


def test_a_deleted_node_comes_back_with_a_boot_only(cluster):
    del cluster.plane().registered["a1"]
    cluster.rounds()
    assert "a1" not in cluster.nodes()
    cluster.reboot("i-a1")
    cluster.rounds()
    assert cluster.nodes()["a1"] is True


def test_user_data_counts_at_the_first_boot_alone(cluster):
    cluster.stop("i-a1")
    cluster.rounds()
    cluster.change("i-a1", user_data="")
    cluster.restart_director()
    cluster.start("i-a1")
    cluster.rounds()
    assert cluster.nodes()["a1"] is True


def test_a_machine_without_kubernetes_is_left_alone(account):
    account.launch("i-1", "#!/bin/sh\necho hello\n", "10.0.3.30")
    account.launch("i-2", "", "10.0.3.31")
    account.launch("i-3", "#cloud-config\n{", "10.0.3.32")
    account.rounds()
    assert {account.memory(each)["stage"] for each in account.machines} == {"idle"}
    assert "no Kubernetes in the user data" in account.console("i-1")
    assert "Failed at merging in cloud config part" in account.console("i-3")


def test_a_bootstrap_that_nothing_runs_does_nothing(account):
    account.launch("i-1", k3s.cloud_config(k3s.agent_files("a1", "10.0.3.20", "10.0.3.10"), ()), "10.0.3.20")
    account.rounds()
    assert account.memory("i-1")["stage"] == "idle"


def test_a_bad_key_of_an_agent_ends_k3s(cluster):
    cluster.agent("i-a2", "a2", "10.0.3.21", config={"node-lable": ["a=b"]})
    cluster.rounds()
    assert 'level=fatal msg="Incorrect Usage: flag provided but not defined: -node-lable"' in cluster.console("i-a2")
    assert cluster.memory("i-a2")["stage"] == "failed"


# Parameters


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (None, "the instance has no role"),
        (
            Role(name="nodes", account="123456789012", policies=()),
            "ssm:GetParameters on resource: arn:aws:ssm:us-east-1:123456789012:parameter/k3s/agents because no",
        ),
    ],
)
def test_parameters_need_a_role_that_may_read_them(account, role, words):
    account.server()
    account.agent(machine={"role": role})
    account.rounds()
    assert words in account.console("i-a1")
    assert words in account.memory("i-a1")["problem"]
    assert "a1" not in account.nodes()


def test_parameters_are_tried_for_again_with_pauses_and_not_for_ever(account):
    account.server()
    account.agent()
    agents = account.values.pop("/k3s/agents")
    account.rounds(20)
    assert "no such parameters: /k3s/agents" in account.console("i-a1")
    tries = account.reads.count("i-a1")
    assert 4 <= tries <= 6, "after 1, 2, 4, 8 seconds and then every 15"
    account.values["/k3s/agents"] = agents
    account.rounds(16)
    assert account.nodes()["a1"] is True
    del account.values["/k3s/agents"]
    account.agent("i-a2", "a2", "10.0.3.21")
    account.rounds(15 * 91)
    assert account.memory("i-a2")["stage"] == "failed"
    assert "gives up" in account.console("i-a2")
    account.values["/k3s/agents"] = agents
    account.reboot("i-a2")
    account.rounds()
    assert account.nodes()["a2"] is True


# The datastore


def test_a_server_waits_for_its_data_volume(account):
    account.server(attached=False)
    account.rounds()
    assert "waiting for the data volume vol-1 to be attached" in account.console("i-s1")
    assert account.memory("i-s1")["problem"] == "the data volume vol-1 is not attached"
    account.change("i-s1", volumes={**account.machines["i-s1"].volumes, "/dev/sdf": "vol-1"})
    account.rounds()
    assert account.nodes() == {"s1": True}


def test_a_replaced_server_continues_with_its_volume(cluster):
    plane = cluster.plane()
    cluster.terminate("i-s1")
    cluster.rounds()
    assert plane.servers == (), "without a server no API"
    cluster.server("i-s2", config={"cluster-init": True})
    cluster.rounds()
    assert cluster.plane() is plane
    assert cluster.nodes() == {"s1": True, "a1": True}
    assert plane.joins[-1].instance_id == "i-s2"


def test_a_server_with_another_volume_begins_anew_and_old_agents_must_boot_to_join(cluster):
    cluster.terminate("i-s1")
    cluster.server("i-s2", volume="vol-2", config={"cluster-init": True})
    cluster.rounds()
    assert cluster.nodes("vol-2") == {"s1": True}
    cluster.volumes.discard("vol-1")
    cluster.rounds()
    assert [each.name for each in (cluster.folder / "clusters").iterdir()] == ["vol-2"]
    cluster.reboot("i-a1")
    cluster.rounds()
    assert cluster.nodes("vol-2") == {"s1": True, "a1": True}


def test_a_datastore_is_not_for_another_token_or_other_certificates(cluster):
    cluster.values["/k3s/token"] = k3s.pki().token("server", "new")
    cluster.terminate("i-s1")
    cluster.server("i-s2", config={"cluster-init": True})
    cluster.rounds()
    words = "starting kubernetes: preparing server: bootstrap data already found and encrypted with different token"
    assert words in cluster.console("i-s2")
    cluster.values = k3s.parameter_values(authority=k3s.pki("other")) | {
        "/k3s/token": k3s.pki("other").token("server", "server-password")
    }
    cluster.terminate("i-s2")
    cluster.server("i-s3", authority=k3s.pki("other"), config={"cluster-init": True})
    cluster.rounds()
    assert "/var/lib/rancher/k3s/server/tls/server-ca.crt" in cluster.console("i-s3")
    assert "newer than datastore and could cause a cluster outage" in cluster.console("i-s3")


def test_a_stop_keeps_the_datastore_and_its_volumes_deletion_ends_it(cluster):
    folder = cluster.plane().directory
    cluster.stop("i-s1")
    cluster.rounds()
    assert cluster.plane().servers == ()
    for machine_id in ("i-s1", "i-a1"):
        cluster.terminate(machine_id)
    cluster.rounds()
    assert folder.exists()
    cluster.volumes.clear()
    cluster.rounds()
    assert list((cluster.folder / "clusters").iterdir()) == []


def test_a_server_whose_volume_is_detached_serves_no_more(cluster):
    machine = cluster.machines["i-s1"]
    cluster.change("i-s1", volumes={"/dev/sda1": machine.volumes["/dev/sda1"]})
    cluster.rounds()
    assert cluster.plane().servers == ()
    cluster.volumes.discard("vol-1")
    cluster.rounds()
    cluster.reboot("i-s1")
    cluster.rounds()
    assert cluster.memory("i-s1")["problem"] == "the data volume vol-1 is not attached"
    assert list((cluster.folder / "clusters").iterdir()) == []


def test_missing_keys_make_k3s_its_own_authority_and_it_says_so(account):
    for name in ("/k3s/token", "/k3s/agent-token"):
        account.values[name] = account.values[name].rpartition(":")[2]
    del account.values["/k3s/tls/server-ca.key"]
    parameters = {path: name for path, name in k3s.server_parameters().items() if not path.endswith("server-ca.key")}
    files = k3s.server_files("s1", "10.0.3.10", volume="vol-1")
    files["/etc/edgelib/parameters"] = "".join(f"{path} {name}\n" for path, name in parameters.items())
    account.volumes.add("vol-1")
    account.launch("i-s1", files, "10.0.3.10", volumes=("vol-1",))
    account.rounds()
    assert account.nodes() == {"s1": True}
    assert account.plane().spec.tls["server-ca.crt"] != k3s.pki().certificates["server-ca.crt"]
    assert account.plane().spec.tls["client-ca.key"] == k3s.pki().keys["client-ca.key"]
    assert "server-ca.key" in account.console("i-s1")
    assert "kubeconfig" in account.console("i-s1")


# Several servers


@pytest.fixture
def three(account):
    """Three servers, up."""
    for number in (1, 2, 3):
        first = number == 1
        config = {"cluster-init": True} if first else {"server": "https://10.0.3.11:6443"}
        env = {"PEERS": "10.0.3.12 10.0.3.13"} if first else {}
        account.server(f"i-s{number}", f"s{number}", f"10.0.3.1{number}", f"vol-{number}", config=config, env=env)
    account.rounds(6)
    assert account.nodes() == {"s1": True, "s2": True, "s3": True}
    return account


def test_three_servers_serve_each_at_its_own_address(three):
    assert [each.node for each in three.plane().servers] == ["s1", "s2", "s3"]
    assert len({each.address for each in three.plane().servers}) == 3
    assert [each.name for each in (three.folder / "clusters").iterdir()] == ["vol-1"]
    assert three.plane().joins[0].labels["node-role.kubernetes.io/etcd"] == "true"


def test_the_api_serves_while_a_majority_runs(three):
    three.stop("i-s1")
    three.rounds()
    assert [each.node for each in three.plane().servers] == ["s2", "s3"]
    assert three.nodes() == {"s1": False, "s2": True, "s3": True}
    three.stop("i-s2")
    three.rounds()
    assert three.plane().servers == ()
    three.start("i-s1")
    three.rounds()
    assert [each.node for each in three.plane().servers] == ["s1", "s3"]
    assert three.nodes()["s1"] is True


def test_any_server_lets_an_agent_in(three):
    three.stop("i-s1")
    three.agent(server_ip="10.0.3.13")
    three.rounds()
    assert three.nodes()["a1"] is True


def test_a_first_server_that_lost_its_volume_joins_the_others(three):
    three.terminate("i-s1")
    three.volumes.discard("vol-1")
    env = {"PEERS": "10.0.3.12 10.0.3.13"}
    three.server("i-s9", "s1", "10.0.3.11", "vol-9", config={"cluster-init": True}, env=env)
    three.rounds()
    words = "etcd cluster join failed: duplicate node name found, please use a unique name for this node"
    assert words in three.console("i-s9"), "etcd still counts the one that was lost"
    del three.plane().registered["s1"]
    three.rounds()
    assert [each.node for each in three.plane().servers] == ["s1", "s2", "s3"]
    assert [each.name for each in (three.folder / "clusters").iterdir()] == ["vol-1"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"config": {"server": "https://10.0.3.99:6443"}}, "failed to get CA certs"),
        ({"authority": k3s.pki("other")}, "token CA hash does not match"),
        (
            {"config": {"service-cidr": "10.44.0.0/16"}},
            "failed to validate server configuration: critical configuration value mismatch between servers",
        ),
    ],
)
def test_a_server_that_does_not_fit_is_refused(three, how, words):
    config = {"server": "https://10.0.3.11:6443", **how.get("config", {})}
    if "authority" in how:
        three.values |= k3s.parameter_values(authority=how["authority"])
    three.server("i-s4", "s4", "10.0.3.14", "vol-4", **{**how, "config": config})
    three.rounds()
    assert f"starting kubernetes: preparing server: {words}" in three.console("i-s4")
    assert "s4" not in three.nodes()


def test_a_datastore_that_is_not_etcd_takes_no_second_server(account):
    account.server()
    account.rounds()
    account.server("i-s2", "s2", "10.0.3.12", "vol-2", config={"server": "https://10.0.3.10:6443"})
    account.rounds()
    assert "400 Bad Request" in account.console("i-s2")


def test_two_clusters_live_side_by_side(cluster):
    cluster.server("i-t1", "s1", "10.0.4.10", "vol-t", config={"cluster-init": True}, machine={"vpc_id": "vpc-2"})
    cluster.agent("i-t2", "a1", "10.0.4.20", server_ip="10.0.4.10", password="another", machine={"vpc_id": "vpc-2"})
    cluster.rounds()
    assert cluster.nodes() == cluster.nodes("vol-t") == {"s1": True, "a1": True}
    cluster.terminate("i-t2")
    cluster.rounds()
    assert (cluster.nodes()["a1"], cluster.nodes("vol-t")["a1"]) == (True, False)


# A director that was killed


@pytest.mark.parametrize("moment", ["save", "add_member", "join"])
def test_killed_in_the_middle_of_a_step_the_next_one_completes_it(account, moment, monkeypatch):
    account.server(config={"cluster-init": True})
    with monkeypatch.context() as patch:
        patch.setattr(f"edgelib.sandbox.machines.cluster.Cluster.{moment}", _killed)
        with pytest.raises(KeyboardInterrupt):
            account.rounds()
    account.restart_director()
    account.rounds()
    assert account.nodes() == {"s1": True}
    assert [each.name for each in (account.folder / "clusters").iterdir()] == ["vol-1"]


def _killed(*_):
    raise KeyboardInterrupt


def test_a_new_director_carries_on(cluster):
    cluster.restart_director()
    cluster.rounds()
    assert len(cluster.plane().joins) == 2, "nobody registers again"
    assert cluster.console("i-a1").count("boot 1)") == 1
    cluster.stop("i-a1")
    cluster.rounds()
    assert cluster.nodes()["a1"] is False
    cluster.agent("i-a2", "a2", "10.0.3.21")
    cluster.rounds()
    assert cluster.nodes()["a2"] is True


def test_what_happened_without_a_director_is_made_up_for(cluster):
    cluster.terminate("i-a1")
    cluster.reboot("i-s1")
    cluster.agent("i-a2", "a2", "10.0.3.21")
    cluster.restart_director()
    cluster.rounds()
    assert cluster.nodes() == {"s1": True, "a1": False, "a2": True}


@pytest.mark.parametrize("rounds", range(1, 6))
def test_killed_at_any_round_the_next_one_ends_where_one_alone_would(account, rounds):
    account.server(config={"cluster-init": True})
    account.agent()
    for _ in range(rounds):
        account.rounds(1)
        account.restart_director()
    account.rounds()
    assert account.nodes() == {"s1": True, "a1": True}


def test_a_new_account_leaves_no_cluster(cluster):
    cluster.machines.clear()
    cluster.volumes.clear()
    cluster.rounds()
    assert list((cluster.folder / "clusters").iterdir()) == []


def test_an_api_that_does_not_answer_for_a_while_costs_nothing(cluster):
    cluster.plane().unreachable = True
    cluster.stop("i-a1")
    cluster.rounds()
    cluster.plane().unreachable = False
    cluster.rounds()
    assert cluster.nodes() == {"s1": True, "a1": False}


def test_a_defect_with_one_machine_or_cluster_does_not_hold_up_the_others(cluster, monkeypatch, caplog):
    cluster.server("i-t1", "t1", "10.0.4.10", "vol-t", config={"cluster-init": True})
    cluster.rounds()
    monkeypatch.setattr(cluster.plane(), "apply", lambda servers: 1 / 0)
    cluster.launch("i-odd", "x", "10.0.4.30")
    cluster.change("i-odd", user_data="x")
    cluster.agent("i-t2", "t2", "10.0.4.20", server_ip="10.0.4.10")
    cluster.rounds()
    assert cluster.nodes("vol-t") == {"t1": True, "t2": True}
    assert {each.getMessage().split(":")[0] for each in caplog.records} == {"cluster vol-1", "i-odd"}
    caplog.clear()


def test_without_kubernetes_programs_the_console_says_what_to_do(account, monkeypatch):
    def missing(directory, spec):
        raise BinariesNotFoundError("Build it with `make setup`")

    account.director._clusters._planes = missing
    account.server()
    account.launch("i-2", "", "10.0.3.31")
    account.rounds()
    assert "Build it with `make setup`" in account.console("i-s1")
    assert "make setup" in account.memory("i-s1")["problem"]
    assert account.memory("i-2")["stage"] == "idle", "the others are not held up"
    account.restart_director()
    account.rounds()
    assert account.nodes() == {"s1": True}


def test_user_data_in_any_wrapping_is_read(account):
    account.server()
    account.agent()
    agent = account.machines["i-a1"]
    text = base64.b64decode(agent.user_data).decode()
    wrapped = "MIME-Version: 1.0\nContent-Type: text/cloud-config\n\n" + text
    account.machines["i-a1"] = dataclasses.replace(agent, user_data=base64.b64encode(wrapped.encode()).decode())
    account.rounds()
    assert account.nodes()["a1"] is True
