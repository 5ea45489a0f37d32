"""Manifests: YAML text, files and objects as one list, in the order in which they have to be created."""

import glob
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Optional, cast
from urllib.parse import urlsplit

import yaml

from edgelib.sandbox.providers.kubernetes.kinds import Kind, kind_of, token_of
from edgelib.sandbox.providers.kubernetes.objects import SKIP_AWAIT, metadata_of, with_annotation, with_metadata
from edgelib.sandbox.providers.kubernetes.settings import CUSTOM_RESOURCE_DEFINITION, Session
from edgelib.sandbox.providers.properties import Property
from edgelib.sandbox.providers.resource import Function, ProviderError
from edgelib.sandbox.providers.values import mapping_of

_NAMESPACE: Final = kind_of("v1", "Namespace")
_PATTERN: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Item:
    """One object of a manifest as a resource: its token, its name in the stack, and where in the order it stands."""

    kind: Kind
    name: str
    obj: Mapping[str, Any]

    @property
    def token(self) -> str:
        """The resource's type."""
        return token_of(self.kind)


def parsed(text: str, source: str) -> list[dict[str, Any]]:
    """The objects of a YAML (or JSON) text. Raises ProviderError, naming `source` and the line, when it is none."""
    try:
        documents = [*yaml.load_all(text, Loader=_Loader)]
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ProviderError(f"{source}{where}: this is not YAML: {problem or error}") from None
    found: list[dict[str, Any]] = []
    for document in documents:
        if not document:
            continue
        if not isinstance(document, dict):
            raise ProviderError(f"{source}: a document is a {type(document).__name__}, not an object")
        found.append(cast("dict[str, Any]", document))
    return found


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: times are strings."""


_Loader.add_constructor(
    "tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(cast("yaml.ScalarNode", node))
)  # pyright: ignore[reportUnknownMemberType, reportUnknownLambdaType]


def from_files(patterns: Sequence[str]) -> list[dict[str, Any]]:
    """The objects of all files, patterns expanded in alphabetical order. Raises ProviderError for what cannot be read."""
    found: list[dict[str, Any]] = []
    for pattern in patterns:
        if urlsplit(pattern).scheme in {"http", "https"}:
            raise ProviderError(
                f"{pattern}: edgelib's stand-in reads no manifests from the internet: download it and give the file's path"
            )
        matches = sorted(glob.glob(pattern)) if _PATTERN.search(pattern) else [pattern]  # noqa: PTH207 - may be absolute
        for match in matches:
            try:
                text = Path(match).read_text(encoding="utf-8")
            except OSError as error:
                raise ProviderError(f"{match}: this manifest cannot be read: {error.strerror}") from None
            found.extend(parsed(text, match))
    return found


def items(
    objects: Sequence[Mapping[str, Any]], session: Session, *, prefix: Optional[str], skip_await: bool
) -> list[Item]:
    """The objects as resources: lists taken apart, namespaces filled in, named `<prefix>:<namespace>/<name>`.

    Raises:
        ProviderError: An object lacks apiVersion, kind or name, or two of them are the same.
    """
    flat = [one for each in objects for one in _flat(each)]
    for each in flat:
        if _kind(each) == CUSTOM_RESOURCE_DEFINITION:
            session.define(each)
    found = [_item(each, session, prefix, skip_await=skip_await) for each in flat]
    names = [(each.token, each.name) for each in found]
    twice = next((each for each in names if names.count(each) > 1), None)
    if twice:
        raise ProviderError(f"the manifests have {twice[1]} ({twice[0]}) twice: leave one of them out")
    return found


def _kind(obj: Mapping[str, Any]) -> Kind:
    return kind_of(str(obj.get("apiVersion")), str(obj.get("kind")))


def _flat(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if str(obj.get("kind", "")).endswith("List") and isinstance(obj.get("items"), list):
        return [one for each in obj["items"] for one in _flat(each)]
    return [obj]


def _item(obj: Mapping[str, Any], session: Session, prefix: Optional[str], *, skip_await: bool) -> Item:
    missing = [field for field in ("apiVersion", "kind") if not obj.get(field)]
    missing += [] if metadata_of(obj).get("name") else ["metadata.name"]
    if missing:
        raise ProviderError(f"an object of the manifests has no {' and no '.join(missing)}: {str(dict(obj))[:100]}")
    kind = _kind(obj)
    placed = {**obj, "apiVersion": kind.api_version}
    if not metadata_of(obj).get("namespace") and session.namespaced(kind):
        placed = with_metadata(placed, namespace=session.namespace())
    if skip_await:
        placed = with_annotation(placed, SKIP_AWAIT, "true")
    metadata = metadata_of(placed)
    name = f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])
    return Item(kind, f"{prefix}:{name}" if prefix else name, placed)


def decode_yaml(session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The objects of a text, for yaml.ConfigFile and ConfigGroup (v1), which make resources of them in the program."""
    namespace, found = arguments.get("defaultNamespace"), parsed(arguments["text"], "text")
    flat = [one for each in found for one in _flat(each)]
    placed = [
        with_metadata(each, namespace=namespace)
        if namespace and not metadata_of(each).get("namespace") and session.namespaced(_kind(each))
        else dict(each)
        for each in flat
    ]
    return {"result": placed}


DECODE: Final = Function(
    "kubernetes:yaml:decode",
    (Property(name="text", required=True), Property(name="defaultNamespace")),
    decode_yaml,
)


def dependencies(item: Item, among: Sequence[Item]) -> list[Item]:
    """Those that have to exist before it: its namespace, and the definition of its kind."""
    return [each for each in among if _comes_first(each, item)]


def _comes_first(one: Item, other: Item) -> bool:
    if one.kind == _NAMESPACE:
        return metadata_of(other.obj).get("namespace") == metadata_of(one.obj).get("name")
    if one.kind == CUSTOM_RESOURCE_DEFINITION:
        spec = mapping_of(one.obj.get("spec"))
        return (other.kind.group, other.kind.name) == (spec.get("group"), mapping_of(spec.get("names")).get("kind"))
    return False


def in_waves(found: Sequence[Item]) -> list[list[Item]]:
    """The items in the order of their creation: namespaces and definitions, then the rest; those of a wave go side by side."""
    first = [each for each in found if each.kind in (_NAMESPACE, CUSTOM_RESOURCE_DEFINITION)]
    return [wave for wave in (first, [each for each in found if each not in first]) if wave]
