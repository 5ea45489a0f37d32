"""The life of one object: created, read, changed and deleted by server-side apply."""
# ruff: noqa: A002 - `id` is the engine's word

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Optional, cast

from edgelib.sandbox.providers.creations import Creation
from edgelib.sandbox.providers.kubernetes.api import Api, RefusedError, UnknownKindError, UnreachableError
from edgelib.sandbox.providers.kubernetes.applying import apply, relinquish
from edgelib.sandbox.providers.kubernetes.comparing import same_stored
from edgelib.sandbox.providers.kubernetes.kinds import Kind
from edgelib.sandbox.providers.kubernetes.objects import (
    FIELD_MANAGER,
    FORCE,
    PROPAGATION,
    annotation,
    as_output,
    expected,
    identity,
    imported,
    managers,
    metadata_of,
    pruned,
    split_identity,
)
from edgelib.sandbox.providers.kubernetes.settings import CUSTOM_RESOURCE_DEFINITION, Session
from edgelib.sandbox.providers.kubernetes.waiting import NotReadyError, Waiter, patiently, until_gone, until_ready
from edgelib.sandbox.providers.resource import ProviderError
from edgelib.sandbox.providers.values import is_unknown, list_of, mapping_of

MANAGER: Final = "__fieldManager"
"""The output that keeps the field manager of an object, as in the official provider's state."""

_POLICIES: Final = {"foreground": "Foreground", "background": "Background", "orphan": "Orphan"}
Outcome = tuple[dict[str, Any], Optional[NotReadyError]]


