"""Start, stop, heal, reset: with a stub in the emulator's place, so that it can misbehave."""

import json
import os
import shutil
import signal
import socket
import sys
import threading

import psutil
import pytest

from edgelib.sandbox import commands, emulator, lifecycle, processes
from edgelib.sandbox.directory import NotASandboxError, SandboxDirectory
from edgelib.sandbox.engine import EngineNotFoundError
from edgelib.sandbox.kubernetes import binaries
from edgelib.sandbox.kubernetes.layout import Layout
from edgelib.sandbox.machines import service
from edgelib.sandbox.processes import ProcessError

pytestmark = pytest.mark.usefixtures("stub_emulator")


@pytest.fixture
def directory(tmp_path):
    return SandboxDirectory(tmp_path / "project" / ".sandbox")


@pytest.fixture
def start(user_environ, monkeypatch):
    monkeypatch.setattr(lifecycle.plugins, "PACKAGES", ("aws",))

    def run(directory, said=None):
        return lifecycle.start(directory, environ=user_environ, report=(said if said is not None else []).append)

    return run


@pytest.fixture
def status(user_environ):
    return lambda directory: lifecycle.status(directory, environ=user_environ)


def misbehave(directory, how):
    directory.prepare()
    (directory.root / f"stub-{how}").touch()


def test_a_started_sandbox_answers_on_loopback(start, status, directory):
    sandbox = start(directory)
    assert sandbox.started
    assert sandbox.emulator.url.startswith("http://127.0.0.1:")
    connections = psutil.Process(sandbox.emulator.pid).net_connections()
    assert {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
    found = status(directory)
    assert (found.state, found.emulator.pid) == ("running", sandbox.emulator.pid)
    assert found.resources == {"ec2:vpc": 1}
    assert found.uptime >= 0


def test_start_again_changes_nothing(start, directory):
    first, second = start(directory), start(directory)
    assert not second.started
    assert second.emulator == first.emulator


def test_starts_at_once_give_one_server(start, directory):
    found = []
    threads = [threading.Thread(target=lambda: found.append(start(directory))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.started for each in found].count(True) == 1
    assert len({each.emulator.pid for each in found}) == 1
    assert len(processes.running_with(emulator.command(directory))) == 1


def test_a_killed_server_is_seen_and_healed_at_the_same_address(start, status, directory):
    first = start(directory)
    os.kill(first.emulator.pid, signal.SIGKILL)
    _gone(first.emulator.pid)
    assert status(directory).state == "crashed"
    second = start(directory)
    assert second.started
    assert second.emulator.pid != first.emulator.pid
    assert second.emulator.url == first.emulator.url, "shells opened before the crash work again"


def test_a_server_that_no_longer_answers_is_replaced(start, directory, monkeypatch):
    first = start(directory)
    misbehave(directory, "is-sick")
    monkeypatch.setattr(emulator, "READY_SECONDS", 0.5)
    said = []
    with pytest.raises(ProcessError):
        start(directory, said)
    assert "the AWS emulator did not answer and was stopped" in said
    monkeypatch.setattr(emulator, "READY_SECONDS", 30.0)
    (directory.root / "stub-is-sick").unlink()
    assert start(directory).emulator.pid != first.emulator.pid
    assert len(processes.running_with(emulator.command(directory))) == 1


def test_a_server_that_fails_to_start_is_shown_with_its_log(start, status, directory):
    misbehave(directory, "fails")
    with pytest.raises(ProcessError, match=r"endpoint\.json(.|\n)*stub was told to fail"):
        start(directory)
    assert status(directory).state == "stopped"


def test_a_server_that_never_becomes_ready_is_not_left_behind(start, directory, monkeypatch):
    monkeypatch.setattr(emulator, "READY_SECONDS", 0.5)
    misbehave(directory, "hangs")
    with pytest.raises(ProcessError, match=r"waited 0 s for the AWS emulator wrote endpoint\.json"):
        start(directory)
    assert processes.running_with(emulator.command(directory)) == []


def test_a_port_that_another_program_took_is_not_fought_for(start, directory):
    first = start(directory)
    lifecycle.stop(directory)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(first.emulator.url.rpartition(":")[2])))
        other.listen()
        assert start(directory).emulator.url != first.emulator.url


