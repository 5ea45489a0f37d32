"""Property values between Pulumi's wire form (protobuf structs) and plain Python data."""

import enum
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the mark of a secret, public in the SDK
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Unknown(enum.Enum):
    """The type of `UNKNOWN`: an enumeration of one, so that copies stay the same object."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN
"""Stands for a value that a preview cannot know yet. Compare with ``is``."""


@dataclass(frozen=True)
class Decoded:
    """A struct as plain data: dicts, lists, strings, numbers (whole ones as int), booleans, None and `UNKNOWN`."""

    values: dict[str, Any]
    secrets: frozenset[str]
    """Paths of secret values, such as ``userData`` or ``tags.Token``; what lies below a secret path is secret too."""


def decode(struct: struct_pb2.Struct) -> Decoded:
    """Return the struct's values, secrets unwrapped. A resource, an asset or an archive becomes a dict of its parts."""
    secrets: set[str] = set()
    return Decoded(_decode_fields(struct, "", secrets), frozenset(secrets))


def encode(value: object) -> struct_pb2.Value:  # noqa: PLR0911 - one return per kind
    """Return the wire form of plain data (see `Decoded`); anything else is refused with a TypeError."""
    match value:
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case Unknown.UNKNOWN:
            return struct_pb2.Value(string_value=rpc.UNKNOWN)
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case Mapping():
            return struct_pb2.Value(struct_value=encode_fields(cast("Mapping[str, object]", value)))
        case list() | tuple():
            items = [encode(item) for item in cast("list[object]", value)]
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))
        case _:
            raise TypeError(
                f"{value!r} ({type(value).__name__}) is no property value; use text, numbers, booleans, None, "
                "lists, dicts or UNKNOWN"
            )


def encode_fields(values: Mapping[str, object]) -> struct_pb2.Struct:
    """Return the struct of a dict of plain data, refusing anything else with a TypeError that names the property."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        try:
            struct.fields[key].CopyFrom(encode(value))
        except TypeError as error:
            raise TypeError(f"{key}: {error}") from error
    return struct


def secret(value: struct_pb2.Value) -> struct_pb2.Value:
    """Return the value marked as a secret (once)."""
    if _signature(value) == _SECRET:
        return value
    marked = struct_pb2.Struct()
    marked.fields[_SIGNATURE].string_value = _SECRET
    marked.fields["value"].CopyFrom(value)
    return struct_pb2.Value(struct_value=marked)


def join(path: str, key: str) -> str:
    """Return Pulumi's property path of ``key`` below ``path``: ``tags.Name``, ``tags["example.com/name"]``."""
    if not _PLAIN_KEY.fullmatch(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def walk(value: object, matches: Callable[[object], bool], path: str = "") -> Iterator[str]:
    """Yield the path of every part of the plain data that ``matches``."""
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[str, object]", value).items():
            yield from walk(item, matches, join(path, key))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from walk(item, matches, f"{path}[{index}]")
    elif matches(value):
        yield path


def _decode_fields(struct: struct_pb2.Struct, path: str, secrets: set[str]) -> dict[str, Any]:
    fields = {key: value for key, value in sorted(struct.fields.items()) if key != _SIGNATURE}
    return {key: _decode(value, join(path, key), secrets) for key, value in fields.items()}


def _decode(value: struct_pb2.Value, path: str, secrets: set[str]) -> object:  # noqa: PLR0911 - one return per kind
    match value.WhichOneof("kind"):
        case "struct_value" if _signature(value) == _SECRET:
            secrets.add(path)
            return _decode(value.struct_value.fields["value"], path, secrets)
        case "struct_value":
            return _decode_fields(value.struct_value, path, secrets)
        case "list_value":
            items = value.list_value.values
            return [_decode(item, f"{path}[{index}]", secrets) for index, item in enumerate(items)]
        case "string_value":
            return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _signature(value: struct_pb2.Value) -> str:
    if value.WhichOneof("kind") != "struct_value" or _SIGNATURE not in value.struct_value.fields:
        return ""
    return value.struct_value.fields[_SIGNATURE].string_value