@dataclass(frozen=True)
class Subject:
    """The object of one operation. `patch`: only the given fields of somebody else's object are managed."""

    session: Session
    kind: Kind
    patch: bool = False

    def force(self, inputs: Mapping[str, Any]) -> bool:
        """Whether fields of other managers are taken over."""
        return self.session.on("enablePatchForce") or annotation(inputs, FORCE) == "true"

    def placed(self, api: Api, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The inputs without a namespace where the kind turns out to have none."""
        if api.endpoint(self.kind).namespaced:
            return inputs
        metadata = {key: value for key, value in metadata_of(inputs).items() if key != "namespace"}
        return {**inputs, "metadata": metadata}


def manager_of(inputs: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """The field manager: the annotation's, else the recorded one, else the plain name of the provider."""
    return annotation(inputs, FIELD_MANAGER) or str(state.get(MANAGER) or "pulumi-kubernetes")


def _outputs(live: Mapping[str, Any], manager: str) -> dict[str, Any]:
    return {**as_output(live), MANAGER: manager}


def previewed_create(subject: Subject, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs to be, from a dry run; the inputs alone where the server cannot tell yet.

    Raises:
        ProviderError: The server would refuse it.
    """
    if subject.patch or is_unknown(inputs):
        return dict(inputs)
    try:
        api = subject.session.api()
        placed = subject.placed(api, inputs)
        dry = apply(api, subject.kind, placed, manager="pulumi-kubernetes-preview", force=True, dry_run=True)
    except (UnreachableError, UnknownKindError):
        return dict(inputs)
    except ProviderError as error:
        answer = error if isinstance(error, RefusedError) else error.__cause__
        # No namespace yet, no right to try, or an object of that name that a replacement deletes first.
        if isinstance(answer, RefusedError) and (answer.status in {403, 404} or _is_in_the_way(answer)):
            return dict(inputs)
        raise
    return expected(dry, inputs)


def _is_in_the_way(answer: RefusedError) -> bool:
    return answer.status == 422 and any(
        "immutable" in message or "updates to" in message for _, message, _ in answer.causes
    )


def create(subject: Subject, inputs: Mapping[str, Any], creation: Creation, waiter: Waiter) -> tuple[str, Outcome]:
    """Make the object and wait until it is ready: its id, its outputs, and what it lacks when it is not ready in time.

    Raises:
        ProviderError: It was not made.
    """
    api, what = subject.session.api(), f"{subject.kind} {identity(inputs)}"
    made: dict[str, Any] = {}

    def attempt(token: str) -> str:
        manager = annotation(inputs, FIELD_MANAGER) or f"pulumi-kubernetes-{token.replace('-', '')[:8]}"
        live = patiently(lambda: _first_apply(subject, api, inputs, manager), waiter, what=what)
        made.update(_outputs(live, manager))
        return identity(live)

    id = creation.once(  # noqa: A001
        [subject.kind.api_version, subject.kind.name, identity(inputs)],
        attempt,
        existing=set,
        unanswered=lambda error: isinstance(error, UnreachableError),
    )
    if subject.kind == CUSTOM_RESOURCE_DEFINITION:
        subject.session.define(inputs)
    return id, _settled(subject, api, inputs, made, waiter)


def _first_apply(subject: Subject, api: Api, inputs: Mapping[str, Any], manager: str) -> dict[str, Any]:
    placed = subject.placed(api, inputs)
    metadata = metadata_of(placed)
    live = api.get(subject.kind, metadata.get("namespace"), str(metadata["name"]))
    if subject.patch and live is None:
        raise ProviderError(
            f"{subject.kind} {identity(placed)} does not exist: a Patch resource changes an object that somebody else has made"
        )
    taken_over = subject.patch or subject.session.on("upsertExistingObjects")
    # With this manager, an earlier create of this very resource was not answered.
    if live is not None and not taken_over and manager not in managers(live):
        raise ProviderError(
            f"{subject.kind} {identity(placed)} already exists in the cluster: import it (`pulumi import`, or the `import_` "
            f"option), give this one another name, or set upsertExistingObjects on the provider to take it over"
        )
    return apply(api, subject.kind, placed, manager=manager, force=subject.force(inputs))


def _settled(subject: Subject, api: Api, inputs: Mapping[str, Any], made: Mapping[str, Any], waiter: Waiter) -> Outcome:
    """The outputs when it is ready, or as it is when it is not in time."""
    failure: Optional[NotReadyError] = None
    try:
        until_ready(api, subject.kind, inputs, made, waiter)
    except NotReadyError as error:
        failure = error
    if subject.kind == CUSTOM_RESOURCE_DEFINITION:
        _forget_kind(api, inputs)
    live: Optional[Mapping[str, Any]] = None
    with contextlib.suppress(ProviderError):  # it exists: the last answer is as good as any
        live = api.get(subject.kind, metadata_of(made).get("namespace"), str(metadata_of(made)["name"]))
    return (_outputs(live, str(made[MANAGER])) if live else dict(made)), failure


def _forget_kind(api: Api, definition: Mapping[str, Any]) -> None:
    spec = mapping_of(definition.get("spec"))
    for version in spec.get("versions") or ():
        api.forget(
            Kind(str(spec.get("group")), str(version.get("name")), str(mapping_of(spec.get("names")).get("kind")))
        )


def read(
    subject: Subject, id: str, state: Mapping[str, Any], inputs: Mapping[str, Any]
) -> Optional[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Id, outputs and inputs of the live object; None when it is gone. Without `inputs` (an import) they are made of it.

    Inputs keep their spelling as long as applying them again would change nothing.
    """
    api = subject.session.api()
    namespace, name = split_identity(id)
    try:
        if namespace is None and api.endpoint(subject.kind).namespaced:
            namespace = subject.session.namespace()
        live = api.get(subject.kind, namespace, name)
    except UnknownKindError:
        return None
    if live is None:
        return None
    manager = manager_of(inputs, state)
    outputs = _outputs(live, manager)
    if not inputs:
        return identity(live), outputs, imported(live)
    seen = pruned(outputs, inputs)
    if seen == inputs or same_stored(api, subject.kind, live, inputs, manager=manager):
        return identity(live), outputs, dict(inputs)
    return identity(live), outputs, seen


def update(
    subject: Subject,
    state: Mapping[str, Any],
    news: Mapping[str, Any],
    waiter: Waiter,
    *,
    ignored: Sequence[str] = (),
    preview: bool = False,
) -> Outcome:
    """Change the object in place. `ignored` are the paths of `ignore_changes`: other managers' fields among them are left out.

    Raises:
        ProviderError: It is gone, or the server refuses the change.
    """
    api, kind = subject.session.api(), subject.kind
    placed = subject.placed(api, news)
    metadata, old = metadata_of(placed), manager_of({}, state)
    manager = manager_of(news, state)
    live = api.get(kind, metadata.get("namespace"), str(metadata["name"]))
    if live is None:
        raise ProviderError(
            f"{kind} {identity(placed)} no longer exists: run `pulumi refresh`, then it will be created again"
        )
    sent = _without_ignored(placed, live, ignored, manager)
    applied = apply(api, kind, sent, manager=manager, force=subject.force(news), dry_run=preview)
    if preview:
        return _outputs(applied, manager), None
    if old != manager:
        relinquish(api, kind, live, manager=old)
    return _settled(subject, api, news, _outputs(applied, manager), waiter)


def _without_ignored(
    inputs: Mapping[str, Any], live: Mapping[str, Any], ignored: Sequence[str], manager: str
) -> dict[str, Any]:
    """The inputs with each ignored field as it is now, or left out where another manager alone has it."""
    sent: dict[str, Any] = dict(inputs)
    for path in ignored:
        steps = path.split(".")
        now = _at(live, steps)
        if now is not None:
            owners = _owners(live, steps)
            sent = _placed_at(sent, steps, None if owners and manager not in owners else now)
    return sent


def _at(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        value = cast("Mapping[str, Any]", value).get(step) if isinstance(value, Mapping) else None
    return value


def _owners(live: Mapping[str, Any], steps: Sequence[str]) -> set[str]:
    """The managers of a field."""
    path = [f"f:{step}" for step in steps]
    entries: list[Mapping[str, Any]] = list_of(metadata_of(live).get("managedFields"))
    return {str(each.get("manager")) for each in entries if _at(each.get("fieldsV1"), path) is not None}


def _placed_at(obj: Mapping[str, Any], steps: Sequence[str], value: Any) -> dict[str, Any]:
    inner = value if len(steps) == 1 else _placed_at(mapping_of(obj.get(steps[0])), steps[1:], value)
    return {key: each for key, each in {**obj, steps[0]: inner}.items() if each is not None}


def delete(subject: Subject, id: str, inputs: Mapping[str, Any], state: Mapping[str, Any], waiter: Waiter) -> None:
    """Delete the object and wait until it is gone, dependents first; a Patch resource gives up its fields.

    Raises:
        ProviderError: The server refuses, or it is still there at the end of the time.
    """
    api, kind = subject.session.api(), subject.kind
    namespace, name = split_identity(id)
    try:
        live = api.get(kind, namespace, name)
    except UnknownKindError:
        return  # its definition is gone, and all objects with it
    if live is None:
        return
    if subject.patch:
        relinquish(api, kind, live, manager=manager_of(inputs, state))
        return
    policy = _POLICIES.get((annotation(inputs, PROPAGATION) or "foreground").lower(), "Foreground")
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy}
    try:
        api.request("delete", api.endpoint(kind).path(namespace, name), options)
    except RefusedError as error:
        if error.status == 403 and "may not be deleted" in error.message:  # by anybody: the namespace "default"
            relinquish(api, kind, live, manager=manager_of(inputs, state))
            return
        if error.status != 404:
            raise
    until_gone(api, kind, inputs, live, waiter)
    if kind == CUSTOM_RESOURCE_DEFINITION:
        _forget_kind(api, live)
