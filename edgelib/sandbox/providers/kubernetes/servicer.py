"""The gRPC side: objects of every kind, beside the tables (Helm releases) and components that the package has too."""
# ruff: noqa: N802 - the names and signatures are those of the protocol

import logging
from typing import Optional

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from edgelib.sandbox.providers.engine_log import EngineLog
from edgelib.sandbox.providers.kubernetes import components, life
from edgelib.sandbox.providers.kubernetes.api import UnreachableError
from edgelib.sandbox.providers.kubernetes.checking import HOOK_WARNING, check, is_hook
from edgelib.sandbox.providers.kubernetes.comparing import Comparison, compare
from edgelib.sandbox.providers.kubernetes.kinds import kind_of_token
from edgelib.sandbox.providers.kubernetes.life import Subject, manager_of
from edgelib.sandbox.providers.kubernetes.secrecy import sealed
from edgelib.sandbox.providers.kubernetes.settings import Session, replaced_by
from edgelib.sandbox.providers.kubernetes.waiting import NotReadyError, Waiter
from edgelib.sandbox.providers.lifecycle import KINDS
from edgelib.sandbox.providers.reporting import Reported, UnfinishedError, said
from edgelib.sandbox.providers.resource import ProviderError
from edgelib.sandbox.providers.server import Provider, check_response, name_of, not_implemented, type_of
from edgelib.sandbox.providers.values import decode, is_unknown

logger = logging.getLogger(__name__)
_REMOVE = (
    "if the cluster is gone for good, `deleteUnreachable` on the provider (or PULUMI_K8S_DELETE_UNREACHABLE=true) takes its "
    "resources out of the state"
)


