import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_command as command
import pulumi_random as random
import pulumi_tls as tls
import pytest
import yaml
from component_sites import BOSTON, KEY, asked, network, refuse, security_rules, waits_for

from edgelib import BastionHost, K3sCluster, K3sClusterArgs, NodePool, NodePoolArgs
from edgelib.testing import Recorded, Recording, deploy

ME = "203.0.113.7/32"
OUTPUTS = ("kubeconfig", "api_endpoint", "nodes", "security_group_ids", "server_token", "agent_token", "ssh_config")
EDGE = {"edge": NodePoolArgs(zone=BOSTON, count=2, labels={"role": "video"}, taints=["a=b:NoSchedule"])}


def built(*, preview: bool = False, name: str = "k3s", nat: bool = False, **args: Any) -> Recording:
    """Deploys one cluster; an argument given as a function is called in the program, where Outputs can be made."""

    def program() -> None:
        given = {key: value() if callable(value) else value for key, value in args.items()}
        cluster = K3sCluster(name, {"network": network(nat=nat), "agents": EDGE, "api_allowed_cidrs": [ME], **given})
        for output in OUTPUTS:
            pulumi.export(output, getattr(cluster, output))

    return deploy(program, preview=preview)


@functools.cache
def usual() -> Recording:
    return built()


@functools.cache
def three() -> Recording:
    return built(servers=3)


def files(recording: Recording, node: str) -> dict[str, str]:
    """What the user data of a node writes, by path."""
    document = yaml.safe_load(recording.one(aws.ec2.Instance, node).inputs["userData"])
    return {file["path"]: file["content"] for file in document["write_files"]}


def config(recording: Recording, node: str) -> dict[str, Any]:
    return yaml.safe_load(files(recording, node)["/etc/rancher/k3s/config.yaml"])


def parameters(recording: Recording, node: str) -> dict[str, Recorded]:
    """SSM parameters that a node fetches, by the file that they go to."""
    by_name = {each.inputs["name"]: each for each in recording.all(aws.ssm.Parameter)}
    lines = files(recording, node)["/etc/edgelib/parameters"].splitlines()
    return {path: by_name[name] for path, name in (line.split() for line in lines)}


def secrets(recording: Recording) -> dict[str, str]:
    """Every secret of the cluster, by what it is."""
    keys = {f"key of {key.name}": key.outputs["privateKeyPem"] for key in recording.all(tls.PrivateKey)}
    return {**keys, **{each.name: each.outputs["result"] for each in recording.all(random.RandomPassword)}}


def test_servers_and_agents_come_up_by_user_data_alone():
    recording = usual()
    assert sorted(each.name for each in recording.all(aws.ec2.Instance)) == ["k3s-edge-1", "k3s-edge-2", "k3s-server-1"]
    assert recording.all(aws.ec2.KeyPair) == []
    server, agent = config(recording, "k3s-server-1"), config(recording, "k3s-edge-2")
    assert (server["node-name"], agent["node-name"]) == ("k3s-server-1", "k3s-edge-2")
    assert agent["server"] == f"https://{server['node-ip']}:6443"
    assert server["advertise-address"] == server["node-ip"]
    carrier_ip = recording.exports["nodes"]["edge"]["k3s-edge-2"]["carrier_ip"]
    assert agent["node-external-ip"] == carrier_ip


def test_the_kubeconfig_leads_to_an_address_that_the_certificate_is_for():
    recording = usual()
    kubeconfig = yaml.safe_load(recording.exports["kubeconfig"])
    public_ip = recording.exports["nodes"]["server"]["k3s-server-1"]["public_ip"]
    url = f"https://{public_ip}:6443"
    assert {each["cluster"]["server"] for each in kubeconfig["clusters"]} == {url}
    assert recording.exports["api_endpoint"] == url
    assert public_ip in config(recording, "k3s-server-1")["tls-san"]


