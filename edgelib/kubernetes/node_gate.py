"""The readiness gate of a node: a small program that a `pulumi_command.local.Command` runs on the user's machine.

::

    command.local.Command(
        name, interpreter=INTERPRETER, create=WAIT, update=WAIT, delete=FORGET, stdin=Output.secret(gate.to_json())
    )

No `triggers`: a replaced Command runs its delete last, which would take the node out that its create has just waited for.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

WAIT: Final = "wait"
"""Waits for the API and the node, then sets labels and taints. Fails with the reason after `NodeGate.wait_seconds`."""
FORGET: Final = "forget"
"""Takes the node out of the cluster, for at most half a minute. Never fails."""

PROGRAM: Final = resources.files("edgelib.kubernetes").joinpath("_node_gate_program.py").read_text(encoding="utf-8")
"""The program's text: of the standard library alone, for Python 3.9 or later."""

# Isolated (-I): no module of the folder that the command happens to run in stands in for one of the standard library. The action
# follows as an argument, so that a failure names it ("running 'wait'") and not the whole text.
INTERPRETER: Final = ["python3", "-I", "-c", PROGRAM]


@dataclass(frozen=True, kw_only=True)
class NodeGate:
    """What the program reads on stdin. Secret: it holds the key of the cluster's administrator."""

    server: str
    """URL of the Kubernetes API, such as ``https://203.0.113.7:6443``."""
    ca_pem: str
    """The certificates that the API's own must chain to."""
    certificate_pem: str
    """The administrator's client certificate, with its intermediates."""
    key_pem: str
    node: str
    """Name of the Node."""
    since: str
    """Launch time of the instance (RFC 3339): status and heartbeats before it are another machine's. Empty takes any.

    5 seconds are allowed for clocks that differ.
    """
    instance_id: str
    """EC2 instance id, for messages; and so that a replaced instance is waited for anew. May be empty."""
    labels: Mapping[str, str]
    """Labels that the gate keeps. Those that it set before and that are not here any more are removed; others stay."""
    taints: Sequence[str]
    """Taints that the gate keeps, each ``key=value:Effect``; treated as `labels`."""
    wait_seconds: int
    poll_seconds: float = 1.0
    """Pause between two looks; while nothing changes it grows to ten times as much."""

    def to_json(self) -> str:
        """The same text for the same settings."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)
