"""Which provider plugins the sandbox has: the official ones where they can be had, else edgelib's stand-ins."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, Optional

from edgelib.sandbox.directory import SandboxDirectory
from edgelib.sandbox.engine import Engine
from edgelib.sandbox.environment import without_accounts

PACKAGES = ("aws", "command", "kubernetes", "random", "tls")
"""Packages that have a stand-in in edgelib.sandbox.providers."""

DOWNLOAD_SECONDS = 600.0
"""Bound on one download; the AWS plugin is some 200 MB."""

HEARTBEAT_SECONDS = 10.0
_STAND_IN_MARK = "edgelib.sandbox.providers"

Kind = Literal["official", "stand-in"]
Report = Callable[[str], None]


class PluginError(RuntimeError):
    """An official plugin could not be had; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """One provider plugin in the sandbox's cache.

    Attributes:
        package: "aws".
        version: That of the installed SDK, which is the one the program asks for: "7.51.1".
        kind: Where it comes from.
    """

    package: str
    version: str
    kind: Kind


def wanted() -> dict[str, str]:
    """Version by package, for each of PACKAGES whose SDK is installed beside edgelib."""
    versions: dict[str, str] = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(f"pulumi-{package}")
        except metadata.PackageNotFoundError:
            continue
    return versions


def installed(directory: SandboxDirectory, versions: Mapping[str, str]) -> tuple[Plugin, ...]:
    """Those of `versions` (by package) that the engine would find."""
    found: list[Plugin] = []
    for package, version in versions.items():
        folder = _folder(directory.plugins, package, version)
        program = folder / f"pulumi-resource-{package}"
        # As the engine sees it: a folder, a program that can be run, and no note that the download is not complete.
        if folder.is_dir() and os.access(program, os.X_OK) and not _partial(folder).exists():
            found.append(Plugin(package=package, version=version, kind=_kind(program)))
    return tuple(found)


def install(
    directory: SandboxDirectory,
    engine: Engine,
    *,
    environ: Mapping[str, str],
    versions: Mapping[str, str],
    report: Report,
) -> tuple[Plugin, ...]:
    """Make every one of `versions` available. Quick when they are: what is there stays, so that the kind of a provider
    never changes under a stack.

    With an official engine each is taken from the user's own plugin cache, else downloaded; after the first download
    that fails the rest are stand-ins. With the built engine all are stand-ins.

    Args:
        directory: The sandbox.
        engine: The one that will load them.
        environ: The user's environment: where the user's cache is, and how to reach the internet.
        versions: Version by package.
        report: Told, in a line, what is being done and why a stand-in is used.
    """
    present = {plugin.package: plugin for plugin in installed(directory, versions)}
    download = engine.official
    for package, version in versions.items():
        held = present.get(package)
        if held is not None and held.kind == "official":
            continue
        if held is None and engine.official:
            if _link(directory, _user_cache(environ), package, version):
                continue
            if download:
                try:
                    _download(directory, engine, environ=environ, package=package, version=version, report=report)
                except PluginError as error:
                    report(f"{error}; edgelib's stand-in is used instead, until the sandbox directory is removed")
                    download = False
                else:
                    continue
        _write_stand_in(directory, package, version)
    return installed(directory, versions)


def stand_in_script(package: str, python: Path) -> str:
    """The program of a stand-in. A shell starts Python, since the system cuts a `#!` line at 127 characters and at a
    space. `-P`: the engine runs it in the user's project, whose modules must not take the place of others."""
    code = f'from {_STAND_IN_MARK} import main; main("{package}")'
    return f'#!/bin/sh\nexec {shlex.quote(str(python))} -P -c {shlex.quote(code)} "$@"\n'


