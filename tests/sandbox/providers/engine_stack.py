"""A stack on the real engine, with the stand-ins of this clone as its plugins."""

import json
import os
import subprocess
import sys
from pathlib import Path

from edgelib.sandbox import plugins
from edgelib.sandbox.providers import NAMES, version

ROOT = Path(__file__).resolve().parents[3]


class Stack:
    def __init__(self, folder, program, **environment):
        self.folder, self.home = folder, folder / "home"
        for package in NAMES:
            place = self.home / "plugins" / f"resource-{package}-v{version(package)}"
            place.mkdir(parents=True)
            script = place / f"pulumi-resource-{package}"
            script.write_text(plugins.stand_in_script(package, Path(sys.executable)))
            script.chmod(0o755)
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text("name: providers\nruntime: python\n")
        (folder / "__main__.py").write_text(program)
        path = os.pathsep.join((str(ROOT / "tools" / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]))
        self.environment = {
            **os.environ, "PATH": path, "PULUMI_HOME": str(self.home), "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "x", "PULUMI_SKIP_UPDATE_CHECK": "1", **environment,
        }  # fmt: skip
        self.pulumi("stack", "init", "dev")

    def start(self, *arguments):
        command = ["pulumi", "--non-interactive", *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def pulumi(self, *arguments, fails=False):
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=120)
        assert (process.returncode != 0) == fails, output
        return output

    def run(self, *arguments):
        """{operation: names} of what was not left as it was."""
        steps = {}
        for line in self.pulumi(*arguments, "--yes", "--skip-preview", "--json").splitlines():
            event = json.loads(line) if line.startswith("{") else {}
            about = event.get("resourcePreEvent", {}).get("metadata", {})
            if about and about["op"] not in {"same", "refresh", "read"} and not about["type"].startswith("pulumi:"):
                steps.setdefault(about["op"], set()).add(about["urn"].rsplit("::", 1)[1])
        return steps

    def outputs(self):
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))

    def state(self):
        return (self.folder / "state" / ".pulumi" / "stacks" / "providers" / "dev.json").read_text()