def test_a_closed_api_is_reached_at_private_addresses():
    recording = built(api_allowed_cidrs=None)
    private_ip = recording.exports["nodes"]["server"]["k3s-server-1"]["private_ip"]
    assert recording.exports["api_endpoint"] == f"https://{private_ip}:6443"
    assert private_ip in config(recording, "k3s-server-1")["tls-san"]


def test_no_secret_is_where_it_does_not_belong():
    recording = three()
    found = secrets(recording)
    assert len(found) == 11
    for instance in recording.all(aws.ec2.Instance):
        text = instance.inputs["userData"]
        seen = {what for what, secret in found.items() if secret.strip() in text}
        assert seen == ({"k3s-agent-token"} if "-edge-" in instance.name else set()), instance.name
        assert recording.exports["server_token"] not in text


def test_each_node_has_a_password_of_its_own_that_others_cannot_derive():
    recording = three()
    passwords = {
        each.name: files(recording, each.name)["/etc/rancher/node/password"] for each in recording.all(aws.ec2.Instance)
    }
    assert len(set(passwords.values())) == len(passwords) == 5
    assert passwords == {
        each.name: files(built(servers=3), each.name)["/etc/rancher/node/password"]
        for each in recording.all(aws.ec2.Instance)
    }, "a replaced node shows the same password"


def test_servers_fetch_keys_and_tokens_and_agents_their_settings_alone():
    recording = usual()
    fetched = parameters(recording, "k3s-server-1")
    below = "/var/lib/rancher/k3s/server/tls"
    assert set(fetched) == {
        "/etc/rancher/k3s/token",
        "/etc/rancher/k3s/agent-token",
        "/etc/rancher/k3s/config.yaml.d/10-pool.yaml",
        *(f"{below}/{name}.key" for name in ("server-ca", "client-ca", "request-header-ca", "service")),
        *(f"{below}/etcd/{name}.key" for name in ("peer-ca", "server-ca")),
    }
    assert {each.inputs["type"] for path, each in fetched.items() if "10-pool" not in path} == {"SecureString"}
    assert [
        each.name for each in fetched.values() if "value" not in each.secret_inputs and "settings" not in each.name
    ] == []
    assert set(parameters(recording, "k3s-edge-1")) == {"/etc/rancher/k3s/config.yaml.d/10-pool.yaml"}
    assert fetched["/etc/rancher/k3s/token"].inputs["value"] == recording.exports["server_token"]
    assert fetched["/etc/rancher/k3s/agent-token"].inputs["value"] == recording.exports["agent_token"]
    assert files(recording, "k3s-edge-1")["/etc/rancher/k3s/token"].strip() == recording.exports["agent_token"]


def allowed(recording: Recording, role: str) -> dict[str, Any]:
    statements = json.loads(recording.one(aws.iam.RolePolicy, role).inputs["policy"])["Statement"]
    return {
        action: each["Resource"]
        for each in statements
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
        if each["Resource"] != "*"
    }


def test_roles_may_read_exactly_what_their_nodes_fetch():
    recording = usual()
    for role, node in (("k3s-servers", "k3s-server-1"), ("k3s-agents", "k3s-edge-1")):
        arns = {each.outputs["arn"] for each in parameters(recording, node).values()}
        granted = allowed(recording, role)
        assert set(granted) == {"ssm:GetParameters"}
        assert set(granted["ssm:GetParameters"]) == arns


def test_labels_and_taints_are_beside_the_user_data():
    recording = usual()
    settings = yaml.safe_load(recording.one(aws.ssm.Parameter, "k3s-edge-settings").inputs["value"])
    assert settings["node-taint"] == ["a=b:NoSchedule"]
    assert {
        f"topology.kubernetes.io/zone={BOSTON}",
        "topology.kubernetes.io/region=us-east-1",
        "edgelib.io/zone-type=wavelength-zone",
        "edgelib.io/carrier=verizon",
        "edgelib.io/location=boston",
        "edgelib.io/pool=edge",
        "role=video",
    } == set(settings["node-label"])
    changed = built(agents={"edge": NodePoolArgs(zone=BOSTON, count=2, labels={"role": "audio"})})
    for each in recording.all(aws.ec2.Instance):
        assert changed.one(aws.ec2.Instance, each.name).inputs["userData"] == each.inputs["userData"]


