"""Kubeconfigs: content or path, and the one cluster, user and namespace that a provider's settings choose in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, cast

import yaml

from edgelib.sandbox.providers.resource import ProviderError
from edgelib.sandbox.providers.values import list_of, mapping_of

CONTEXT = "edgelib"


@dataclass(frozen=True)
class Chosen:
    """A kubeconfig reduced to what is used.

    Attributes:
        context: The name of the chosen context in the given kubeconfig.
        cluster: The chosen cluster's entry: {"server", "certificate-authority-data", ...}.
        user: The chosen user's entry, {} without one.
        namespace: The context's namespace, None when it names none.
        folder: Where relative paths in it start.
    """

    context: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    namespace: Optional[str]
    folder: Path

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return str(self.cluster["server"])

    def document(self) -> dict[str, Any]:
        """A kubeconfig of one context, named CONTEXT, in which relative paths are made absolute."""
        cluster, user = self._absolute(self.cluster), self._absolute(self.user)
        context = {"cluster": CONTEXT, "user": CONTEXT, **({"namespace": self.namespace} if self.namespace else {})}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": cluster}],
            "users": [{"name": CONTEXT, "user": user}],
            "contexts": [{"name": CONTEXT, "context": context}],
            "current-context": CONTEXT,
        }

    def _absolute(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        paths = {"certificate-authority", "client-certificate", "client-key", "tokenFile"}
        return {key: str(self.folder / value) if key in paths else value for key, value in entry.items()}


def load(text: str) -> tuple[dict[str, Any], Path]:
    """The kubeconfig that `text` is, or that the file at `text` holds, and the folder of relative paths in it.

    Raises:
        ProviderError: It is neither.
    """
    content, folder = text, Path.cwd()
    if "\n" not in text and not text.lstrip().startswith("{"):
        file = Path(text).expanduser()
        try:
            content, folder = file.read_text(encoding="utf-8"), file.resolve().parent
        except OSError as error:
            raise ProviderError(
                f"kubeconfig: it has one line, so it is taken for a path, and {text!r} cannot be read: {error.strerror}"
            ) from None
    try:
        document = yaml.safe_load(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise ProviderError(f"kubeconfig: this is not YAML{where}") from None
    if not isinstance(document, dict) or "clusters" not in document:
        raise ProviderError("kubeconfig: this is no kubeconfig: it has no `clusters`")
    return cast("dict[str, Any]", document), folder


def choose(document: Mapping[str, Any], folder: Path, *, context: Optional[str], cluster: Optional[str]) -> Chosen:
    """What the settings `context` and `cluster` of the provider choose; by default the kubeconfig's own current context.

    Raises:
        ProviderError: The kubeconfig does not have what is chosen.
    """
    name = context or document.get("current-context")
    if not name:
        raise ProviderError("kubeconfig: it has no current-context: set the provider's `context`")
    chosen = _named(document, "contexts", "context", name)
    entry = _named(document, "clusters", "cluster", cluster or chosen.get("cluster"))
    if not entry.get("server"):
        raise ProviderError(f"kubeconfig: the cluster of the context {name!r} has no `server`")
    user = _named(document, "users", "user", chosen["user"]) if chosen.get("user") else dict[str, Any]()
    return Chosen(str(name), entry, user, chosen.get("namespace"), folder)


def _named(document: Mapping[str, Any], plural: str, singular: str, name: Any) -> Mapping[str, Any]:
    entries: Sequence[Mapping[str, Any]] = list_of(document.get(plural))
    for entry in entries:
        if entry.get("name") == name:
            return mapping_of(entry.get(singular))
    known = ", ".join(str(entry.get("name")) for entry in entries) or "none"
    raise ProviderError(f"kubeconfig: it has no {singular} {name!r}; there are: {known}")


def same_cluster(old: Optional[Chosen], new: Optional[Chosen]) -> bool:
    """Whether two kubeconfigs lead to the same cluster, as far as one can tell: no cluster has an identity, so the entry
    is compared, as the official provider does. Unreadable ones are taken for the same."""
    return old is None or new is None or dict(old.cluster) == dict(new.cluster)
