"""What an AWS request asks for, read off the request itself, and the log of the calls seen."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional, cast
from urllib.parse import parse_qsl

_READ_PREFIXES = (
    "Describe", "Get", "List", "Head", "Search", "Lookup", "Simulate", "Select", "Filter", "Check", "Validate",
    "BatchGet", "Decode", "Decrypt", "Verify", "Test",
)  # fmt: skip

_READS_THAT_CREATE = {("kms", "DescribeKey")}
"""KMS makes a service's default key when somebody first looks at its alias."""


@dataclass(frozen=True)
class Call:
    """One AWS call. ``params`` holds the top-level parameters as text: query parameters or members of the JSON body."""

    service: str
    region: str
    action: str
    """The operation's name, such as ``RunInstances``; for REST protocols the method and the path, ``PUT /bucket``."""
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    json_protocol: bool = False
    method: str = "POST"

    @property
    def mutating(self) -> bool:
        """Whether the call may change the account. Unknown operations count as changes, which is the safe side."""
        if (self.service, self.action) in _READS_THAT_CREATE:
            return True
        if self.action.startswith(f"{self.method} "):
            return self.method not in ("GET", "HEAD", "OPTIONS")
        return not self.action.startswith(_READ_PREFIXES)


def parse_call(environ: Mapping[str, Any], body: bytes) -> Call:
    """Read the call off a WSGI environment and its body. Service and Region come from the signature's scope."""
    method = str(environ["REQUEST_METHOD"])
    scope = str(environ.get("HTTP_AUTHORIZATION", "")).partition("Credential=")[2].partition(",")[0].split("/")
    region, service = (scope[2], scope[3]) if len(scope) > 3 else ("", "")
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    content_type = str(environ.get("CONTENT_TYPE", ""))
    if target:
        return Call(service, region, target.rpartition(".")[2], _json_members(body), json_protocol=True, method=method)
    params = dict(parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True))
    if content_type.startswith("application/x-www-form-urlencoded"):
        params |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    action = params.get("Action") or f"{method} {environ.get('PATH_INFO', '')}"
    return Call(service, region, action, params, json_protocol="json" in content_type, method=method)


def _json_members(body: bytes) -> dict[str, str]:
    try:
        document: object = json.loads(body or b"{}")
    except ValueError:  # moto answers a malformed body; matching parameters is all this is for
        return {}
    if not isinstance(document, dict):
        return {}
    members = cast("dict[str, object]", document)
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in members.items()}


class CallLog:
    """Counts of the calls seen, by service, action and Region, in the order of their first appearance."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str, str], dict[str, Any]] = {}

    def add(self, call: Call, *, status: Optional[int]) -> None:
        """Count a call with the HTTP status that it was answered with; None when the answer was withheld."""
        with self._lock:
            row = self._seen.setdefault(
                (call.service, call.action, call.region),
                {
                    "service": call.service,
                    "action": call.action,
                    "region": call.region,
                    "mutating": call.mutating,
                    "count": 0,
                    "errors": 0,
                },
            )
            row["count"] += 1
            row["errors"] += status is None or status >= 400

    def rows(self) -> list[dict[str, Any]]:
        """One row a kind of call: service, action, region, mutating, count, errors."""
        with self._lock:
            return [dict(row) for row in self._seen.values()]

    def clear(self) -> None:
        """Forget what was seen."""
        with self._lock:
            self._seen.clear()
