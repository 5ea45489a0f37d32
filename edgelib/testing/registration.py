"""Resource options out of a raw registration request."""

from collections.abc import Iterable, Sized
from typing import Any, Optional, Union, cast

from google.protobuf import json_format
from pulumi.runtime.proto import alias_pb2, resource_pb2

from edgelib.testing.recording import Options

_HOOKS = ("before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete", "on_error")


def options_of(request: resource_pb2.RegisterResourceRequest) -> Options:
    """Return the options that the request carries."""
    return Options(
        protect=request.protect if request.HasField("protect") else None,
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        provider=provider_urn(request.provider),
        providers={name: provider_urn(reference) or "" for name, reference in request.providers.items()},
        depends_on=tuple(request.dependencies),
        property_dependencies={
            name: tuple(dependencies.urns) for name, dependencies in request.propertyDependencies.items()
        },
        aliases=(*map(_alias, cast("Iterable[alias_pb2.Alias]", request.aliases)), *request.aliasURNs),
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        deleted_with=request.deletedWith or None,
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        custom_timeouts=json_format.MessageToDict(request.customTimeouts),
        transforms=len(cast("Sized", request.transforms)),
        hooks=_hooks(request),
        version=request.version,
        plugin_download_url=request.pluginDownloadURL,
    )


def provider_urn(reference: str) -> Optional[str]:
    """Return the URN in a provider reference (``<urn>::<id>``); None for the default provider."""
    return reference.rpartition("::")[0] or None


def _alias(alias: alias_pb2.Alias) -> Union[str, dict[str, Any]]:
    return alias.urn if alias.WhichOneof("alias") == "urn" else json_format.MessageToDict(alias.spec)


def _hooks(request: resource_pb2.RegisterResourceRequest) -> dict[str, tuple[str, ...]]:
    bound = {kind: tuple(getattr(request.hooks, kind, ())) for kind in _HOOKS}  # older SDKs know fewer kinds
    return {kind: names for kind, names in bound.items() if names}
