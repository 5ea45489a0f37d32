"""What the IAM types share."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Optional
from urllib.parse import unquote

from edgelib.sandbox.providers.aws.resource import AwsResource
from edgelib.sandbox.providers.aws.session import AwsSession, unless_missing
from edgelib.sandbox.providers.aws.tags import all_tags, as_list, change_tags


class IamObject(AwsResource):
    """A type whose calls are called after its `noun`. `key` is their argument that names one, `answer` the part of
    get's answer that describes it, `sent` the create call's arguments by property."""

    service = "iam"
    noun: ClassVar[str]
    key: ClassVar[str]
    answer: ClassVar[str]
    sent: ClassVar[Mapping[str, str]]

    def id_of(self, session: AwsSession, inputs: Mapping[str, Any]) -> str:
        """The id: the name."""
        return inputs["name"]

    def asked(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The create call's arguments but for tags."""
        return {remote: inputs[name] for name, remote in self.sent.items() if name in inputs}

    def make(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> str:
        """Create it."""
        tags = as_list(all_tags(session, inputs))
        getattr(client, f"create_{self.noun}")(**self.asked(inputs), **({"Tags": tags} if tags else {}))
        return self.id_of(session, inputs)

    def existing(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> Optional[str]:
        """What has the id."""
        id = self.id_of(session, inputs)  # noqa: A001
        return id if self.item(client, id) else None

    def item(self, client: Any, id: str) -> Optional[dict[str, Any]]:
        """What get says about it, None when it is gone."""
        return unless_missing(lambda: getattr(client, f"get_{self.noun}")(**{self.key: id})[self.answer])

    def retag(
        self, client: Any, id: str, state: Mapping[str, Any], current: Mapping[str, str], wanted: Mapping[str, str]
    ) -> None:
        """By the noun's own calls."""
        change_tags(
            current,
            wanted,
            put=lambda tags: getattr(client, f"tag_{self.noun}")(**{self.key: id}, Tags=as_list(tags)),
            remove=lambda keys: getattr(client, f"untag_{self.noun}")(**{self.key: id}, TagKeys=keys),
        )

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """The delete call."""
        getattr(client, f"delete_{self.noun}")(**{self.key: id})


def policy_text(document: Any) -> str:
    """A policy document as AWS gives it (decoded by boto3, or URL-encoded) as text."""
    return json.dumps(document) if isinstance(document, dict) else unquote(str(document))


def date(value: datetime) -> str:
    """RFC 3339."""
    return value.isoformat().replace("+00:00", "Z")
