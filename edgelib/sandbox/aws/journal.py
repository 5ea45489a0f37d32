"""The account's journal: one JSON object a line, the first one a header, then what changed the account, in order."""

import base64
import fcntl
import json
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Optional

_LOG = logging.getLogger(__name__)

FORMAT = 1
_HEADERS_NOT_KEPT = {
    "HTTP_USER_AGENT",
    "HTTP_CONNECTION",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_AMZ_SDK_REQUEST",
}
_FIRST_OCTET, _OCTETS = 16, 224


class JournalError(RuntimeError):
    """The journal cannot be used as it stands; the message says why and what to do."""


@dataclass(frozen=True)
class AccountSeed:
    """What an account's ids and addresses are drawn from."""

    seed: str
    octet: int
    """The second octet of the account's public addresses, ``127.<octet>.0.0/16``."""

    @classmethod
    def fresh(cls, directory: Path) -> "AccountSeed":
        """A new seed. The octet depends on the directory alone, so that two sandboxes rarely share addresses."""
        digest = sha256(str(directory.resolve()).encode()).digest()
        return cls(secrets.token_hex(8), _FIRST_OCTET + digest[0] % _OCTETS)


@dataclass(frozen=True)
class Request:
    """A request as the journal keeps it: enough of the WSGI environment to be worked on again."""

    method: str
    uri: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, environ: Mapping[str, Any], body: bytes) -> "Request":
        """Take what matters from a WSGI environment."""
        headers = {
            key: value
            for key, value in environ.items()
            if (key.startswith("HTTP_") or key == "CONTENT_TYPE") and key not in _HEADERS_NOT_KEPT
        }
        uri = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "")
        path, query = str(environ.get("PATH_INFO", "")), str(environ.get("QUERY_STRING", ""))
        return cls(str(environ["REQUEST_METHOD"]), uri, path, query, headers, body)

    def environ(self) -> dict[str, Any]:
        """A WSGI environment for the request, without the body's stream."""
        return {
            "REQUEST_METHOD": self.method,
            "RAW_URI": self.uri,
            "REQUEST_URI": self.uri,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            **self.headers,
        }

    def to_json(self) -> dict[str, Any]:
        """The request as JSON; a body that is not UTF-8 goes as base64."""
        document: dict[str, Any] = {
            "method": self.method,
            "uri": self.uri,
            "path": self.path,
            "query": self.query,
            "headers": dict(self.headers),
        }
        try:
            document["body"] = self.body.decode("utf-8")
        except UnicodeDecodeError:
            document["base64"] = base64.b64encode(self.body).decode("ascii")
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Request":
        """The inverse of :meth:`to_json`."""
        body = base64.b64decode(document["base64"]) if "base64" in document else document["body"].encode("utf-8")
        plain = {key: document[key] for key in ("method", "uri", "path", "query", "headers")}
        return cls(**plain, body=body)


class Journal:
    """``journal.jsonl`` of a directory, held by one process at a time."""

    def __init__(self, directory: Path) -> None:
        """Open the journal of a directory, made if need be.

        Raises:
            JournalError: another process holds the directory, or the journal is of another format.
        """
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "journal.jsonl"
        # Parameters may be secrets: nobody else on the machine is to read them.
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise JournalError(
                f"directory {directory}: another emulated AWS already runs on it; stop that one, or use another directory"
            ) from error
        self._cut_torn_line()
        self.seed = self._read_header() or self.clear()

    def close(self) -> None:
        """Let the directory go."""
        os.close(self._file)

    def clear(self) -> AccountSeed:
        """Empty the journal for a new account, and return that account's seed."""
        self.seed = AccountSeed.fresh(self.directory)
        os.ftruncate(self._file, 0)
        self.append({"format": FORMAT, "seed": self.seed.seed, "octet": self.seed.octet})
        return self.seed

    def append(self, entry: Mapping[str, Any]) -> None:
        """Add a line, handed to the system as a whole before the caller goes on."""
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        while line:
            line = line[os.write(self._file, line) :]

    def entries(self) -> Iterator[dict[str, Any]]:
        """What was journalled after the header, in order."""
        with self.path.open("rb") as lines:
            next(lines, None)
            for line in lines:
                yield json.loads(line)

    def _cut_torn_line(self) -> None:
        """Drop a last line without its end: the process died writing it, so nobody was answered."""
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            _LOG.warning("%s: dropped a torn last line of %d bytes", self.path, len(data) - whole)
            os.ftruncate(self._file, whole)

    def _read_header(self) -> Optional[AccountSeed]:
        with self.path.open("rb") as lines:
            first = next(lines, None)
        if first is None:
            return None
        header: dict[str, Any] = json.loads(first)
        if header.get("format") != FORMAT:
            raise JournalError(
                f"{self.path}: format {header.get('format')!r} is not the one this edgelib writes ({FORMAT}); "
                "destroy the sandbox and start a new one"
            )
        return AccountSeed(header["seed"], header["octet"])
