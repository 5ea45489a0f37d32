import datetime as dt
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from edgelib.cloudinit.k3s import (
    RegistryMirror,
    bootstrap_script,
    download_ports,
    render_pool_config,
)
from edgelib.errors import ArgsError
from edgelib.sandbox.machines.first_boot import read_first_boot
from tests.cloudinit.k3s_nodes import (
    AGENT,
    AGENT_TOKEN,
    CERTIFICATES,
    FIRST_OF_THREE,
    FURTHER,
    MATRIX,
    MIRRORS,
    SCRIPT_PART,
    SERVER,
    SNAPSHOTS,
    cloud_config,
    files,
    k3s_config,
    parts,
    render,
    without_script,
)
from tests.cloudinit.test_cloud_config_schema import complaints

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "k3s"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
LIMIT = 16384  # EC2 user guide, instance user data
each_node = pytest.mark.parametrize("settings", MATRIX.values(), ids=MATRIX.keys())


def check_golden(name, text):
    golden = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8"), (
        f"the user data of K3s nodes has changed, which replaces every node; if it should, run "
        f"UPDATE_GOLDEN=1 pytest tests/cloudinit and review the diff of tests/golden/k3s/{name}"
    )


@pytest.mark.parametrize("name", MATRIX)
def test_the_user_data_is_the_reviewed_one(name):
    check_golden(name, without_script(render(MATRIX[name])))


def test_the_pools_configuration_is_the_reviewed_one():
    labels = {"topology.kubernetes.io/zone": "us-east-1-wl1-bos-wlz-1", "edgelib.io/pool": "edge", "empty": ""}
    taints = ["edgelib.io/zone-type=wavelength-zone:NoSchedule", "dedicated:NoExecute"]
    text = render_pool_config(labels, taints)
    check_golden("10-pool.yaml", text)
    assert text == render_pool_config(dict(reversed(labels.items())), taints), "the order of labels is no change"
    assert yaml.safe_load(text)["node-taint"] == taints


def test_a_pool_without_taints_has_no_key_for_them():
    assert yaml.safe_load(render_pool_config({"a": "b"}, [])) == {"node-label": ["a=b"]}


@each_node
def test_cloud_init_gets_what_its_schema_takes(settings):
    for kind, text, _ in parts(render(settings)):
        if kind == "text/cloud-config":
            assert complaints(text) == []


@each_node
def test_the_script_is_the_same_on_every_node(settings):
    assert files(settings)["/usr/local/sbin/edgelib-k3s"] == bootstrap_script()


def test_the_script_passes_shellcheck(tmp_path):
    script = tmp_path / "edgelib-k3s"
    # comments, directives too, are not part of what is rendered
    script.write_text(bootstrap_script())
    subprocess.run([SHELLCHECK, "--exclude=SC1091", script], check=True)


def test_comments_do_not_count_against_the_limit():
    assert not re.search(r"^\s*# ", bootstrap_script(), re.MULTILINE)
    assert bootstrap_script().startswith("#!/bin/bash\nset -Eeuo pipefail\n")
    assert len(bootstrap_script()) < 7000


# -- what a node is told


def test_a_servers_configuration_is_k3s_own():
    assert k3s_config(FIRST_OF_THREE) == {
        "node-name": "boston-server-1",
        "node-ip": "10.0.1.10",
        "node-external-ip": "203.0.113.7",
        "flannel-conf": "/etc/rancher/k3s/flannel.json",
        "token-file": "/etc/rancher/k3s/token",
        "agent-token-file": "/etc/rancher/k3s/agent-token",
        "advertise-address": "10.0.1.10",
        "tls-san": ["203.0.113.7", "203.0.113.8", "203.0.113.9", "api.example.com"],
        "cluster-cidr": "10.42.0.0/16",
        "service-cidr": "10.43.0.0/16",
        "secrets-encryption": True,
        "write-kubeconfig-mode": "0600",
        "etcd-s3": True,
        "etcd-s3-bucket": "boston-etcd",
        "etcd-s3-region": "us-east-1",
        "etcd-s3-folder": "k3s",
        "etcd-snapshot-schedule-cron": "0 */6 * * *",
        "etcd-snapshot-retention": 14,
        "etcd-s3-retention": 14,
        "cluster-init": True,
        "kube-apiserver-arg": ["audit-log-maxage=30"],
        "disable": ["traefik"],
    }


