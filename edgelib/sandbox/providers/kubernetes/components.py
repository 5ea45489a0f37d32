"""yaml/v2 ConfigGroup and ConfigFile: remote components whose children are the objects of manifests."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any, Final, cast

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import resource_pb2, resource_pb2_grpc

from edgelib.sandbox.providers import packages
from edgelib.sandbox.providers.kubernetes.manifests import Item, dependencies, from_files, in_waves, items, parsed
from edgelib.sandbox.providers.kubernetes.secrecy import sealed
from edgelib.sandbox.providers.kubernetes.settings import Session
from edgelib.sandbox.providers.properties import Kind as Holds
from edgelib.sandbox.providers.properties import Property, check
from edgelib.sandbox.providers.resource import ProviderError
from edgelib.sandbox.providers.values import UNKNOWN, Secret, decode, encode, is_unknown, list_of, secret_keys

_COMMON: Final = (Property(name="resourcePrefix"), Property(name="skipAwait", kind=Holds.BOOLEAN))
TYPES: Final[Mapping[str, tuple[Property, ...]]] = {
    "kubernetes:yaml/v2:ConfigFile": (Property(name="file", required=True), *_COMMON),
    "kubernetes:yaml/v2:ConfigGroup": (
        Property(name="files", kind=Holds.LIST),
        Property(name="objs", kind=Holds.ANY),
        Property(name="yaml"),
        *_COMMON,
    ),
}
"""Inputs of each component."""

_SIDE_BY_SIDE: Final = 32
_RESOURCE: Final = rpc._special_resource_sig  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - no public name for the wire constant
_SIGNATURE: Final = rpc._special_sig_key  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
_LIMIT: Final = 400 * 1024 * 1024  # bytes; the engine's own limit


def construct(session: Session, request: pb.ConstructRequest) -> pb.ConstructResponse:
    """Register the component, then its children; each registration ends when the child is as it should be.

    Raises:
        ProviderError: The inputs or the manifests are not what they should be, or a child could not be registered.
    """
    given = decode(request.inputs)
    inputs, failures = check(TYPES[request.type], given, token=request.type)
    if failures:
        raise ProviderError("; ".join(failure.reason for failure in failures))
    found = None if is_unknown(inputs) else _items(session, request.name, inputs)
    options = [("grpc.max_receive_message_length", _LIMIT), ("grpc.max_send_message_length", _LIMIT)]
    with grpc.insecure_channel(request.monitorEndpoint, options=options) as channel:
        monitor: Any = resource_pb2_grpc.ResourceMonitorStub(channel)
        component: resource_pb2.RegisterResourceResponse = monitor.RegisterResource(_component(request))
        children = None if found is None else _Children(monitor, request, component.urn).register(found)
        state = encode({"resources": UNKNOWN if children is None else [_reference(each) for each in children]})
        monitor.RegisterResourceOutputs(resource_pb2.RegisterResourceOutputsRequest(urn=component.urn, outputs=state))
    return pb.ConstructResponse(urn=component.urn, state=state)


def _items(session: Session, name: str, inputs: Mapping[str, Any]) -> list[Item]:
    files: list[str] = [inputs["file"]] if "file" in inputs else list_of(inputs.get("files"))
    objects: list[Mapping[str, Any]] = [*from_files(files), *parsed(inputs.get("yaml") or "", "yaml")]
    objects += [each for each in list_of(inputs.get("objs")) if each]
    return items(objects, session, prefix=inputs.get("resourcePrefix", name), skip_await=bool(inputs.get("skipAwait")))


def _component(request: pb.ConstructRequest) -> resource_pb2.RegisterResourceRequest:
    """Without the inputs: a manifest may hold a Secret in clear, and the children say all that it said."""
    return resource_pb2.RegisterResourceRequest(
        type=request.type,
        name=request.name,
        parent=request.parent,
        custom=False,
        dependencies=request.dependencies,
        providers=request.providers,
        protect=request.protect if request.HasField("protect") else None,
        aliases=cast("Any", request).aliases,
        deletedWith=request.deletedWith,
        retainOnDelete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        acceptSecrets=True,
        acceptResources=True,
    )


class _Children:
    """The children of one component."""

    def __init__(self, monitor: Any, request: pb.ConstructRequest, parent: str) -> None:
        self._monitor = monitor
        self._request = request
        self._parent = parent
        self._urns: dict[str, str] = {}

    def register(self, found: Sequence[Item]) -> list[resource_pb2.RegisterResourceResponse]:
        """Wave by wave, those of a wave side by side."""
        made: list[resource_pb2.RegisterResourceResponse] = []
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            for wave in in_waves(found):
                answers = [*pool.map(self._register, wave, repeat(found))]
                made += answers
                self._urns |= {item.name + item.token: answer.urn for item, answer in zip(wave, answers, strict=True)}
        return made

    def _register(self, item: Item, found: Sequence[Item]) -> resource_pb2.RegisterResourceResponse:
        before = [self._urns.get(each.name + each.token) for each in dependencies(item, found)]
        obj = sealed(item.obj) if not secret_keys(self._request.inputs) else _all_secret(item.obj)
        registration = resource_pb2.RegisterResourceRequest(
            type=item.token,
            name=item.name,
            parent=self._parent,
            custom=True,
            object=obj,
            provider=self._request.providers.get("kubernetes", ""),
            version=packages.version("kubernetes"),
            dependencies=[*(urn for urn in before if urn), *self._request.dependencies],
            acceptSecrets=True,
            acceptResources=True,
        )
        try:
            return self._monitor.RegisterResource(registration)
        except grpc.RpcError as error:
            said = cast("Any", error).details()
            raise ProviderError(f"{item.name} ({item.token}) could not be registered: {said}") from None


def _all_secret(obj: Mapping[str, Any]) -> struct_pb2.Struct:
    """Manifests given as a secret: nobody knows which part of them is, so all content is; names stay readable."""
    return encode(
        {key: value if key in {"apiVersion", "kind", "metadata"} else Secret(value) for key, value in obj.items()}
    )


def _reference(answer: resource_pb2.RegisterResourceResponse) -> dict[str, Any]:
    return {
        _SIGNATURE: _RESOURCE,
        "urn": answer.urn,
        "id": answer.id,
        "packageVersion": packages.version("kubernetes"),
    }
