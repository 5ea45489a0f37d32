"""Stand-ins for the engine's two services: the resource monitor, which records, and the log."""

import dataclasses
import os
import traceback
from collections.abc import Mapping
from typing import Any, Final, Optional

import pulumi
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import engine_pb2, provider_pb2, resource_pb2

from edgelib.testing import wire
from edgelib.testing.answers import Answer
from edgelib.testing.errors import (
    DuplicateResourceError,
    OutputAsTextError,
    ProviderError,
    RecordingError,
    UnansweredInvokeError,
)
from edgelib.testing.recording import Invoked, Logged, Options, Recorded, Recording
from edgelib.testing.registration import options_of, provider_urn
from edgelib.testing.state import MockedState

_STACK: Final = "pulumi:pulumi:Stack"
_HELP_TEXT: Final = "Calling __str__ on an Output[T] is not supported"
_REMEDY: Final = (
    "an Output has no value while the program runs, so its text is a help message; "
    "build text with pulumi.Output.format(...), pulumi.Output.concat(...) or output.apply(...)"
)


class _NoMocks(mocks.Mocks):
    """What `MockMonitor` wants to be given; the two methods that would use it are replaced below."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], Optional[list[tuple[str, str]]]]:
        raise NotImplementedError(args.token)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[Optional[str], dict[Any, Any]]:
        raise NotImplementedError(args.typ)


class RecordingMonitor(mocks.MockMonitor):
    """Answers a program's requests with mocked state and keeps them.

    A mistake of the program is also noted in `problems`, so that no ``except`` of the program hides it.
    """

    def __init__(self, state: MockedState, answers: Mapping[str, Answer], *, preview: bool) -> None:
        super().__init__(_NoMocks())
        self.problems: list[RecordingError] = []
        self._state = state
        self._answers = answers
        self._preview = preview
        self._stack_urn = ""
        self._recorded: dict[str, Recorded] = {}
        self._objects: dict[str, struct_pb2.Struct] = {}
        self._outputs: dict[str, list[struct_pb2.Struct]] = {}
        self._invokes: list[Invoked] = []

    def recording(self, logs: tuple[Logged, ...]) -> Recording:
        """Return all that was recorded so far."""
        registered = self._outputs.get(self._stack_urn, [])
        exports = wire.decode(registered[-1] if registered else struct_pb2.Struct())
        return Recording(
            resources=tuple(self._with_outputs(each) for each in self._recorded.values()),
            exports=exports.values,
            secret_exports=exports.secrets,
            invokes=tuple(self._invokes),
            logs=logs,
        )

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Return the URN that the engine would give: `MockMonitor` leaves out all parents but the nearest."""
        inherited = "" if parent in {"", self._stack_urn} else parent.split("::")[2] + "$"
        return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{inherited}{type_}::{name}"

    def RegisterResource(  # noqa: N802
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        """Record a resource or a component and return its mocked state."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == _STACK:
            self._stack_urn = urn
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = wire.decode(request.object)
        identifier, computed = "", dict[str, Any]()
        if self._preview:
            identifier = request.importId
        elif request.custom:
            identifier, computed = self._state.create(
                request.type, request.name, inputs.values, import_id=request.importId or None
            )
        elif request.remote:
            computed = self._state.compose(request.type, request.name, inputs.values)
        self._keep(
            Recorded(
                type=request.type,
                name=request.name,
                urn=urn,
                parent=self._parent(request.parent),
                custom=request.custom,
                inputs=inputs.values,
                secret_inputs=inputs.secrets,
                outputs={},
                secret_outputs=frozenset(),
                options=options_of(request),
                id=identifier if request.custom else None,
                import_id=request.importId or None,
                remote=request.remote,
            ),
            _object(request.object, computed, request.additionalSecretOutputs),
        )
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identifier, object=self._objects[urn])

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:  # noqa: N802
        """Record the look-up of something that exists, and return it from the test's table."""
        urn = self.make_urn(request.parent, request.type, request.name)
        inputs = wire.decode(request.properties)
        found: dict[str, Any] = {}
        if request.id != wire.rpc.UNKNOWN:
            found = self._existing(request)
        self._keep(
            Recorded(
                type=request.type,
                name=request.name,
                urn=urn,
                parent=self._parent(request.parent),
                custom=True,
                inputs=inputs.values,
                secret_inputs=inputs.secrets,
                outputs={},
                secret_outputs=frozenset(),
                options=Options(depends_on=tuple(request.dependencies), provider=provider_urn(request.provider)),
                id=request.id,
                read=True,
            ),
            _object(request.properties, found, request.additionalSecretOutputs),
        )
        return resource_pb2.ReadResourceResponse(urn=urn, properties=self._objects[urn])

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        """Record what a component, or the stack, outputs."""
        self._outputs.setdefault(request.urn, []).append(request.outputs)
        owner = "export" if request.urn == self._stack_urn else f"{self._recorded[request.urn]}: output"
        self._refuse_text(owner, wire.decode(request.outputs).values)
        return empty_pb2.Empty()

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:  # noqa: N802
        """Record a question to a provider and answer it."""
        args = wire.decode(request.args).values
        if request.tok == "pulumi:pulumi:getResource":  # the SDK's own, for a resource that came back as a reference
            return self._referenced(str(args["urn"]))
        self._invokes.append(Invoked(token=request.tok, args=args, provider=provider_urn(request.provider)))
        self._refuse_text(f"{request.tok}: argument", args)
        try:
            result = self._answer(request.tok, args)
        except ProviderError as error:
            failure = provider_pb2.CheckFailure(reason=str(error))
            return resource_pb2.ResourceInvokeResponse(failures=[failure])
        except RecordingError as error:
            self.problems.append(error)
            raise
        return _invoke_response(result)

    def _answer(self, token: str, args: Mapping[str, Any]) -> struct_pb2.Struct:
        if token not in self._answers:
            raise UnansweredInvokeError(
                f"the program asks {token} with {dict(args)!r}, and the test has no answer; "
                f"pass deploy(..., invokes={{{token!r}: {{...}}}}) with the result's properties, or with a function "
                "from the arguments to them"
            )
        answer = self._answers[token]
        try:
            return wire.encode_fields(answer(args) if callable(answer) else answer)
        except TypeError as error:
            error.add_note(f"in the answer to {token}")
            raise

    def _existing(self, request: resource_pb2.ReadResourceRequest) -> dict[str, Any]:
        if request.id not in self._state.world.things:
            problem = UnansweredInvokeError(
                f"the program reads {request.type} {request.name!r} with the id {request.id!r}, which the test does "
                f"not know; pass deploy(..., existing={{{request.id!r}: {{...}}}}) with its properties"
            )
            self.problems.append(problem)
            raise problem
        return dict(self._state.world.things[request.id])

    def _referenced(self, urn: str) -> resource_pb2.ResourceInvokeResponse:
        result = wire.encode_fields({"urn": urn, "id": self._recorded[urn].id})
        result.fields["state"].struct_value.CopyFrom(self._objects[urn])
        return _invoke_response(result)

    def _parent(self, urn: str) -> Optional[str]:
        return None if urn in {"", self._stack_urn} else urn

    def _keep(self, resource: Recorded, state: struct_pb2.Struct) -> None:
        self._refuse_text(f"{resource}: input", resource.inputs)
        self._refuse_text(f"{resource.type}:", {"name": resource.name})
        self._objects[resource.urn] = state
        if resource.urn in self._recorded:
            self.problems.append(
                DuplicateResourceError(
                    f"two resources are {resource} under {resource.parent_name or 'the stack'}: a name can be used "
                    f"once per type and parent ({resource.urn})"
                )
            )
            return
        self._recorded[resource.urn] = resource

    def _refuse_text(self, owner: str, values: Mapping[str, Any]) -> None:
        for path in wire.walk(values, lambda value: isinstance(value, str) and _HELP_TEXT in value):
            self.problems.append(OutputAsTextError(f"{owner} {path} holds an Output turned into text: {_REMEDY}"))

    def _with_outputs(self, resource: Recorded) -> Recorded:
        if resource.custom or resource.remote:
            state = wire.decode(self._objects[resource.urn])
            return dataclasses.replace(resource, outputs=state.values, secret_outputs=state.secrets)
        registered = self._outputs.get(resource.urn, [])
        outputs = wire.decode(registered[-1] if registered else struct_pb2.Struct())
        return dataclasses.replace(
            resource,
            outputs=outputs.values,
            secret_outputs=outputs.secrets,
            output_registrations=len(registered),
        )


class RecordingEngine(mocks.MockEngine):
    """Keeps log messages, and where the program turned an Output into text (the SDK logs a warning at that moment)."""

    def __init__(self) -> None:
        super().__init__(None)
        self.logs: list[Logged] = []
        self.conversions: list[str] = []

    def Log(self, request: engine_pb2.LogRequest) -> None:  # noqa: N802
        """Keep a message, unless it is for debugging the SDK."""
        if request.message.startswith(_HELP_TEXT):
            self.conversions.append(_calling_line())
        if request.severity != engine_pb2.DEBUG:
            severity = engine_pb2.LogSeverity.Name(request.severity).lower()
            self.logs.append(Logged(severity=severity, message=request.message, urn=request.urn or None))


def text_conversion(places: list[str]) -> OutputAsTextError:
    """Return the error for Outputs that became text at these places of the program."""
    return OutputAsTextError(f"an Output is turned into text at {', '.join(dict.fromkeys(places))}: {_REMEDY}")


def _invoke_response(result: struct_pb2.Struct) -> resource_pb2.ResourceInvokeResponse:
    fields: dict[str, Any] = {"return": result}  # no name in Python, so not in the stubs either
    return resource_pb2.ResourceInvokeResponse(**fields)


def _object(
    inputs: struct_pb2.Struct,
    computed: Mapping[str, Any],
    secret_outputs: Any,
) -> struct_pb2.Struct:
    state = struct_pb2.Struct()
    state.CopyFrom(inputs)
    for key, value in wire.encode_fields(computed).fields.items():
        state.fields[key].CopyFrom(value)
    for key in secret_outputs:
        if key in state.fields:
            state.fields[key].CopyFrom(wire.secret(state.fields[key]))
    return state


def _calling_line() -> str:
    """Return file and line of the innermost frame outside this harness and the Pulumi SDK."""
    ours = (os.path.dirname(__file__) + os.sep, os.path.dirname(pulumi.__file__) + os.sep)  # noqa: PTH120 - prefixes
    frames = [frame for frame in traceback.extract_stack() if not frame.filename.startswith(ours)]
    return f"{frames[-1].filename}:{frames[-1].lineno}"