def test_a_single_server_without_etcd_begins_no_etcd_cluster():
    assert not {"cluster-init", "server", "etcd-s3", "flannel-conf"} & k3s_config(SERVER).keys()


def test_a_further_server_joins_the_first_and_asks_no_peers():
    assert k3s_config(FURTHER)["server"] == "https://10.0.1.10:6443"
    assert "cluster-init" not in k3s_config(FURTHER)
    assert "PEERS" not in environment(FURTHER)
    assert environment(FURTHER)["SERVER_URL"] == "https://10.0.1.10:6443"


def test_releases_before_1_34_are_not_given_a_key_that_they_do_not_know():
    assert "etcd-s3-retention" not in k3s_config(replace(FIRST_OF_THREE, version="v1.33.4+k3s1"))


def test_an_agents_configuration_names_its_server_and_its_token():
    assert k3s_config(replace(AGENT, external_ip=None)) == {
        "node-name": "boston-edge-1",
        "node-ip": "10.0.2.10",
        "flannel-conf": "/etc/rancher/k3s/flannel.json",
        "server": "https://10.0.1.10:6443",
        "token-file": "/etc/rancher/k3s/token",
    }
    assert files(AGENT)["/etc/rancher/k3s/token"] == AGENT_TOKEN + "\n"


def test_flannel_and_the_interface_have_the_same_mtu():
    assert json.loads(files(AGENT)["/etc/rancher/k3s/flannel.json"]) == {
        "Network": "10.42.0.0/16",
        "EnableIPv4": True,
        "EnableIPv6": False,
        "IPv6Network": "::/0",
        "Backend": {"Type": "vxlan", "MTU": 1300},
    }
    assert environment(AGENT)["NIC_MTU"] == "1300"
    alone = replace(AGENT, mtu=None)
    assert "/etc/rancher/k3s/flannel.json" not in files(alone)
    assert "NIC_MTU" not in environment(alone)


def test_mirrors_are_in_k3s_form():
    assert yaml.safe_load(files(replace(AGENT, registries=MIRRORS))["/etc/rancher/k3s/registries.yaml"]) == {
        "mirrors": {
            "docker.io": {
                "endpoint": ["https://mirror.example.com:5000", "http://10.0.1.5"],
                "rewrite": {"^rancher/(.*)": "mirror/rancher/$1"},
            },
            "*": {"endpoint": ["https://mirror.example.com:5000"]},
        }
    }


def test_the_users_keys_come_on_top_and_a_plus_appends():
    config = {"tls-san+": "extra.example.com", "write-kubeconfig-mode": "0640", "kubelet-arg+": ["max-pods=50"]}
    made = k3s_config(replace(SERVER, config=config))
    assert made["tls-san"] == ["203.0.113.7", "extra.example.com"]
    assert made["write-kubeconfig-mode"] == "0640"
    assert made["kubelet-arg"] == ["max-pods=50"]
    assert not [key for key in made if key.endswith("+")]


@each_node
def test_labels_and_taints_come_from_the_pools_file_alone(settings):
    # K3s reads config.yaml, then config.yaml.d in order of names; what comes later replaces what was there
    pool = yaml.safe_load(render_pool_config({"a": "b"}, ["c:NoSchedule"]))
    assert not pool.keys() & k3s_config(settings).keys()


def test_certificates_are_files_of_their_names():
    written = files(SERVER)
    for name in CERTIFICATES:
        assert written[f"/etc/edgelib/k3s/tls/{name}.crt"] == SERVER.ca_certificates[f"{name}.crt"]


@each_node
def test_files_with_secrets_are_roots_alone(settings):
    modes = {file["path"]: file.get("permissions", "0644") for file in cloud_config(render(settings))["write_files"]}
    assert modes["/etc/rancher/k3s/config.yaml"] == modes["/etc/rancher/node/password"] == "0600"
    assert modes.get("/etc/rancher/k3s/token", "0600") == "0600"
    assert modes["/usr/local/sbin/edgelib-k3s"] == "0755"


