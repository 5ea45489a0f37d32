"""Kubernetes objects as plain values: names, annotations, and what of an object the server writes."""

import copy
import hashlib
from collections.abc import Mapping
from typing import Any, Final, Optional, cast

from edgelib.sandbox.providers.values import UNKNOWN, is_unknown, list_of, mapping_of

AUTONAMED: Final = "pulumi.com/autonamed"
FIELD_MANAGER: Final = "pulumi.com/patchFieldManager"
FORCE: Final = "pulumi.com/patchForce"
PROPAGATION: Final = "pulumi.com/deletionPropagationPolicy"
REPLACE_UNREADY: Final = "pulumi.com/replaceUnready"
SKIP_AWAIT: Final = "pulumi.com/skipAwait"
TIMEOUT: Final = "pulumi.com/timeoutSeconds"
WAIT_FOR: Final = "pulumi.com/waitFor"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

_WRITTEN_BY_SERVER: Final = (
    "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields", "resourceVersion",
    "selfLink", "uid",
)  # fmt: skip
_OF_CONTROLLERS: Final = ("deployment.kubernetes.io/revision", LAST_APPLIED)
# Property names cannot have dashes in the SDKs: JSON schema extensions are spelled with underscores there.
_DASHED: Final = (
    "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys", "x-kubernetes-list-type",
    "x-kubernetes-map-type", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations",
)  # fmt: skip
_TO_DASHES: Final = {key.replace("-", "_"): key for key in _DASHED}
_TO_UNDERSCORES: Final = {key: key.replace("-", "_") for key in _DASHED}

Object = Mapping[str, Any]


def metadata_of(obj: Object) -> Mapping[str, Any]:
    """Its metadata; empty when there is none or when it is not known yet."""
    metadata = obj.get("metadata")
    return cast("Mapping[str, Any]", metadata) if isinstance(metadata, Mapping) else {}


def annotation(obj: Object, name: str) -> Optional[str]:
    """The value of an annotation, None when it is not set or not known yet."""
    annotations = metadata_of(obj).get("annotations")
    value = cast("Mapping[str, Any]", annotations).get(name) if isinstance(annotations, Mapping) else None
    return None if value is None or is_unknown(value) else str(value)


def with_metadata(obj: Object, **values: Any) -> dict[str, Any]:
    """A copy with these metadata fields; an object whose metadata are not known yet stays as it is."""
    if obj.get("metadata") is UNKNOWN:
        return dict(obj)
    return {**obj, "metadata": {**metadata_of(obj), **values}}


def with_annotation(obj: Object, name: str, value: str) -> dict[str, Any]:
    """A copy with this annotation."""
    annotations = metadata_of(obj).get("annotations")
    if annotations is UNKNOWN:
        return dict(obj)
    return with_metadata(obj, annotations={**mapping_of(annotations), name: value})


def named(obj: Object, old: Object, *, name: str, seed: bytes) -> dict[str, Any]:
    """The object with a name: its own, else the one that was made for `old`, else `<name>-<8 hex digits of the seed>`."""
    if obj.get("metadata") is UNKNOWN or metadata_of(obj).get("name") is not None:
        return dict(obj)
    kept = metadata_of(old).get("name") if annotation(old, AUTONAMED) == "true" else None
    made = kept or f"{name}-{hashlib.sha256(seed).hexdigest()[:8]}"
    return with_annotation(with_metadata(obj, name=made), AUTONAMED, "true")


def identity(obj: Object) -> str:
    """The resource id: "namespace/name", or "name" of what has no namespace."""
    metadata = metadata_of(obj)
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def split_identity(id: str) -> tuple[Optional[str], str]:  # noqa: A002 - the engine's word
    """Namespace (None without one) and name of a resource id."""
    namespace, _, name = id.rpartition("/")
    return namespace or None, name


def submitted(obj: Object) -> dict[str, Any]:
    """The object as it is sent: without what the server writes itself, and without nulls in objects."""
    return _renamed({key: value for key, value in with_own_metadata(obj).items() if key != "status"}, _TO_DASHES)


def with_own_metadata(obj: Object) -> dict[str, Any]:
    """A copy without the metadata fields that the server writes."""
    metadata = {key: value for key, value in metadata_of(obj).items() if key not in _WRITTEN_BY_SERVER}
    return {**obj, "metadata": metadata} if isinstance(obj.get("metadata"), Mapping) else dict(obj)


def as_output(live: Object) -> dict[str, Any]:
    """The live object in the SDK's spelling."""
    return _renamed(live, _TO_UNDERSCORES)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value).items()
        return {names.get(key, key): _renamed(item, names) for key, item in pairs if item is not None}
    if isinstance(value, list):
        return [_renamed(item, names) for item in cast("list[Any]", value)]
    return value


def stored(live: Object) -> dict[str, Any]:
    """What of a live object its authors decide: the part that tells whether an apply changes anything."""
    return {key: value for key, value in with_own_metadata(live).items() if key != "status"}


def imported(live: Object) -> dict[str, Any]:
    """Inputs that would give this object, for an import: all of it but what the server and the controllers write."""
    found = copy.deepcopy(stored(as_output(live)))
    annotations = found["metadata"].get("annotations", {})
    for name in _OF_CONTROLLERS:
        annotations.pop(name, None)
    if not annotations:
        found["metadata"].pop("annotations", None)
    return found


def pruned(live: Any, shape: Any) -> Any:
    """The part of the live value that the inputs speak of: their keys; lists of equal length item by item, others whole."""
    if isinstance(live, Mapping) and isinstance(shape, Mapping):
        keys = cast("Mapping[str, Any]", shape)
        return {key: pruned(value, keys[key]) for key, value in cast("Mapping[str, Any]", live).items() if key in keys}
    if isinstance(live, list) and isinstance(shape, list):
        items, shapes = cast("list[Any]", live), cast("list[Any]", shape)
        if len(items) == len(shapes):
            return [pruned(item, one) for item, one in zip(items, shapes, strict=True)]
    return cast("Any", live)


def expected(dry: Object, inputs: Object) -> dict[str, Any]:
    """The outputs of a create that a dry run has shown: what only the real one decides is unknown."""
    found = as_output(stored(dry))
    unknown = dict.fromkeys(("creationTimestamp", "generation", "resourceVersion", "uid"), UNKNOWN)
    found = {**with_metadata(found, **unknown), "status": UNKNOWN}
    if found.get("kind") == "Service":
        given, spec = mapping_of(inputs.get("spec")), mapping_of(found.get("spec"))
        addresses = {key: UNKNOWN for key in ("clusterIP", "clusterIPs") if key in spec and key not in given}
        found["spec"] = {**spec, **addresses}
    return found


def managers(live: Object) -> set[str]:
    """The names of all field managers of a live object."""
    return {str(entry.get("manager")) for entry in list_of(metadata_of(live).get("managedFields"))}
