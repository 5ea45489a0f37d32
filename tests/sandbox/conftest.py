"""Programs that stand for others in these tests: a fake engine, and a stub of the emulator that starts in no time."""

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgelib.sandbox import emulator
from edgelib.sandbox.directory import SandboxDirectory
from edgelib.sandbox.machines import service

FakeEngine = Callable[..., Path]

STUB = """
import http.server, json, os, pathlib, signal, sys, urllib.parse
root = pathlib.Path.cwd()
directory = pathlib.Path(sys.argv[sys.argv.index("--directory") + 1])
port = int(sys.argv[sys.argv.index("--port") + 1])
print("stub begins", file=sys.stderr, flush=True)
if (root / "stub-fails").exists():
    sys.exit("stub was told to fail")
if (root / "stub-hangs").exists():
    signal.pause()
if (root / "stub-is-stubborn").exists():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
vpcs = [{"id": "vpc-1"}]

class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, body, code=200):
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def do_GET(self):
        if self.path == "/sandbox/health":
            self.answer({"ok": True}, 500 if (root / "stub-is-sick").exists() else 200)
        elif self.path == "/sandbox/inventory":
            self.answer({"ec2:vpc": vpcs, "ec2:subnet": [], "opted_in": ["us-east-1-wl1"]})
        elif self.path == "/sandbox/machines":
            machine = {"id": "i-1", "name": "edge", "state": "running"}
            self.answer({"machines": [machine] if vpcs else [], "volumes": [], "private_range": "127.16.0.0/24"})
        else:
            self.answer({}, 404)
    def do_POST(self):
        vpcs.clear()
        self.answer({})
    def log_message(self, *arguments):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
partial = directory / "endpoint.partial"
partial.write_text(json.dumps({"url": "http://127.0.0.1:%d" % server.server_port, "pid": os.getpid()}))
partial.replace(directory / "endpoint.json")
server.serve_forever()
"""

DIRECTOR = "import signal; signal.pause()"


@pytest.fixture(scope="session")
def write_engine() -> FakeEngine:
    """Makes `folder` with a `pulumi` that answers `version`; other commands run `body` (sh)."""

    def write(folder: Path, *, version: str = "v3.250.0", host: bool = True, body: str = "exit 1") -> Path:
        folder.mkdir()
        script = f'#!/bin/sh\nif [ "$1" = version ]; then echo {shlex.quote(version)}; exit 0; fi\n{body}\n'
        for file in ("pulumi", "pulumi-language-python") if host else ("pulumi",):
            (folder / file).write_text(script)
            (folder / file).chmod(0o755)
        return folder

    return write


@pytest.fixture
def fake_engine(tmp_path: Path, write_engine: FakeEngine) -> FakeEngine:
    """The same, in a folder of the test by its name."""
    return lambda name="engine", **how: write_engine(tmp_path / name, **how)


@pytest.fixture
def stub_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lets the sandbox start stubs instead of the emulator and the director.

    Files in the sandbox's root tell the emulator's how to misbehave.
    """
    program, director = tmp_path / "stub.py", tmp_path / "director.py"
    program.write_text(STUB)
    director.write_text(DIRECTOR)

    def command(directory: SandboxDirectory) -> list[str]:
        return [sys.executable, str(program), "--directory", str(directory.aws)]

    def director_command(directory: SandboxDirectory) -> list[str]:
        return [sys.executable, str(director), str(directory.root)]

    monkeypatch.setattr(emulator, "command", command)
    monkeypatch.setattr(service, "command", director_command)
    yield
    for stub in (program, director):
        for process in emulator.processes.running_with([sys.executable, str(stub)]):
            process.kill()


@pytest.fixture
def user_environ(fake_engine: FakeEngine, tmp_path: Path) -> dict[str, str]:
    """An environment as a user has it: an official engine that can download nothing, and a real-looking account."""
    home = tmp_path / "home"
    home.mkdir()
    return {
        "PATH": os.pathsep.join((str(fake_engine()), os.environ["PATH"])),
        "HOME": str(home),
        "AWS_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    }