@each_node
def test_no_user_data_holds_a_key_or_the_servers_token(settings):
    text = "".join(text for _, text, _ in parts(render(settings)))
    assert not re.search("PRIVATE KEY|::server:|AKIA|aws_secret|0\\.0\\.0\\.0", text)
    assert ("::node:" in text) == (type(settings) is type(AGENT))


def test_more_parameters_than_one_call_returns_are_refused():
    with pytest.raises(ValueError, match="11 parameters are more than the 10 of one call"):
        render(replace(AGENT, parameters={f"/file{n}": f"/name{n}" for n in range(11)}))


# -- files for the script


def environment(settings):
    """The assignments as a shell reads them."""
    words = shlex.split(files(settings)["/etc/edgelib/k3s.env"])
    return dict(word.split("=", 1) for word in words)


@pytest.mark.parametrize("settings", [SERVER, FIRST_OF_THREE, AGENT], ids=["server", "first of three", "agent"])
def test_the_script_is_steered_by_what_its_environment_says(settings):
    read = environment(settings)
    assert read["K3S_VERSION"] == "v1.36.2+k3s1"
    assert read["AWS_REGION"] == "us-east-1"
    expected = {"ROLE": "agent", "SERVER_URL": "https://10.0.1.10:6443"}
    if settings is not AGENT:
        expected = {"ROLE": "server", "DATASTORE_VOLUME": "vol-0123456789abcdef0"}
    assert expected.items() <= read.items()
    assert read.get("PEERS") == ("10.0.1.11 10.0.1.12" if settings is FIRST_OF_THREE else None)
    assert "INSTALL_URL" not in read


def test_the_mirror_has_no_slash_at_its_end():
    assert environment(replace(AGENT, install_url="http://m/k3s/"))["INSTALL_URL"] == "http://m/k3s"


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_a_shell_reads_any_value_as_it_was(value):
    assert environment(replace(AGENT, region=value))["AWS_REGION"] == value


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\x85\u2028\u2029", exclude_categories=["Cs", "Cc"])))
def test_k3s_reads_any_text_as_it_was(value):
    assert k3s_config(replace(AGENT, config={"kubelet-arg": [value]}))["kubelet-arg"] == [value]


def test_user_data_is_ascii_whatever_it_holds():
    assert render(replace(AGENT, config={"kubelet-arg": ["é"]}, ssh_authorized_keys=["ssh-ed25519 AAAA é"])).isascii()


def test_parameters_are_a_path_and_a_name_a_line():
    lines = [line.split(" ") for line in files(SERVER)["/etc/edgelib/parameters"].splitlines()]
    assert dict(lines) == SERVER.parameters


# -- the unit


def unit_settings():
    lines = [line for line in files(AGENT)["/etc/systemd/system/edgelib-k3s.service"].splitlines() if "=" in line]
    return dict(line.split("=", 1) for line in lines)


def test_the_unit_tries_again_within_bounds():
    unit = unit_settings()
    assert (unit["Type"], unit["RemainAfterExit"], unit["Restart"]) == ("oneshot", "yes", "on-failure")
    tries, longest = int(unit["StartLimitBurst"]), int(unit["TimeoutStartSec"]) + int(unit["RestartSec"])
    assert tries * longest < int(unit["StartLimitIntervalSec"]), "systemd would never give up"
    assert unit["WantedBy"] == "multi-user.target"
    assert unit["After"] == unit["Wants"] == "network-online.target"


