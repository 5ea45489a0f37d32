"""What answers on the sandbox's port: the control endpoints, and AWS behind the fault plan."""

import json
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, Optional

from edgelib.sandbox.aws.account import Account
from edgelib.sandbox.aws.answers import Answer, error_answer, json_answer, text_answer
from edgelib.sandbox.aws.calls import Call, CallLog, parse_call
from edgelib.sandbox.aws.faults import FaultPlan, FaultPlanError, FaultRule

_LOG = logging.getLogger(__name__)

_CONTROL = "/sandbox/"
_FOREIGN_PATHS = ("/moto-api", "/latest/")
_LONGEST_DELAY = 600.0


class ConnectionDroppedError(Exception):
    """The answer is to be lost: the connection is closed without one."""


class Application:
    """A WSGI app. Requests come in concurrently; the account does the serialising."""

    def __init__(self, account: Account, faults: FaultPlan, *, process: dict[str, Any]) -> None:
        self.account = account
        self.faults = faults
        self.calls = CallLog()
        self._process = process

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = self.answer(environ, _read_body(environ))
        headers = list(answer.headers)
        if answer.header("Content-Length") is None:
            headers.append(("Content-Length", str(len(answer.body))))
        start_response(f"{answer.status} {answer.reason or 'Sandbox'}", headers)
        return [answer.body]

    def answer(self, environ: dict[str, Any], body: bytes) -> Answer:
        """The answer to any request.

        Raises:
            ConnectionDroppedError: a fault rule says that the answer is lost.
        """
        path = str(environ.get("PATH_INFO", ""))
        if path.startswith(_CONTROL):
            return self._control(str(environ["REQUEST_METHOD"]), path, body)
        if path.startswith(_FOREIGN_PATHS):
            return text_answer(f"the sandbox does not serve {path}: its controls are under {_CONTROL}", status=404)
        return self._aws(environ, body, parse_call(environ, body))

    def _aws(self, environ: dict[str, Any], body: bytes, call: Call) -> Answer:
        rule = self.faults.rule_for(call)
        if rule is None:
            answer = self.account.perform(environ, body, call)
        else:
            try:
                answer = self._aws_with_fault(environ, body, call, rule)
            except ConnectionDroppedError:
                self.calls.add(call, status=None)
                raise
        self.calls.add(call, status=answer.status)
        return answer

    def _aws_with_fault(self, environ: dict[str, Any], body: bytes, call: Call, rule: FaultRule) -> Answer:
        _LOG.info("fault for %s %s: %s", call.service, call.action, rule)
        time.sleep(min(rule.delay, _LONGEST_DELAY))
        failure = error_answer(call, rule.code, rule.message, status=rule.status) if rule.code else None
        if failure is not None and not rule.late:
            return failure
        answer = self.account.perform(environ, body, call)
        if not rule.late:
            return answer
        if failure is None:
            raise ConnectionDroppedError(f"{call.service} {call.action}")
        return failure

    def _control(self, method: str, path: str, body: bytes) -> Answer:
        handlers: dict[tuple[str, str], Callable[[bytes], Optional[Answer]]] = {
            ("GET", "/sandbox/health"): self._health,
            ("GET", "/sandbox/faults"): lambda _: None,
            ("POST", "/sandbox/faults"): self._add_faults,
            ("DELETE", "/sandbox/faults"): lambda _: self.faults.clear(),
            ("GET", "/sandbox/inventory"): lambda _: json_answer(self.account.inventory()),
            ("GET", "/sandbox/machines"): lambda _: json_answer(self.account.machines()),
            ("GET", "/sandbox/calls"): lambda _: json_answer(self.calls.rows()),
            ("DELETE", "/sandbox/calls"): lambda _: self.calls.clear(),
            ("POST", "/sandbox/reset"): self._reset,
        }
        handler = handlers.get((method, path))
        if handler is None:
            known = ", ".join(" ".join(key) for key in handlers)
            return json_answer({"error": f"{method} {path} is not one of {known}"}, status=404)
        answer = handler(body)
        if answer is not None:
            return answer
        return json_answer(self.faults.rows() if path.endswith("faults") else self.calls.rows())

    def _health(self, _: bytes) -> Answer:
        replayed = self.account.replayed
        return json_answer(
            {
                "ok": True,
                **self._process,
                "directory": str(self.account.journal.directory),
                "replayed": {
                    "lines": replayed.lines,
                    "seconds": replayed.seconds,
                    "differing": replayed.differing,
                },
            }
        )

    def _add_faults(self, body: bytes) -> Optional[Answer]:
        try:
            self.faults.add(json.loads(body))
        except ValueError as error:
            what = "" if isinstance(error, FaultPlanError) else "the fault plan is not JSON: "
            return json_answer({"error": f"{what}{error}"}, status=400)
        return None

    def _reset(self, _: bytes) -> Answer:
        self.account.reset()
        self.faults.clear()
        self.calls.clear()
        return json_answer({"ok": True})


def _read_body(environ: dict[str, Any]) -> bytes:
    """The whole body, also of a chunked request."""
    if environ.get("wsgi.input_terminated"):
        return environ["wsgi.input"].read()
    return environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