def _write_stand_in(directory: SandboxDirectory, package: str, version: str) -> None:
    """Write the script unless it is there as it should be; a virtual environment that moved makes it differ."""
    folder = _folder(directory.plugins, package, version)
    program = folder / f"pulumi-resource-{package}"
    script = stand_in_script(package, Path(sys.executable))
    if program.is_file() and program.read_bytes() == script.encode() and not _partial(folder).exists():
        return
    _clear(folder)
    folder.mkdir(parents=True)
    fresh = program.with_suffix(".new")
    fresh.write_text(script, encoding="utf-8")
    fresh.chmod(0o755)
    fresh.replace(program)


def _link(directory: SandboxDirectory, cache: Path, package: str, version: str) -> bool:
    """Use a plugin of the user's cache. The engine skips a version folder that is a link itself, so its content is
    linked."""
    source = _folder(cache, package, version)
    program = source / f"pulumi-resource-{package}"
    if cache == directory.plugins or not os.access(program, os.X_OK) or _partial(source).exists():
        return False
    folder = _folder(directory.plugins, package, version)
    _clear(folder)
    folder.mkdir(parents=True)
    for entry in sorted(source.iterdir()):
        (folder / entry.name).symlink_to(entry)
    return True


def _download(
    directory: SandboxDirectory,
    engine: Engine,
    *,
    environ: Mapping[str, str],
    package: str,
    version: str,
    report: Report,
) -> None:
    """`pulumi plugin install`, bounded, with a word every 10 s. Raises PluginError."""
    plugin = f"the official {package} plugin {version}"
    report(f"downloading {plugin} (at most {DOWNLOAD_SECONDS:.0f} s; once for this sandbox)")
    command = [str(engine.directory / "pulumi"), "plugin", "install", "resource", package, f"v{version}"]
    settings = {"PULUMI_HOME": str(directory.pulumi_home), "PULUMI_SKIP_UPDATE_CHECK": "1"}
    # The user's proxies stay: they are how this machine reaches the internet.
    kept = {name: value for name, value in environ.items() if name.upper().endswith("_PROXY")}
    started = time.monotonic()
    with directory.plugins_log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - the engine that the user chose
            command,
            env={**without_accounts(environ), **kept, **settings},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            code = _wait(process, started, lambda seconds: report(f"  still downloading {plugin}, {seconds:.0f} s"))
        finally:
            process.kill()
            process.wait()
    if code is None:
        raise PluginError(f"{plugin} was not downloaded within {DOWNLOAD_SECONDS:.0f} s (see {directory.plugins_log})")
    if code != 0:
        raise PluginError(f"{plugin} could not be downloaded (exit code {code}, see {directory.plugins_log})")
    if not installed(directory, {package: version}):
        raise PluginError(
            f"{plugin} was downloaded, but {_folder(directory.plugins, package, version)} is not complete"
        )


def _wait(process: subprocess.Popen[bytes], started: float, beat: Callable[[float], None]) -> Optional[int]:
    """The exit code, or None when it takes longer than DOWNLOAD_SECONDS."""
    while True:
        left = started + DOWNLOAD_SECONDS - time.monotonic()
        if left <= 0:
            return None
        try:
            return process.wait(min(left, HEARTBEAT_SECONDS))
        except subprocess.TimeoutExpired:
            beat(time.monotonic() - started)


def _user_cache(environ: Mapping[str, str]) -> Path:
    home = environ.get("PULUMI_HOME")
    return (Path(home) if home else Path(environ.get("HOME", "~")).expanduser() / ".pulumi") / "plugins"


def _kind(program: Path) -> Kind:
    with program.open("rb") as file:
        return "stand-in" if _STAND_IN_MARK.encode() in file.read(4096) else "official"


def _clear(folder: Path) -> None:
    """Remove a version folder and the engine's notes on an unfinished download of it."""
    if folder.exists():
        shutil.rmtree(folder)
    for note in (_partial(folder), folder.with_name(f"{folder.name}.lock")):
        note.unlink(missing_ok=True)


def _partial(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.partial")


def _folder(plugins: Path, package: str, version: str) -> Path:
    return plugins / f"resource-{package}-v{version}"