def test_stop_ends_it_and_says_so_once(start, status, directory):
    pid = start(directory).emulator.pid
    assert lifecycle.stop(directory) is True
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert lifecycle.stop(directory) is False
    assert status(directory).state == "stopped"


def test_stop_ends_a_server_that_ignores_it(start, directory, monkeypatch):
    monkeypatch.setattr(emulator, "STOP_SECONDS", 0.3)
    misbehave(directory, "is-stubborn")
    pid = start(directory).emulator.pid
    assert lifecycle.stop(directory) is True
    _gone(pid)


def test_stop_of_what_never_was_makes_nothing(directory):
    assert lifecycle.stop(directory) is False
    assert not directory.root.exists()


@pytest.mark.parametrize("act", ["start", "stop"])
def test_a_stale_pid_file_never_costs_another_process_its_life(start, directory, act):
    """After a crash the system gave the pid to someone else: here, to this test."""
    start(directory)
    lifecycle.stop(directory)
    mine = {"pid": os.getpid(), "created": psutil.Process().create_time(), "command": emulator.command(directory)}
    directory.aws_process.write_text(json.dumps(mine))
    terminated = []
    previous = signal.signal(signal.SIGTERM, lambda *_: terminated.append(True))
    try:
        sandbox = start(directory) if act == "start" else lifecycle.stop(directory)
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert terminated == []
    assert sandbox is False if act == "stop" else sandbox.started


def test_a_server_whose_directory_was_deleted_does_not_linger(start, directory):
    first = start(directory)
    shutil.rmtree(directory.root)
    second = start(directory)
    _gone(first.emulator.pid)
    assert processes.alive(psutil.Process(second.emulator.pid))


def test_control_planes_whose_directory_was_deleted_do_not_linger(start, directory):
    start(directory)
    pid = control_plane(directory)
    shutil.rmtree(directory.root)
    start(directory)
    _gone(pid)


def test_two_sandboxes_live_side_by_side(start, status, tmp_path):
    one, other = (SandboxDirectory(tmp_path / name) for name in ("one", "other"))
    first, second = start(one), start(other)
    assert first.emulator.url != second.emulator.url
    lifecycle.stop(one)
    assert (status(one).state, status(other).state) == ("stopped", "running")


@pytest.mark.parametrize("running", [True, False])
def test_reset_gives_a_new_account_and_no_stacks_and_keeps_the_plugins(start, status, directory, running):
    pid = start(directory).emulator.pid
    plugins = status(directory).plugins
    journal = directory.aws / "journal.jsonl"
    journal.write_text("{}")
    stacks = directory.state / ".pulumi" / "stacks" / "site"
    stacks.mkdir(parents=True)
    (stacks / "boston.json").write_text("{}")
    (stacks / "boston.json.bak").write_text("{}")
    (stacks / "chicago.json.gz").write_text("{}")
    directory.workspaces.mkdir()
    (directory.workspaces / "site-123-workspace.json").write_text('{"stack": "boston"}')
    assert status(directory).stacks == ("site/boston", "site/chicago")
    if not running:
        lifecycle.stop(directory)
    lifecycle.reset(directory)
    found = status(directory)
    assert (found.stacks, found.resources, found.plugins) == ((), {}, plugins)
    assert list(directory.workspaces.iterdir()) == []
    assert found.emulator is None if not running else found.emulator.pid == pid
    assert running or not journal.exists()


def test_reset_follows_no_link_out_of_the_sandbox(start, directory, tmp_path):
    start(directory)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (directory.state / "link").symlink_to(precious)
    lifecycle.reset(directory)
    assert (precious / "file").exists()
    assert not (directory.state / "link").is_symlink()


@pytest.mark.parametrize("act", ["start", "stop", "reset"])
def test_a_folder_that_is_no_sandbox_is_left_alone(start, tmp_path, act):
    folder = tmp_path / "project"
    (folder / "state").mkdir(parents=True)
    (folder / "state" / "precious").touch()
    if act == "start":
        with pytest.raises(NotASandboxError):
            start(SandboxDirectory(folder))
    else:
        getattr(lifecycle, act)(SandboxDirectory(folder))
    assert [each.name for each in folder.rglob("*")] == ["state", "precious"]


