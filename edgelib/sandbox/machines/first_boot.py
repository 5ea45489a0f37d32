"""What cloud-init would leave on a machine after its first boot, read off its user data. Pure; nothing is executed."""

import base64
import email
import email.message
import gzip
import posixpath
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Optional, cast

import yaml

from edgelib.sandbox.machines.merging import DEFAULT, merge, parse_merge_how

_GZIP = b"\x1f\x8b"
_UNPACKING_ERRORS = (gzip.BadGzipFile, EOFError, zlib.error)
_MIME_WINDOW = 4096  # bytes in which cloud-init looks for a MIME header
_GZIP_TYPES = frozenset({"application/gzip", "application/x-gzip", "application/gzipped", "application/x-gunzip"})

# What a part begins with says what it is; longer ones first (cloud-init documentation, "User data formats").
_BEGINNINGS = {
    "#cloud-config-archive": "text/cloud-config-archive",
    "#cloud-config-jsonp": "text/cloud-config-jsonp",
    "#cloud-config": "text/cloud-config",
    "#cloud-boothook": "text/cloud-boothook",
    "#include-once": "text/x-include-once-url",
    "#include": "text/x-include-url",
    "#part-handler": "text/part-handler",
    "## template: jinja": "text/jinja2",
    "#!": "text/x-shellscript",
}
_SNIFFED = frozenset({"text/plain", "text/x-not-multipart", "text/x-shellscript"})
_SCRIPTS = frozenset({"text/x-shellscript", "text/cloud-boothook"})


@dataclass(frozen=True, kw_only=True)
class File:
    """A file as ``write_files`` leaves it.

    Attributes:
        content: As on the disk.
        permissions: Mode bits, 0o644 by default.
    """

    content: bytes
    permissions: int = 0o644

    @property
    def text(self) -> str:
        """The content as text; what is not UTF-8 is replaced."""
        return self.content.decode(errors="replace")


@dataclass(frozen=True, kw_only=True)
class FirstBoot:
    """What a first boot leaves.

    Attributes:
        files: By absolute path.
        commands: Each of ``runcmd``: a list is an argument vector, a text is for the shell.
        scripts: Shell scripts and boothooks, whole.
        ssh_authorized_keys: Public keys for the default user.
        problems: What cloud-init would warn of, and what the sandbox does not act out.
    """

    files: Mapping[str, File] = field(default_factory=lambda: MappingProxyType({}))
    commands: tuple[str | tuple[str, ...], ...] = ()
    scripts: tuple[str, ...] = ()
    ssh_authorized_keys: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Part:
    name: str
    kind: str
    payload: bytes
    merge_type: str = ""

    @property
    def text(self) -> str:
        return self.payload.decode(errors="replace")


def read_first_boot(user_data: bytes) -> FirstBoot:
    """Read user data: gzip, multipart MIME, cloud-config, shell scripts.

    Args:
        user_data: As the instance metadata service gives it: decoded from base64, perhaps compressed.
    """
    problems: list[str] = []
    config: dict[str, Any] = {}
    scripts: list[str] = []
    for part in _parts(user_data, problems):
        if part.kind == "text/cloud-config":
            config = _merged(config, part, problems)
        elif part.kind in _SCRIPTS:
            scripts.append(part.text)
        elif part.kind == "text/x-not-multipart":
            problems.append(f"Unhandled non-multipart ({part.kind}) userdata: '{part.text[:24]!r}...'")
        else:
            problems.append(f"{part.name}: {part.kind} is not acted out by the sandbox; use a cloud-config")
    return FirstBoot(
        files=MappingProxyType(_files(config.get("write_files"), problems)),
        commands=_commands(config.get("runcmd"), problems),
        scripts=tuple(scripts),
        ssh_authorized_keys=tuple(str(each) for each in _list(config.get("ssh_authorized_keys"))),
        problems=tuple(problems),
    )


def _parts(user_data: bytes, problems: list[str]) -> Iterator[_Part]:
    """The parts in their order, multipart containers opened, each with its real type."""
    data = user_data
    if data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except _UNPACKING_ERRORS as error:
            problems.append(f"Failed decompressing user data: {error}")
            return
    if not data.strip():
        return
    if b"mime-version:" not in data[:_MIME_WINDOW].lower():
        yield _Part("part-001", _kind(data, "text/x-not-multipart"), data)
        return
    messages = (each for each in email.message_from_bytes(data).walk() if each.get_content_maintype() != "multipart")
    for number, message in enumerate(messages, 1):
        part = _part(message, f"part-{number:03}", problems)
        if part is not None:
            yield part


