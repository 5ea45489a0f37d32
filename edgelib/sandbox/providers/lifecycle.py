"""The life of one resource, between the engine's messages and a resource type's four operations."""
# ruff: noqa: A002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional, TypeVar

from pulumi.runtime.proto import provider_pb2 as pb

from edgelib.sandbox.providers.differences import diff, equal, inputs_from_state, overlaid, undecided
from edgelib.sandbox.providers.properties import Kind, autonamed
from edgelib.sandbox.providers.resource import Package, ProviderError, Request, Resource
from edgelib.sandbox.providers.values import UNKNOWN, is_unknown

SessionT = TypeVar("SessionT")

_UNFINISHED = "__unfinished"  # in the outputs of a resource that exists and has never been settled

KINDS = {
    ("add", False): pb.PropertyDiff.ADD,
    ("add", True): pb.PropertyDiff.ADD_REPLACE,
    ("delete", False): pb.PropertyDiff.DELETE,
    ("delete", True): pb.PropertyDiff.DELETE_REPLACE,
    ("update", False): pb.PropertyDiff.UPDATE,
    ("update", True): pb.PropertyDiff.UPDATE_REPLACE,
}
"""The engine's word for an action, and whether it replaces the resource."""


def fill_names(
    resource: Resource[Any], inputs: dict[str, Any], old: Mapping[str, Any], *, name: str, seed: bytes
) -> None:
    """Give a generated name to every autonamed property that the program leaves out."""
    for row in resource.properties:
        if row.autoname and row.name not in inputs:
            inputs[row.name] = autonamed(row, old, name=name, seed=seed)