def run_commands(tmp_path, *states):
    """Runs the runcmd script as cloud-init writes it, while systemd reports ``states`` of the unit in turn."""
    first, wait = cloud_config(render(AGENT))["runcmd"]
    (tmp_path / "states").write_text("".join(f"{state}\n" for state in states))
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(
        f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\nstate=$(head -n 1 {tmp_path}/states)\n'
        '[ "$2" = "is-$state" ] || { [ "$1" = enable ]; }\n'
    )
    sleep = tmp_path / "sleep"
    sleep.write_text(f"#!/bin/sh\nsed -i 1d {tmp_path}/states\n")
    for stub in (systemctl, sleep):
        stub.chmod(0o755)
    script = tmp_path / "runcmd"
    script.write_text(f"#!/bin/sh\n{shlex.join(first)}\n{wait}\necho what the user wants next\n")
    subprocess.run([SHELLCHECK, "--exclude=SC2034", script], check=True)
    path = f"{tmp_path}:{os.environ['PATH']}"
    return subprocess.run(["sh", script], env={"PATH": path}, text=True, capture_output=True, check=False)


def test_cloud_init_waits_until_k3s_is_up(tmp_path):
    done = run_commands(tmp_path, "inactive", "activating", "activating", "active")
    assert (done.returncode, done.stdout) == (0, "what the user wants next\n")
    assert (tmp_path / "calls").read_text().startswith("enable --now --no-block edgelib-k3s.service\n")


def test_cloud_init_fails_when_k3s_does_not_come_up(tmp_path):
    done = run_commands(tmp_path, "activating", "failed")
    assert (done.returncode, done.stdout) == (1, "")


# -- the user's own part


def test_the_users_lists_come_behind_ours():
    (theirs, config, _), (ours, text, merge) = parts(render(MATRIX["agent-with-extra-cloud-config.mime"]))
    assert (ours, theirs) == ("text/cloud-config", "text/cloud-config")
    assert text == render(AGENT)
    assert yaml.safe_load(config)["packages"] == ["nfs-common"]
    assert merge == "list(prepend)+dict(no_replace,recurse_list)+str()"


@pytest.mark.parametrize(
    "extra",
    [
        "#cloud-config\nwrite_files: [{path: /extra, content: x}]\nruncmd: [[extra]]\n",
        "#cloud-config\nmerge_how: dict(replace)+list()+str()\nwrite_files: [{path: /extra, content: x}]\nruncmd: [[extra]]\n",
        (
            'Content-Type: multipart/mixed; boundary="x"\nMIME-Version: 1.0\n\n--x\nContent-Type: text/cloud-config\n\n'
            "#cloud-config\nwrite_files: [{path: /extra, content: x}]\nruncmd: [[extra]]\n--x--\n"
        ),
    ],
    ids=["as it is", "with a merge type of its own", "in a multipart"],
)
def test_no_part_of_the_user_drops_what_a_node_needs(extra):
    alone, both = (
        read_first_boot(render(AGENT).encode()),
        read_first_boot(render(replace(AGENT, extra_user_data=extra)).encode()),
    )
    assert both.problems == ()
    assert both.commands == (*alone.commands, ("extra",))
    assert {**alone.files, "/extra": both.files["/extra"]} == both.files


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (SCRIPT_PART, "text/x-shellscript"),
        ("#cloud-config\n{}\n", "text/cloud-config"),
        ("#cloud-config-archive\n[]\n", "text/cloud-config-archive"),
        ("#cloud-config-jsonp\n[]\n", "text/cloud-config-jsonp"),
        ("#cloud-boothook\ntrue\n", "text/cloud-boothook"),
        ("#include\nhttps://example.com/x\n", "text/x-include-url"),
        ("#include-once\nhttps://example.com/x\n", "text/x-include-once-url"),
        ("#part-handler\n", "text/part-handler"),
        ("## template: jinja\n#cloud-config\n{}\n", "text/jinja2"),
        ("#!/bin/sh\necho é --edgelib-part--\nFrom here\n", "text/x-shellscript"),
    ],
)
def test_every_format_of_cloud_init_arrives_as_it_was(part, kind):
    (theirs, text, _), (_, ours, _) = parts(render(replace(AGENT, extra_user_data=part)))
    assert ours == render(AGENT)
    assert (theirs, text) == (kind, part)


