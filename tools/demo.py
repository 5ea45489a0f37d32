"""Bring an example up on the sandbox, or take it down: what `make demo` and `make demo-down` run inside `edgelib sandbox run`.

edgelib sandbox run -- python tools/demo.py up|down EXAMPLE
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config
from rich.console import Console
from rich.markup import escape
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
STACK = "sandbox"


def main() -> None:
    """Parse the command line and act."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument("example")
    arguments = parser.parse_args()
    folder = ROOT / "examples" / arguments.example
    if not (folder / "Pulumi.yaml").is_file():
        known = ", ".join(sorted(project.parent.name for project in (ROOT / "examples").glob("*/Pulumi.yaml")))
        sys.exit(f"EXAMPLE: {arguments.example} is no example; the examples are: {known}")
    pulumi(folder, "stack", "select", "--create", STACK, quiet=True)
    {"up": up, "down": down}[arguments.action](folder)


def up(folder: Path) -> None:
    """Run `pulumi up`, then say what stands."""
    pulumi(folder, "up", "--yes", "--stack", STACK)
    outputs = json.loads(pulumi(folder, "stack", "output", "--json", "--stack", STACK, quiet=True))
    deployment = json.loads(pulumi(folder, "stack", "export", "--stack", STACK, quiet=True))["deployment"]
    summarise(folder.name, outputs, deployment.get("resources", []))
    if "kubeconfig" in outputs:
        show_nodes(folder)
    Console().print(
        f"\nLook further:  cd examples/{folder.name} && ../../.venv/bin/edgelib sandbox run -- pulumi stack"
        f"\nChange it:     edit examples/{folder.name}/__main__.py and `make demo EXAMPLE={folder.name}` again"
        f"\nTear it down:  make demo-down EXAMPLE={folder.name}",
        highlight=False,
        soft_wrap=True,
    )


def down(folder: Path) -> None:
    """Run `pulumi destroy`, then look whether anything is left in the emulated account."""
    pulumi(folder, "destroy", "--yes", "--stack", STACK)
    kubeconfig_of(folder).unlink(missing_ok=True)
    with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/sandbox/inventory", timeout=30) as answer:
        inventory: dict[str, Any] = json.load(answer)
    opted_in = inventory.pop("opted_in", [])
    left = {kind: things for kind, things in inventory.items() if things}
    if left:
        sys.exit(f"Left in the emulated account: {json.dumps(left, indent=2)}")
    console = Console()
    console.print("[bold]The emulated account is empty.[/bold]", highlight=False)
    if opted_in:
        console.print(f"Opted in to zone groups, which a destroy keeps: {opted_in}", highlight=False)


def summarise(example: str, outputs: dict[str, Any], resources: list[dict[str, Any]]) -> None:
    """Print what was built and where it is reached."""
    console = Console()
    kinds = collections.Counter(kind(resource["type"]) for resource in resources if resource.get("custom"))
    built = Table(title=f"Built by examples/{example}", title_justify="left", show_header=False, box=None)
    for name, count in sorted(kinds.items()):
        built.add_row(str(count), name)
    console.print(built)
    table = Table(title="Outputs", title_justify="left", show_header=False, box=None)
    for name, value in outputs.items():
        for key, item in value.items() if isinstance(value, dict) else [("", value)]:
            lines = item.items() if isinstance(item, dict) else [("", item)]
            for line, text in lines:
                table.add_row(name, " ".join(filter(None, [str(key), str(line)])), escape(shown(text)))
    console.print()
    console.print(table)


def shown(value: Any) -> str:
    """Return a value of an output in one line."""
    return ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else str(value)


def kubeconfig_of(folder: Path) -> Path:
    """Return the file in the sandbox that holds the example's kubeconfig."""
    return Path(os.environ["EDGELIB_SANDBOX"]) / f"{folder.name}.kubeconfig"


def show_nodes(folder: Path) -> None:
    """Print the nodes that the Kubernetes API knows, and how to look at them with kubectl."""
    kubeconfig = pulumi(folder, "stack", "output", "kubeconfig", "--show-secrets", "--stack", STACK, quiet=True)
    file = kubeconfig_of(folder)
    file.touch(mode=0o600)
    file.write_text(kubeconfig, encoding="utf-8")
    api = client.CoreV1Api(config.new_client_from_config_dict(yaml.safe_load(kubeconfig)))
    table = Table("Node", "Ready", "Zone", "Address", title="Kubernetes", title_justify="left", box=None)
    for node in api.list_node().items:
        ready = next((each.status for each in node.status.conditions or [] if each.type == "Ready"), "Unknown")
        addresses = {each.type: each.address for each in node.status.addresses or []}
        zone = node.metadata.labels.get("topology.kubernetes.io/zone", "")
        table.add_row(node.metadata.name, ready, zone, addresses.get("ExternalIP") or addresses.get("InternalIP", ""))
    console = Console()
    console.print()
    console.print(table)
    console.print(
        f"\nLook at them:  kubectl --kubeconfig {os.path.relpath(file)} get nodes", highlight=False, soft_wrap=True
    )


def kind(token: str) -> str:
    """Return the readable part of a resource type, such as ``aws ec2 Vpc``."""
    package, module, name = token.split(":")
    return " ".join([package, module.split("/")[0], name])


def pulumi(folder: Path, *arguments: str, quiet: bool = False) -> str:
    """Run the engine in ``folder``; a failure ends this program with its exit code. Returns its output if ``quiet``."""
    done = subprocess.run(
        ["pulumi", "--non-interactive", *arguments] if quiet else ["pulumi", *arguments],
        cwd=folder,
        check=False,
        text=True,
        capture_output=quiet,
    )
    if done.returncode:
        sys.stderr.write(done.stderr or "")
        sys.exit(done.returncode)
    return done.stdout or ""


if __name__ == "__main__":
    main()
