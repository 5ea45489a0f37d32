"""The provider's own settings, and what every operation gets of them."""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Optional

from edgelib.sandbox.providers.kubernetes import kubeconfig
from edgelib.sandbox.providers.kubernetes.api import Api, UnknownKindError, UnreachableError
from edgelib.sandbox.providers.kubernetes.kinds import Kind, has_namespace, kind_of
from edgelib.sandbox.providers.kubernetes.kubeconfig import Chosen
from edgelib.sandbox.providers.properties import Kind as Holds
from edgelib.sandbox.providers.properties import Property
from edgelib.sandbox.providers.resource import ProviderError
from edgelib.sandbox.providers.values import mapping_of

_NO_RENDERING: Final = (
    "is not implemented by edgelib's stand-in, which applies to a real API: leave it out, or install the official plugin, "
    "which the sandbox then uses"
)
_SERVER_SIDE_ONLY: Final = "is not implemented by edgelib's stand-in, which knows server-side apply alone: leave it out"

_HELM: Final = {
    "driver": "HELM_DRIVER",
    "pluginsPath": "HELM_PLUGINS",
    "registryConfigPath": "HELM_REGISTRY_CONFIG",
    "repositoryConfigPath": "HELM_REPOSITORY_CONFIG",
    "repositoryCache": "HELM_REPOSITORY_CACHE",
}
_SWITCHES: Final = {  # and the environment variable that gives each its default, as in the official provider
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "suppressDeprecationWarnings": "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS",
    "suppressHelmHookWarnings": "PULUMI_K8S_SUPPRESS_HELM_HOOK_WARNINGS",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
}

CONFIG: Final = (
    Property(name="kubeconfig", secret=True),
    Property(name="context"),
    Property(name="cluster"),
    Property(name="clusterIdentifier"),
    Property(name="namespace"),
    *(Property(name=name, kind=Holds.BOOLEAN) for name in _SWITCHES),
    Property(
        name="enableServerSideApply",
        kind=Holds.BOOLEAN,
        problem=lambda value: None if value is True else _SERVER_SIDE_ONLY,
    ),
    Property(name="renderYamlToDirectory", problem=lambda value: _NO_RENDERING if value else None),
    Property(name="alwaysRender", kind=Holds.BOOLEAN, problem=lambda value: _NO_RENDERING if value else None),
    # Limits of the client's own pace: the stand-in has none, so any value is kept.
    Property(name="kubeClientSettings", kind=Holds.ANY),
    Property(
        name="helmReleaseSettings",
        kind=Holds.OBJECT,
        fields=(*(Property(name=name) for name in _HELM), Property(name="suppressBetaWarning", kind=Holds.BOOLEAN)),
    ),
)
"""The configuration table."""


@dataclass
class Session:
    """One configured provider. The cluster is not asked for anything before the first operation needs it.

    Attributes:
        given: The settings.
        definitions: Whether the objects of a CustomResourceDefinition of this program have a namespace.
    """

    given: Mapping[str, Any]
    definitions: dict[tuple[str, str], bool] = field(default_factory=dict[tuple[str, str], bool])
    _api: Optional[Api] = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, switch: str) -> bool:
        """Whether a switch is set, here or by its environment variable."""
        if switch in self.given:
            return bool(self.given[switch])
        return os.environ.get(_SWITCHES[switch], "").lower() in {"1", "t", "true"}

    def chosen(self) -> Chosen:
        """The cluster of these settings. Raises ProviderError without a usable kubeconfig."""
        text = self.given.get("kubeconfig")
        if not text:
            raise ProviderError(
                "the kubernetes provider has no kubeconfig: edgelib's stand-in takes none from your home, which may lead to a real "
                "cluster: pass `kubeconfig` to pulumi_kubernetes.Provider and give that provider to the resource"
            )
        document, folder = kubeconfig.load(text)
        return kubeconfig.choose(document, folder, context=self.given.get("context"), cluster=self.given.get("cluster"))

    def api(self) -> Api:
        """The cluster's API. Raises ProviderError without a usable kubeconfig."""
        with self._lock:
            if self._api is None:
                self._api = Api(self.chosen())
            return self._api

    def namespace(self) -> str:
        """Where objects that name no namespace go."""
        if self.given.get("namespace"):
            return str(self.given["namespace"])
        try:
            return self.chosen().namespace or "default"
        except ProviderError:
            return "default"

    def namespaced(self, kind: Kind) -> bool:
        """Whether the kind's objects have a namespace. One that nobody knows yet is taken to have one."""
        known = has_namespace(kind)
        if known is None:
            known = self.definitions.get((kind.group, kind.name))
        if known is None:
            try:
                known = self.api().endpoint(kind).namespaced
            except (UnreachableError, UnknownKindError):
                known = True
        return known

    def define(self, definition: Mapping[str, Any]) -> None:
        """Remember the kind that a CustomResourceDefinition of this program brings."""
        spec = mapping_of(definition.get("spec"))
        names = mapping_of(spec.get("names"))
        self.definitions[str(spec.get("group")), str(names.get("kind"))] = spec.get("scope") != "Cluster"

    def helm_environment(self) -> dict[str, str]:
        """Environment variables of the helm binary that `helmReleaseSettings` set."""
        settings = mapping_of(self.given.get("helmReleaseSettings"))
        return {variable: str(settings[name]) for name, variable in _HELM.items() if settings.get(name)}


def replaced_by(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    """The settings whose change leads to another cluster, so that everything in it has to be made anew.

    `clusterIdentifier`, where it is set before and after, alone decides.
    """
    before, after = old.get("clusterIdentifier"), new.get("clusterIdentifier")
    if before and after:
        return {"clusterIdentifier"} if before != after else set()
    keys = {key for key in ("kubeconfig", "context", "cluster") if old.get(key) != new.get(key)}
    return keys if keys and not kubeconfig.same_cluster(_chosen(old), _chosen(new)) else set()


def _chosen(given: Mapping[str, Any]) -> Optional[Chosen]:
    try:
        return Session(given).chosen()
    except ProviderError:
        return None


CUSTOM_RESOURCE_DEFINITION: Final = kind_of("apiextensions.k8s.io/v1", "CustomResourceDefinition")
