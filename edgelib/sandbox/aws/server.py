"""HTTP on loopback: starts the emulated AWS on a directory, tells where it listens, stops on SIGTERM or SIGINT."""

import json
import logging
import os
import signal
import socket
import threading
from importlib.metadata import version
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit

from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from edgelib.sandbox.aws.account import Account
from edgelib.sandbox.aws.application import Application, ConnectionDroppedError
from edgelib.sandbox.aws.faults import FaultPlan
from edgelib.sandbox.aws.journal import Journal
from edgelib.sandbox.aws.tunnels import TunnelRefusedError, Tunnels
from edgelib.sandbox.aws.world import World

_LOG = logging.getLogger(__name__)

HOST = "127.0.0.1"


class _Handler(MotoRequestHandler):
    """One connection. A proxy to private addresses of the account alone: nobody is to reach AWS through the sandbox."""

    protocol_version = "HTTP/1.1"  # keep-alive: a provider makes thousands of calls
    timeout = 600  # seconds until an idle connection's thread is given back
    tunnels: Tunnels

    def setup(self) -> None:
        super().setup()
        # Headers and body are two writes; without this the second waits for the client's delayed acknowledgement.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run_wsgi(self) -> None:
        if self.command == "CONNECT":
            self._connect()
            return
        host = self._foreign_host()
        if host is None:
            super().run_wsgi()
        else:
            self._refuse(403, _no_proxy_for(host))

    def _connect(self) -> None:
        """Be a tunnel for as long as the connection lasts."""
        try:
            far = self.tunnels.connect(self.path)
        except TunnelRefusedError as error:
            self._refuse(error.status, str(error))
            return
        if far is None:
            self._refuse(403, _no_proxy_for(self.path))
            return
        self.close_connection = True
        with far:
            self.send_response(200, "Connection established")
            self.end_headers()
            self.connection.setblocking(False)
            early = self.rfile.read1()  # what came with the request's headers is in the buffer already
            self.tunnels.carry(self.connection, far, early)

    def _refuse(self, status: int, reason: str) -> None:
        """Answer with the reason in the status line, the only part that most clients show, and in the body."""
        _LOG.warning("%s", reason)
        body = f"{reason}\n".encode()
        self.send_response(status, reason)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def _foreign_host(self) -> Optional[str]:
        """The host that a proxy request is for; None for a request to the sandbox itself."""
        if not self.path.lower().startswith(("http://", "https://")):
            return None
        own = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}
        host = urlsplit(self.path).netloc
        return None if host in own else host

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Calls are counted at /sandbox/calls; a line each would drown the log."""

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
        _LOG.info(format, *args)


def _no_proxy_for(host: str) -> str:
    return f"the sandbox is on, it never talks to AWS; host {host} refused"


class _Services(DomainDispatcherApplication):
    """moto's services by host."""

    def get_backend_for_host(self, host: Optional[str]) -> Any:
        backend = super().get_backend_for_host(host)
        if backend is None and host is not None:
            raise NotImplementedError(f"moto has no service at {host}")
        return backend


class _DroppingApplication:
    """Turns a lost answer into a closed connection."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        try:
            return self._application(environ, start_response)
        except ConnectionDroppedError as error:
            _LOG.info("dropped the connection of %s", error)
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionError("dropped") from error  # werkzeug takes this for a client that went away


class AwsServer:
    """The emulated AWS of one directory, listening once made, answering once :meth:`start` returns."""

    def __init__(self, directory: Path, *, port: int = 0, consoles: Optional[Path] = None) -> None:
        """Take the directory and the port, and replay the journal.

        Args:
            directory: Where the account is kept.
            port: On 127.0.0.1; 0 takes a free one.
            consoles: Folder with each machine's console output, ``<instance id>/console.log``, and what the director remembers
                of it.

        Raises:
            JournalError: the directory is in use, or its journal cannot be replayed.
            OSError: the port is taken.
        """
        self._endpoint = directory / "endpoint.json"
        self.journal = Journal(directory)
        self._endpoint.unlink(missing_ok=True)
        faults = FaultPlan()
        app = _Services(create_backend_app)
        account = Account(World(faults, consoles=consoles), app, self.journal)
        replayed = account.replay()
        if replayed.lines:
            _LOG.info("replayed %d journal lines in %.1f s", replayed.lines, replayed.seconds)
        process = {"pid": os.getpid(), "moto": version("moto")}
        self.application = Application(account, faults, process=process)
        self._tunnels = Tunnels(account.machines, consoles)
        handler = type("_Handler", (_Handler,), {"tunnels": self._tunnels})
        self._server: BaseWSGIServer = make_server(
            HOST, port, _DroppingApplication(self.application), threaded=True, request_handler=handler
        )
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="aws", daemon=True
        )

    def start(self) -> None:
        """Answer requests, and write ``endpoint.json``."""
        self._thread.start()
        document = {"url": self.url, "pid": os.getpid()}
        scratch = self._endpoint.with_name(f".{self._endpoint.name}.{os.getpid()}")
        scratch.write_text(json.dumps(document), encoding="utf-8")
        scratch.replace(self._endpoint)
        _LOG.info("the emulated AWS answers at %s", self.url)

    def stop(self) -> None:
        """Stop answering, remove ``endpoint.json`` and let the directory go."""
        self._endpoint.unlink(missing_ok=True)
        self._server.shutdown()
        self._tunnels.close()
        self._server.server_close()
        self.journal.close()


def serve(directory: Path, *, port: int = 0, consoles: Optional[Path] = None) -> None:
    """Serve until SIGTERM or SIGINT. For the arguments and what is raised see :class:`AwsServer`."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        stop.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, on_signal)
    server = AwsServer(directory, port=port, consoles=consoles)
    server.start()
    stop.wait()
    _LOG.info("stopping")
    server.stop()
