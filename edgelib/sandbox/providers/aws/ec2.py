"""What most EC2 types share: one object, made by one call, described by id, tagged, deleted by id."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Optional

import jmespath

from edgelib.sandbox.providers.aws.names import pascal
from edgelib.sandbox.providers.aws.resource import REGION, AwsResource
from edgelib.sandbox.providers.aws.session import (
    AwsSession,
    error_code,
    is_missing,
    is_unanswered,
    pages,
    unless_missing,
)
from edgelib.sandbox.providers.aws.tags import TAGS, all_tags, as_list, as_map, change_tags, tag_state
from edgelib.sandbox.providers.differences import equal
from edgelib.sandbox.providers.resource import Created, ProviderError, Request
from edgelib.sandbox.providers.values import list_of

_POLL_SECONDS = 0.2  # the endpoint is on loopback
_WAIT_SECONDS = 600.0
_DEPENDENCY_SECONDS = 10.0  # how long a deletion waits for what AWS is still taking off the object


@dataclass(frozen=True, kw_only=True)
class Api:
    """The calls of an EC2 noun, by their boto3 names. `created` and `listed` are JMESPaths into the answers.

    noun: in tag specifications and ARNs. id: the key of the id in an item. ids: the describe call's argument.
    ready, gone: boto3 waiters, which take `ids`. gone_states: states of an item that is as good as deleted.
    polled: for nouns without waiters, the state of an item that can be used; deletion is then waited for as well.
    """

    noun: str
    create: str
    created: str
    describe: str
    listed: str
    id: str
    delete: str
    ids: str = ""
    ready: str = ""
    gone: str = ""
    state: str = "State"
    gone_states: tuple[str, ...] = ("deleted",)
    polled: str = ""

    @property
    def ids_argument(self) -> str:
        """The describe call's argument for ids."""
        return self.ids or f"{self.id}s"


