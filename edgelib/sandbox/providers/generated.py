"""Resources that are nothing but their state: made once by a computation, kept by the engine, gone when it forgets them."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Optional

from edgelib.sandbox.providers.resource import Created, Package, ProviderError, Request, Resource


class Session:
    """These packages need no configuration."""


class Generated(Resource[Session]):
    """A type whose `generate` makes the outputs from the inputs."""

    @abstractmethod
    def generate(self, inputs: Mapping[str, Any]) -> Created:
        """The id and every output."""

    def create(self, request: Request[Session], inputs: Mapping[str, Any]) -> Created:
        """Generate it."""
        return self.generate(inputs)

    def read(self, session: Session, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """The state is all there is. Raises ProviderError for an import."""
        if not state:
            raise ProviderError(
                f"{self.token}: edgelib's stand-in does not implement import, which has {id!r} alone to go by"
            )
        return state

    def update(
        self,
        request: Request[Session],
        id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: set[str],
    ) -> Mapping[str, Any]:
        """What changes in place changes nothing that was generated."""
        return {}

    def delete(self, request: Request[Session], id: str, state: Mapping[str, Any]) -> None:
        """Nothing."""


def package_of(name: str, version: str, *resources: Resource[Session], **more: Any) -> Package[Session]:
    """A package without configuration."""
    return Package(
        name=name,
        version=version,
        config=(),
        configure=lambda _: Session(),
        resources={resource.token: resource for resource in resources},
        **more,
    )