def test_exactly_the_clusters_ports_are_open():
    recording = three()
    nodes, servers = (recording.one(aws.ec2.SecurityGroup, name).id for name in ("k3s-nodes", "k3s-servers"))
    assert security_rules(recording, "k3s-nodes") == {
        ("in", "udp", 8472, 8472, nodes),
        ("in", "tcp", 10250, 10250, nodes),
        ("in", "icmp", 3, 4, "10.0.0.0/16"),
        ("out", "udp", 8472, 8472, nodes),
        ("out", "tcp", 10250, 10250, nodes),
        ("out", "tcp", 6443, 6443, servers),
        ("out", "tcp", 80, 80, "0.0.0.0/0"),
        ("out", "tcp", 443, 443, "0.0.0.0/0"),
    }
    assert security_rules(recording, "k3s-servers") == {
        ("in", "tcp", 6443, 6443, nodes),
        ("in", "tcp", 6443, 6443, ME),
        ("in", "tcp", 2379, 2380, servers),
        ("out", "tcp", 2379, 2380, servers),
    }
    assert ("in", "tcp", 2379, 2380, servers) not in security_rules(usual(), "k3s-servers")


def test_nothing_is_open_to_everybody_but_what_a_pool_opens():
    web = {"edge": NodePoolArgs(zone=BOSTON, ingress={"web": {"port": 443, "cidr_blocks": ["0.0.0.0/0"]}})}
    recording = built(agents=web)
    rules = recording.all(aws.vpc.SecurityGroupIngressRule)
    assert [each.name for each in rules if each.inputs.get("cidrIpv4") == "0.0.0.0/0"] == ["k3s-edge-web-0.0.0.0/0"]
    assert security_rules(recording, "k3s-edge-nodes") == {("in", "tcp", 443, 443, "0.0.0.0/0")}


def test_without_blocks_the_api_is_open_to_the_vpc():
    recording = built(api_allowed_cidrs=None)
    sources = {rule[4] for rule in security_rules(recording, "k3s-servers") if rule[0] == "in"}
    assert sources == {recording.one(aws.ec2.SecurityGroup, "k3s-nodes").id, "10.0.0.0/16"}


def test_a_mirrors_port_is_let_out():
    recording = built(install_url="http://mirror.example.com:8080")
    assert ("out", "tcp", 8080, 8080, "0.0.0.0/0") in security_rules(recording, "k3s-nodes")


def behind_a_bastion() -> Recording:
    def program() -> None:
        bastion = BastionHost(
            "bastion", {"network": network(), "ssh_allowed_cidrs": [ME], "ssh_authorized_keys": [KEY]}
        )
        cluster = K3sCluster("k3s", {"network": network(), "agents": EDGE, "bastion": bastion.access})
        pulumi.export("ssh_config", cluster.ssh_config)
        pulumi.export("public_ip", bastion.public_ip)

    return deploy(program)


def test_the_bastion_reaches_ssh_and_the_api_from_both_ends():
    recording = behind_a_bastion()
    access = recording.one(aws.ec2.SecurityGroup, "bastion-access").id
    servers = recording.one(aws.ec2.SecurityGroup, "k3s-servers").id
    assert ("in", "tcp", 22, 22, access) in security_rules(recording, "k3s-nodes")
    assert ("in", "tcp", 6443, 6443, access) in security_rules(recording, "k3s-servers")
    assert ("out", "tcp", 6443, 6443, servers) in security_rules(recording, "bastion-access")


def test_ssh_goes_through_the_bastion_or_by_session_manager():
    recording = behind_a_bastion()
    text = recording.exports["ssh_config"]
    assert f"HostName {recording.exports['public_ip']}" in text
    assert text.count("ProxyJump bastion") == 3
    alone = usual().exports["ssh_config"]
    assert "ProxyJump" not in alone
    assert alone.count("aws ssm start-session --region us-east-1 --target i-k3s-") == 3


