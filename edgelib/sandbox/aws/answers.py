"""HTTP answers, and AWS's ways of writing an error."""

import json
from dataclasses import dataclass
from typing import Any, Optional
from xml.sax.saxutils import escape

from edgelib.sandbox.aws.calls import Call

_EC2_ERROR = (
    "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    "<RequestID>sandbox</RequestID></Response>"
)
_S3_ERROR = "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>sandbox</RequestId></Error>"
_QUERY_ERROR = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    "<RequestId>sandbox</RequestId></ErrorResponse>"
)


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer: status code, headers as sent, body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    reason: str = ""
    """Reason phrase of the status line; the standard one when empty."""

    def header(self, name: str) -> Optional[str]:
        """The value of a header, whatever its case; None when it is absent."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def json_answer(document: Any, *, status: int = 200) -> Answer:
    """An answer of the sandbox's own control endpoints."""
    return Answer(status, (("Content-Type", "application/json"),), json.dumps(document).encode() + b"\n")


def text_answer(text: str, *, status: int, reason: str = "") -> Answer:
    """A plain text answer, for clients that show it to a person."""
    return Answer(status, (("Content-Type", "text/plain; charset=utf-8"),), text.encode() + b"\n", reason)


def error_answer(call: Call, code: str, message: str, *, status: int = 400) -> Answer:
    """An AWS error in the protocol of the call, so that every SDK reads its code and message."""
    if call.json_protocol:
        body = json.dumps({"__type": code, "message": message}).encode()
        headers = (("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code))
        return Answer(status, headers, body)
    template = {"ec2": _EC2_ERROR, "s3": _S3_ERROR}.get(call.service, _QUERY_ERROR)
    body = template.format(code=escape(code), message=escape(message)).encode()
    return Answer(status, (("Content-Type", "text/xml"),), body)