class KubernetesProvider(Provider[Session]):
    """The servicer of the package `kubernetes`."""

    def DiffConfig(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """Another cluster replaces everything; other settings change in place."""
        with Reported(context, "kubernetes configuration"):
            old, new = decode(request.old_inputs or request.olds), decode(request.news)
            keys = sorted(key for key in {*old, *new} - {"version"} if old.get(key) != new.get(key))
            unknown = {key for key in ("kubeconfig", "context", "cluster") if is_unknown(new.get(key))}
            replaces = unknown or replaced_by(old, new)
            changes = pb.DiffResponse.DIFF_SOME if keys else pb.DiffResponse.DIFF_NONE
            return pb.DiffResponse(changes=changes, diffs=keys, replaces=sorted(replaces & set(keys)))

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        """Fill in kind, name and namespace."""
        if self._is_table(request.urn):
            return super().Check(request, context)
        with Reported(context, request.urn):
            session, news, olds = self._configured(), decode(request.news), decode(request.olds)
            token, name = type_of(request.urn), name_of(request.urn)
            if session.on("skipUpdateUnreachable") and olds and not _reachable(session):
                self._log(request.urn).warning(
                    "the cluster cannot be reached, and skipUpdateUnreachable is set: left as it is"
                )
                return pb.CheckResponse(inputs=request.olds)
            inputs, failures = check(session, token, news, olds, name=name, seed=request.randomSeed)
            if is_hook(inputs) and not session.on("suppressHelmHookWarnings"):
                self._log(request.urn).warning(HOOK_WARNING)
            return check_response(sealed(inputs, request.news), failures)

    def Diff(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """Ask the server what would change."""
        if self._is_table(request.urn):
            return super().Diff(request, context)
        with Reported(context, request.urn):
            olds, old, news = decode(request.olds), decode(request.old_inputs), decode(request.news)
            subject = self._subject(request.urn, request.news)
            manager = manager_of(news, olds)
            found = compare(subject.session, subject.kind, old, news, manager=manager, patch=subject.patch)
            return _diff_response(found, request)

    def Create(self, request: pb.CreateRequest, context: grpc.ServicerContext) -> pb.CreateResponse:
        """Create and wait; what exists but is not ready is kept in the state."""
        if self._is_table(request.urn):
            return super().Create(request, context)
        with Reported(context, f"creating {name_of(request.urn)} ({type_of(request.urn)})"):
            inputs, subject = decode(request.properties), self._subject(request.urn, request.properties)
            if request.preview:
                outputs = life.previewed_create(subject, inputs)
                return pb.CreateResponse(properties=sealed(outputs, request.properties))
            self._not_cancelled()
            creation = self.creations.of(request.urn)
            id, (outputs, failure) = life.create(subject, inputs, creation, self._waiter(request.urn, request.timeout))  # noqa: A001
            properties = sealed(outputs, request.properties)
            if context.is_active():
                creation.finished()
            if failure is not None:
                raise _unfinished(id, properties, request.properties, failure)
            return pb.CreateResponse(id=id, properties=properties)

    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:
        """Refresh and import."""
        with Reported(context, f"reading {name_of(request.urn)} ({type_of(request.urn)})"):
            try:
                if not self._is_table(request.urn):
                    return self._read(request)
                self._configured().api().request("get", "/version")
            except UnreachableError as error:
                return self._unreachable_read(request, error)
        return super().Read(request, context)

    def _read(self, request: pb.ReadRequest) -> pb.ReadResponse:
        subject = self._subject(request.urn, request.inputs)
        state, inputs = decode(request.properties), decode(request.inputs)
        found = life.read(subject, request.id, state, inputs)
        if found is None:
            return pb.ReadResponse()
        id, outputs, seen = found  # noqa: A001
        properties = sealed(outputs, request.properties, request.inputs)
        return pb.ReadResponse(id=id, properties=properties, inputs=sealed(seen, request.inputs))

    def _unreachable_read(self, request: pb.ReadRequest, error: UnreachableError) -> pb.ReadResponse:
        session = self._configured()
        if session.on("deleteUnreachable"):
            self._log(request.urn).warning(f"{error}; deleteUnreachable is set: it is taken out of the state")
            return pb.ReadResponse()
        if session.on("skipUpdateUnreachable"):
            self._log(request.urn).warning(f"{error}; skipUpdateUnreachable is set: the state is left as it is")
            return pb.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
        raise ProviderError(f"{error}; {_REMOVE}")

    def Update(self, request: pb.UpdateRequest, context: grpc.ServicerContext) -> pb.UpdateResponse:
        """Change in place and wait."""
        if self._is_table(request.urn):
            return super().Update(request, context)
        with Reported(context, f"updating {name_of(request.urn)} ({type_of(request.urn)})"):
            state, news, subject = decode(request.olds), decode(request.news), self._subject(request.urn, request.news)
            if request.preview and (is_unknown(news) or not _reachable(subject.session)):
                return pb.UpdateResponse(properties=request.news)
            if not request.preview:
                self._not_cancelled()
            waiter = self._waiter(request.urn, request.timeout)
            ignored = list(request.ignoreChanges)
            outputs, failure = life.update(subject, state, news, waiter, ignored=ignored, preview=request.preview)
            properties = sealed(outputs, request.news)
            if failure is not None:
                raise _unfinished(request.id, properties, request.news, failure)
            return pb.UpdateResponse(properties=properties)

    def Delete(self, request: pb.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Delete and wait until it is gone."""
        with Reported(context, f"deleting {name_of(request.urn)} ({type_of(request.urn)})"):
            try:
                if not self._is_table(request.urn):
                    subject = self._subject(request.urn, request.old_inputs, request.properties)
                    state = decode(request.properties)
                    inputs, waiter = decode(request.old_inputs) or state, self._waiter(request.urn, request.timeout)
                    life.delete(subject, request.id, inputs, state, waiter)
                    return empty_pb2.Empty()
                self._configured().api().request("get", "/version")
            except UnreachableError as error:
                if not self._configured().on("deleteUnreachable"):
                    raise ProviderError(f"{error}; {_REMOVE}") from None
                self._log(request.urn).warning(f"{error}; deleteUnreachable is set: it is taken out of the state")
                return empty_pb2.Empty()
        return super().Delete(request, context)

    def Construct(self, request: pb.ConstructRequest, context: grpc.ServicerContext) -> pb.ConstructResponse:
        """A component: the objects of manifests as resources of its own."""
        with Reported(context, f"constructing {request.name} ({request.type})"):
            if request.type not in components.TYPES:
                raise ProviderError(not_implemented(f"component {request.type}", self.package.name))
            return components.construct(self._configured(), request)

    # -- shared

    def _is_table(self, urn: str) -> bool:
        return type_of(urn) in self.package.resources

    def _subject(self, urn: str, *given: struct_pb2.Struct) -> Subject:
        kinds = [decode(each).get("kind") for each in given]
        named = next((each for each in kinds if isinstance(each, str)), None)
        kind, patch = kind_of_token(type_of(urn), named)
        return Subject(self._configured(), kind, patch)

    def _log(self, urn: str) -> EngineLog:
        return EngineLog(self._engine, urn)

    def _waiter(self, urn: str, timeout: float) -> Waiter:
        return Waiter(self._log(urn), self.cancelled, timeout or None)

    def _not_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise ProviderError("the update was cancelled before this was begun")


def _reachable(session: Session) -> bool:
    try:
        session.api().request("get", "/version")
    except UnreachableError:
        return False
    return True


def _diff_response(found: Comparison, request: pb.DiffRequest) -> pb.DiffResponse:
    ignored = [tuple(path.split(".")) for path in request.ignoreChanges]
    kept = [each for each in found.differences if not any(each.names[: len(path)] == path for path in ignored)]
    anew = found.replacing & set(kept)
    return pb.DiffResponse(
        changes=pb.DiffResponse.DIFF_SOME if kept else pb.DiffResponse.DIFF_NONE,
        diffs=sorted({str(each.path[0]) for each in kept}),
        replaces=sorted(str(each) for each in anew),
        deleteBeforeReplace=bool(anew) and found.old_first,
        detailedDiff={
            str(each): pb.PropertyDiff(kind=KINDS[each.action, each in anew], inputDiff=True) for each in kept
        },
        hasDetailedDiff=True,
    )


def _unfinished(
    id: str,  # noqa: A002 - the engine's word
    properties: struct_pb2.Struct,
    inputs: struct_pb2.Struct,
    error: Optional[NotReadyError],
) -> UnfinishedError:
    reasons = [said(error)] if error else []
    return UnfinishedError(pb.ErrorResourceInitFailed(id=id, properties=properties, reasons=reasons, inputs=inputs))
