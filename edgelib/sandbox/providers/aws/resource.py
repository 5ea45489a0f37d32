"""What the types of all services share: Region and tags, creating a thing once, and the frame of each operation."""
# ruff: noqa: A002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Mapping
from typing import Any, ClassVar, Optional

from edgelib.sandbox.providers.aws.session import AwsSession, is_unanswered, unless_missing
from edgelib.sandbox.providers.aws.tags import all_tags
from edgelib.sandbox.providers.properties import Property
from edgelib.sandbox.providers.resource import Created, Request, Resource
from edgelib.sandbox.providers.values import UNKNOWN, is_unknown

REGION = Property(name="region", computed=True, replaces=True)


class AwsResource(Resource[AwsSession]):
    """A type of `service`. It says what is its own: `make` and `existing`, `read`, `modify`, `remove`, and `retag` if it has tags."""

    service: ClassVar[str] = "ec2"

    def client(self, session: AwsSession, values: Mapping[str, Any], *, retried: bool = True) -> Any:
        """The boto3 client in the Region that `values` (inputs or state) name."""
        return session.client(self.service, session.region_of(values), retried=retried)

    def known_outputs(self, session: AwsSession, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """All tags follow from the inputs and the provider's default tags."""
        names = self.names
        known: dict[str, Any] = {}
        if "tagsAll" in names:
            tags = inputs.get("tags")
            known["tagsAll"] = UNKNOWN if is_unknown(tags) else all_tags(session, inputs)
        if "region" in names:
            known["region"] = inputs.get("region") or session.region
        return known

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all properties."""
        return tuple(row.name for row in self.properties)

    # -- what a type adds

    def make(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> str:
        """The create call; the id. `client` does not repeat it."""
        raise NotImplementedError

    def existing(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> Optional[str]:
        """The id of what looks exactly like what `make` makes."""
        raise NotImplementedError

    def asked(self, inputs: Mapping[str, Any]) -> Any:
        """What an unanswered create call is known by when the next `up` makes it again."""
        return inputs

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """Changes in place, other than of tags; what `settle` does anyway needs nothing here."""

    def retag(
        self, client: Any, id: str, state: Mapping[str, Any], current: Mapping[str, str], wanted: Mapping[str, str]
    ) -> None:
        """Bring the tags from `current` to `wanted`."""
        raise NotImplementedError

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """The delete call; that there is nothing to delete is no failure."""
        raise NotImplementedError

    # -- the operations

    def create(self, request: Request[AwsSession], inputs: Mapping[str, Any]) -> Created:
        """One create call, once."""
        session = request.session
        once, client = self.client(session, inputs, retried=False), self.client(session, inputs)

        def existing() -> set[str]:
            found = self.existing(session, client, inputs)
            return {found} if found else set()

        made = request.creation.once(
            [self.token, session.region_of(inputs), self.asked(inputs)],
            lambda _: self.make(session, once, inputs),
            existing=existing,
            unanswered=is_unanswered,
        )
        return Created(made)

    def update(
        self,
        request: Request[AwsSession],
        id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: set[str],
    ) -> Mapping[str, Any]:
        """Tags first, then what the type adds."""
        client = self.client(request.session, old)
        if "tags" in self.names:
            self.retag(client, id, old, old.get("tagsAll") or {}, all_tags(request.session, new))
        self.modify(client, id, old, new, changed)
        return {}

    def delete(self, request: Request[AwsSession], id: str, state: Mapping[str, Any]) -> None:
        """Remove it, unless it is gone."""
        client = self.client(request.session, state)
        unless_missing(lambda: self.remove(client, id, state))
