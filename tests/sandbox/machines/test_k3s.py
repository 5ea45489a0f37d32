"""What K3s makes of a machine's files."""

import dataclasses

import pytest
import yaml

from edgelib.cloudinit.k3s import K3sAgentSettings, K3sServerSettings, render_k3s_agent, render_k3s_server
from edgelib.sandbox.machines import distributions, k3s
from edgelib.sandbox.machines.first_boot import File, FirstBoot, read_first_boot
from edgelib.sandbox.machines.k3s_files import ConfigError, read_config
from edgelib.sandbox.machines.machine import Machine
from edgelib.sandbox.machines.plans import Agent, Refusal, Server
from tests.sandbox.machines import k3s_user_data as made

CONFIG = "/etc/rancher/k3s/config.yaml"

MACHINE = Machine(
    id="i-1",
    region="us-east-1",
    state="running",
    boot=1,
    user_data="",
    type="t3.medium",
    cpu=2,
    memory=4 * 1024**3,
    zone="us-east-1a",
    vpc_id="vpc-1",
    private_ip="10.0.3.10",
    public_ip="127.16.1.1",
    volumes={"/dev/sda1": "vol-root", "/dev/sdf": "vol-data"},
    role=None,
    name="n",
)


def server_files(**kwargs):
    files = made.server_files("s1", "10.0.3.10", volume="vol-data", **kwargs)
    values = made.parameter_values()
    return files | {path: values[name] for path, name in made.server_parameters().items()}


def agent_files(**kwargs):
    files = made.agent_files("a1", "10.0.3.10", "10.0.3.99", **kwargs)
    return files | {f"{CONFIG}.d/10-pool.yaml": made.parameter_values()["/k3s/agents"]}


def without(files, *paths):
    return {path: text for path, text in files.items() if path not in paths}


# Configuration files


@pytest.mark.parametrize(
    ("files", "config"),
    [
        ({CONFIG: "a: 1\nb: [x, y]\nc: true\n"}, {"a": ["1"], "b": ["x", "y"], "c": ["true"]}),
        ({CONFIG: "a: 1\n", f"{CONFIG}.d/2.yaml": "a: 3\n", f"{CONFIG}.d/1.yml": "a: 2\n"}, {"a": ["3"]}),
        ({CONFIG: "a: [1]\n", f"{CONFIG}.d/1.yaml": "a+: [2]\nb+: 3\n"}, {"a": ["1", "2"], "b": ["3"]}),
        ({CONFIG: "a: [1]\n", f"{CONFIG}.d/1.yaml": "a: [2]\n"}, {"a": ["2"]}),
        ({CONFIG: "a: 1\n", f"{CONFIG}.d/x.txt": "a: 2\n", f"{CONFIG}.d/sub/1.yaml": "a: 2\n"}, {"a": ["1"]}),
        ({CONFIG: ""}, {}),
    ],
)
def test_configuration_files_are_merged_as_k3s_does(files, config):
    assert read_config(files) == config


@pytest.mark.parametrize("text", ["a: [", "- a\n"])
def test_a_configuration_that_is_no_mapping_is_refused_by_name(text):
    with pytest.raises(ConfigError, match=rf"^{CONFIG}: yaml"):
        read_config({CONFIG: text})


# Whether K3s is started


def boot_of(files, commands):
    return FirstBoot(files={path: File(content=text.encode()) for path, text in files.items()}, commands=commands)


@pytest.mark.parametrize(
    ("command", "starts", "each_time"),
    [
        (("systemctl", "enable", "--now", "--no-block", "edgelib-k3s.service"), True, True),
        ("systemctl enable --now edgelib-k3s", True, True),
        (("/usr/local/sbin/edgelib-k3s",), True, False),
        ("bash -c '/usr/local/sbin/edgelib-k3s' || true", True, False),
        ("systemctl enable --now other.service", False, False),
        ("systemctl enable --now edgelib-k3s-other.service", False, False),
        ("echo edgelib-k3s", False, False),
        ("/usr/local/sbin/edgelib-k3s.bak", False, False),
    ],
)
def test_only_what_something_starts_runs(command, starts, each_time):
    boot = boot_of(agent_files(), (command,))
    assert (distributions.recognise(boot) is k3s) is starts
    assert k3s.boots_each_time(boot) is each_time


@pytest.mark.parametrize("missing", [CONFIG, made.BOOTSTRAP])
def test_without_its_files_nothing_starts(missing):
    assert distributions.recognise(boot_of(without(agent_files(), missing), (made.BOOTSTRAP,))) is None


