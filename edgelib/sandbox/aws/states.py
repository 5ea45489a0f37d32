"""States that take a while on AWS: an instance is pending before it runs, a NAT gateway is deleting before it is gone.

A transition ends when its resource has been looked at once before, so that a waiter waits exactly one round, or after
:data:`LONGEST` seconds, so that nothing waits for a look that never comes. Both are reproducible in a replay: looks are
journalled, and time is the time of the journalled requests.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

LONGEST = 5.0
"""Seconds after which a transition ends by itself."""


@dataclass
class _Transition:
    began: float
    finish: Callable[[], None]
    looks: int = 0


class Transitions:
    """The unfinished transitions of one Region's resources, by resource id."""

    def __init__(self) -> None:
        self._open: dict[str, _Transition] = {}
        self._looked: list[str] = []

    def begin(self, resource_id: str, now: float, finish: Callable[[], None]) -> None:
        """Begin a transition that ends with a call of ``finish``; one that was under way is given up for it."""
        self._open.pop(resource_id, None)
        self._open[resource_id] = _Transition(now, finish)

    def look(self, resource_ids: Iterable[str]) -> bool:
        """Somebody looks at these resources: true when a transition ended by that."""
        ended = False
        for resource_id in resource_ids:
            transition = self._open.get(resource_id)
            if transition is None:
                continue
            self._looked.append(resource_id)
            if transition.looks:
                self._end(resource_id)
                ended = True
            transition.looks += 1
        return ended

    def settle(self, now: float) -> None:
        """End what has taken :data:`LONGEST` seconds by now, oldest first."""
        for resource_id, transition in list(self._open.items()):
            if now - transition.began >= LONGEST and resource_id in self._open:
                self._end(resource_id)

    def take_looks(self) -> list[str]:
        """The looks at unfinished transitions since the last call of this, for the journal."""
        looks, self._looked = self._looked, []
        return looks

    def _end(self, resource_id: str) -> None:
        self._open.pop(resource_id).finish()
