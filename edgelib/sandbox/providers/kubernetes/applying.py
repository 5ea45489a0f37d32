"""Server-side apply: field managers, strict validation, and refusals in the user's words."""

import re
from collections.abc import Mapping
from typing import Any, Final, Optional

from edgelib.sandbox.providers.kubernetes.api import Api, RefusedError
from edgelib.sandbox.providers.kubernetes.kinds import Kind
from edgelib.sandbox.providers.kubernetes.objects import identity, metadata_of, submitted
from edgelib.sandbox.providers.resource import ProviderError

_APPLY: Final = "application/apply-patch+yaml"
_MANAGER: Final = re.compile(r'conflict with "([^"]+)"')
_UNDECLARED: Final = re.compile(r"failed to create typed patch object \([^)]*\): (.*)", re.DOTALL)
# Whose fields are taken over without asking, as the official provider does: a change by hand is drift, not ownership.
_BY_HAND: Final = ("kubectl", "before-first-apply", "pulumi-kubernetes", "pulumi-resource-kubernetes")


def apply(
    api: Api, kind: Kind, obj: Mapping[str, Any], *, manager: str, force: bool = False, dry_run: bool = False
) -> dict[str, Any]:
    """Apply the object and give the live one. Fields that were last changed by hand with kubectl are taken over.

    Args:
        api: Where.
        kind: The object's kind.
        obj: Its inputs, with metadata.name.
        manager: Field manager.
        force: Take over fields that others manage.
        dry_run: Let the server do everything but store it.

    Raises:
        ProviderError: What the server refuses and why, naming each field.
    """
    metadata = metadata_of(obj)
    path = api.endpoint(kind).path(metadata.get("namespace"), str(metadata["name"]))
    query = [("fieldManager", manager), ("force", str(force).lower()), ("fieldValidation", "Strict")]
    if dry_run:
        query.append(("dryRun", "All"))
    try:
        return api.request("patch", path, submitted(obj), query=query, content_type=_APPLY)
    except RefusedError as error:
        others = conflicting(error)
        if others and not force and all(name.startswith(_BY_HAND) for _, name in others):
            return apply(api, kind, obj, manager=manager, force=True, dry_run=dry_run)
        said = explanation(kind, obj, error)
        if said is None:
            raise
        raise ProviderError(said) from error


def conflicting(error: RefusedError) -> list[tuple[str, str]]:
    """(field, manager) of each conflict that an apply was refused for."""
    found: list[tuple[str, str]] = []
    for field, message, reason in error.causes:
        named = _MANAGER.search(message)
        if reason == "FieldManagerConflict" and named:
            found.append((str(field), named[1]))
    return found


def explanation(kind: Kind, obj: Mapping[str, Any], error: RefusedError) -> Optional[str]:
    """What the user reads instead of the server's answer, where that is not clear by itself."""
    what = f"{kind} {identity(obj)}"
    others = conflicting(error)
    if others:
        fields = "; ".join(f'{field} is managed by "{manager}"' for field, manager in others)
        return (
            f"{what}: Server-Side Apply field conflict: {fields}. Leave the field to its manager (take it out of the program, "
            f'or `ignore_changes`), or take it over: annotation pulumi.com/patchForce: "true" on the object, or '
            f"enablePatchForce on the provider"
        )
    undeclared = _UNDECLARED.search(error.message)
    if undeclared:  # a 500 without a reason, although the request is wrong; the server names one field at a time
        return f"{what}: the API's schema does not allow this: {undeclared[1]}: correct the field's name or its type"
    if error.reason == "Invalid" and error.causes:
        fields = "; ".join(f"{field}: {message}" for field, message, _ in error.causes)
        return f"{what} is invalid: {fields}"
    return None


def relinquish(api: Api, kind: Kind, live: Mapping[str, Any], *, manager: str) -> None:
    """Give up every field of a manager: the server removes those that nobody else manages."""
    metadata = metadata_of(live)
    names = {key: metadata[key] for key in ("name", "namespace") if metadata.get(key)}
    empty = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": names}
    apply(api, kind, empty, manager=manager, force=True)
