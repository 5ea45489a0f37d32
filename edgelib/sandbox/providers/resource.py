"""What a resource type and an invoke implement; the gRPC server does the rest."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Optional, Protocol, TypeVar

from edgelib.sandbox.providers.creations import Creation
from edgelib.sandbox.providers.differences import Change
from edgelib.sandbox.providers.properties import Failure, Property

SessionT = TypeVar("SessionT")


class ProviderError(Exception):
    """Something that the user has to hear about, said in full."""


class Log(Protocol):
    """Where a resource type says what it waits for or tries again; the engine shows it beside the resource."""

    def debug(self, message: str) -> None: ...
    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...


@dataclass(frozen=True)
class Request(Generic[SessionT]):
    """What every operation on a resource is given.

    `timeout` is the `customTimeouts` entry in seconds, None when the program sets none. `first` is true until the
    resource has been brought to what its inputs say for the first time.
    """

    session: SessionT
    urn: str
    name: str
    engine: Log
    creation: Creation
    timeout: Optional[float] = None
    first: bool = False


@dataclass(frozen=True)
class Created:
    """A resource that exists now. `outputs` are those that cannot be read back later."""

    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Resource(ABC, Generic[SessionT]):
    """A resource type: a property table and the four operations.

    `settle` is everything after the thing exists (waiting for it, attributes that the create call cannot set). It is
    called after create and after every update, so it must be safe to repeat; what fails in it leaves the resource in
    the state, to be continued by the next `up`.
    """

    token: str
    properties: Sequence[Property]
    delete_before_replace: bool = False
    spreads_secrets: bool = False  # any output may hold what a secret input said

    def check(self, session: SessionT, inputs: Mapping[str, Any]) -> Iterable[Failure]:
        """Rules over several properties. Values may be unknown."""
        return ()

    def replaces(self, changes: Sequence[Change], inputs: Mapping[str, Any]) -> set[str]:
        """Top-level properties whose change replaces the resource although the table does not say so."""
        return set()

    def known_outputs(self, session: SessionT, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Outputs that follow from the inputs alone: known in a preview, and a change when they differ from the state."""
        return {}

    def outdated(self, state: Mapping[str, Any]) -> set[str]:
        """Outputs that have had their time: the resource is replaced."""
        return set()

    @abstractmethod
    def create(self, request: Request[SessionT], inputs: Mapping[str, Any]) -> Created:
        """Make it; nothing may be left behind when this raises."""

    def settle(self, request: Request[SessionT], id: str, inputs: Mapping[str, Any]) -> None:
        """Bring what exists to what the inputs say, and wait until it can be used."""

    @abstractmethod
    def read(self, session: SessionT, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """The actual state (inputs and outputs; an "id" entry corrects the id), None when it is gone. `state` is empty for an import."""

    def update(
        self,
        request: Request[SessionT],
        id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: set[str],
    ) -> Mapping[str, Any]:
        """Change it in place. `changed`: the top-level inputs that differ from the recorded inputs or from the actual state `old`.
        Returns outputs that cannot be read back."""
        raise NotImplementedError

    @abstractmethod
    def delete(self, request: Request[SessionT], id: str, state: Mapping[str, Any]) -> None:
        """Remove it and wait until it is gone; nothing to remove is a success."""


@dataclass(frozen=True)
class Function(Generic[SessionT]):
    """A function of the package: `call(session, arguments) -> result`. `secrets` names results to be marked secret."""

    token: str
    arguments: Sequence[Property]
    call: Callable[[SessionT, Mapping[str, Any]], Mapping[str, Any]]
    secrets: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Package(Generic[SessionT]):
    """A provider: its configuration table, how it is configured, and its resource types and invokes.

    `configure` raises ProviderError on a configuration that it refuses; `config_replaces` are the keys whose change replaces everything.
    accept_secrets: the engine says which inputs are secret; else it strips the marks and puts them back by name.
    servicer: a subclass of `server.Provider`, for a package whose types are more than a list of tables can hold.
    """

    name: str
    version: str
    config: Sequence[Property]
    configure: Callable[[Mapping[str, Any]], SessionT]
    resources: Mapping[str, Resource[SessionT]]
    invokes: Mapping[str, Function[SessionT]] = field(default_factory=dict[str, Function[SessionT]])
    config_replaces: frozenset[str] = frozenset()
    accept_secrets: bool = False
    servicer: Optional[Callable[..., Any]] = None
