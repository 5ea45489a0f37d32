"""Creating a thing once, although the answer that it was created may be lost.

A create call can fail with the work done: the connection breaks, the server answers 5xx after the fact, the provider is
killed while it waits. Trying again blindly makes a second thing and orphans the first. So before the call it is written
down what looked like the wanted thing already, and after a failure that leaves it open, the one that appeared since is
taken. The note survives the process, so that the next `up` after a kill finds what the last one made.
"""
# ruff: noqa: A002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

_ATTEMPTS = 5
_FIRST_DELAY = 0.1  # seconds, doubled each time: the endpoint is on loopback


@dataclass(frozen=True)
class _Note:
    fingerprint: str
    client_token: str
    before: tuple[str, ...]


class CreationLog:
    """The notes of one provider process, one small file per URN under `directory` while its create call is unanswered."""

    def __init__(self, directory: Path, *, sleep: Callable[[float], Any] = time.sleep) -> None:
        self.directory = directory
        self.sleep = sleep
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._claimed: set[str] = set()

    def of(self, urn: str) -> "Creation":
        """The handle that one Create call uses."""
        return Creation(self, urn)

    def lock(self, fingerprint: str) -> threading.Lock:
        """Creates with equal arguments go one after another: nothing could tell their results apart."""
        with self._guard:
            return self._locks.setdefault(fingerprint, threading.Lock())

    def claim(self, id: str) -> None:
        """Remember that the thing belongs to a resource already."""
        with self._guard:
            self._claimed.add(id)

    def unclaimed(self, ids: set[str]) -> set[str]:
        """Those that no resource of this process has."""
        with self._guard:
            return ids - self._claimed


class Creation:
    """One resource's create call."""

    def __init__(self, log: CreationLog, urn: str) -> None:
        self._log = log
        self._file = log.directory / (hashlib.sha256(urn.encode()).hexdigest()[:40] + ".json")

    def once(
        self,
        arguments: Any,
        call: Callable[[str], str],
        *,
        existing: Callable[[], set[str]],
        unanswered: Callable[[Exception], bool],
    ) -> str:
        """The id that `call(client_token)` gives, or that of the thing that an unanswered call has made.

        `existing` lists the ids of everything that looks exactly like what `call` makes. `unanswered(error)` says that a
        failure leaves open whether the work was done; those are tried again, five times at most; others are raised at once.
        """
        fingerprint = hashlib.sha256(json.dumps(arguments, sort_keys=True, default=str).encode()).hexdigest()
        with self._log.lock(fingerprint):
            note = self._read()
            if note is None or note.fingerprint != fingerprint:
                note = _Note(fingerprint, str(uuid.uuid4()), tuple(existing()))
                self._write(note)
                found = None
            else:
                found = self._appeared(note, existing)
            made = found or self._call(call, note, existing, unanswered)
            self._log.claim(made)
            return made

    def _call(
        self,
        call: Callable[[str], str],
        note: _Note,
        existing: Callable[[], set[str]],
        unanswered: Callable[[Exception], bool],
    ) -> str:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return call(note.client_token)
            except Exception as error:
                if not unanswered(error):
                    self.finished()
                    raise
                found = self._appeared(note, existing)
                if found:
                    return found
                if attempt == _ATTEMPTS:
                    self.finished()  # it was looked for and is not there
                    raise
                self._log.sleep(_FIRST_DELAY * 2 ** (attempt - 1))
        raise AssertionError  # the last attempt returns or raises

    def _appeared(self, note: _Note, existing: Callable[[], set[str]]) -> Optional[str]:
        return min(self._log.unclaimed(existing() - set(note.before)), default=None)

    def finished(self) -> None:
        """The engine has the answer: forget the note."""
        self._file.unlink(missing_ok=True)

    def _read(self) -> Optional[_Note]:
        try:
            text = self._file.read_text()
        except FileNotFoundError:
            return None
        fields = json.loads(text)
        return _Note(fields["fingerprint"], fields["client_token"], tuple(fields["before"]))

    def _write(self, note: _Note) -> None:
        self._log.directory.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(f".{uuid.uuid4().hex}")
        partial.write_text(json.dumps(asdict(note)))
        partial.replace(self._file)