def test_the_user_data_that_these_tests_use_is_recognised():
    assert distributions.recognise(read_first_boot(made.cloud_config(agent_files()).encode())) is k3s


# What edgelib itself renders


COMMON = {
    "node_name": "n1",
    "private_ip": "10.0.3.10",
    "external_ip": "127.16.1.1",
    "node_password": "node-password",
    "region": "us-east-1",
    "version": "v1.36.2+k3s1",
    "cluster_cidr": "10.42.0.0/16",
    "mtu": 1300,
    "install_url": None,
    "registries": {},
    "ssh_authorized_keys": [],
    "config": {},
    "extra_user_data": "#cloud-config\nwrite_files: [{path: /etc/mine, content: x}]\nruncmd: [echo]\n",
}


def plan_of(user_data, parameters):
    boot = read_first_boot(user_data.encode())
    assert boot.problems == ()
    assert "/etc/mine" in boot.files
    assert distributions.recognise(boot) is k3s
    assert k3s.boots_each_time(boot)
    files = {path: file.text for path, file in boot.files.items()}
    values = made.parameter_values()
    assert k3s.parameter_files(files) == parameters
    return k3s.plan(files | {path: values[name] for path, name in parameters.items()}, MACHINE)


def test_a_server_that_edgelib_renders_is_understood():
    parameters = made.server_parameters()
    settings = K3sServerSettings(
        **COMMON,
        parameters=parameters,
        ca_certificates={name.removesuffix(".crt") + ".crt": text for name, text in made.pki().certificates.items()},
        embedded_etcd=True,
        server_url=None,
        peers=["10.0.3.11"],
        datastore_volume_id="vol-data",
        tls_sans=["127.16.1.1"],
        service_cidr="10.43.0.0/16",
        secrets_encryption=True,
        snapshots=None,
    )
    plan = plan_of(render_k3s_server(settings), parameters)
    assert isinstance(plan, Server)
    assert plan.warnings == ()
    assert plan.tls == {**made.pki().certificates, **made.pki().keys}
    assert (plan.etcd, plan.secrets_encryption, plan.peers, plan.volume) == (True, True, ("10.0.3.11",), "vol-data")
    assert "127.16.1.1" in plan.sans
    assert (plan.node.name, plan.node.external_ip, plan.node.password) == ("n1", "127.16.1.1", "node-password")


def test_an_agent_that_edgelib_renders_is_understood():
    parameters = {f"{CONFIG}.d/10-pool.yaml": "/k3s/agents"}
    token = made.pki().token("node", "agent-password")
    settings = K3sAgentSettings(**COMMON, parameters=parameters, server_url="https://10.0.3.99:6443", token=token)
    plan = plan_of(render_k3s_agent(settings), parameters)
    assert isinstance(plan, Agent)
    assert (plan.server_url, plan.token.password) == ("https://10.0.3.99:6443", "agent-password")
    assert plan.node.taints == ("edge=true:NoSchedule",)


# Agents


def test_an_agent():
    plan = k3s.plan(agent_files(config={"node-external-ip": "127.16.1.1"}), MACHINE)
    assert isinstance(plan, Agent)
    assert plan.server_url == "https://10.0.3.99:6443"
    assert plan.node.name == "a1"
    assert plan.node.labels == {
        "example.com/pool": "edge",
        "topology.kubernetes.io/zone": "us-east-1-wl1-bos-wlz-1",
    }
    assert plan.node.taints == ("edge=true:NoSchedule",)
    assert (plan.node.internal_ip, plan.node.external_ip) == ("10.0.3.10", "127.16.1.1")
    assert plan.node.kubelet_version == "v1.36.2+k3s1"
    assert "agent-password" not in repr(plan)


