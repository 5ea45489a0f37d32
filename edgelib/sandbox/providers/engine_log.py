"""Messages that the engine shows beside a resource."""

import logging
from typing import Optional

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

logger = logging.getLogger(__name__)


class EngineLog:
    """Writes to the engine at `address` under `urn`; without an engine, or when it does not answer, to this process's log."""

    def __init__(self, address: Optional[str], urn: str) -> None:
        self._address = address
        self._urn = urn

    def debug(self, message: str) -> None:
        """Shown with `pulumi --debug`."""
        self._send(engine_pb2.DEBUG, logging.DEBUG, message)

    def info(self, message: str) -> None:
        """Shown in the resource's line."""
        self._send(engine_pb2.INFO, logging.INFO, message)

    def warning(self, message: str) -> None:
        """Shown among the update's diagnostics."""
        self._send(engine_pb2.WARNING, logging.WARNING, message)

    def _send(self, severity: engine_pb2.LogSeverity.ValueType, level: int, message: str) -> None:
        if self._address:
            try:
                with grpc.insecure_channel(self._address) as channel:
                    request = engine_pb2.LogRequest(severity=severity, message=message, urn=self._urn)
                    engine_pb2_grpc.EngineStub(channel).Log(request, timeout=5)  # pyright: ignore[reportUnknownMemberType]
            except grpc.RpcError as error:
                logger.warning("the engine at %s does not take messages: %s", self._address, error)
            else:
                return
        logger.log(level, "%s: %s", self._urn, message)
