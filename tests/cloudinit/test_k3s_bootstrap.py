"""The script that brings K3s up, run for what it does on a node."""

import random
import stat
from dataclasses import replace

import pytest

from tests.cloudinit.k3s_nodes import AGENT, CERTIFICATES, FIRST_OF_THREE, FURTHER, POOL_CONFIG, SERVER, TLS
from tests.cloudinit.node_machine import CREDENTIALS, VERSION, Machine, Services

WAL = "/var/lib/rancher/k3s/server/db/etcd/member/wal"
JOIN = "/etc/rancher/k3s/config.yaml.d/20-join.yaml"


@pytest.fixture
def services(tmp_path_factory):
    services = Services(tmp_path_factory.mktemp("services"))
    yield services
    services.stop()


@pytest.fixture
def server(tmp_path, services):
    return Machine(tmp_path, services, SERVER)


@pytest.fixture
def first(tmp_path, services):
    return Machine(tmp_path, services, replace(FIRST_OF_THREE, peers=["127.0.0.2", "127.0.0.1"]))


@pytest.fixture
def agent(tmp_path, services):
    services.serving = True
    machine = Machine(tmp_path, services, AGENT)
    machine.tell(SERVER_URL=f"https://127.0.0.1:{services.secure_port}")
    return machine


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# -- the whole way


def test_a_server_comes_up(server, services):
    said = server.boot_well()
    assert said.splitlines()[-1] == f"edgelib-k3s: start: K3s {VERSION} is up"
    assert server.calls("systemctl start") == ["systemctl start --no-block k3s"]
    for name in CERTIFICATES:
        certificate, key = server.path(f"{TLS}/{name}.crt"), server.path(f"{TLS}/{name}.key")
        assert certificate.read_text() == SERVER.ca_certificates[f"{name}.crt"]
        assert key.read_text() == f"value of /edgelib/boston/k3s/{name}.key\n"
        assert (mode(certificate), mode(key)) == (0o644, 0o600)
    for directory in (TLS, f"{TLS}/etcd"):
        assert mode(server.path(directory)) == 0o700
    for path in ("/etc/rancher/k3s/token", "/etc/rancher/k3s/agent-token", POOL_CONFIG, f"{TLS}/service.key"):
        assert mode(server.path(path)) == 0o600
    assert server.read("/etc/rancher/k3s/token") == "value of /edgelib/boston/k3s/server-token\n"
    assert len(services.ssm_bodies) == 1, "one call fetches them all"
    assert services.ssm_bodies[0]["WithDecryption"] is True
    assert not server.calls("netplan"), "nothing asked for an MTU"


def test_an_agent_comes_up_without_a_disk(agent):
    assert f"K3s {VERSION} is up" in agent.boot_well()
    assert agent.calls("systemctl") == [
        "systemctl start --no-block k3s-agent",
        "systemctl -q is-active k3s-agent",
    ]
    assert agent.read("/etc/rancher/k3s/token").startswith("K10"), "its token is the one of its user data"
    assert not agent.calls("mkfs.ext4") + agent.calls("mount")


def test_no_secret_is_printed_or_passed_as_an_argument(server, services):
    services.failures = [(500, {}), (400, {"__type": "ThrottlingException"})]
    seen = server.boot_well() + "\n".join(server.calls())
    assert len(server.calls("curl")) > 5
    for secret in (CREDENTIALS["SecretAccessKey"], CREDENTIALS["Token"], "imds-token", *services.values.values()):
        assert secret.strip() not in seen


def test_once_up_a_later_boot_changes_nothing(server):
    server.boot_well()
    before = server.calls()
    assert "nothing to do" in server.boot_well()
    assert server.calls() == before


def test_it_can_be_run_again_after_a_failure_at_the_end(server, services):
    server.path("k3s-fails").touch()
    server.boot_badly()
    times = {path: path.stat().st_mtime_ns for path in server.path(TLS).rglob("*") if path.is_file()}
    assert len(times) == 11
    server.path("k3s-fails").unlink()
    server.boot_well()
    # K3s refuses to start with certificates and keys that are newer than its datastore's
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert len(server.calls("mkfs.ext4")) == 1
    assert server.read("/etc/fstab").count(" ext4 nofail,x-systemd.growfs ") == 1
    assert services.requests.count(f"GET /k3s-io/k3s/{VERSION}/install.sh") == 1


