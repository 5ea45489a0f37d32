"""What the look-ups of EC2 objects share: arguments to filters, and exactly one answer."""
# ruff: noqa: A002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Iterable, Mapping
from typing import Any, Final, Optional

from edgelib.sandbox.providers.aws.session import AwsSession, pages, unless_missing
from edgelib.sandbox.providers.aws.zones import FILTERS, filters_of
from edgelib.sandbox.providers.properties import Kind, Property
from edgelib.sandbox.providers.resource import ProviderError
from edgelib.sandbox.providers.values import mapping_of

PLACED: Final = (FILTERS, Property(name="region"))
COMMON: Final = (*PLACED, Property(name="tags", kind=Kind.MAP))


def search(
    session: AwsSession,
    arguments: Mapping[str, Any],
    operation: str,
    path: str,
    *,
    ids: Optional[tuple[str, Any]] = None,
    **filters: Any,
) -> list[dict[str, Any]]:
    """The objects that match `filters`, `tags` and the given plain filters (None: not asked for). `ids`: argument and value."""
    asked = filters_of(arguments)
    asked.extend({"Name": f"tag:{key}", "Values": [value]} for key, value in mapping_of(arguments.get("tags")).items())
    for name, value in filters.items():
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            asked.append({"Name": name.replace("_", "-").replace("--", "."), "Values": [text]})
    by_id = {ids[0]: [ids[1]]} if ids and ids[1] else {}
    client = session.client("ec2", session.region_of(arguments))
    given = {"Filters": asked} if asked else {}
    return unless_missing(lambda: list(pages(client, operation, path, **given, **by_id))) or []


def only(found: Iterable[dict[str, Any]], what: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The one object. Raises ProviderError when there is none or more than one."""
    objects = list(found)
    if len(objects) != 1:
        given = {key: value for key, value in arguments.items() if value}
        raise ProviderError(f"{len(objects)} {what} match {given}: the look-up must match exactly one")
    return objects[0]


def arn(session: AwsSession, arguments: Mapping[str, Any], noun: str, id: str) -> str:
    """The ARN of an EC2 object of the account."""
    return f"arn:aws:ec2:{session.region_of(arguments)}:{session.account}:{noun}/{id}"