def _part(message: email.message.Message, default_name: str, problems: list[str]) -> Optional[_Part]:
    payload = cast("Optional[bytes]", message.get_payload(decode=True)) or b""
    kind, name = message.get_content_type(), message.get_filename() or default_name
    if kind in _GZIP_TYPES:
        try:
            payload, kind = gzip.decompress(payload), "text/plain"
        except _UNPACKING_ERRORS as error:
            problems.append(f"Failed decompressing payload from {name} of length {len(payload)} due to: {error}")
            return None
    merge_type = str(message.get("Merge-Type") or message.get("X-Merge-Type") or "")
    return _Part(name, _kind(payload, kind), payload, merge_type)


def _kind(payload: bytes, declared: str) -> str:
    """A part's type: what it begins with where its declared type says little, else the declared one."""
    text = payload.lstrip()[:64].decode(errors="replace").lower()
    found = next((kind for beginning, kind in _BEGINNINGS.items() if text.startswith(beginning)), None)
    return found or declared if declared in _SNIFFED else declared


def _merged(config: dict[str, Any], part: _Part, problems: list[str]) -> dict[str, Any]:
    """The configuration with a part merged in, or without it when cloud-init would give it up."""
    try:
        own = _mapping(yaml.safe_load(part.text))
        asked = own.pop("merge_how", None) or own.pop("merge_type", None) or part.merge_type
        return merge(config, own, (parse_merge_how(asked) if asked else None) or DEFAULT)
    except (yaml.YAMLError, ValueError, LookupError, TypeError) as error:
        reason = " ".join(str(error).split())
        problems.append(f"Failed at merging in cloud config part from {part.name}: {reason}")
        return config


def _mapping(loaded: Any) -> dict[str, Any]:
    if loaded is not None and not isinstance(loaded, dict):
        kind = type(loaded).__name__
        raise TypeError(f"Yaml load allows (<class 'dict'>,) root types, but got {kind} instead")
    return cast("dict[str, Any]", loaded or {})


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _commands(value: Any, problems: list[str]) -> tuple[str | tuple[str, ...], ...]:
    commands: list[str | tuple[str, ...]] = []
    for each in _list(value):
        if isinstance(each, list):
            commands.append(tuple(str(word) for word in cast("list[Any]", each)))
        elif isinstance(each, str):
            commands.append(each)
        else:
            problems.append(f"Failed to shellify runcmd: {type(each).__name__} is neither a text nor a list")
            return ()  # cloud-init writes no script at all then
    return tuple(commands)


def _files(value: Any, problems: list[str]) -> dict[str, File]:
    entries = [cast("dict[str, Any]", each) for each in _list(value) if isinstance(each, dict)]
    files: dict[str, File] = {}
    for entry in sorted(entries, key=lambda each: bool(each.get("defer"))):  # those deferred come last, in their order
        path = str(entry.get("path") or "")
        if not path:
            problems.append("No path provided to write for an entry of write_files")
            continue
        path = posixpath.normpath(posixpath.join("/", path))
        try:
            content = _content(entry)
        except (ValueError, *_UNPACKING_ERRORS) as error:
            # An exception ends the module: what comes after it is not written.
            problems.append(f"Running module write_files failed at {path}: {error}")
            break
        before = files[path].content if entry.get("append") and path in files else b""
        files[path] = File(content=before + content, permissions=_permissions(entry.get("permissions"), problems))
    return files


def _content(entry: Mapping[str, Any]) -> bytes:
    raw = entry.get("content") or ""
    content = raw if isinstance(raw, bytes) else str(raw).encode()
    steps = str(entry.get("encoding") or "").lower().strip().replace("base64", "b64").replace("gzip", "gz")
    if steps in ("b64", "gz+b64"):
        content = base64.b64decode(content)
    if steps in ("gz", "gz+b64"):
        content = gzip.decompress(content)
    return content


def _permissions(value: Any, problems: list[str]) -> int:
    if value is None:
        return 0o644
    if isinstance(value, int | float):
        return int(value)
    try:
        return int(str(value), 8)
    except ValueError:
        problems.append(f"Undecodable permissions {value!r}, returning default 0644")
        return 0o644
