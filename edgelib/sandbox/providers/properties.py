"""The property table of a resource type: what an input may be, what a change of it means, what an output hides.

`differences.py` compares values by these tables.
"""

import hashlib
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


def _coerced(kind: Kind, value: Any) -> tuple[Any, bool]:  # noqa: PLR0911 - one for each kind of value
    """The value in the property's type, and whether that was possible. Text that spells a number or a truth value will
    do, and the other way round: the official plugins allow it."""
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
            given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
            pairs = {key: _as_string(item) for key, item in given.items()}
            fits = isinstance(value, dict) and all(fit for _, fit in pairs.values())
            return {key: item for key, (item, _) in pairs.items()}, fits
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


def with_secrets(table: Iterable[Property], values: Mapping[str, Any], more: Iterable[str] = ()) -> dict[str, Any]:
    """The values with those of secret properties, and of `more`, marked for the engine."""
    secret = {row.name for row in table if row.secret} | set(more)
    return {
        key: Secret(value) if key in secret and value is not None and not isinstance(value, Secret) else value
        for key, value in values.items()
    }
