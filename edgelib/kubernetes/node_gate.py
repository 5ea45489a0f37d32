"""The gates of a cluster: a small program that `pulumi_command.local.Command` runs on the user's machine.

::

    command.local.Command(name, interpreter=INTERPRETER, create=WAIT, update=WAIT, stdin=Output.secret(gate.to_json()))

No ``delete``: a gate that the program leaves out says nothing about its node, which may go on running. Nodes that are no more are
what `Members` is for.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

WAIT: Final = "wait"
"""With a `NodeGate`: waits for the API and the node, then sets labels and taints. Fails with the reason after ``wait_seconds``."""
KEEP: Final = "keep"
"""With `Members`: takes the nodes that were members and are no more out of the cluster, for at most half a minute each. Never fails."""

PROGRAM: Final = resources.files("edgelib.kubernetes").joinpath("_node_gate_program.py").read_text(encoding="utf-8")
"""The program's text: of the standard library alone, for Python 3.9 or later."""

# Isolated (-I): no module of the folder that the command happens to run in stands in for one of the standard library. The action
# follows as an argument, so that a failure names it ("running 'wait'") and not the whole text.
INTERPRETER: Final = ["python3", "-I", "-c", PROGRAM]


@dataclass(frozen=True, kw_only=True)
class Administrator:
    """How the program reaches the API. Secret: it holds the key of the cluster's administrator."""

    server: str
    """URL of the Kubernetes API, such as ``https://203.0.113.7:6443``."""
    ca_pem: str
    """The certificates that the API's own must chain to."""
    certificate_pem: str
    """The administrator's client certificate, with its intermediates."""
    key_pem: str

    def to_json(self) -> str:
        """What the program reads on stdin: the same text for the same settings."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


@dataclass(frozen=True, kw_only=True)
class NodeGate(Administrator):
    """One node that is waited for, and what it keeps."""

    node: str
    """Name of the Node."""
    instance_id: str
    """EC2 instance id, for messages; may be empty. When it is not the one before, a new heartbeat is waited for (some 10 s)."""
    labels: Mapping[str, str]
    """Labels that the gate keeps. Those that it set before and that are not here any more are removed; others stay."""
    taints: Sequence[str]
    """Taints that the gate keeps, each ``key=value:Effect``; treated as `labels`."""
    wait_seconds: int
    poll_seconds: float = 1.0
    """Pause between two looks; while nothing changes it grows to ten times as much."""


@dataclass(frozen=True, kw_only=True)
class Members(Administrator):
    """The nodes that a cluster has."""

    nodes: Sequence[str]
    """Names of the Nodes."""
    poll_seconds: float = 1.0
    """Pause between two tries."""
