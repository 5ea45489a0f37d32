"""Which Pulumi engine the sandbox runs: the official one on PATH, else the one that `tools/build.py` built here.

Standard library only, and no import from edgelib: `tools/build.py` loads this file by its path with a bare python3.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

FLOOR = (3, 250, 0)
"""Oldest engine taken from PATH: the release that tools/ pins, and so the oldest that edgelib is tested with."""

INSTALL_URL = "https://www.pulumi.com/docs/iac/download-install/"
LANGUAGE_HOST = "pulumi-language-python"

_ANSWER_SECONDS = 30.0
_VERSION = re.compile(r"v?((\d+)\.(\d+)\.(\d+)\S*)")


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A usable engine.

    Attributes:
        directory: Folder that holds `pulumi`; it goes first on PATH.
        version: Without the leading v, as `pulumi version` says it: "3.250.0".
        official: True for a `pulumi` on PATH, which can download official plugins and has a current language host.
            The clone's own build has neither: its language host runs the first `python` on PATH, which needs `pip`.
    """

    directory: Path
    version: str
    official: bool


class EngineNotFoundError(RuntimeError):
    """No usable engine. The message lists what was looked at, why each was refused, and the ways out."""


class UnusableEngineError(RuntimeError):
    """One `pulumi` was found and cannot be used; the message says why."""


def find(environ: Mapping[str, str]) -> Engine:
    """Find the engine: `pulumi` on PATH at FLOOR or newer, else the clone's `tools/bin`.

    Raises:
        EngineNotFoundError: if there is neither.
    """
    built = tools_bin()
    try:
        on_path = find_on_path(environ, excluding=built)
    except UnusableEngineError as error:
        on_path, seen = None, f"PATH: {error}"
    else:
        seen = "PATH: no `pulumi`"
    if on_path is not None:
        return on_path
    if built is None:
        raise EngineNotFoundError(
            f"No Pulumi engine ({seen}). Install the Pulumi CLI, {floor()} or newer: {INSTALL_URL}"
        )
    try:
        return inspect(built / "pulumi", official=False)
    except UnusableEngineError as error:
        raise EngineNotFoundError(
            f"No Pulumi engine ({seen}; {error}). Build the pinned one with `make setup` or "
            f"`python {built.parent / 'build.py'}`, or install the Pulumi CLI, {floor()} or newer: {INSTALL_URL}"
        ) from error


def find_on_path(environ: Mapping[str, str], *, excluding: Optional[Path]) -> Optional[Engine]:
    """The `pulumi` that a shell would run, or None. `excluding` is a folder that does not count: the clone's own build.

    Raises:
        UnusableEngineError: if there is one that is too old, does not run, or has no Python language host.
    """
    folders = [folder for folder in environ.get("PATH", "").split(os.pathsep) if folder]
    search = os.pathsep.join(folder for folder in folders if excluding is None or Path(folder) != excluding)
    found = shutil.which("pulumi", path=search)
    if found is None:
        return None
    program = Path(found)
    engine = inspect(program, official=True)
    if _numbers(engine.version) < FLOOR:
        raise UnusableEngineError(f"{program} is {engine.version}, older than {floor()}")
    if not (program.resolve().parent / LANGUAGE_HOST).is_file() and shutil.which(LANGUAGE_HOST, path=search) is None:
        raise UnusableEngineError(f"{program} has no {LANGUAGE_HOST} beside it or on PATH")
    return engine


def inspect(program: Path, *, official: bool) -> Engine:
    """Ask `program version`, in a throw-away PULUMI_HOME.

    Raises:
        UnusableEngineError: if it is absent, fails, takes longer than 30 s, or answers something else.
    """
    if not program.is_file():
        raise UnusableEngineError(f"{program} does not exist")
    with tempfile.TemporaryDirectory(prefix="edgelib-") as home:
        environ = {**os.environ, "PULUMI_HOME": home, "PULUMI_SKIP_UPDATE_CHECK": "1"}
        try:
            answer = subprocess.run(  # noqa: S603 - the program is the one the user's own shell would run
                [str(program), "version"],
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_ANSWER_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnusableEngineError(f"`{program} version` did not run: {error}") from error
    match = _VERSION.fullmatch(answer.stdout.strip())
    if answer.returncode != 0 or match is None:
        said = (answer.stderr.strip() or answer.stdout.strip())[-200:]
        raise UnusableEngineError(f"`{program} version` gave exit code {answer.returncode} and {said!r}, not a version")
    return Engine(directory=program.parent, version=match.group(1), official=official)


def tools_bin() -> Optional[Path]:
    """The clone's `tools/bin`, which need not exist yet, or None when edgelib is not run from a clone."""
    tools = Path(__file__).resolve().parents[2] / "tools"
    return tools / "bin" if (tools / "build.py").is_file() else None


def floor() -> str:
    """FLOOR as text: "3.250.0"."""
    return ".".join(str(number) for number in FLOOR)


def _numbers(version: str) -> tuple[int, ...]:
    match = _VERSION.fullmatch(version)
    return tuple(int(number) for number in match.groups()[1:]) if match else ()