# -- the data disk


def test_an_empty_disk_gets_a_file_system_and_is_mounted_where_k3s_keeps_its_datastore(server):
    server.boot_well()
    assert server.calls("mkfs.ext4") == [f"mkfs.ext4 -q {server.disk}"]
    mount = server.path("/var/lib/rancher/k3s/server")
    assert f"{server.disk} {mount} ext4 nofail,x-systemd.growfs 0 2\n" in server.read("/etc/fstab")
    assert server.calls("mount ") == [f"mount {mount}"]
    drop_in = server.read("/etc/systemd/system/k3s.service.d/edgelib.conf")
    assert drop_in == f"[Unit]\nRequiresMountsFor={mount}\n"
    order = [call.split()[0] for call in server.calls()]
    assert order.index("mkfs.ext4") < order.index("mount")


def test_a_disk_with_a_datastore_is_mounted_as_it_is(server):
    server.attach(b"data", says="ext4", status=0)
    server.boot_well()
    assert not server.calls("mkfs.ext4")
    assert server.calls("mount ")


@pytest.mark.parametrize(
    ("content", "says", "status", "named"),
    [
        (b"XFSB", "xfs", 0, "holds xfs,"),
        (b"two signatures", "", 8, "holds unknown data,"),
        (b"", "LVM2_member", 0, "holds LVM2_member,"),
        (b"", "", 8, "holds unknown data,"),
    ],
)
def test_a_disk_with_anything_else_is_never_formatted(server, content, says, status, named):
    server.attach(content, says=says, status=status)
    before = server.disk.read_bytes()
    last = server.boot_badly()
    assert last.startswith(f"edgelib-k3s: datastore: FAILED: vol-0123456789abcdef0 {named}")
    assert last.endswith("attach an empty volume")
    assert not server.calls("mkfs.ext4") + server.calls("mount ")
    assert server.disk.read_bytes() == before


@pytest.mark.parametrize("status", [2, 0])  # 0 without a type: noise that blkid takes for a partition table
def test_a_blank_disk_that_is_encrypted_reads_as_noise_and_is_formatted(server, status):
    server.attach(random.Random(1).randbytes(1 << 20), status=status)
    server.boot_well()
    assert server.calls("mkfs.ext4") == [f"mkfs.ext4 -q {server.disk}"]
    assert server.calls("blkid") == [f"blkid -p -u filesystem,raid,crypto,other -s TYPE -o value {server.disk}"]


def test_a_file_system_whose_beginning_is_lost_is_not_formatted(server):
    server.attach(bytes(1 << 20))
    server.write("dumpe2fs-says", "Filesystem volume name:   <none>\n")
    assert "holds unknown data, not ext4" in server.boot_badly()
    assert not server.calls("mkfs.ext4")


def test_a_disk_with_partitions_is_not_formatted(server):
    server.attach(b"a partition table", status=0)
    server.write("partitions", "nvme1n1p1\n")
    assert "holds unknown data, not ext4" in server.boot_badly()
    assert not server.calls("mkfs.ext4")


def test_a_disk_that_has_grown_is_used_whole(server):
    server.attach(b"data", says="ext4", status=0)
    server.boot_well()
    order = [call.split()[0] for call in server.calls()]
    assert order.index("mount") < order.index("resize2fs")


def test_an_attachment_that_comes_late_is_waited_for(server):
    disk, aside = server.disk, server.root / "detached"
    disk.rename(aside)
    server.on_sleep(f'[ "$(grep -c ^sleep {server.root}/calls)" -lt 6 ] || mv {aside} {disk}')
    said = server.boot_well()
    assert "datastore: waiting for attached volume vol-0123456789abcdef0 (1 of 40)" in said
    assert server.calls("sleep") == ["sleep 1", "sleep 2", "sleep 4", "sleep 8", "sleep 15", "sleep 15"]


