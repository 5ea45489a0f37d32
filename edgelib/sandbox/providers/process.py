"""The plugin process: start, tell the engine the port, end with the engine."""

import logging
import os
import signal
import sys
import threading
from concurrent import futures
from pathlib import Path
from types import FrameType
from typing import Optional

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from edgelib.sandbox.providers import packages
from edgelib.sandbox.providers.server import provider_of

_MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes; the engine's own limit
_WATCH_SECONDS = 0.5
_THREADS = 64  # the engine sends that many operations at once by far not on a laptop; waiting ones hold a thread each


def main(package: str) -> None:
    """Serve the stand-in for `package` (aws, command, kubernetes, random or tls) to the engine that started this process.

    Prints the port of the gRPC server on standard output, the one thing that the engine reads there. The engine's
    address is the first argument. Ends when the process that started it is gone.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    engine = sys.argv[1] if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    options = [("grpc.max_receive_message_length", _MESSAGE_LIMIT), ("grpc.max_send_message_length", _MESSAGE_LIMIT)]
    server = grpc.server(futures.ThreadPoolExecutor(_THREADS), options=options)
    provider = provider_of(packages.load(package), notes=home / "creations", engine=engine)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 - the plugin protocol
    _wait_for_the_end(os.getppid())
    server.stop(grace=0)
    os._exit(0)  # an operation that still runs has nobody to answer to; its note says how to go on


def _wait_for_the_end(parent: int) -> None:
    """Return when the engine has closed this plugin, by an interrupt, or is gone: another process is this one's parent then."""
    closed = threading.Event()

    def close(_signal: int, _frame: Optional[FrameType]) -> None:
        closed.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, close)
    while os.getppid() == parent and not closed.wait(_WATCH_SECONDS):
        pass
