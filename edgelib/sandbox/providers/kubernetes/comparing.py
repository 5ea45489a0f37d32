"""Whether new inputs change an object, by asking the server: what it would not store is no change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from edgelib.sandbox.providers.kubernetes.api import Api, RefusedError, UnknownKindError, UnreachableError
from edgelib.sandbox.providers.kubernetes.applying import apply
from edgelib.sandbox.providers.kubernetes.changes import Difference, differences, refused, replacing
from edgelib.sandbox.providers.kubernetes.kinds import Kind, kind_of, replacing_fields
from edgelib.sandbox.providers.kubernetes.objects import (
    AUTONAMED,
    REPLACE_UNREADY,
    annotation,
    metadata_of,
    stored,
    with_own_metadata,
)
from edgelib.sandbox.providers.kubernetes.readiness import job
from edgelib.sandbox.providers.kubernetes.settings import Session
from edgelib.sandbox.providers.resource import ProviderError
from edgelib.sandbox.providers.values import is_unknown


@dataclass(frozen=True)
class Comparison:
    """The differences that count, those among them that need a new object, and whether the old one goes first."""

    differences: Sequence[Difference] = ()
    replacing: frozenset[Difference] = frozenset()
    old_first: bool = False


def compare(
    session: Session, kind: Kind, old: Mapping[str, Any], new: Mapping[str, Any], *, manager: str, patch: bool
) -> Comparison:
    """Compare recorded inputs with new ones.

    Args:
        session: The provider.
        kind: The object's kind, by the new inputs.
        old: Inputs as recorded, or as a refresh found them.
        new: Inputs as checked now.
        manager: Field manager of the object.
        patch: Whether it is a Patch resource: only another target is a replacement then.
    """
    before, after = with_own_metadata(old), with_own_metadata(new)
    found = [*differences(before, after)]
    if not patch and _is_unready_job(session, kind, new):
        mark = Difference(("metadata", "annotations", REPLACE_UNREADY), "update")
        return Comparison([*found, mark], frozenset([mark]), _must_go_first(old, new))
    if not found:
        return Comparison()
    switch = "enableConfigMapMutable" if kind.name == "ConfigMap" else "enableSecretMutable"
    fields = replacing_fields(kind, new, mutable=session.on(switch) or patch)
    anew = replacing(found, fields[:3] if patch else fields)
    if kind_of(str(old.get("apiVersion", kind.api_version)), kind.name).group != kind.group:
        anew |= {each for each in found if each.path == ("apiVersion",)}
    if not is_unknown(new) and not _identity_changes(anew):
        told = _asked(session, kind, new, found, manager)
        if told is not None:
            found, more = told
            anew = (anew | more) & set(found)
    return Comparison(found, frozenset(anew), bool(anew) and _must_go_first(old, new))


def _identity_changes(anew: set[Difference]) -> bool:
    return any(each.path[0] in ("kind", "apiVersion") or each.names[:1] == ("metadata",) for each in anew)


def _asked(
    session: Session, kind: Kind, new: Mapping[str, Any], found: list[Difference], manager: str
) -> Optional[tuple[list[Difference], set[Difference]]]:
    """What is left of the differences after a dry run, and which of them the server calls immutable; None when it cannot say."""
    try:
        api = session.api()
        metadata = metadata_of(new)
        live = api.get(kind, metadata.get("namespace"), str(metadata["name"]))
        if live is None:
            return None
        would = apply(api, kind, new, manager=manager, force=True, dry_run=True)
    except (UnreachableError, UnknownKindError):
        return None
    except ProviderError as error:
        answer = error if isinstance(error, RefusedError) else error.__cause__
        causes = answer.causes if isinstance(answer, RefusedError) and answer.status == 422 else []
        return found, refused(found, [(field, message) for field, message, _ in causes])
    return ([], set()) if stored(live) == stored(would) else (found, set())


def same_stored(api: Api, kind: Kind, live: Mapping[str, Any], inputs: Mapping[str, Any], *, manager: str) -> bool:
    """Whether applying these inputs would leave the live object as it is."""
    try:
        would = apply(api, kind, inputs, manager=manager, force=True, dry_run=True)
    except ProviderError:
        return False
    return stored(live) == stored(would)


def _is_unready_job(session: Session, kind: Kind, new: Mapping[str, Any]) -> bool:
    if kind.name != "Job" or annotation(new, REPLACE_UNREADY) != "true" or is_unknown(metadata_of(new)):
        return False
    metadata = metadata_of(new)
    try:
        live = session.api().get(kind, metadata.get("namespace"), str(metadata["name"]))
    except ProviderError:
        return False
    return live is not None and not job(live).done


def _must_go_first(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """A name that the program chose is taken until its holder is gone; a generated one is made anew for the replacement."""
    before, after = metadata_of(old), metadata_of(new)
    same = all(before.get(key) == after.get(key) for key in ("name", "namespace"))
    return same and annotation(new, AUTONAMED) != "true"
