"""An example as a stack of the real engine on a sandbox."""

import json
import os
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
UP_SECONDS = 300


@dataclass(frozen=True, repr=False)
class Outcome:
    """How one command of the engine ended."""

    code: int
    changes: dict
    """Resources by operation, such as ``{"create": 40}``."""
    steps: list
    """(operation, type, name) of every custom resource that was not left as it was."""
    output: str

    def __repr__(self):
        return f"exit {self.code}, {self.changes}\n{self.output[-6000:]}"


class Stack:
    """A copy of an example and its stack on the sandbox."""

    def __init__(self, folder, sandbox):
        self.folder, self.sandbox = folder, sandbox
        self.environment = sandbox.environment(os.environ)
        self.pulumi("stack", "select", "--create", "sandbox", check=True)

    def pulumi(self, *arguments, check=False):
        return subprocess.run(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.folder,
            env=self.environment,
            check=check,
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
        )

    def run(self, *arguments):
        """Run a command that changes the stack, or previews it, and read its events."""
        done = self.pulumi(*arguments, "--stack", "sandbox", "--json")
        return outcome(done)

    def up(self, *arguments):
        return self.run("up", "--yes", "--skip-preview", *arguments)

    def up_with_dying_provider(self, action):
        """Kill the aws provider while it waits for the answer to ``action``, whose work AWS does all the same."""
        control(self.sandbox, "POST", "faults", [{"action": action, "times": 1, "delay": 8}])
        command = ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview", "--stack", "sandbox", "--json"]
        with tempfile.TemporaryFile("w+") as events:
            running = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=events)
            for _ in range(600):
                if control(self.sandbox, "GET", "faults")[0]["hits"] or running.poll() is not None:
                    break
                time.sleep(0.1)
            for process in psutil.Process(running.pid).children(recursive=True):
                if any("edgelib.sandbox.providers" in part and "aws" in part for part in process.cmdline()):
                    process.kill()
            running.wait(timeout=UP_SECONDS)
            events.seek(0)
            done = subprocess.CompletedProcess(command, running.returncode, events.read(), "")
        control(self.sandbox, "DELETE", "faults")
        return outcome(done)

    def destroy(self):
        return self.run("destroy", "--yes", "--skip-preview")

    def configure(self, **settings):
        for key, value in settings.items():
            self.pulumi("config", "set", "--stack", "sandbox", key, str(value), check=True)

    def outputs(self):
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets", check=True).stdout)

    def resources(self):
        """Custom resources of the state: (type, name) to id."""
        exported = json.loads(self.pulumi("stack", "export", "--stack", "sandbox", check=True).stdout)
        return {
            (resource["type"], resource["urn"].rsplit("::", 1)[1]): resource["id"]
            for resource in exported["deployment"].get("resources", [])
            if resource["custom"] and not resource["type"].startswith("pulumi:")
        }

    def edit(self, before, after):
        """Replace a text of the program, which must be there."""
        program = self.folder / "__main__.py"
        text = program.read_text()
        assert before in text
        program.write_text(text.replace(before, after))

    def aws(self, service):
        """A client of the emulated AWS, as the program's own."""
        boto3 = pytest.importorskip("boto3", reason="comes with edgelib[sandbox]")
        return boto3.client(
            service,
            endpoint_url=self.sandbox.emulator.url,
            region_name="us-east-1",
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
        )

    def account(self):
        """Everything in the emulated account but the opt-ins, which a destroy keeps."""
        found = control(self.sandbox, "GET", "inventory")
        found.pop("opted_in")
        return {kind: things for kind, things in found.items() if things}


def outcome(done):
    """Read what the engine printed: a stream of events, or one document in the case of a preview."""
    changes, steps, messages = {}, [], [done.stderr]
    for event in documents(done.stdout):
        changes = event.get("summaryEvent", {}).get("resourceChanges") or event.get("changeSummary") or changes
        about = event.get("resourcePreEvent", {}).get("metadata", {})
        if about and about["op"] != "same" and about["type"].startswith("aws:"):
            steps.append((about["op"], about["type"], about["urn"].rsplit("::", 1)[1]))
        diagnostics = [event.get("diagnosticEvent", {}), *event.get("diagnostics", [])]
        messages += [each.get("message", "") for each in diagnostics if each.get("severity") != "debug"]
    return Outcome(done.returncode, changes, steps, "\n".join(filter(None, messages)))


def documents(text):
    """Yield the JSON objects that stand one after another in ``text``."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        document, at = decoder.raw_decode(text, at)
        yield document


def control(sandbox, method, what, body=None):
    """Call one of the emulator's control endpoints."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{sandbox.emulator.url}/sandbox/{what}", data, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"{}")
