"""The control plane of a cluster as the director sees it, so that its tests can put another in its place."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from edgelib.sandbox.kubernetes import binaries
from edgelib.sandbox.kubernetes.control_plane import ControlPlane
from edgelib.sandbox.kubernetes.specs import ApiServer, ClusterSpec, Node


class Plane(Protocol):
    """What :class:`~edgelib.sandbox.kubernetes.control_plane.ControlPlane` offers; see there."""

    def apply(self, servers: Sequence[ApiServer]) -> None: ...

    def problems(self) -> tuple[str, ...]: ...

    def ready(self) -> bool: ...

    def join(self, node: Node) -> None: ...

    def halt(self, node_name: str) -> None: ...

    def nodes(self) -> Sequence[Mapping[str, Any]]: ...


PlaneFactory = Callable[[Path, ClusterSpec], Plane]


def factory(environ: Mapping[str, str]) -> PlaneFactory:
    """Makes real control planes, of the programs that ``environ`` finds.

    The factory raises:
        BinariesNotFoundError: there are none; the message says what to do.
    """

    def make(directory: Path, spec: ClusterSpec) -> Plane:
        return ControlPlane(directory, spec, binaries.find(environ))

    return make
