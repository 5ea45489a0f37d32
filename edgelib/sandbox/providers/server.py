"""A Pulumi provider over gRPC for any table of resource types. It knows nothing of what the types do."""
# ruff: noqa: A001, ARG002, N802 - the names and signatures are those of the protocol

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, Optional, TypeVar

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as pb

from edgelib.sandbox.providers import configuration, lifecycle
from edgelib.sandbox.providers.creations import CreationLog
from edgelib.sandbox.providers.engine_log import EngineLog
from edgelib.sandbox.providers.properties import Failure, check, with_secrets
from edgelib.sandbox.providers.reporting import Reported, UnfinishedError, said
from edgelib.sandbox.providers.resource import Function, Package, ProviderError, Request, Resource
from edgelib.sandbox.providers.values import Secret, decode, encode, is_unknown, secret_keys

SessionT = TypeVar("SessionT")
logger = logging.getLogger(__name__)


class Provider(provider_pb2_grpc.ResourceProviderServicer, Generic[SessionT]):
    """The servicer of one package. `notes` is the folder of the creation log (see `creations.py`)."""

    def __init__(self, package: Package[SessionT], *, notes: Path, engine: Optional[str] = None) -> None:
        self.package = package
        self.creations = CreationLog(notes)
        self.cancelled = threading.Event()
        self._engine = engine
        self._session: Optional[SessionT] = None

    # -- the plugin itself

    def Handshake(
        self, request: pb.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> pb.ProviderHandshakeResponse:
        """Say what the provider understands: no resource references, no output values, secrets if the package wants them."""
        self._engine = request.engine_address or self._engine
        return pb.ProviderHandshakeResponse(
            accept_secrets=self.package.accept_secrets, accept_resources=False, accept_outputs=False
        )

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """The version of the SDK package whose types are stood in for."""
        return plugin_pb2.PluginInfo(version=self.package.version)

    def GetSchema(self, request: pb.GetSchemaRequest, context: grpc.ServicerContext) -> pb.GetSchemaResponse:
        """A schema without types: SDKs are generated from the official one."""
        return pb.GetSchemaResponse(schema=f'{{"name": "{self.package.name}", "version": "{self.package.version}"}}')

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Take another engine's address, as a debugger's attach does."""
        self._engine = request.address
        return empty_pb2.Empty()

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Let what runs come to its end and begin nothing new."""
        self.cancelled.set()
        return empty_pb2.Empty()

    # -- configuration

    def CheckConfig(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        """Refuse configuration keys that are not implemented."""
        with Reported(context, f"{self.package.name} configuration"):
            failures = configuration.check_config(self.package, decode(request.news))
            return check_response(request.news, failures)

    def DiffConfig(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """A change of a key that everything hangs on (the Region) replaces the provider and so its resources."""
        with Reported(context, f"{self.package.name} configuration"):
            return lifecycle.diff_config(self.package, decode(request.old_inputs or request.olds), decode(request.news))

    def Configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureResponse:
        """Make the session that every operation uses."""
        with Reported(context, f"{self.package.name} configuration"):
            self._session = self.package.configure(configuration.config_values(self.package, decode(request.args)))
            return pb.ConfigureResponse(
                acceptSecrets=self.package.accept_secrets,
                acceptResources=False,
                acceptOutputs=False,
                supportsPreview=True,
            )

    # -- resources

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        """Fill in defaults and generated names; refuse what is unknown, missing or of the wrong type."""
        with Reported(context, request.urn):
            resource = self._resource(request.urn)
            inputs, failures = check(resource.properties, decode(request.news), token=resource.token)
            lifecycle.fill_names(
                resource, inputs, decode(request.olds), name=name_of(request.urn), seed=request.randomSeed
            )
            failures.extend(resource.check(self._configured(), inputs))
            return check_response(_sealed(resource, inputs, request.news), failures)

    def Diff(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """Compare the recorded inputs with the new ones by meaning, property by property."""
        with Reported(context, request.urn):
            resource = self._resource(request.urn)
            old_inputs, olds, news = decode(request.old_inputs), decode(request.olds), decode(request.news)
            known = resource.known_outputs(self._configured(), news)
            return lifecycle.diff_resource(resource, old_inputs or olds, news, olds, known, name=name_of(request.urn))

    def Create(self, request: pb.CreateRequest, context: grpc.ServicerContext) -> pb.CreateResponse:
        """Create; when it exists but is not finished, the engine gets what there is, so that nothing is orphaned."""
        with Reported(context, f"creating {name_of(request.urn)} ({type_of(request.urn)})"):
            resource, inputs = self._resource(request.urn), decode(request.properties)
            if request.preview:
                outputs = lifecycle.previewed_create(
                    resource, inputs, resource.known_outputs(self._configured(), inputs)
                )
                return pb.CreateResponse(properties=_sealed(resource, outputs, request.properties))
            if self.cancelled.is_set():
                raise ProviderError("the update was cancelled before this was begun")
            operation = self._request(request.urn, request.timeout)
            id, outputs, error = lifecycle.create(resource, operation, inputs)
            properties = _sealed(resource, outputs, request.properties)
            if context.is_active():
                operation.creation.finished()
            if error is None:
                return pb.CreateResponse(id=id, properties=properties)
            logger.error("%s: exists as %s but is not finished", request.urn, id, exc_info=error)
            raise UnfinishedError(
                pb.ErrorResourceInitFailed(
                    id=id,
                    properties=properties,
                    reasons=[said(error)],
                    inputs=_sealed(resource, inputs, request.properties),
                )
            )

    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:
        """Refresh and import: the actual state, and the inputs that would give it; an empty id when it is gone."""
        with Reported(context, f"reading {name_of(request.urn)} ({type_of(request.urn)})"):
            resource = self._resource(request.urn)
            olds, old_inputs = decode(request.properties), decode(request.inputs)
            found = lifecycle.read(resource, self._configured(), request.id, olds, old_inputs)
            if found is None:
                return pb.ReadResponse()
            id, state, inputs = found
            return pb.ReadResponse(
                id=id,
                properties=_sealed(resource, state, request.properties, request.inputs),
                inputs=_sealed(resource, inputs, request.inputs),
            )

    def Update(self, request: pb.UpdateRequest, context: grpc.ServicerContext) -> pb.UpdateResponse:
        """Change in place, from the actual state and not from the recorded one: what an earlier failure left undone is done too."""
        with Reported(context, f"updating {name_of(request.urn)} ({type_of(request.urn)})"):
            resource = self._resource(request.urn)
            olds, old_inputs, news = decode(request.olds), decode(request.old_inputs), decode(request.news)
            if request.preview:
                known = resource.known_outputs(self._configured(), news)
                outputs = lifecycle.previewed_update(resource, old_inputs or olds, news, olds, known)
            else:
                operation = self._request(request.urn, request.timeout)
                outputs = lifecycle.update(resource, operation, request.id, olds, old_inputs or olds, news)
            return pb.UpdateResponse(properties=_sealed(resource, outputs, request.news))

    def Delete(self, request: pb.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Delete; a thing that is gone already is a success."""
        with Reported(context, f"deleting {name_of(request.urn)} ({type_of(request.urn)})"):
            resource = self._resource(request.urn)
            resource.delete(self._request(request.urn, request.timeout), request.id, decode(request.properties))
            return empty_pb2.Empty()

    def Invoke(self, request: pb.InvokeRequest, context: grpc.ServicerContext) -> pb.InvokeResponse:
        """Call a function of the package."""
        with Reported(context, f"invoking {request.tok}"):
            function = self._function(request.tok)
            arguments, failures = check(function.arguments, decode(request.args), token=request.tok)
            if failures:
                return pb.InvokeResponse(
                    failures=[pb.CheckFailure(property=f.property, reason=f.reason) for f in failures]
                )
            if is_unknown(arguments):
                raise ProviderError("an argument is not known yet: use the `_output` form, which waits for it")
            result = dict(function.call(self._configured(), arguments))
            marked = {key: Secret(value) if key in function.secrets else value for key, value in result.items()}
            return pb.InvokeResponse(**{"return": encode(marked)})  # pyright: ignore[reportArgumentType] - `return` is a keyword

    # -- shared

    def _resource(self, urn: str) -> Resource[SessionT]:
        token = type_of(urn)
        resource = self.package.resources.get(token)
        if resource is None:
            raise ProviderError(not_implemented(f"resource type {token}", self.package.name))
        return resource

    def _function(self, token: str) -> Function[SessionT]:
        function = self.package.invokes.get(token)
        if function is None:
            raise ProviderError(not_implemented(f"function {token}", self.package.name))
        return function

    def _configured(self) -> SessionT:
        if self._session is None:
            raise ProviderError(f"the {self.package.name} provider is used before it was configured")
        return self._session

    def _request(self, urn: str, timeout: float) -> Request[SessionT]:
        log = EngineLog(self._engine, urn)
        return Request(self._configured(), urn, name_of(urn), log, self.creations.of(urn), timeout or None)


def provider_of(package: Package[SessionT], *, notes: Path, engine: Optional[str] = None) -> Provider[SessionT]:
    """The servicer of a package: the one that it brings, else `Provider`."""
    return (package.servicer or Provider)(package, notes=notes, engine=engine)


def _sealed(resource: Resource[Any], values: Mapping[str, Any], *given: struct_pb2.Struct) -> struct_pb2.Struct:
    """The values for the engine: what was given as a secret goes back as one, and so does what it may have got into."""
    marked = secret_keys(*given)
    if marked and resource.spreads_secrets:
        marked |= {row.name for row in resource.properties if row.output}
    return encode(with_secrets(resource.properties, values, marked))


def type_of(urn: str) -> str:
    """The type token of a resource's URN."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def name_of(urn: str) -> str:
    """The name of a resource by its URN."""
    return urn.split("::", 3)[3]


def check_response(inputs: struct_pb2.Struct, failures: list[Failure]) -> pb.CheckResponse:
    """The answer of Check."""
    rows = [pb.CheckFailure(property=failure.property, reason=failure.reason) for failure in failures]
    return pb.CheckResponse(inputs=inputs, failures=rows)


def not_implemented(what: str, package: str) -> str:
    """What a user reads who wants more than a stand-in does."""
    return (
        f"{what} is not implemented by edgelib's stand-in for the {package} provider: "
        f"install the official plugin (`pulumi plugin install resource {package}`), which the sandbox then uses"
    )