def test_a_disk_that_never_comes_ends_the_wait(server):
    server.disk.unlink()
    last = server.boot_badly()
    assert last == "edgelib-k3s: datastore: FAILED: no attached volume vol-0123456789abcdef0 after 40 tries"
    assert len(server.calls("sleep")) == 39


def test_k3s_is_not_installed_when_the_mount_fails(server):
    server.stand_in("mount", "echo 'mount: bad superblock' >&2; exit 32")
    last = server.boot_badly()
    assert last == 'edgelib-k3s: datastore: FAILED: exit status 32 of: mount "$server"'
    assert not server.calls("systemctl start")
    server.stand_in("mount", 'touch "$NODE/mounted"')
    server.boot_well()
    assert server.read("/etc/fstab").count(" ext4 nofail,x-systemd.growfs ") == 1
    assert len(server.calls("mkfs.ext4")) == 1


# -- parameters


def test_ssm_and_the_role_may_take_their_time(server, services):
    services.role_appears_at = 3
    services.failures = [
        (400, {"__type": "AccessDeniedException", "Message": "boston-server is not authorized"}),
        (503, "busy"),
    ]
    said = server.boot_well()
    assert "parameters: waiting for parameters of this node (1 of 30): the instance has no role credentials yet" in said
    assert "boston-server is not authorized" in said
    assert server.read("/etc/rancher/k3s/token") == "value of /edgelib/boston/k3s/server-token\n"


def test_a_parameter_that_is_not_there_is_named_and_nothing_is_written(server, services):
    del services.values["/edgelib/boston/k3s/service.key"]
    server.on_sleep("kill -TERM $PPID")
    assert server.boot_badly() == (
        "edgelib-k3s: parameters: FAILED: stopped while waiting: SSM does not have /edgelib/boston/k3s/service.key"
    )
    assert not server.path("/etc/rancher/k3s/token").exists()
    assert not list(server.path(TLS).rglob("*.key"))


def test_no_answer_from_ssm_is_said(server):
    server.tell(SSM_ENDPOINT="http://127.0.0.1:1")
    server.on_sleep("kill -TERM $PPID")
    assert "waiting: SSM: curl: (7) Failed to connect to 127.0.0.1 port 1" in server.boot_badly()


def test_a_changed_parameter_replaces_the_file(server, services):
    server.write("/etc/rancher/k3s/token", "an old one\n")
    server.write("/etc/rancher/k3s/token.new", "half of")
    server.path("/etc/rancher/k3s/token.new").chmod(0o600)
    server.boot_well()
    assert server.read("/etc/rancher/k3s/token") == "value of /edgelib/boston/k3s/server-token\n"
    assert mode(server.path("/etc/rancher/k3s/token")) == 0o600
    assert not list(server.path("/etc/rancher/k3s").glob("*.new"))


# -- peers and servers


def test_a_lost_disk_joins_the_cluster_that_a_peer_serves(first, services):
    services.serving = True
    said = first.boot_well()
    assert first.read(JOIN) == "server: https://127.0.0.1:6443\ncluster-init: false\n"
    assert "peers: joining the cluster of 127.0.0.1" in said


def test_without_a_peer_that_serves_the_cluster_begins(first, services):
    said = first.boot_well()
    assert not first.path(JOIN).exists()
    assert "peers: none serves: beginning the cluster" in said
    assert services.requests.count("GET /ping") == 2, "each peer is asked twice; the first is no server at all"


def test_a_datastore_that_is_there_is_kept_whatever_the_peers_say(first, services):
    services.serving = True
    first.attach(b"data", says="ext4", status=0)
    first.write(f"{WAL}/0.wal", "")
    first.boot_well()
    assert not first.path(JOIN).exists()
    assert "GET /ping" not in services.requests


def test_who_has_once_decided_to_join_never_begins_a_cluster(first, services):
    first.write(JOIN, "server: https://127.0.0.1:6443\ncluster-init: false\n")
    first.boot_well()
    assert "GET /ping" not in services.requests
    assert first.path(JOIN).exists()


def test_an_agent_waits_for_its_server(agent, services):
    services.serving = False
    last = agent.boot_badly()
    url = f"https://127.0.0.1:{services.secure_port}"
    assert last == f"edgelib-k3s: server: FAILED: no answer from {url} after 60 tries: nothing serves there yet"
    assert not agent.path("bin/k3s").exists(), "nothing is installed yet"
    services.serving = True
    agent.boot_well()


