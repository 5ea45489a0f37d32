"""What the IAM types share."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Optional, TypeVar
from urllib.parse import unquote

from edgelib.sandbox.providers.aws.session import AwsSession, is_missing, is_unanswered
from edgelib.sandbox.providers.aws.tags import all_tags, as_list
from edgelib.sandbox.providers.resource import Created, Request

ResultT = TypeVar("ResultT")


def tolerated(call: Callable[[], ResultT], expected: Callable[[BaseException], bool]) -> Optional[ResultT]:
    """The call's result, None when it fails as expected."""
    try:
        return call()
    except Exception as error:
        if not expected(error):
            raise
        return None


def named_once(
    token: str,
    request: Request[AwsSession],
    inputs: Mapping[str, Any],
    create: str,
    arguments: Mapping[str, Any],
    get: Callable[[Any], Any],
) -> Created:
    """Create something that its name identifies, once; `get(client)` fails when there is none."""
    once, client, name = request.session.client("iam", retried=False), request.session.client("iam"), inputs["name"]
    tags = as_list(all_tags(request.session, inputs))

    def call(_: str) -> str:
        getattr(once, create)(**arguments, **({"Tags": tags} if tags else {}))
        return name

    def existing() -> set[str]:
        return {name} if tolerated(lambda: get(client), is_missing) else set()

    return Created(request.creation.once([token, arguments], call, existing=existing, unanswered=is_unanswered))


def policy_text(document: Any) -> str:
    """A policy document as AWS gives it (decoded by boto3, or URL-encoded) as text."""
    return json.dumps(document) if isinstance(document, dict) else unquote(str(document))


def date(value: datetime) -> str:
    """RFC 3339."""
    return value.isoformat().replace("+00:00", "Z")
