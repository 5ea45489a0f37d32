"""``record.py PROGRAM TIMES``: runs a program of this folder on recording stand-ins and prints, as JSON, what it asked for."""

import dataclasses
import importlib
import json
import sys
from typing import Any

from edgelib.testing import Recorded, Recording, deploy

OPTIONS = ("delete_before_replace", "ignore_changes", "protect", "retain_on_delete")


def entry(resource: Recorded) -> dict[str, Any]:
    """A resource of a provider: what replay.py needs to register it again."""
    used = {name: list(urns) for name, urns in resource.options.property_dependencies.items() if urns}
    through_inputs = {urn for urns in used.values() for urn in urns}
    return {
        "type": resource.type,
        "name": resource.name,
        "urn": resource.urn,
        "id": resource.id,
        "inputs": resource.inputs,
        "secret_inputs": sorted(resource.secret_inputs),
        "dependencies": used,
        "depends_on": [urn for urn in resource.options.depends_on if urn not in through_inputs],
        "options": {name: value for name in OPTIONS if (value := getattr(resource.options, name)) not in (None, ())},
    }


def recorded(recording: Recording) -> dict[str, Any]:
    """The recording without its components, as plain data."""
    return {
        "resources": [entry(resource) for resource in recording.resources if resource.custom],
        "invokes": [dataclasses.asdict(invoked) for invoked in recording.invokes],
        "exports": recording.exports,
        "secret_exports": sorted(recording.secret_exports),
    }


if __name__ == "__main__":
    site = importlib.import_module(f"programs.{sys.argv[1]}").site
    print(json.dumps(recorded(deploy(lambda: [site(f"s{number}-") for number in range(int(sys.argv[2]))]))))
