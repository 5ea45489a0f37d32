"""Between the engine's wire form (protobuf Structs with marker strings) and plain Python values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

# The engine marks an unknown of each type with its own string (sdk/go/common/resource/plugin/rpc.go).
_UNKNOWN_MARKERS: Final = frozenset(
    {
        rpc.UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)
_SIGNATURE: Final = rpc._special_sig_key  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the SDK has no public name for the wire constant
_SECRET: Final = rpc._special_secret_sig  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


class Unknown:
    """The one value that a preview cannot know yet: `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """An output value that the engine must encrypt in the state."""

    value: Any


def is_unknown(value: Any) -> bool:
    """Whether the value is, or holds anywhere inside, `UNKNOWN`."""
    if isinstance(value, Mapping):
        return any(is_unknown(item) for item in cast("Mapping[str, Any]", value).values())
    if isinstance(value, (list, tuple)):
        return any(is_unknown(item) for item in cast("Sequence[Any]", value))
    return isinstance(value, Unknown)


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A Struct as plain values: whole numbers are ints, nulls are left out, secrets are unwrapped, unknowns are `UNKNOWN`."""
    return {key: _decode(value) for key, value in struct.fields.items() if not value.HasField("null_value")}


def _decode(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value in _UNKNOWN_MARKERS else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case "struct_value":
            fields = decode(value.struct_value)
            return fields.get("value") if fields.get(_SIGNATURE) == _SECRET else fields
        case _:
            return None


def secret_keys(*structs: struct_pb2.Struct) -> set[str]:
    """The keys at the top whose value is secret or has a secret anywhere inside."""
    return {key for struct in structs for key, value in struct.fields.items() if _has_secret(value)}


def _has_secret(value: struct_pb2.Value) -> bool:
    match value.WhichOneof("kind"):
        case "list_value":
            return any(_has_secret(item) for item in value.list_value.values)
        case "struct_value":
            fields = value.struct_value.fields
            marked = _SIGNATURE in fields and fields[_SIGNATURE].string_value == _SECRET
            return marked or any(_has_secret(item) for item in fields.values())
        case _:
            return False


def encode(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """The Struct of plain values: the inverse of `decode`; None is left out, `Secret` and `UNKNOWN` are marked."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        if value is not None:
            struct.fields[key].CopyFrom(_encode(value))
    return struct


def _encode(value: Any) -> struct_pb2.Value:  # noqa: PLR0911 - one for each kind of value
    match value:
        case Unknown():
            return struct_pb2.Value(string_value=rpc.UNKNOWN)
        case Secret():
            wrapped = struct_pb2.Struct(
                fields={_SIGNATURE: struct_pb2.Value(string_value=_SECRET), "value": _encode(value.value)}
            )
            return struct_pb2.Value(struct_value=wrapped)
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case Mapping():
            return struct_pb2.Value(struct_value=encode(cast("Mapping[str, Any]", value)))
        case list() | tuple():
            items = [_encode(item) for item in cast("Sequence[Any]", value)]
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))
        case _:
            msg = f"a value of type {type(value).__name__} has no wire form: {value!r}"
            raise TypeError(msg)


def mapping_of(value: Any) -> Mapping[str, Any]:
    """An object that may be left out."""
    return cast("Mapping[str, Any]", value or {})


def list_of(value: Any) -> list[Any]:
    """A list that may be left out."""
    return cast("list[Any]", value or [])
