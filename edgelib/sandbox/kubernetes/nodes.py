"""Machines as nodes of a cluster: what a kubelet would register, and the mark that makes kwok send its heartbeats."""

import uuid
from collections.abc import Mapping
from typing import Any, Optional

from edgelib.sandbox.kubernetes.client import Api
from edgelib.sandbox.kubernetes.commands import RUNNING_LABEL
from edgelib.sandbox.kubernetes.specs import Node

NODES = "/api/v1/nodes"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

_NAMESPACE = uuid.UUID("7a3e0c1e-5b0e-4f62-9a0d-0f4f5d3b8f11")


def join(api: Api, node: Node) -> None:
    """Register the machine: make its Node, or take over the one that is there.

    As K3s does: a machine that boots gives the Node its labels, takes none away, and gets a new boot id; taints count only when the
    Node is made.
    """
    path = f"{NODES}/{node.name}"
    existing = api.find(path)
    if existing is None:
        api.create(NODES, registration(node))
        existing = api.get(path)
    running = RUNNING_LABEL in existing["metadata"]["labels"]
    known = existing["status"]
    wanted = status(node, boot_id=known["nodeInfo"]["bootID"] if running else None)
    if any(known.get(key) != value for key, value in wanted.items()):
        api.merge(f"{path}/status", {"status": wanted})
    if not running:
        _label(api, node.name, {**node.labels, RUNNING_LABEL: "true"})


def halt(api: Api, name: str) -> None:
    """End the heartbeats of a node, if there is such a node."""
    existing = api.find(f"{NODES}/{name}")
    if existing is not None and RUNNING_LABEL in existing["metadata"]["labels"]:
        _label(api, name, {RUNNING_LABEL: None})


def listed(api: Api) -> list[dict[str, Any]]:
    """All Node objects, as the API gives them."""
    return api.get(NODES)["items"]


def release_leases(api: Api) -> None:
    """Take every lease from the kwok that held it, so that its successor need not wait until they expire.

    The times of the leases stay: they tell when a machine was last heard of.
    """
    for lease in api.get(LEASES)["items"]:
        api.merge(f"{LEASES}/{lease['metadata']['name']}", {"spec": {"holderIdentity": None}})


def registration(node: Node) -> dict[str, Any]:
    """The Node object that a kubelet of K3s makes."""
    platform = {f"{prefix}kubernetes.io/{key}": value for prefix in ("", "beta.") for key, value in _PLATFORM.items()}
    own = {"kubernetes.io/hostname": node.name, "node.kubernetes.io/instance-type": "k3s"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node.name,
            "labels": {**platform, **own, **node.labels},
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
        },
        "spec": {"providerID": f"k3s://{node.name}", "taints": [taint(text) for text in node.taints]},
    }


def status(node: Node, *, boot_id: Optional[str]) -> dict[str, Any]:
    """What a kubelet says of its machine each time it registers. None as boot id: this is a boot."""
    machine = uuid.uuid5(_NAMESPACE, node.instance_id)
    resources = {"cpu": str(node.cpu), "memory": quantity(node.memory), "pods": str(node.pods)}
    external = [] if node.external_ip is None else [{"type": "ExternalIP", "address": node.external_ip}]
    return {
        "addresses": [
            {"type": "InternalIP", "address": node.internal_ip},
            *external,
            {"type": "Hostname", "address": node.name},
        ],
        "capacity": resources,
        "allocatable": resources,
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": boot_id or str(uuid.uuid4()),
            "containerRuntimeVersion": "containerd://2.1.5-k3s1",
            "kernelVersion": "6.1.0-sandbox",
            "kubeProxyVersion": "",
            "kubeletVersion": node.kubelet_version,
            "machineID": machine.hex,
            "operatingSystem": "linux",
            "osImage": "Simulated machine of the edgelib sandbox",
            "systemUUID": str(machine),
        },
    }


def quantity(amount: int) -> str:
    """Bytes as the API itself writes them back: in the largest binary unit that divides them, "16Gi"."""
    for unit in ("", "Ki", "Mi", "Gi", "Ti"):
        if amount % 1024 or unit == "Ti":
            return f"{amount}{unit}"
        amount //= 1024
    raise AssertionError


def taint(text: str) -> dict[str, str]:
    """ "key=value:Effect" or "key:Effect" as the API has it."""
    key_value, _, effect = text.rpartition(":")
    key, equals, value = key_value.partition("=")
    return {"key": key, "effect": effect, **({"value": value} if equals else {})}


def _label(api: Api, name: str, labels: Mapping[str, Optional[str]]) -> None:
    api.merge(f"{NODES}/{name}", {"metadata": {"labels": dict(labels)}})


_PLATFORM = {"arch": "amd64", "os": "linux"}