def test_what_is_secret_is_secret():
    assert {"kubeconfig", "server_token", "agent_token", "ssh_config"} <= usual().secret_exports
    assert [each.name for each in usual().all(aws.ec2.Instance) if "userData" not in each.secret_inputs] == []
    assert [each.name for each in usual().all(command.local.Command) if "stdin" not in each.secret_inputs] == []


def test_the_datastore_outlives_the_server():
    recording = usual()
    volume = recording.one(aws.ebs.Volume)
    assert (volume.inputs["size"], volume.inputs["encrypted"]) == (20, True)
    assert f"DATASTORE_VOLUME='{volume.id}'" in files(recording, "k3s-server-1")["/etc/edgelib/k3s.env"]
    assert ("Instance", "k3s-server-1") not in waits_for(recording, volume)


def test_the_first_of_several_servers_begins_and_the_others_join():
    recording = three()
    first, *others = (config(recording, f"k3s-server-{number}") for number in (1, 2, 3))
    assert first["cluster-init"] is True
    assert "server" not in first
    assert {each["server"] for each in others} == {f"https://{first['node-ip']}:6443"}
    peers = " ".join(each["node-ip"] for each in others)
    assert f"PEERS='{peers}'" in files(recording, "k3s-server-1")["/etc/edgelib/k3s.env"]
    assert "cluster-init" not in config(usual(), "k3s-server-1")


def user_data(recording: Recording) -> dict[str, str]:
    return {each.name: each.inputs["userData"] for each in recording.all(aws.ec2.Instance)}


def test_more_servers_or_agents_touch_no_node_that_is_there():
    before, after = user_data(three()), user_data(built(servers=5))
    assert {node: after[node] for node in before} == before
    more = {"edge": NodePoolArgs(zone=BOSTON, count=3, labels={"role": "video"}, taints=["a=b:NoSchedule"])}
    grown = built(agents=more)
    old, new = asked(usual(), without=["k3s-members"]), asked(grown)
    assert {urn: new[urn] for urn in old} == old


def order(recording: Recording, name: str) -> set[tuple[str, str]]:
    return waits_for(recording, recording.one(aws.ec2.Instance, name))


def test_servers_go_one_at_a_time_and_agents_after_them():
    recording = three()
    assert ("Command", "k3s-server-1-ready") in order(recording, "k3s-server-2")
    assert ("Command", "k3s-server-2-ready") in order(recording, "k3s-server-3")
    assert ("Command", "k3s-server-3-ready") in order(recording, "k3s-edge-1")
    assert ("Command", "k3s-edge-1-ready") in order(recording, "k3s-edge-2")
    assert ("Instance", "k3s-edge-1") not in order(recording, "k3s-server-3")


def test_without_gates_the_order_is_that_of_the_instances():
    recording = built(wait_for="nothing")
    assert recording.all(command.local.Command) == []
    assert ("Instance", "k3s-server-1") in order(recording, "k3s-edge-1")


def gate(recording: Recording, name: str) -> Mapping[str, Any]:
    return json.loads(recording.one(command.local.Command, name).inputs["stdin"])


def test_a_gate_asks_the_api_about_its_node():
    recording = usual()
    about = gate(recording, "k3s-edge-1-ready")
    assert about["server"] == recording.exports["api_endpoint"]
    assert (about["node"], about["instance_id"]) == ("k3s-edge-1", "i-k3s-edge-1")
    assert about["labels"]["topology.kubernetes.io/zone"] == BOSTON
    assert about["labels"]["role"] == "video"
    assert (about["taints"], about["wait_seconds"]) == (["a=b:NoSchedule"], 900)


