"""tools/build.py in a small clone with a fake Go: what it builds, when it does nothing, and what it leaves behind."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

GO = """#!/bin/sh
echo "$@" >> "$FAKE/calls"
case "$*" in
version) echo "go version $(cat "$FAKE/version") linux/amd64" ;;
*"-m -f"*) echo "$FAKE/module" ;;
list*) echo "go: downloading example.com/x v1.0.0" >&2; printf 'a\\nb\\nc\\n' ;;
build*)
    while [ "$1" != -o ]; do shift; done
    echo a >&2
    printf half > "$2"
    if [ -e "$FAKE/slow" ]; then echo started > "$FAKE/slow"; exec sleep 60; fi
    if [ -e "$FAKE/broken" ]; then echo "undefined: x" >&2; exit 1; fi
    printf '#!/bin/sh\\necho v3.250.0\\n' > "$2"; chmod +x "$2" ;;
esac
"""


class Clone:
    def __init__(self, root):
        self.root = root
        self.fake = root / "fake"
        self.bin = root / "tools" / "bin"
        self.path = [str(self.fake), "/usr/bin", "/bin"]
        for name in ("build.py", "go.py", "engine", "language-python", "kubernetes"):
            copy = shutil.copytree if (ROOT / "tools" / name).is_dir() else shutil.copyfile
            (root / "tools").mkdir(exist_ok=True)
            copy(ROOT / "tools" / name, root / "tools" / name)
        for path in ("edgelib/sandbox/engine.py", "edgelib/sandbox/kubernetes/binaries.py"):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, root / path)
        script = self.fake / "module" / "python" / "cmd" / "pulumi-language-python-exec"
        script.parent.mkdir(parents=True)
        script.write_text("#!/usr/bin/env python\n")
        (self.fake / "go").write_text(GO)
        (self.fake / "go").chmod(0o755)
        self.go_is("go1.26.8")

    def go_is(self, version):
        (self.fake / "version").write_text(version)

    @property
    def command(self):
        return [sys.executable, str(self.root / "tools" / "build.py")]

    @property
    def environ(self):
        return {"PATH": os.pathsep.join(self.path), "FAKE": str(self.fake), "HOME": str(self.root)}

    def build(self, *arguments):
        return subprocess.run(
            [*self.command, *arguments], env=self.environ, capture_output=True, text=True, timeout=60, check=False
        )

    def start(self):
        """In a process group of its own, so that a test can end what a killed build leaves behind."""
        return subprocess.Popen(
            self.command, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
        )

    def builds(self):
        calls = self.fake / "calls"
        return [line for line in calls.read_text().splitlines() if line.startswith("build")] if calls.exists() else []

    def results(self):
        return {each.name for each in self.bin.iterdir() if not each.name.startswith(".")}

    def partials(self):
        return [each.name for each in self.bin.glob(".*.partial")]


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


ENGINE = {"pulumi", "pulumi-language-python", "pulumi-language-python-exec"}
KUBERNETES = {"edgelib-kubernetes", "kubectl"}


def test_all_are_built_at_their_pins(clone):
    done = clone.build()
    assert done.returncode == 0, done.stderr
    assert "7 to 11 minutes" in done.stdout
    assert clone.results() == ENGINE | KUBERNETES
    assert all(os.access(clone.bin / name, os.X_OK) for name in clone.results())
    host, engine, kubernetes = clone.builds()
    assert "version.Version=v3.75.0" in host
    assert "version.Version=v3.250.0" in engine
    assert "version.gitVersion=v1.36.3" in kubernetes
    assert "version.gitMajor=1 " in kubernetes
    assert "version.gitMinor=36 " in kubernetes


def test_a_second_run_builds_nothing_and_says_so_only_when_asked(clone):
    clone.build()
    again = clone.build()
    assert (again.returncode, again.stdout, again.stderr, len(clone.builds())) == (0, "", "", 3)
    said = clone.build("-v").stdout
    assert f"engine: {clone.bin / 'pulumi'}, " in said
    assert f"kubernetes: {clone.bin / 'edgelib-kubernetes'}, edgelib-kubernetes v1.36.3" in said


@pytest.mark.parametrize("change", ["pin", "main", "go", "gone"])
def test_what_is_out_of_date_is_built_again(clone, change):
    clone.build()
    if change == "pin":
        with (clone.root / "tools" / "engine" / "go.sum").open("a") as file:
            file.write("example.com/x v1.0.1 h1:x\n")
    elif change == "main":
        with (clone.root / "tools" / "kubernetes" / "main.go").open("a") as file:
            file.write("// changed\n")
    elif change == "go":
        clone.go_is("go1.27.0")
    else:
        (clone.bin / "pulumi").unlink()
    again = clone.build()
    assert again.returncode == 0
    assert len(clone.builds()) == (6 if change == "go" else 4)
    minutes = {"pin": "3 to 5", "main": "4 to 6", "go": "7 to 11", "gone": "3 to 5"}[change]
    assert f"about {minutes} minutes" in again.stdout


def test_a_machine_without_go_keeps_what_was_built(clone):
    clone.build()
    clone.path = ["/nowhere"]
    assert clone.build().returncode == 0


def test_without_go_the_ways_out_are_named(clone):
    clone.path = ["/nowhere"]
    done = clone.build()
    assert done.returncode == 1
    assert "Install Go 1.26.0 or newer from https://go.dev/dl/" in done.stderr
    assert "the Pulumi CLI, 3.250.0 or newer, from https://www.pulumi.com/docs/iac/download-install/" in done.stderr
    assert "kube-scheduler, kwok from https://kubernetes.io/releases/download/" in done.stderr


def test_a_go_that_is_too_old_is_named(clone):
    clone.go_is("go1.21.0")
    done = clone.build()
    assert done.returncode == 1
    assert "Go is too old to build from source: go1.21.0 linux/amd64" in done.stderr
    assert clone.builds() == []


@pytest.fixture
def programs(clone):
    """Puts programs of these names on PATH."""

    def put(*names):
        folder = clone.root / "programs"
        folder.mkdir()
        for name in names:
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o755)
        clone.path.insert(0, str(folder))

    return put


def test_where_all_is_on_path_nothing_is_built(clone, fake_engine, programs):
    clone.path.insert(0, str(fake_engine("official", version="v3.300.0")))
    programs("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
    done = clone.build("-v")
    assert "engine: pulumi 3.300.0" in done.stdout
    assert f"kubernetes: {clone.root / 'programs' / 'kube-apiserver'} (on PATH)" in done.stdout
    assert not clone.bin.exists()


def test_a_recent_pulumi_on_path_is_enough(clone, fake_engine):
    clone.path.insert(0, str(fake_engine("official", version="v3.300.0")))
    assert clone.build().returncode == 0
    assert clone.results() == KUBERNETES


def test_kubernetes_is_built_unless_all_of_it_is_on_path(clone, programs):
    programs("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    assert "not all of etcd, kube-apiserver," in clone.build().stdout
    assert clone.results() == ENGINE | KUBERNETES


def test_without_go_only_what_is_lacking_is_named(clone, fake_engine):
    clone.path = [str(fake_engine("official", version="v3.300.0"))]
    done = clone.build()
    assert done.returncode == 1
    assert "not all of etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok on PATH" in done.stderr
    assert "pulumi" not in done.stderr


def test_an_old_pulumi_on_path_is_named_and_the_pinned_one_built(clone, fake_engine):
    clone.path.insert(0, str(fake_engine("official", version="v3.100.0")))
    done = clone.build()
    assert "3.100.0, older than 3.250.0" in done.stdout
    assert "pulumi" in clone.results()


def test_a_build_that_fails_shows_why_and_leaves_no_half_binary(clone):
    (clone.fake / "broken").touch()
    done = clone.build()
    assert done.returncode == 1
    assert "undefined: x" in done.stderr
    assert (clone.results(), clone.partials()) == (set(), [])
    (clone.fake / "broken").unlink()
    assert clone.build().returncode == 0


@pytest.fixture
def interruptible():
    """Where the tests run in the background of a shell, interrupts are ignored, and children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_build_leaves_no_half_binary_and_can_be_run_again(clone, sent, code):
    (clone.fake / "slow").touch()
    building = clone.start()
    _wait_for(clone.fake / "slow", "started")
    building.send_signal(sent)
    building.wait(timeout=30)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(building.pid, signal.SIGKILL)
    building.communicate()
    assert building.returncode == code
    assert clone.results() == set()
    (clone.fake / "slow").unlink()
    assert clone.build().returncode == 0
    assert clone.partials() == []


def test_two_builds_at_once_are_one(clone):
    first, second = clone.start(), clone.start()
    said = [each.communicate(timeout=60)[0] for each in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(clone.builds()) == 3, said


def _wait_for(file: Path, content: str) -> None:
    """Bounded by the timeout of the test."""
    while content not in file.read_text():
        os.sched_yield()
