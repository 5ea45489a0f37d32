# pyright: reportPrivateImportUsage=false
"""The account's clock: the time of the request in hand, which a replay sets back to what it was."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Optional

import moto.core.utils as moto_utils


class Clock:
    """Seconds since the epoch, never going back, and held still while a request is worked on."""

    def __init__(self) -> None:
        self._last = 0.0
        self._held: Optional[float] = None

    def now(self) -> float:
        """The held time, else the real one (or the last one, should the machine's clock have gone back)."""
        if self._held is not None:
            return self._held
        self._last = max(self._last, time.time())
        return self._last

    @contextmanager
    def held(self, moment: float) -> Generator[None]:
        """Hold the clock at a moment: a request's own, in its first run and in every replay."""
        self._last = max(self._last, moment)
        self._held = moment
        try:
            yield
        finally:
            self._held = None

    def naive_utc(self) -> datetime:
        """The time as moto writes it: UTC without a time zone."""
        return datetime.fromtimestamp(self.now(), tz=UTC).replace(tzinfo=None)


def use_for_moto(clock: Clock) -> None:
    """Make moto's ``utcnow`` read this clock.

    Dozens of moto's modules have imported the function by name, so its code is exchanged, not the name.
    """

    def utcnow() -> datetime:
        return sandbox_clock.naive_utc()  # noqa: F821  # pyright: ignore[reportUndefinedVariable, reportUnknownVariableType, reportUnknownMemberType]

    moto_utils.__dict__["sandbox_clock"] = clock
    moto_utils.utcnow.__code__ = utcnow.__code__