def test_who_is_a_member_is_known_so_that_others_are_taken_out():
    about = gate(usual(), "k3s-members")
    assert about["nodes"] == ["k3s-server-1", "k3s-edge-1", "k3s-edge-2"]
    assert [each.name for each in usual().all(command.local.Command) if "delete" in each.inputs] == []
    waited = waits_for(usual(), usual().one(command.local.Command, "k3s-members"))
    assert {("Command", f"k3s-{node}-ready") for node in ("server-1", "edge-1", "edge-2")} <= waited


def test_nodes_wait_for_the_parameters_that_they_fetch():
    waited = order(usual(), "k3s-server-1")
    assert {("Parameter", "k3s-server-token"), ("Parameter", "k3s-server-settings")} <= waited
    assert ("RolePolicy", "k3s-servers") in waited


def test_snapshots_are_written_with_the_servers_role():
    recording = built(snapshots={"bucket": "backups", "folder": "boston"})
    granted = allowed(recording, "k3s-servers")
    assert granted["s3:PutObject"] == "arn:aws:s3:::backups/boston/*"
    assert granted["s3:ListBucket"] == "arn:aws:s3:::backups"
    settings = config(recording, "k3s-server-1")
    assert (settings["etcd-s3-bucket"], settings["etcd-s3-folder"]) == ("backups", "boston")
    assert "etcd-s3-access-key" not in settings


def test_what_a_pool_runs_itself_is_there_beside_ours():
    extra = {"edge": NodePoolArgs(zone=BOSTON, user_data="#!/bin/sh\necho extra\n")}
    text = built(agents=extra).one(aws.ec2.Instance, "k3s-edge-1").inputs["userData"]
    assert "echo extra" in text
    assert "k3s-edge-1" in text


@pytest.mark.parametrize("late", [False, True])
def test_user_data_that_does_not_fit_is_refused(late: bool):
    large = "#!/bin/sh\n" + "# padding\n" * 1500
    wrap: Callable[[str], Any] = pulumi.Output.from_input if late else lambda text: text
    refuse(
        lambda: built(agents=lambda: {"edge": NodePoolArgs(zone=BOSTON, user_data=wrap(large))}),
        "K3sClusterArgs.agents['edge'].user_data: ",
        "more than the 16384 that EC2 takes",
    )


def test_a_site_cluster_stands_in_the_zone_with_carrier_ips():
    recording = built(control_plane="site", wait_for="nodes-ready")
    about = recording.exports["nodes"]["server"]["k3s-server-1"]
    assert about.keys() == {"instance_id", "private_ip", "carrier_ip"}
    assert recording.exports["api_endpoint"] == f"https://{about['carrier_ip']}:6443"
    assert "flannel-conf" not in config(recording, "k3s-server-1")
    assert recording.one(aws.ebs.Volume).inputs["type"] == "gp2"


def test_servers_behind_nat_have_no_external_address():
    recording = built(nat=True)
    assert recording.exports["nodes"]["server"]["k3s-server-1"].keys() == {"instance_id", "private_ip"}
    assert "node-external-ip" not in config(recording, "k3s-server-1")


def test_a_preview_knows_the_shape_before_anything_exists():
    recording = built(preview=True)
    assert {each.urn for each in recording.resources} == {each.urn for each in usual().resources}


def test_clusters_side_by_side_share_nothing():
    def program() -> None:
        for name in ("north", "south"):
            K3sCluster(name, K3sClusterArgs(network=network(), agents=EDGE))

    recording = deploy(program)
    names = [each.inputs["name"] for each in recording.all(aws.ssm.Parameter)]
    assert len(names) == len(set(names)) == 20
    hashes = {
        files(recording, f"{name}-edge-1")["/etc/rancher/k3s/token"].split("::")[0] for name in ("north", "south")
    }
    assert len(hashes) == 2


def test_a_pool_with_taints_needs_a_cluster():
    refuse(
        lambda: deploy(lambda: NodePool("p", {"network": network(), "taints": ["a=b:NoSchedule"]})),
        "NodePoolArgs.taints: ['a=b:NoSchedule']",
        "K3sClusterArgs.agents",
    )
