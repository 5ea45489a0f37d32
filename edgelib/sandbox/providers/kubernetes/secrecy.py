"""Secrets deep inside objects: an output is secret where the input at its place was."""

from collections.abc import Mapping
from typing import Any, Final, cast

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

from edgelib.sandbox.providers.kubernetes.objects import LAST_APPLIED
from edgelib.sandbox.providers.values import Secret, encode

_SIGNATURE: Final = rpc._special_sig_key  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the SDK has no public name for the wire constant
_SECRET: Final = rpc._special_secret_sig  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def sealed(values: Mapping[str, Any], *given: struct_pb2.Struct) -> struct_pb2.Struct:
    """The values for the engine, secret where one of `given` is at the same path; the content of a Secret always is."""
    marked: Any = dict(values)
    for struct in given:
        marked = _like(marked, struct_pb2.Value(struct_value=struct))
    if marked.get("kind") == "Secret" and marked.get("apiVersion") == "v1":
        marked = _sealed_secret(marked)
    return encode(marked)


def _like(value: Any, given: struct_pb2.Value) -> Any:
    if isinstance(value, Secret) or value is None:
        return value
    match given.WhichOneof("kind"):
        case "struct_value":
            fields = given.struct_value.fields
            if _SIGNATURE in fields and fields[_SIGNATURE].string_value == _SECRET:
                return Secret(value)
            if isinstance(value, Mapping):
                pairs = cast("Mapping[str, Any]", value).items()
                return {key: _like(item, fields[key]) if key in fields else item for key, item in pairs}
        case "list_value" if isinstance(value, list):
            items, given_items = cast("list[Any]", value), given.list_value.values
            return [
                _like(item, given_items[index]) if index < len(given_items) else item
                for index, item in enumerate(items)
            ]
        case _:
            pass
    return value


def _sealed_secret(obj: Mapping[str, Any]) -> dict[str, Any]:
    content = {
        key: Secret(obj[key]) for key in ("data", "stringData") if key in obj and not isinstance(obj[key], Secret)
    }
    metadata: Any = obj.get("metadata")
    if isinstance(metadata, Mapping) and LAST_APPLIED in (metadata.get("annotations") or {}):  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType, reportUnknownVariableType]
        annotations = dict(cast("Mapping[str, Any]", metadata)["annotations"])
        annotations[LAST_APPLIED] = Secret(annotations[LAST_APPLIED])
        content["metadata"] = {**metadata, "annotations": annotations}  # pyright: ignore[reportArgumentType]
    return {**obj, **content}