class Ec2Object(AwsResource):
    """An EC2 type by its `api` and property table. AWS's name of a property is its own with a capital, or as in `remote`.

    `sent` are the properties that the create call takes as they are.
    """

    api: ClassVar[Api]
    sent: ClassVar[tuple[str, ...]] = ()
    remote: ClassVar[Mapping[str, str]] = {}

    # -- what a noun may add

    def arguments(self, session: AwsSession, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """More arguments of the create call."""
        return {}

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """More of the state than the item has under its own names. `state` is what is recorded."""
        return {}

    def tagged_id(self, id: str, state: Mapping[str, Any]) -> str:
        """The id that tags hang on."""
        return id

    # -- the four operations

    def create(self, request: Request[AwsSession], inputs: Mapping[str, Any]) -> Created:
        """One create call, once."""
        session, region = request.session, request.session.region_of(inputs)
        once, client = self.client(session, inputs, retried=False), self.client(session, inputs)
        arguments = {self._remote(name): inputs[name] for name in self.sent if inputs.get(name) is not None}
        arguments.update(self.arguments(session, inputs))
        tags = all_tags(session, inputs)
        if tags and self._takes(once, "TagSpecifications"):
            specification = {"ResourceType": self.api.noun, "Tags": as_list(tags)}
            arguments["TagSpecifications"] = [*arguments.get("TagSpecifications", ()), specification]

        def call(client_token: str) -> str:
            token = {"ClientToken": client_token} if self._takes(once, "ClientToken") else {}
            answer = getattr(once, self.api.create)(**arguments, **token)
            made = jmespath.search(self.api.created, answer)
            if not made:
                raise ProviderError(f"AWS did not make it: {answer.get('Unsuccessful') or answer}")
            return str(made)

        def existing() -> set[str]:
            filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]
            found = pages(client, self.api.describe, self.api.listed, **({"Filters": filters} if filters else {}))
            return {item[self.api.id] for item in found if self._looks_like(item, inputs, tags)}

        made = request.creation.once([self.token, region, arguments], call, existing=existing, unanswered=is_unanswered)
        return Created(made)

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """Wait until it can be used."""
        if self.api.ready and request.first:
            self.wait(request, self.api.ready, id, inputs)
        if self.api.polled and request.first:
            self.poll(
                request, id, inputs, lambda item: item is not None and item[self.api.state].lower() == self.api.polled
            )

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Describe it."""
        region, client = session.region_of(state), self.client(session, state)
        item = self.item(client, id)
        if item is None:
            return None
        found = self._own_names(item)
        names = self.names
        if "tags" in names:
            found.update(tag_state(session, as_map(item.get("Tags") or item.get("TagSet")), state))
        if "ownerId" in names:
            found.setdefault("ownerId", session.account)
        if "arn" in names:
            found["arn"] = f"arn:aws:ec2:{region}:{session.account}:{self.api.noun}/{id}"
        return {**found, "region": region, **self.state(session, client, item, state)}

    def retag(
        self, client: Any, id: str, state: Mapping[str, Any], current: Mapping[str, str], wanted: Mapping[str, str]
    ) -> None:
        """Every noun has the same calls for tags."""
        retag(client, self.tagged_id(id, state), current, wanted)

    def delete(self, request: Request[AwsSession], id: str, state: Mapping[str, Any]) -> None:
        """One delete call; what still holds on to the object gets a little time to go."""
        client = self.client(request.session, state)
        give_up = time.monotonic() + (request.timeout or _DEPENDENCY_SECONDS)
        while True:
            try:
                self.remove(client, id, state)
            except Exception as error:
                if is_missing(error) and self.item(client, id) is None:
                    return
                if error_code(error) != "DependencyViolation" or time.monotonic() > give_up:
                    raise
                request.engine.debug(f"{id} is still in use, trying again: {error}")
                time.sleep(_POLL_SECONDS)
            else:
                break
        if self.api.gone:
            self.wait(request, self.api.gone, id, state)
        if self.api.polled:
            self.poll(request, id, state, lambda item: item is None)

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """The delete call."""
        getattr(client, self.api.delete)(**{self.api.id: id})

    # -- for nouns

    def item(self, client: Any, id: str) -> Optional[dict[str, Any]]:
        """What the describe call says about it, None when it is gone."""
        answer = unless_missing(lambda: getattr(client, self.api.describe)(**{self.api.ids_argument: [id]}))
        items = [item for item in list_of(jmespath.search(self.api.listed, answer)) if not self._is_gone(item)]
        return items[0] if items else None

    def wait(self, request: Request[AwsSession], waiter: str, id: str, values: Mapping[str, Any]) -> None:
        """Wait with one of boto3's waiters: ten minutes, or the resource's own timeout."""
        seconds = request.timeout or _WAIT_SECONDS
        config = {"Delay": _POLL_SECONDS, "MaxAttempts": max(1, int(seconds / _POLL_SECONDS))}
        request.engine.debug(f"waiting for {waiter} of {id}, {seconds:.0f} s at most")
        client = self.client(request.session, values)
        client.get_waiter(waiter).wait(**{self.api.ids_argument: [id]}, WaiterConfig=config)

    def poll(
        self,
        request: Request[AwsSession],
        id: str,
        values: Mapping[str, Any],
        done: Callable[[Optional[dict[str, Any]]], bool],
    ) -> None:
        """The same for nouns that boto3 has no waiter for. Raises ProviderError when the time is up or the object failed."""
        client = self.client(request.session, values)
        give_up = time.monotonic() + (request.timeout or _WAIT_SECONDS)
        while not done(item := self.item(client, id)):
            state = str((item or {}).get(self.api.state))
            if state.lower() in {"failed", "rejected"} or time.monotonic() > give_up:
                raise ProviderError(f"{id} is {state}: it did not become what was waited for")
            time.sleep(_POLL_SECONDS)

    def _is_gone(self, item: Mapping[str, Any]) -> bool:
        state = item.get(self.api.state)
        return (state.get("Name") if isinstance(state, Mapping) else state) in self.api.gone_states  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

    def _remote(self, name: str) -> str:
        return self.remote.get(name, pascal(name))

    def _own_names(self, item: Mapping[str, Any]) -> dict[str, Any]:
        named = {name: self._remote(name) for name in self.names if name not in {"tags", "tagsAll"}}
        return {name: item[remote] for name, remote in named.items() if remote in item}

    def _looks_like(self, item: Mapping[str, Any], inputs: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
        if self._is_gone(item) or ("Tags" in item and as_map(item["Tags"]) != tags):
            return False
        found = self._own_names(item)
        return all(
            equal(row, found[row.name], inputs[row.name])
            for row in self.properties
            if row.replaces and row.name in inputs and row.name in found
        )

    def _takes(self, client: Any, argument: str) -> bool:
        operation = client.meta.method_to_api_mapping[self.api.create]
        return argument in client.meta.service_model.operation_model(operation).input_shape.members


def retag(client: Any, id: str, current: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Bring an EC2 object's tags to `wanted`."""
    change_tags(
        current,
        wanted,
        put=lambda tags: client.create_tags(Resources=[id], Tags=as_list(tags)),
        remove=lambda keys: client.delete_tags(Resources=[id], Tags=[{"Key": key} for key in keys]),
    )


__all__ = ["REGION", "TAGS", "Api", "Ec2Object", "retag"]
