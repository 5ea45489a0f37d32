"""The emulated account: works on requests one at a time, journals what may change it, and replays the journal."""

import io
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Optional

from edgelib.sandbox.aws.answers import Answer, error_answer
from edgelib.sandbox.aws.calls import Call, parse_call
from edgelib.sandbox.aws.journal import AccountSeed, Journal, Request
from edgelib.sandbox.aws.tokens import ClientTokens
from edgelib.sandbox.aws.world import World

_LOG = logging.getLogger(__name__)

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class ReplayReport:
    """What a replay did: journal lines worked on, seconds taken, and lines that went otherwise than the first time."""

    lines: int = 0
    seconds: float = 0.0
    differing: list[str] = field(default_factory=list[str])


class Account:
    """The account of one sandbox directory.

    Requests are worked on under one lock: moto's state is not made for concurrent changes, and ids are drawn from a random
    generator that is seeded for each change with the account's seed and the change's number. So neither concurrency nor
    reads matter for the ids, and a replay of the journal gives the same account. Keys are the exception: what CreateKeyPair
    and KMS generate comes from the operating system, and is new after a replay; imported key pairs are kept.
    """

    def __init__(self, world: World, app: WsgiApp, journal: Journal) -> None:
        self.world = world
        self.journal = journal
        self._app = app
        self._lock = threading.RLock()
        self._tokens = ClientTokens()
        self._next = 1
        self.replayed = ReplayReport()
        self._use_seed(journal.seed)

    def _use_seed(self, seed: AccountSeed) -> None:
        self.world.begin(seed)
        self._tokens.clear()
        self._next = 1

    def perform(self, environ: Mapping[str, Any], body: bytes, call: Call) -> Answer:
        """Work on an AWS request."""
        with self._lock:
            now = self.world.clock.now()
            with self.world.clock.held(now):
                self.world.settle(now)
                return self._change(environ, body, call, now) if call.mutating else self._read(environ, body, call, now)

    def _read(self, environ: Mapping[str, Any], body: bytes, call: Call, now: float) -> Answer:
        answer = self._run(environ, body, call)
        if looks := self.world.take_looks():
            self._append({"t": now, "looked": looks})
        return answer

    def _change(self, environ: Mapping[str, Any], body: bytes, call: Call, now: float) -> Answer:
        if known := self._tokens.answer_for(call):
            return known
        self.world.seed_change(self._next)
        answer = self._run(environ, body, call)
        if self.world.take_capacity_refusal():
            return answer  # a fault, raised before anything was changed: a replay must not see it
        self._tokens.keep(call, answer)
        self._append({"t": now, "request": Request.of(environ, body).to_json(), "status": answer.status})
        return answer

    def _append(self, entry: dict[str, Any]) -> None:
        self.journal.append({"n": self._next, **entry})
        self._next += 1

    def _run(self, environ: Mapping[str, Any], body: bytes, call: Call) -> Answer:
        try:
            return _call_app(self._app, environ, body)
        except NotImplementedError as error:
            _LOG.info("%s %s is not implemented: %s", call.service, call.action, error)
            message = f"The sandbox does not implement {call.service} {call.action} (so called): {error}"
            return error_answer(call, "InvalidAction", message)
        except Exception as error:  # noqa: BLE001  # moto's own bugs: an SDK would retry an HTML 500 for minutes
            _LOG.exception("%s %s broke the emulator; parameters: %s", call.service, call.action, sorted(call.params))
            return error_answer(
                call, "SandboxFailure", f"{call.action} broke the emulated AWS: {error!r}; see its log."
            )

    def replay(self) -> ReplayReport:
        """Work through the journal again. To be called once, before the first request."""
        began = time.monotonic()
        report = ReplayReport()
        with self._lock:
            for entry in self.journal.entries():
                self._replay_entry(entry, report)
                report.lines += 1
        report.seconds = round(time.monotonic() - began, 3)
        self.replayed = report
        return report

    def _replay_entry(self, entry: dict[str, Any], report: ReplayReport) -> None:
        with self.world.clock.held(entry["t"]):
            self.world.settle(entry["t"])
            if "looked" in entry:
                self.world.look(entry["looked"])
            else:
                request = Request.from_json(entry["request"])
                environ = request.environ()
                call = parse_call(environ, request.body)
                self.world.seed_change(entry["n"])
                answer = self._run(environ, request.body, call)
                self._tokens.keep(call, answer)
                if answer.status != entry["status"]:
                    report.differing.append(
                        f"line {entry['n']}, {call.service} {call.action}: {answer.status}, not {entry['status']}"
                    )
                    _LOG.warning("replay differs at %s", report.differing[-1])
            self.world.take_looks()
        self._next = entry["n"] + 1

    def reset(self) -> None:
        """Begin a new, empty account; the journal is emptied."""
        with self._lock:
            self._use_seed(self.journal.clear())
            self.replayed = ReplayReport()

    def inventory(self) -> dict[str, Any]:
        """What exists in the account; see :mod:`edgelib.sandbox.aws.inventory`."""
        return self._seen(self.world.inventory)

    def machines(self) -> dict[str, Any]:
        """The account's instances as machines; see :mod:`edgelib.sandbox.aws.machines`."""
        return self._seen(self.world.machines)

    def _seen(self, view: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A view of the account as it is now; it is not a call, so nothing counts it as a look and no journal keeps it."""
        with self._lock:
            now = self.world.clock.now()
            with self.world.clock.held(now):
                self.world.settle(now)
                return view()


def _call_app(app: WsgiApp, environ: Mapping[str, Any], body: bytes) -> Answer:
    """Run a WSGI app on a request, and take its whole answer."""
    copy = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    copy.pop("HTTP_TRANSFER_ENCODING", None)
    copy.pop("wsgi.input_terminated", None)
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Optional[Any] = None) -> None:
        started.append((status, headers))

    chunks = app(copy, start_response)
    try:
        data = b"".join(chunks)
    finally:
        close: Optional[Callable[[], None]] = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    code = int(status.split(" ", 1)[0])
    return Answer(code, tuple(headers), data, "" if code in set(HTTPStatus) else status.partition(" ")[2])
