"""One background process: started, known again, never taken for another, ended."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from edgelib.sandbox import processes
from edgelib.sandbox.processes import BusyError, ProcessError, ProcessRecord

READY = 'import os, sys; print("to stdout"); print("ready", file=sys.stderr, flush=True); sys.stdout.flush(); '
WAIT = READY + "import signal; signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAIT


class Started:
    """A process of a test, which is gone when the test is over."""

    def __init__(self, folder: Path, code: str) -> None:
        self.log = folder / "logs.log"
        self.record = processes.spawn([sys.executable, "-c", code], environ=os.environ, folder=folder, log=self.log)
        self.process = psutil.Process(self.record.pid)
        processes.wait_until(
            lambda: "ready" in self.log.read_text(), self.process, what="it said so", seconds=30, log=self.log
        )


@pytest.fixture
def started(tmp_path):
    made = []

    def start(code=WAIT):
        made.append(Started(tmp_path, code))
        return made[-1]

    yield start
    for each in made:
        if processes.alive(each.process):
            each.process.kill()


def test_a_process_outlives_its_starter_in_a_session_of_its_own_and_logs(started):
    process = started()
    assert process.process.ppid() != os.getpid()
    assert os.getsid(process.record.pid) != os.getsid(0)
    assert set(process.log.read_text().split("\n")) >= {"ready", "to stdout"}


def test_ctrl_c_at_the_terminal_does_not_reach_it(started):
    process = started()
    os.kill(process.record.pid, signal.SIGINT)
    with pytest.raises(psutil.TimeoutExpired):
        process.process.wait(0.3)


def test_the_log_of_the_run_before_is_kept(started, tmp_path):
    first = started()
    processes.stop(first.process, seconds=10)
    first.log.write_text("why it crashed")
    started()
    assert (tmp_path / "logs.previous.log").read_text() == "why it crashed"


def test_a_pid_file_finds_the_process_again_until_it_ends(started, tmp_path):
    process = started()
    file = tmp_path / "pid.json"
    process.record.save(file)
    again = processes.recorded(file)
    assert again == process.record
    assert again.process() == process.process
    process.process.kill()
    processes.stop(process.process, seconds=10)
    assert again.process() is None


@pytest.mark.parametrize(
    "change",
    [{"created": 86400.0}, {"command": ("python", "-m", "edgelib.sandbox.aws", "--directory", "/elsewhere")}],
    ids=["began at another time", "runs another command"],
)
def test_a_pid_that_now_belongs_to_someone_else_is_not_ours(started, change):
    other = started().record
    stale = ProcessRecord(**{"pid": other.pid, "created": other.created, "command": other.command, **change})
    assert stale.process() is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pid": "x"}', '{"pid": 1, "created": null, "command": []}'])
def test_a_damaged_pid_file_is_as_good_as_none(tmp_path, content):
    file = tmp_path / "pid.json"
    file.write_text(content)
    assert processes.recorded(file) is None


def test_a_process_whose_pid_file_was_lost_is_found_by_its_arguments(started):
    process = started(WAIT + " # a mark that no other process has")
    assert processes.running_with(process.record.command) == [process.process]
    assert processes.running_with([*process.record.command, "--more"]) == []


def test_stop_asks_first(started, tmp_path):
    code = (
        "import signal, sys, pathlib\n"
        "def end(*_):\n    pathlib.Path('asked').touch()\n    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n" + WAIT
    )
    process = started(code)
    processes.stop(process.process, seconds=10)
    assert not processes.alive(process.process)
    assert (tmp_path / "asked").exists()


def test_stop_ends_a_process_that_ignores_sigterm(started):
    process = started(STUBBORN)
    processes.stop(process.process, seconds=0.3)
    assert not processes.alive(process.process)
    processes.stop(process.process, seconds=0.3)  # once more is fine


def test_waiting_tells_the_end_of_a_process_with_its_last_words(started, tmp_path):
    log = tmp_path / "end.log"
    record = processes.spawn(
        ["/bin/sh", "-c", "read x < fifo; echo port 80 is taken; exit 1"],
        environ=os.environ,
        folder=_with_fifo(tmp_path),
        log=log,
    )
    process = psutil.Process(record.pid)
    (tmp_path / "fifo").write_text("go\n")
    with pytest.raises(ProcessError, match=r"ended before it answered(.|\n)*port 80 is taken"):
        processes.wait_until(lambda: False, process, what="it answered", seconds=30, log=log)


def test_waiting_is_bounded_and_says_for_what(started):
    process = started()
    with pytest.raises(ProcessError, match=r"waited 0 s for it answered(.|\n)*ready"):
        processes.wait_until(lambda: False, process.process, what="it answered", seconds=0.1, log=process.log)
    assert processes.alive(process.process)


def test_a_lock_keeps_others_out_for_a_bounded_time(tmp_path):
    with (
        processes.locked(tmp_path / "lock"),
        pytest.raises(BusyError, match="lock for 0 s"),
        processes.locked(tmp_path / "lock", seconds=0.1),
    ):
        pytest.fail("two held the lock")
    with processes.locked(tmp_path / "lock", seconds=0.1):
        pass


def test_a_lock_is_free_again_when_its_holder_is_killed(tmp_path):
    code = (
        "import pathlib, signal; from edgelib.sandbox.processes import locked\n"
        f"with locked(pathlib.Path({str(tmp_path / 'lock')!r})):\n    print('held', flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(BusyError), processes.locked(tmp_path / "lock", seconds=0):
            pytest.fail("two held the lock")
        holder.kill()
        holder.wait()
        with processes.locked(tmp_path / "lock", seconds=10):
            pass


def test_a_pid_file_is_whole_or_absent(started, tmp_path):
    record = started().record
    record.save(tmp_path / "pid.json")
    assert [each.name for each in tmp_path.glob("pid*")] == ["pid.json"]
    assert json.loads((tmp_path / "pid.json").read_text())["pid"] == record.pid


def _with_fifo(folder: Path) -> Path:
    os.mkfifo(folder / "fifo")
    return folder
