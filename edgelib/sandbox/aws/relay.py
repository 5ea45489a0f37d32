"""Bytes between two connections, both ways at once."""

import select
import socket
from contextlib import suppress

_CHUNK = 64 * 1024
_BROKEN = select.POLLERR | select.POLLHUP | select.POLLNVAL


class _Direction:
    """One way: what the source sends goes to the sink; its end too, so that the other way may go on."""

    def __init__(self, source: socket.socket, sink: socket.socket, pending: bytes = b"") -> None:
        self._source = source
        self._sink = sink
        self._pending = pending
        self.ended = False

    def awaited(self) -> tuple[int, int]:
        """Descriptor and event. Nothing is read while something is pending: a slow sink slows its source down."""
        if self._pending:
            return self._sink.fileno(), select.POLLOUT
        return self._source.fileno(), select.POLLIN

    def step(self) -> None:
        """Move what can be moved without waiting."""
        try:
            if self._pending:
                self._pending = self._pending[self._sink.send(self._pending) :]
                return
            self._pending = self._source.recv(_CHUNK)
        except BlockingIOError:
            return
        if not self._pending:
            self.ended = True
            with suppress(OSError):  # a sink that has gone: the other way, which reads from it, notices
                self._sink.shutdown(socket.SHUT_WR)


def relay(near: socket.socket, far: socket.socket, *, early: bytes, idle_seconds: float) -> None:
    """Relay until both sides have ended; neither is closed.

    Args:
        near: Who asked for the connection. Non-blocking from here on, as `far` is.
        far: Who answers.
        early: What was read from `near` already.
        idle_seconds: Longest time in which nothing moves.

    Raises:
        TimeoutError: nothing moved for that long.
        OSError: a connection broke.
    """
    near.setblocking(False)
    far.setblocking(False)
    directions = [_Direction(near, far, early), _Direction(far, near)]
    while directions:
        ready = _wait(directions, idle_seconds)
        for each in directions:
            descriptor, event = each.awaited()
            if ready.get(descriptor, 0) & (event | _BROKEN):
                each.step()
        directions = [each for each in directions if not each.ended]


def _wait(directions: list[_Direction], seconds: float) -> dict[int, int]:
    """The events that came, by descriptor."""
    events: dict[int, int] = {}
    for each in directions:
        descriptor, event = each.awaited()
        events[descriptor] = events.get(descriptor, 0) | event
    poll = select.poll()  # select.select ends at descriptor 1024
    for descriptor, event in events.items():
        poll.register(descriptor, event)
    ready = dict(poll.poll(seconds * 1000))
    if not ready:
        raise TimeoutError(f"nothing was sent for {seconds:g} s")
    return ready
