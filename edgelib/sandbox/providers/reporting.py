"""Errors on their way to the engine: a gRPC status with what happened, said once and in full."""

import logging
from types import TracebackType
from typing import Optional

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import status_pb2

from edgelib.sandbox.providers.resource import ProviderError

logger = logging.getLogger(__name__)


class UnfinishedError(Exception):
    """The resource exists but is not what was asked for yet: the engine keeps `detail` in the state."""

    def __init__(self, detail: pb.ErrorResourceInitFailed) -> None:
        super().__init__("; ".join(detail.reasons))
        self.detail = detail


def said(error: BaseException) -> str:
    """The error as the user reads it: its text, after its type unless it was written for the user."""
    return str(error) if isinstance(error, ProviderError) else f"{type(error).__name__}: {error}"


class Reported:
    """A context in which every exception becomes the status of the call; the traceback of an unexpected one goes to the log."""

    def __init__(self, context: grpc.ServicerContext, doing: str) -> None:
        self._context = context
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        if error is None:
            return
        if isinstance(error, UnfinishedError):
            self._abort_unfinished(error)
        if not isinstance(error, ProviderError):
            logger.debug("%s", self._doing, exc_info=error)
        self._context.abort(grpc.StatusCode.UNKNOWN, f"{self._doing}: {said(error)}")

    def _abort_unfinished(self, error: UnfinishedError) -> None:
        detail = any_pb2.Any()
        detail.Pack(error.detail)
        message = f"{self._doing}: exists as {error.detail.id}, but is not finished: {error}"
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message, details=[detail])
        self._context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        self._context.abort(grpc.StatusCode.UNKNOWN, message)
