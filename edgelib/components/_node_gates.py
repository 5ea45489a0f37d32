"""What shows that a node of a cluster has come up: its gate, which the next node of a rolling replacement waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_command as command

from edgelib.components._family import Family
from edgelib.components._host import Host
from edgelib.kubernetes.node_gate import INTERPRETER, KEEP, WAIT, Members, NodeGate


@dataclass(frozen=True, kw_only=True)
class ApiAccess:
    """How an administrator reaches a cluster's API."""

    server: pulumi.Output[str]
    """``https://host:port``."""
    ca: pulumi.Output[str]
    certificate: pulumi.Output[str]
    key: pulumi.Output[str]


def gate_node(
    family: Family,
    role: str,
    host: Host,
    api: ApiAccess,
    *,
    node: str,
    labels: pulumi.Input[Mapping[str, str]],
    taints: Sequence[str],
    wait_seconds: int,
) -> command.local.Command:
    """Waits until the node is Ready in the API and gives it its labels and taints; a change of these does so in place."""

    def stdin(found: Sequence[Any]) -> str:
        server, ca, certificate, key, instance_id, known_labels = found
        return NodeGate(
            server=server,
            ca_pem=ca,
            certificate_pem=certificate,
            key_pem=key,
            node=node,
            instance_id=instance_id,
            labels=known_labels,
            taints=taints,
            wait_seconds=wait_seconds,
        ).to_json()

    facts = (api.server, api.ca, api.certificate, api.key, host.instance.id, labels)
    return command.local.Command(
        f"{family.name}-{role}-ready",
        interpreter=INTERPRETER,
        create=WAIT,
        update=WAIT,
        stdin=pulumi.Output.secret(pulumi.Output.all(*facts).apply(stdin)),
        logging=command.local.Logging.STDERR,
        opts=family.opts(depends_on=host.gates),
    )


def keep_members(
    family: Family, api: ApiAccess, nodes: Sequence[str], up: Sequence[pulumi.Resource]
) -> command.local.Command:
    """Takes the Node objects of nodes that the program has no more out of the cluster; ``up`` shows that it serves.

    Not the gates' own doing as they go: a program may stop waiting for a node that it keeps.
    """

    def stdin(found: Sequence[str]) -> str:
        server, ca, certificate, key = found
        return Members(server=server, ca_pem=ca, certificate_pem=certificate, key_pem=key, nodes=nodes).to_json()

    return command.local.Command(
        f"{family.name}-members",
        interpreter=INTERPRETER,
        create=KEEP,
        update=KEEP,
        stdin=pulumi.Output.secret(pulumi.Output.all(api.server, api.ca, api.certificate, api.key).apply(stdin)),
        logging=command.local.Logging.STDERR,
        opts=family.opts(depends_on=up),
    )