def test_a_multipart_of_the_user_is_taken_in():
    theirs = (
        'Content-Type: multipart/mixed; boundary="x"\nMIME-Version: 1.0\n\n'
        "--x\nContent-Type: text/x-shellscript\n\n#!/bin/sh\ntrue\n--x--\n"
    )
    *rest, (_, ours, _) = parts(render(replace(AGENT, extra_user_data=theirs)))
    assert ours == render(AGENT)
    assert [(kind, text.strip()) for kind, text, _ in rest] == [("text/x-shellscript", "#!/bin/sh\ntrue")]


def test_what_cloud_init_would_ignore_is_refused():
    with pytest.raises(ArgsError, match=r"'echo hello' is no first line that cloud-init knows"):
        render(replace(AGENT, extra_user_data="echo hello\n"))


# -- size


def bundles():
    """Real certificates, as `K3sCluster` makes them: CAs with P-256 keys, all self-signed but the servers', which has a root."""
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    signing = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in (*CERTIFICATES, "root-ca")}

    def certificate(name, issuer):
        subject, issued_by = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"production-boston-k3s {who.replace('/', '-')}")])
            for who in (name, issuer)
        )
        public = keys[name].public_key()
        return (
            x509.CertificateBuilder(issued_by, subject, public, x509.random_serial_number())
            .not_valid_before(day)
            .not_valid_after(day + dt.timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(signing, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[issuer].public_key()), critical=False
            )
            .sign(keys[issuer], hashes.SHA256())
            .public_bytes(Encoding.PEM)
            .decode()
        )

    made = {f"{name}.crt": certificate(name, name) for name in CERTIFICATES}
    return {**made, "server-ca.crt": certificate("server-ca", "root-ca") + certificate("root-ca", "root-ca")}


def test_the_largest_server_fits_into_ec2s_limit():
    largest = replace(
        FIRST_OF_THREE,
        node_name="production-boston-server-1",
        parameters={
            path: f"/edgelib/company-edge-platform/production-us-east-1/{name.removeprefix('/edgelib/')}"
            for path, name in SERVER.parameters.items()
        },
        peers=[f"10.200.100.{n}" for n in range(101, 105)],
        tls_sans=[f"203.0.113.{n}" for n in range(101, 106)] + [f"10.200.100.{n}" for n in range(100, 105)],
        ca_certificates=bundles(),
        install_url="https://mirror.example.com:8443/k3s",
        registries=MIRRORS,
        snapshots=SNAPSHOTS,
        ssh_authorized_keys=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGExampleExampleExampleExample operator@example.com"],
    )
    assert len(largest.parameters) <= 10
    size = len(render(largest).encode())
    assert size < LIMIT
    print(f"{size} of {LIMIT} bytes")


@each_node
def test_every_node_fits_into_ec2s_limit(settings):
    assert len(render(settings).encode()) < LIMIT


# -- what nodes download from


def test_ports_beside_the_usual_ones_are_named():
    assert download_ports(None, {}) == set()
    assert download_ports("https://mirror.example.com/k3s", {}) == set()
    assert download_ports("https://mirror.example.com:8443/k3s", MIRRORS) == {8443, 5000}
    assert download_ports("http://mirror:8080", {"*": RegistryMirror(endpoints=["http://m:80", "https://m:443"])}) == {
        8080
    }


@pytest.mark.parametrize(
    "url", ["mirror.example.com", "ftp://mirror/k3s", "https://m:port", "https://m:99999", "https://", "http://m/a b"]
)
def test_what_is_no_url_is_refused(url):
    with pytest.raises(ArgsError, match=r"^K3sClusterArgs.install_url: .* is no HTTP URL"):
        download_ports(url, {})
    with pytest.raises(ArgsError, match=r"^K3sClusterArgs.registries\['docker.io'\].endpoints\[0\]: "):
        download_ports(None, {"docker.io": RegistryMirror(endpoints=[url])})


def test_a_password_in_a_url_is_refused_and_not_repeated():
    with pytest.raises(ArgsError, match="holds a password") as refused:
        download_ports("https://user:hunter2@mirror.example.com", {})
    assert "hunter2" not in str(refused.value)


def test_no_field_of_the_settings_has_an_unstated_default():
    for kind in (type(SERVER), type(AGENT)):
        assert all(field.kw_only for field in fields(kind))
