"""Inputs and states compared by the table of a resource type: what changed, what drifted, what is not known yet."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional, cast

from edgelib.sandbox.providers.properties import Kind, Property
from edgelib.sandbox.providers.values import UNKNOWN, is_unknown


@dataclass(frozen=True)
class Change:
    """One difference between two sets of inputs. `path` is written as the engine writes paths: `tags.Name`, `disks[0].size`."""

    path: str
    top: str
    action: str
    replaces: bool


def _normal(row: Property, value: Any) -> Any:
    if row.normal:
        return row.normal(value)
    match row.kind:
        case Kind.SET:
            return sorted(value)
        case Kind.JSON:
            return canonical_json(value)
        case Kind.OBJECT:
            return {field.name: _normal(field, value[field.name]) for field in row.fields if field.name in value}
        case Kind.OBJECTS:
            return [_normal(Property(name=row.name, kind=Kind.OBJECT, fields=row.fields), item) for item in value]
        case _:
            return value


def canonical_json(text: str) -> Any:
    """A JSON text in a form that compares equal when only spelling differs (order of keys, one-element lists); any other text is itself."""
    try:
        return json.dumps(_canonical(json.loads(text)), sort_keys=True)
    except ValueError:
        return text


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        items = [_canonical(item) for item in cast("list[Any]", value)]
        if len(items) == 1:
            return items[0]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    return value


def equal(row: Property, one: Any, other: Any) -> bool:
    """Whether two values of a property mean the same; an unknown is equal to nothing."""
    if is_unknown(one) or is_unknown(other):
        return False
    if one is None or other is None:
        return one is other
    return _normal(row, one) == _normal(row, other)


def diff(table: Iterable[Property], old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """What changes between two sets of checked inputs, in the table's order."""
    changes: list[Change] = []
    for row in table:
        if not row.output:
            changes.extend(
                _changes(row, old.get(row.name), new.get(row.name), row.name, row.name, replaces=row.replaces)
            )
    return changes


def _changes(row: Property, old: Any, new: Any, path: str, top: str, *, replaces: bool) -> Iterable[Change]:
    if old is None and new is None:
        return
    if new is None and row.computed:
        return
    if row.kind in {Kind.OBJECT, Kind.MAP} and isinstance(old, Mapping) and isinstance(new, Mapping):
        fields = {field.name: field for field in row.fields} if row.kind is Kind.OBJECT else {}
        before, after = cast("Mapping[str, Any]", old), cast("Mapping[str, Any]", new)
        for key in sorted({*before, *after}):
            field = fields.get(key, Property(name=key, kind=Kind.STRING if row.kind is Kind.MAP else Kind.ANY))
            inner = replaces or field.replaces
            if field.output:
                continue
            yield from _changes(field, before.get(key), after.get(key), f"{path}{_step(key)}", top, replaces=inner)
        return
    pairs = _pairs(row, old, new)
    if pairs is not None:
        item = Property(name=row.name, kind=Kind.OBJECT, fields=row.fields)
        for index, (before, after) in enumerate(pairs):
            yield from _changes(item, before, after, f"{path}[{index}]", top, replaces=replaces)
        return
    if not equal(row, old, new):
        action = "add" if old is None else "delete" if new is None else "update"
        yield Change(path, top, action, replaces)


def _step(key: str) -> str:
    return f".{key}" if key.replace("_", "").isalnum() else f"[{json.dumps(key)}]"


def inputs_from_state(table: Iterable[Property], old: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that would give this state: what was given before keeps its spelling where it still means the same;
    what was not given appears where the state shows that somebody set it. Without old inputs (an import) all of it does."""
    found: dict[str, Any] = {}
    for row in table:
        if row.output:
            continue
        given, actual = old.get(row.name), state.get(row.name)
        if row.name not in state:
            value = given
        elif given is not None:
            value = _merged(row, given, actual)
        elif row.computed and old:
            value = None
        else:
            value = None if actual in (None, "", [], {}, False, 0) and row.default is None else _settable(row, actual)
        if value is not None:
            found[row.name] = value
    return found


def _settable(row: Property, actual: Any) -> Any:
    """A value of the state without what only the provider sets in it."""
    if row.kind is Kind.OBJECT and isinstance(actual, Mapping):
        return inputs_from_state(row.fields, {}, cast("Mapping[str, Any]", actual))
    if row.kind is Kind.OBJECTS and isinstance(actual, list):
        return [inputs_from_state(row.fields, {}, item) for item in cast("list[Mapping[str, Any]]", actual)]
    return actual


def _merged(row: Property, given: Any, actual: Any) -> Any:
    if row.kind is Kind.OBJECT and isinstance(given, Mapping) and isinstance(actual, Mapping):
        known = cast("Mapping[str, Any]", given) or {"": None}  # an empty object was given: not an import
        return inputs_from_state(row.fields, known, cast("Mapping[str, Any]", actual))
    pairs = _pairs(row, given, actual)
    if pairs is not None:
        item = Property(name=row.name, kind=Kind.OBJECT, fields=row.fields)
        return [_merged(item, before, after) for before, after in pairs]
    return cast("Any", given) if equal(row, given, actual) else _settable(row, actual)


def _pairs(row: Property, one: Any, other: Any) -> Optional[list[tuple[Any, Any]]]:
    if row.kind is not Kind.OBJECTS or not isinstance(one, list) or not isinstance(other, list):
        return None
    left, right = cast("list[Any]", one), cast("list[Any]", other)
    return list(zip(left, right, strict=True)) if len(left) == len(right) else None


def overlaid(table: Iterable[Property], below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`, inside objects too: what only `below` says (computed parts) stays."""
    rows = {row.name: row for row in table}
    return {**below, **{key: _over(rows.get(key), below.get(key), value) for key, value in above.items()}}


def _over(row: Optional[Property], below: Any, above: Any) -> Any:
    if row is None:
        return above
    if row.kind is Kind.OBJECT and isinstance(below, Mapping) and isinstance(above, Mapping):
        return overlaid(row.fields, cast("Mapping[str, Any]", below), cast("Mapping[str, Any]", above))
    pairs = _pairs(row, below, above)
    if pairs is not None:
        item = Property(name=row.name, kind=Kind.OBJECT, fields=row.fields)
        return [_over(item, lower, upper) for lower, upper in pairs]
    return above


def undecided(table: Iterable[Property], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a resource that does not exist yet: what is given, and unknowns for what the provider decides."""
    found: dict[str, Any] = {}
    for row in table:
        value = inputs.get(row.name)
        if value is None and (row.output or row.computed):
            found[row.name] = UNKNOWN
        elif row.kind is Kind.OBJECT and isinstance(value, Mapping):
            found[row.name] = undecided(row.fields, cast("Mapping[str, Any]", value))
        elif row.kind is Kind.OBJECTS and isinstance(value, list):
            items = cast("list[Any]", value)
            found[row.name] = [undecided(row.fields, item) if isinstance(item, Mapping) else item for item in items]  # pyright: ignore[reportUnknownArgumentType]
        elif value is not None:
            found[row.name] = value
    return found