def test_a_further_server_with_data_comes_up_though_the_first_is_down(tmp_path, services):
    machine = Machine(tmp_path, services, FURTHER)
    machine.tell(SERVER_URL=f"https://127.0.0.1:{services.secure_port}")
    assert "server: FAILED" in machine.boot_badly()
    machine.write(f"{WAL}/0.wal", "")
    machine.boot_well()


def test_being_stopped_says_what_it_was_waiting_for(agent, services):
    services.serving = False
    agent.on_sleep("kill -TERM $PPID")
    assert agent.boot_badly() == "edgelib-k3s: server: FAILED: stopped while waiting: nothing serves there yet"


# -- K3s itself


def installer_was_told(machine):
    return dict(line.split("=", 1) for line in machine.read("installer").splitlines())


def test_the_installer_is_the_releases_own_and_starts_nothing(server, services):
    server.boot_well()
    assert f"GET /k3s-io/k3s/{VERSION}/install.sh" in services.requests
    # K3S_ variables would be written into K3s' unit
    assert installer_was_told(server) == {
        "INSTALL_K3S_VERSION": VERSION,
        "INSTALL_K3S_EXEC": "server",
        "INSTALL_K3S_SKIP_START": "true",
        "GITHUB_URL": "https://github.com/k3s-io/k3s/releases",
    }


def test_a_mirror_serves_installer_and_release(agent, services):
    mirror = f"http://127.0.0.1:{services.port}/mirror"
    agent.tell(INSTALL_URL=mirror)
    agent.boot_well()
    assert f"GET /mirror/download/{VERSION}/install.sh" in services.requests
    assert installer_was_told(agent)["GITHUB_URL"] == mirror
    assert installer_was_told(agent)["INSTALL_K3S_EXEC"] == "agent"


def test_a_failed_download_is_tried_again_and_its_words_are_kept(server):
    server.path("installer-fails").touch()
    said = server.boot_well()
    assert "Download failed" in said
    assert "install: waiting for installed K3s v1.36.2+k3s1 (1 of 10): the installer failed, see above" in said


def test_a_release_that_is_not_there_is_named(server, services):
    server.tell(K3S_VERSION="v1.0.0+k3s1")
    last = server.boot_badly()
    assert last.startswith(
        "edgelib-k3s: install: FAILED: no installed K3s v1.0.0+k3s1 after 10 tries: cannot download "
    )
    assert last.endswith("/v1.0.0+k3s1/install.sh")


def test_another_version_is_replaced(server):
    server.stand_in("k3s", "echo 'k3s version v1.36.2+k3s10 (0123abcd)'")
    server.write("/etc/systemd/system/k3s.service", "")
    server.boot_well()
    assert installer_was_told(server)["INSTALL_K3S_VERSION"] == VERSION


def test_k3s_own_last_words_are_the_last_line(server):
    server.path("k3s-fails").touch()
    last = server.boot_badly()
    assert last == (
        "edgelib-k3s: start: FAILED: no active k3s.service after 60 tries: "
        'level=fatal msg="token CA hash does not match"'
    )


# -- MTU


def test_the_interface_of_the_default_route_gets_its_mtu_before_anything_else(agent):
    agent.boot_well()
    assert agent.calls()[:4] == [
        "ip -4 route show default",
        "netplan set --origin-hint=60-edgelib ethernets.ens5.mtu=1300",
        "netplan set --origin-hint=60-edgelib ethernets.ens5.dhcp4-overrides.use-mtu=false",
        "netplan apply",
    ]


def test_an_mtu_that_is_right_does_not_cut_the_network_off_again(agent):
    agent.write("/sys/class/net/ens5/mtu", "1300\n")
    agent.boot_well()
    assert not agent.calls("netplan apply")
    assert len(agent.calls("netplan set")) == 2


def test_an_mtu_that_does_not_take_effect_is_an_error(agent):
    agent.stand_in("netplan", "true")
    assert agent.boot_badly() == "edgelib-k3s: mtu: FAILED: no MTU 1300 on ens5 after 20 tries"