def diff_config(package: Package[Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> pb.DiffResponse:
    """How the provider's own configuration changed."""
    keys = [row.name for row in package.config if old.get(row.name) != new.get(row.name)]
    return pb.DiffResponse(
        changes=pb.DiffResponse.DIFF_SOME if keys else pb.DiffResponse.DIFF_NONE,
        diffs=keys,
        replaces=[key for key in keys if key in package.config_replaces],
    )


def diff_resource(
    resource: Resource[Any],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    state: Mapping[str, Any],
    known: Mapping[str, Any],
    *,
    name: str,
) -> pb.DiffResponse:
    """The engine's form of what changes between recorded and new inputs, with paths inside objects."""
    changes = diff(resource.properties, old, new)
    replaces = resource.replaces(changes, new) | {change.top for change in changes if change.replaces}
    detailed = {
        change.path: pb.PropertyDiff(kind=KINDS[change.action, change.top in replaces], inputDiff=True)
        for change in changes
    }
    tops = {change.top for change in changes}
    for key in _drifted(resource, state, known):
        if not tops & {key, key.removesuffix("All")}:
            detailed[key] = pb.PropertyDiff(kind=pb.PropertyDiff.UPDATE)
    outdated = resource.outdated(state)
    detailed.update({key: pb.PropertyDiff(kind=pb.PropertyDiff.UPDATE_REPLACE) for key in outdated})
    replaces |= outdated
    return pb.DiffResponse(
        changes=pb.DiffResponse.DIFF_SOME if detailed else pb.DiffResponse.DIFF_NONE,
        diffs=sorted({path.split(".")[0].split("[")[0] for path in detailed}),
        replaces=sorted(replaces),
        deleteBeforeReplace=bool(replaces) and _must_go_first(resource, old, new, name),
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )


def _drifted(resource: Resource[Any], state: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """Outputs that follow from inputs and configuration, and are not what the state says (a provider's default tags changed)."""
    rows = {row.name: row for row in resource.properties if row.output}
    return [
        key
        for key, value in known.items()
        if key in rows and key in state and not is_unknown(value) and not equal(rows[key], state[key], value)
    ]


def _must_go_first(resource: Resource[Any], old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> bool:
    """A name that the program chose is taken until its holder is gone; a generated one is made anew for the replacement."""
    taken = any(
        row.autoname
        and row.name in new
        and new[row.name] == old.get(row.name) != autonamed(row, old, name=name, seed=b"")
        for row in resource.properties
    )
    return resource.delete_before_replace or taken


def previewed_create(resource: Resource[Any], inputs: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a resource that does not exist: what is given passes through, what the provider decides is unknown."""
    return {**undecided(resource.properties, inputs), **known}


def previewed_update(
    resource: Resource[Any],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    state: Mapping[str, Any],
    known: Mapping[str, Any],
) -> dict[str, Any]:
    """The outputs after a change in place, as far as they are known: what the change does not touch stays as it is."""
    changed = {change.top for change in diff(resource.properties, old, new)}
    objects = {row.name for row in resource.properties if row.kind in {Kind.OBJECT, Kind.OBJECTS} and row.name in new}
    state_kept = {**_kept(resource, state), **{name: state[name] for name in objects if name in state}}
    unsettled = {row.name: UNKNOWN for row in resource.properties if changed & set(row.unsettled_by)}
    return overlaid(resource.properties, {**state_kept, **unsettled, **known}, new)


def _kept(resource: Resource[Any], state: Mapping[str, Any]) -> dict[str, Any]:
    kept = {row.name for row in resource.properties if row.output or row.computed}
    return {key: value for key, value in state.items() if key in kept}


def create(
    resource: Resource[SessionT], request: Request[SessionT], inputs: Mapping[str, Any]
) -> tuple[str, dict[str, Any], Optional[Exception]]:
    """Make the resource: its id, its outputs, and what went wrong after it existed (None when nothing did)."""
    created = resource.create(request, inputs)
    outputs = {**inputs, **created.outputs}
    try:
        resource.settle(replace(request, first=True), created.id, inputs)
        state = _present(resource, request.session, created.id, outputs, "was gone again right after it was created")
    except Exception as error:  # noqa: BLE001 - whatever it was, the engine must learn that the thing exists
        return created.id, {**outputs, _UNFINISHED: True}, error
    return str(state.get("id", created.id)), _merged(resource, outputs, inputs, state), None


def _present(
    resource: Resource[SessionT], session: SessionT, id: str, state: Mapping[str, Any], gone: str
) -> Mapping[str, Any]:
    """The actual state. Raises ProviderError, with what `gone` says, when there is none."""
    actual = resource.read(session, id, state)
    if actual is None:
        raise ProviderError(f"{id} {gone}")
    return actual


def _merged(
    resource: Resource[Any], outputs: Mapping[str, Any], inputs: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    """Outputs with the actual state over them, in the program's spelling where that means the same."""
    actual = _without_id(state)
    return {**outputs, **overlaid(resource.properties, actual, inputs_from_state(resource.properties, inputs, actual))}


def read(
    resource: Resource[SessionT],
    session: SessionT,
    id: str,
    olds: Mapping[str, Any],
    old_inputs: Mapping[str, Any],
) -> Optional[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The id, the actual state and the inputs that would give it; None when it is gone."""
    state = resource.read(session, id, olds)
    if state is None:
        return None
    merged = {**_kept(resource, olds), **{k: v for k, v in old_inputs.items() if k not in state}, **_without_id(state)}
    inputs = inputs_from_state(resource.properties, old_inputs, _without_id(state))
    return str(state.get("id", id)), overlaid(resource.properties, merged, inputs), inputs


def update(
    resource: Resource[SessionT],
    request: Request[SessionT],
    id: str,
    olds: Mapping[str, Any],
    old_inputs: Mapping[str, Any],
    news: Mapping[str, Any],
) -> dict[str, Any]:
    """Change the resource in place and give its new outputs."""
    gone = "no longer exists: run `pulumi refresh`, then it will be created again"
    actual = _present(resource, request.session, id, olds, gone)
    seen = inputs_from_state(resource.properties, news, _without_id(actual))
    changes = [*diff(resource.properties, old_inputs, news), *diff(resource.properties, seen, news)]
    changed = {change.top for change in changes if not change.replaces}
    request = replace(request, first=_UNFINISHED in olds)
    made = resource.update(request, id, {**olds, **actual}, news, changed) if changed else dict[str, Any]()
    resource.settle(request, id, news)
    outputs = {**_kept(resource, olds), **news, **made}
    state = _present(resource, request.session, id, outputs, "disappeared during the update")
    return _merged(resource, outputs, news, state)


def _without_id(state: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key != "id"}
