"""Registers what record.py has recorded once more, in plain Pulumi: the same resources, inputs, dependencies and options, no component.

So a component that nobody has written by hand as well has something to stand beside. A replay computes nothing: where one would
write `nic.private_ip`, or render a text from it, it has an apply that answers with what was recorded.
"""

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi

Made = dict[str, pulumi.CustomResource]


def replay(recording: Mapping[str, Any]) -> None:
    """Registers the resources, asks the questions and exports the outputs, within a program that runs."""
    for invoked in recording["invokes"]:
        pulumi.runtime.invoke_output(invoked["token"], dict(invoked["args"]))
    made: Made = {}
    urn_by_id = {entry["id"]: entry["urn"] for entry in recording["resources"]}
    for entry in recording["resources"]:
        made[entry["urn"]] = register(entry, made, urn_by_id)
    for name, value in recording["exports"].items():
        pulumi.export(name, pulumi.Output.secret(value) if name in recording["secret_exports"] else value)


def register(entry: Mapping[str, Any], made: Made, urn_by_id: Mapping[str, str]) -> pulumi.CustomResource:
    """One resource, by the class that one would use by hand."""
    package, module, name = entry["type"].split(":")
    module = module.partition("/")[0]
    package = f"pulumi_{package}" if module == "index" else f"pulumi_{package}.{module}"
    arguments = {
        snake_case(key): input_of(value, key, entry, made, urn_by_id) for key, value in entry["inputs"].items()
    }
    opts = pulumi.ResourceOptions(
        depends_on=[made[urn] for urn in entry["depends_on"] if urn in made], **entry["options"]
    )
    return getattr(importlib.import_module(package), name)(entry["name"], **arguments, opts=opts)


def snake_case(name: str) -> str:
    """A property's name as Pulumi's Python SDKs have it."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def input_of(value: Any, key: str, entry: Mapping[str, Any], made: Made, urn_by_id: Mapping[str, str]) -> Any:
    """An input, as a value that depends on what the recorded one depended on."""
    used: list[str] = entry["dependencies"].get(key, [])
    found: set[str] = set()

    def reference(text: Any) -> Any:
        urn = urn_by_id.get(text) if isinstance(text, str) else None
        if urn not in used:
            return text
        found.add(urn)
        return made[urn].id

    wired = walk(value, key, reference, entry["secret_inputs"])
    rest = [made[urn].id for urn in used if urn not in found]
    if not rest:
        return wired
    return pulumi.Output.all(*rest, wired).apply(lambda answers: answers[-1])


def walk(value: Any, path: str, leaf: Callable[[Any], Any], secrets: Sequence[str]) -> Any:
    """The value with every leaf replaced, and a secret where it was one."""
    if isinstance(value, Mapping):
        wired: Any = {key: walk(item, f"{path}.{key}", leaf, secrets) for key, item in value.items()}
    elif isinstance(value, list):
        wired = [walk(item, f"{path}[{index}]", leaf, secrets) for index, item in enumerate(value)]
    else:
        wired = leaf(value)
    return pulumi.Output.secret(wired) if path in secrets else wired