def test_a_node_is_named_after_its_host_by_default():
    files = agent_files()
    files[CONFIG] = yaml.safe_dump({"server": "https://10.0.3.99:6443", "token": "x"})
    plan = k3s.plan(files, MACHINE)
    assert (plan.node.name, plan.node.internal_ip) == ("ip-10-0-3-10", "10.0.3.10")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"node-lable": ["a=b"]}, "flag provided but not defined: -node-lable"),
        ({"cluster-cidr": "10.0.0.0/8"}, "flag provided but not defined: -cluster-cidr"),
        ({"node-label+": ["node-role.kubernetes.io/edge=true"], "node-label": []}, None),
        ({"server": ""}, "--server is required"),
        ({"token-file": "/nowhere"}, "open /nowhere: no such file or directory"),
        ({"token-file": "", "token": ""}, "--token is required"),
        ({"token-file": "", "token": "K10abc::node:x"}, "invalid token CA hash length"),
        ({"node-ip": "10.0.3.11"}, "failed to find interface with specified node ip"),
    ],
)
def test_k3s_refuses_in_its_own_words(config, words):
    plan = k3s.plan(agent_files(config=config), MACHINE)
    if words is None:  # 10-pool.yaml takes the place of config.yaml's labels
        assert isinstance(plan, Agent)
    else:
        assert isinstance(plan, Refusal)
        assert words in plan.message


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        (
            {"node-label": ["node-role.kubernetes.io/edge=true"]},
            "unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: [",
        ),
        ({"node-label": ["a=b c"]}, "invalid node labels"),
        ({"node-taint": ["edge=true:Never"]}, 'invalid argument "edge=true:Never" for "--register-with-taints" flag'),
        ({"node-taint": ["edge"]}, "invalid taint spec: edge"),
    ],
)
def test_the_kubelet_refuses_labels_and_taints(pool, words):
    plan = k3s.plan(agent_files() | {f"{CONFIG}.d/10-pool.yaml": yaml.safe_dump(pool)}, MACHINE)
    assert isinstance(plan, Refusal)
    assert plan.message.startswith("kubelet exited: ")
    assert words in plan.message


# Servers


def test_a_server():
    plan = k3s.plan(server_files(config={"tls-san": ["127.16.1.1,k3s.example.com"], "cluster-init": True}), MACHINE)
    assert isinstance(plan, Server)
    assert plan.sans == ("127.0.0.1", "localhost", "s1", "10.0.3.10", "127.16.1.1", "k3s.example.com")
    assert plan.tls == {**made.pki().certificates, **made.pki().keys}
    assert (plan.token.password, plan.agent_password) == ("server-password", "agent-password")
    assert (plan.cluster_cidr, plan.service_cidr, plan.secrets_encryption) == ("10.42.0.0/16", "10.43.0.0/16", False)
    assert (plan.server_url, plan.etcd, plan.volume) == (None, True, "vol-data")
    assert plan.warnings == ()
    assert "server-password" not in repr(plan)
    assert "PRIVATE KEY" not in repr(plan)


def test_the_public_address_is_in_the_certificate_only_if_asked_for():
    assert "127.16.1.1" not in k3s.plan(server_files(config={"node-external-ip": "127.16.1.1"}), MACHINE).sans


def test_a_server_skips_keys_that_it_does_not_know_and_says_so():
    plan = k3s.plan(server_files(config={"cluster-cird": "10.99.0.0/16"}), MACHINE)
    assert plan.warnings == ("Unknown flag --cluster-cird found in config.yaml, skipping",)


def test_a_missing_key_is_said_to_break_the_preset_kubeconfig():
    plan = k3s.plan(without(server_files(), f"{made.TLS}/client-ca.key"), MACHINE)
    assert "client-ca.key" not in plan.tls
    assert plan.warnings[0].startswith("client-ca.key missing")
    assert "kubeconfig" in plan.warnings[0]


def test_the_data_disk_hides_what_user_data_put_below_its_mount_point():
    files = server_files() | {f"{made.TLS}/server-ca.crt": "other"}
    assert k3s.plan(files, MACHINE).tls["server-ca.crt"] == made.pki().certificates["server-ca.crt"]
    files["/etc/edgelib/k3s.env"] = "ROLE='server'\n"
    plan = k3s.plan(files, MACHINE)
    assert plan.tls["server-ca.crt"] == "other"
    assert plan.volume == "vol-root"


def test_what_the_bootstrap_is_told():
    files = server_files(env={"PEERS": "10.0.3.11 10.0.3.12"})
    assert k3s.data_volume(files) == "vol-data"
    assert k3s.parameter_region(files) == "us-east-1"
    assert k3s.parameter_files(files) == made.server_parameters()
    assert k3s.plan(files, MACHINE).peers == ("10.0.3.11", "10.0.3.12")
    assert k3s.environment({k3s.ENVIRONMENT: "A='x y'\n# B=1\nC=it\"'\"s\n"}) == {"A": "x y", "C": "it's"}


def test_a_further_server_has_a_datastore_of_several():
    plan = k3s.plan(server_files(config={"server": "https://10.0.3.99:6443"}), MACHINE)
    assert (plan.server_url, plan.etcd) == ("https://10.0.3.99:6443", True)
    assert k3s.plan(server_files(), dataclasses.replace(MACHINE, volumes={})).etcd is False
