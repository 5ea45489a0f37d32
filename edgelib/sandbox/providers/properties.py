"""The property table of a resource type: what an input may be, what a change of it means, what an output hides."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Optional, cast

from edgelib.sandbox.providers.values import UNKNOWN, Secret, is_unknown


class Kind(Enum):
    """What a property holds."""

    STRING = "a string"
    INTEGER = "a whole number"
    BOOLEAN = "true or false"
    LIST = "a list of strings"
    SET = "a list of strings, the order of which does not matter"
    MAP = "a map of strings"
    JSON = "a JSON document, given as a string"
    OBJECT = "an object"
    OBJECTS = "a list of objects"
    ANY = "any value"


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a resource type or of an object inside it.

    required: an input without which Check fails. replaces: a change of it replaces the resource.
    default: what Check fills in. computed: the provider decides when it is left out, and leaving it out later is no change.
    output: never an input. secret: its output is marked secret. autoname: filled with `<resource name>-<7 hex digits>`.
    fields: the properties of an OBJECT or of each of OBJECTS. allowed: the only values it may have.
    problem: says what is wrong with a known value, or None. normal: maps a known value to the form that is compared.
    unsettled_by: for outputs, the inputs whose change in place makes this output unknown until the update is done.
    """

    name: str
    kind: Kind = Kind.STRING
    required: bool = False
    replaces: bool = False
    default: Any = None
    computed: bool = False
    output: bool = False
    secret: bool = False
    autoname: bool = False
    fields: tuple["Property", ...] = ()
    allowed: tuple[Any, ...] = ()
    problem: Optional[Callable[[Any], Optional[str]]] = None
    normal: Optional[Callable[[Any], Any]] = None
    unsettled_by: tuple[str, ...] = ()


def outputs(*names: str, unsettled_by: tuple[str, ...] = ()) -> tuple[Property, ...]:
    """Table rows of plain computed outputs."""
    return tuple(Property(name=name, output=True, kind=Kind.ANY, unsettled_by=unsettled_by) for name in names)


@dataclass(frozen=True)
class Failure:
    """Why an input is refused; `property` is its path inside the resource."""

    property: str
    reason: str


@dataclass(frozen=True)
class Change:
    """One difference between two sets of inputs. `path` is written as the engine writes paths: `tags.Name`, `disks[0].size`."""

    path: str
    top: str
    action: str
    replaces: bool


def check(
    table: Sequence[Property], given: Mapping[str, Any], *, token: str, path: str = ""
) -> tuple[dict[str, Any], list[Failure]]:
    """The inputs with defaults filled in and values in their property's type, and every reason to refuse them."""
    rows = {row.name: row for row in table if not row.output}
    checked: dict[str, Any] = {}
    failures: list[Failure] = []
    for name, value in given.items():
        row = rows.get(name)
        if row is None:
            failures.append(Failure(path + name, _unknown_property(token, path, name)))
            continue
        checked[name] = _checked_value(row, value, token, path + name, failures)
    for row in rows.values():
        if row.name in checked:
            continue
        if row.default is not None:
            checked[row.name] = row.default
        elif row.required:
            failures.append(Failure(path + row.name, f"{token}.{path}{row.name} is required and missing"))
    return checked, failures


def _unknown_property(token: str, path: str, name: str) -> str:
    return (
        f"{token}.{path}{name} is not an input that edgelib's stand-in provider implements (nor is it ignored): "
        f"leave it out in the sandbox, or install the official plugin, which the sandbox then uses"
    )


def _checked_value(row: Property, value: Any, token: str, path: str, failures: list[Failure]) -> Any:
    if is_unknown(value) and row.kind not in {Kind.OBJECT, Kind.OBJECTS}:
        return value
    if value is UNKNOWN:
        return value
    if row.kind is Kind.OBJECT and isinstance(value, Mapping):
        inner, more = check(row.fields, cast("Mapping[str, Any]", value), token=token, path=f"{path}.")
        failures.extend(more)
        return inner
    if row.kind is Kind.OBJECTS and isinstance(value, list):
        return [
            _checked_item(row, item, token, f"{path}[{index}]", failures)
            for index, item in enumerate(cast("list[Any]", value))
        ]
    coerced, fits = _coerced(row.kind, value)
    if not fits:
        failures.append(Failure(path, f"{token}.{path} must be {row.kind.value}, not {_shown(row, value)}"))
        return value
    if row.allowed and coerced not in row.allowed:
        choices = ", ".join(str(choice) for choice in row.allowed)
        failures.append(Failure(path, f"{token}.{path}: {_shown(row, coerced)} is not one of {choices}"))
    problem = row.problem(coerced) if row.problem else None
    if problem:
        failures.append(Failure(path, f"{token}.{path}: {_shown(row, coerced)} {problem}"))
    return coerced


def _checked_item(row: Property, item: Any, token: str, path: str, failures: list[Failure]) -> Any:
    return _checked_value(Property(name=row.name, kind=Kind.OBJECT, fields=row.fields), item, token, path, failures)


def _shown(row: Property, value: Any) -> str:
    return "the value given" if row.secret else repr(value)


def _coerced(kind: Kind, value: Any) -> tuple[Any, bool]:
    """The value in the property's type and whether that was possible; numbers and booleans may be given as strings and back, as the official plugins allow."""
    match kind:
        case Kind.STRING | Kind.JSON:
            return _as_string(value)
        case Kind.INTEGER:
            if isinstance(value, str) and value.removeprefix("-").isdigit():
                return int(value), True
            return value, isinstance(value, int) and not isinstance(value, bool)
        case Kind.BOOLEAN:
            if value in ("true", "false"):
                return value == "true", True
            return value, isinstance(value, bool)
        case Kind.LIST | Kind.SET:
            items = [_as_string(item) for item in cast("list[Any]", value)] if isinstance(value, list) else []
            return [item for item, _ in items], isinstance(value, list) and all(fits for _, fits in items)
        case Kind.MAP:
            pairs = {key: _as_string(item) for key, item in value.items()} if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - a decoded Struct
            return {key: item for key, (item, _) in pairs.items()}, isinstance(value, dict) and all(
                fits for _, fits in pairs.values()
            )  # pyright: ignore[reportUnknownVariableType]
        case Kind.OBJECT | Kind.OBJECTS:
            return value, False
        case Kind.ANY:
            return value, True


def _as_string(value: Any) -> tuple[Any, bool]:
    if isinstance(value, bool):
        return str(value).lower(), True
    if isinstance(value, (int, float)):
        return str(value), True
    return value, isinstance(value, str)


def autonamed(row: Property, old: Mapping[str, Any], *, name: str, seed: bytes) -> str:
    """The generated name of a resource: the old one if it has one, else `<name>-<7 hex digits of the engine's seed>`."""
    kept = old.get(row.name)
    stem = f"{name}-"
    if isinstance(kept, str) and kept.startswith(stem) and len(kept) == len(stem) + 7:
        return kept
    return stem + hashlib.sha256(seed).hexdigest()[:7]


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
    return given if equal(row, given, actual) else _settable(row, actual)


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


def with_secrets(table: Iterable[Property], values: Mapping[str, Any], more: Iterable[str] = ()) -> dict[str, Any]:
    """The values with those of secret properties, and of `more`, marked for the engine."""
    secret = {row.name for row in table if row.secret} | set(more)
    return {
        key: Secret(value) if key in secret and value is not None and not isinstance(value, Secret) else value
        for key, value in values.items()
    }
