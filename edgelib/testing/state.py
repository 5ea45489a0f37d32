"""The state that resources get here: their inputs, and what the provider would have computed."""

from collections.abc import Callable, Mapping
from typing import Any, Optional, Union

from edgelib.testing import aws_state, utility_state
from edgelib.testing.recording import ResourceType, token_of
from edgelib.testing.world import NewResource, World

Outputs = Union[Mapping[str, Any], Callable[[NewResource], Mapping[str, Any]]]
"""Property values (provider's names) to lay over the state of a resource; the key ``id`` sets its id."""


class MockedState:
    """Computes the state of each new resource and keeps it in the world."""

    def __init__(self, world: World, region: str, outputs: Mapping[ResourceType, Outputs]) -> None:
        self.world = world
        self._region = region
        self._outputs = {token_of(kind): value for kind, value in outputs.items()}

    def create(
        self, kind: str, name: str, inputs: Mapping[str, Any], *, import_id: Optional[str] = None
    ) -> tuple[str, dict[str, Any]]:
        """Return the id of a new custom resource and what its provider computes beside the inputs.

        The id is made of the type's and the resource's name, so that a mixed-up wiring shows: ``subnet-boston-public``.
        """
        region = str(inputs.get("region") or self._region)
        identifier = import_id or self.world.free_id(f"{aws_state.id_prefix(kind)}-{name}")
        new = NewResource(type=kind, name=name, id=identifier, inputs=inputs, region=region)
        computed = {key: value for key, value in self._computed(new).items() if inputs.get(key) is None}
        computed.update(self._override(new))
        identifier = str(computed.pop("id", identifier))
        self.world.things[identifier] = {**inputs, **computed}
        return identifier, computed

    def compose(self, kind: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a component that a plugin builds outputs: only what the test gave."""
        return self._override(NewResource(type=kind, name=name, id="", inputs=inputs, region=self._region))

    def _override(self, new: NewResource) -> dict[str, Any]:
        given = self._outputs.get(new.type, {})
        return dict(given(new) if callable(given) else given)

    def _computed(self, new: NewResource) -> dict[str, Any]:
        package = new.type.partition(":")[0]
        return aws_state.computed(self.world, new) if package == "aws" else utility_state.computed(new)
