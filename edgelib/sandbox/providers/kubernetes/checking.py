"""Inputs of an object as they are recorded: with a name, a namespace and its kind; and every reason to refuse them."""

from collections.abc import Mapping
from typing import Any

from edgelib.sandbox.providers.kubernetes.kinds import is_list, kind_of_token
from edgelib.sandbox.providers.kubernetes.objects import (
    TIMEOUT,
    WAIT_FOR,
    annotation,
    metadata_of,
    named,
    with_metadata,
    with_own_metadata,
)
from edgelib.sandbox.providers.kubernetes.readiness import custom_rules
from edgelib.sandbox.providers.kubernetes.settings import CUSTOM_RESOURCE_DEFINITION, Session
from edgelib.sandbox.providers.properties import Failure
from edgelib.sandbox.providers.resource import ProviderError
from edgelib.sandbox.providers.values import UNKNOWN, mapping_of

_HOOK = "helm.sh/hook"
HOOK_WARNING = (
    "this object is a Helm hook: it is created like any other, and never run as a hook. "
    "`suppressHelmHookWarnings` on the provider turns this warning off"
)


def check(
    session: Session, token: str, news: Mapping[str, Any], olds: Mapping[str, Any], *, name: str, seed: bytes
) -> tuple[dict[str, Any], list[Failure]]:
    """The inputs to record, and why they cannot be.

    Args:
        session: The provider.
        token: Type of the resource.
        news: What the program gives.
        olds: What was recorded before, {} for a new object.
        name: Name of the resource: the stem of a generated name.
        seed: The engine's, for the rest of a generated name.

    Raises:
        ProviderError: The type is none that a server stores.
    """
    if is_list(token):
        raise ProviderError(
            f"{token}: a list exists in manifests alone, no server stores one: create each of its items, or give the manifest "
            f"to kubernetes.yaml.v2.ConfigGroup"
        )
    given = news.get("kind")
    kind, patch = kind_of_token(token, given if isinstance(given, str) else None)
    inputs: dict[str, Any] = {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {},
        **with_own_metadata(news),
    }
    failures = _failures(inputs, patch=patch)
    if not failures and not patch:
        inputs = named(inputs, olds, name=name, seed=seed)
    if metadata_of(inputs).get("namespace") is None and session.namespaced(kind):
        inputs = with_metadata(inputs, namespace=session.namespace())
    if kind == CUSTOM_RESOURCE_DEFINITION:
        session.define(inputs)
    return inputs, failures


def _failures(inputs: Mapping[str, Any], *, patch: bool) -> list[Failure]:
    found: list[Failure] = []
    metadata: Any = inputs["metadata"]
    if metadata is not UNKNOWN and not isinstance(metadata, Mapping):
        return [Failure("metadata", "metadata must be an object")]
    if metadata_of(inputs).get("generateName") is not None:
        reason = "is not supported with server-side apply: leave out metadata.name, and a name is generated"
        found.append(Failure("metadata.generateName", f"metadata.generateName {reason}"))
    if patch and metadata is not UNKNOWN and not metadata_of(inputs).get("name"):
        found.append(Failure("metadata.name", "metadata.name: a Patch resource needs the name of the object to change"))
    seconds, wanted = annotation(inputs, TIMEOUT), annotation(inputs, WAIT_FOR)
    if seconds is not None and not seconds.replace(".", "", 1).isdigit():
        found.append(Failure("metadata.annotations", f"{TIMEOUT}: {seconds!r} is not a number of seconds"))
    if wanted is not None:
        try:
            custom_rules(wanted)
        except ValueError as error:
            found.append(Failure("metadata.annotations", f"{WAIT_FOR}: {error}"))
    return found


def is_hook(inputs: Mapping[str, Any]) -> bool:
    """Whether Helm would run the object as a hook."""
    annotations = metadata_of(inputs).get("annotations")
    return isinstance(annotations, Mapping) and any(key.startswith(_HOOK) for key in mapping_of(annotations))
