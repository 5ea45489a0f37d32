"""Labels and taints of Kubernetes nodes: their syntax, and what a kubelet may set by itself."""

import re
from collections.abc import Mapping, Sequence

from edgelib.errors import ArgsError

# Kubernetes documentation, "Labels and Selectors", syntax and character set
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_KEY = re.compile(rf"(?:[a-z0-9](?:[a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_PART}")
_VALUE = re.compile(rf"(?:{_PART})?")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")

# Kubernetes documentation, "Admission Controllers", NodeRestriction: a kubelet that is given any other refuses to start.
_KUBELETS_OWN = frozenset(
    {
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)
_KUBELETS_PREFIXES = ("kubelet.kubernetes.io/", "node.kubernetes.io/")


def label_value(text: str) -> str:
    """``text`` as a label's value: lower case, dashes for what a value cannot have (``New York`` becomes ``new-york``)."""
    return re.sub(r"[^a-z0-9._]+", "-", text.lower())[:63].strip("-._")


def check_labels(field: str, labels: Mapping[str, str]) -> dict[str, str]:
    """Returns ``labels``.

    Raises:
        ArgsError: a key or a value that is not in Kubernetes' syntax.
    """
    for key, value in labels.items():
        if not _KEY.fullmatch(key):
            raise ArgsError(
                field, repr(key), "is no label key", "use letters, digits, - _ . and at most one prefix before a slash"
            )
        if not _VALUE.fullmatch(value):
            raise ArgsError(
                f"{field}[{key!r}]", repr(value), "is no label value", "use up to 63 letters, digits, - _ ."
            )
    return dict(labels)


def check_node_labels(field: str, labels: Mapping[str, str]) -> dict[str, str]:
    """Returns ``labels``, which a node gives itself as it registers.

    Raises:
        ArgsError: as `check_labels`, or a label that Kubernetes forbids a kubelet to set (NodeRestriction).
    """
    for key in check_labels(field, labels):
        domain = key.rpartition("/")[0]
        reserved = domain in {"kubernetes.io", "k8s.io"} or domain.endswith((".kubernetes.io", ".k8s.io"))
        if reserved and key not in _KUBELETS_OWN and not key.startswith(_KUBELETS_PREFIXES):
            problem = "is a label that Kubernetes forbids a node to set by itself (NodeRestriction)"
            raise ArgsError(field, repr(key), problem, "use a prefix of your own, such as example.com/role")
    return dict(labels)


def check_taints(field: str, taints: Sequence[str]) -> list[str]:
    """Returns ``taints``, each ``key=value:Effect`` or ``key:Effect``.

    Raises:
        ArgsError: one that is not in that form, has an unknown effect, or repeats key and effect of another.
    """
    seen: set[tuple[str, str]] = set()
    for taint in taints:
        pair, colon, effect = taint.rpartition(":")
        key, _, value = pair.partition("=")
        if not colon or not _KEY.fullmatch(key) or not _VALUE.fullmatch(value):
            raise ArgsError(field, repr(taint), "is no taint", "write key=value:NoSchedule")
        if effect not in _EFFECTS:
            raise ArgsError(field, repr(taint), f"has the effect {effect!r}", f"use one of {', '.join(_EFFECTS)}")
        if (key, effect) in seen:
            raise ArgsError(field, repr(taint), "repeats the key and effect of another", "name each pair once")
        seen.add((key, effect))
    return list(taints)