def test_without_an_engine_nothing_is_started_and_the_way_out_is_named(directory, monkeypatch):
    monkeypatch.setattr(lifecycle.engine, "tools_bin", lambda: None)
    with pytest.raises(EngineNotFoundError, match=r"www\.pulumi\.com"):
        lifecycle.start(directory, environ={"PATH": ""}, report=[].append)
    assert not directory.root.exists()


def test_the_emulator_does_not_see_the_users_account(start, directory):
    environ = psutil.Process(start(directory).emulator.pid).environ()
    assert not [name for name in environ if name.startswith("AWS_")]


# The director of the machines


def test_the_director_runs_with_the_emulator_and_stops_with_it(start, status, directory):
    start(directory)
    process = service.find(directory)
    assert processes.alive(process)
    assert not [name for name in process.environ() if name.startswith("AWS_")]
    assert status(directory).problem == ""
    start(directory)
    assert service.find(directory) == process
    lifecycle.stop(directory)
    _gone(process.pid)
    assert service.find(directory) is None


def test_a_killed_director_is_seen_and_healed(start, status, directory):
    start(directory)
    process = service.find(directory)
    process.kill()
    _gone(process.pid)
    found = status(directory)
    assert found.state == "running"
    assert "`edgelib sandbox start` heals it" in found.problem
    start(directory)
    assert status(directory).problem == ""


def test_a_director_whose_pid_file_was_lost_is_not_joined_by_another(start, directory):
    start(directory)
    lost = service.find(directory)
    directory.machines_process.unlink()
    start(directory)
    _gone(lost.pid)
    assert len(processes.running_with(service.command(directory))) == 1


def test_status_tells_machines_and_clusters(start, status, directory):
    start(directory)
    folder = directory.machines / "i-1"
    folder.mkdir()
    (folder / "machine.json").write_text(json.dumps({"node": "edge-1", "problem": "no token", "sans": []}))
    cluster = {"id": "vol-1", "api": ["https://127.16.1.1:6443"], "nodes": 3, "ready": 2}
    (directory.clusters / "vol-1").mkdir()
    (directory.clusters / "vol-1" / "status.json").write_text(json.dumps(cluster))
    found = status(directory)
    machine = found.machines[0]
    assert (machine.id, machine.name, machine.state, machine.node) == ("i-1", "edge", "running", "edge-1")
    assert machine.problem == "no token"
    text, document = commands.render(found), commands.describe(found)
    assert "i-1 edge (running, node edge-1): no token" in text
    assert "vol-1: https://127.16.1.1:6443, 2 of 3 nodes ready" in text
    assert document["machines"][0]["node"] == "edge-1"
    assert document["clusters"] == [cluster | {"api": ("https://127.16.1.1:6443",)}]


def test_without_kubernetes_programs_status_says_what_to_do(start, status, directory, monkeypatch):
    monkeypatch.setattr(binaries, "tools_bin", lambda: None)
    monkeypatch.setenv("PATH", "/nowhere")
    start(directory)
    found = status(directory)
    assert "No Kubernetes" in found.problem
    assert found.problem in commands.render(found)


def control_plane(directory):
    """What a cluster leaves in a sandbox: a process with a pid file, and its data."""
    root = directory.clusters / "vol-1" / "control-plane"
    layout = Layout(root)
    layout.run.mkdir(parents=True)
    layout.etcd.mkdir()
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    made = processes.spawn(command, environ={}, folder=root, log=root / "etcd.log")
    made.save(layout.pid_file("etcd"))
    return made.pid


def test_stop_ends_control_planes_and_keeps_their_data(start, directory):
    start(directory)
    pid = control_plane(directory)
    os.kill(service.find(directory).pid, signal.SIGKILL)
    lifecycle.stop(directory)
    _gone(pid)
    assert (directory.clusters / "vol-1" / "control-plane" / "etcd").is_dir()


@pytest.mark.parametrize("running", [True, False])
def test_reset_wipes_clusters_and_machines(start, directory, running):
    start(directory)
    pid = control_plane(directory)
    (directory.machines / "i-1").mkdir()
    if not running:
        lifecycle.stop(directory)
    lifecycle.reset(directory)
    _gone(pid)
    assert [list(each.iterdir()) for each in (directory.clusters, directory.machines)] == [[], []]
    assert (service.find(directory) is not None) is running


def _gone(pid: int) -> None:
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
