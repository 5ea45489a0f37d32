"""Which Kubernetes programs the sandbox runs: the official ones on PATH, else the one that `tools/build.py` built here.

Standard library only, and no import from edgelib: `tools/build.py` loads this file by its path with a bare python3.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
COMBINED = "edgelib-kubernetes"
"""One binary that holds all components; the first argument says which one to be."""

INSTALL_URL = "https://kubernetes.io/releases/download/"


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """Programs that were found.

    Attributes:
        commands: For each of COMPONENTS the program by absolute path, and the argument that selects the component in the
            combined binary.
        official: True for programs on PATH.
    """

    commands: Mapping[str, tuple[str, ...]]
    official: bool


class BinariesNotFoundError(RuntimeError):
    """No usable programs. The message says what was looked for and the ways out."""


def find(environ: Mapping[str, str]) -> Binaries:
    """The official programs when all of them are on PATH, else the clone's own build.

    Raises:
        BinariesNotFoundError: if there is neither.
    """
    built = tools_bin()
    found = find_on_path(environ)
    if found is not None:
        return found
    missing = ", ".join(name for name in COMPONENTS if _which(name, environ) is None)
    if built is None:
        raise BinariesNotFoundError(f"No Kubernetes (PATH: no {missing}). Install the official programs: {INSTALL_URL}")
    program = built / COMBINED
    if not os.access(program, os.X_OK):
        raise BinariesNotFoundError(
            f"No Kubernetes (PATH: no {missing}; {program} does not exist). Build it with `make setup` or "
            f"`python {built.parent / 'build.py'}`, or install the official programs: {INSTALL_URL}"
        )
    return Binaries(commands={name: (str(program), name) for name in COMPONENTS}, official=False)


def find_on_path(environ: Mapping[str, str]) -> Optional[Binaries]:
    """The official programs, or None unless every one of them is on PATH: a mixture of releases is nobody's."""
    found = {name: _which(name, environ) for name in COMPONENTS}
    commands = {name: (program,) for name, program in found.items() if program is not None}
    return Binaries(commands=commands, official=True) if len(commands) == len(COMPONENTS) else None


def tools_bin() -> Optional[Path]:
    """The clone's `tools/bin`, which need not exist yet, or None when edgelib is not run from a clone."""
    tools = Path(__file__).resolve().parents[3] / "tools"
    return tools / "bin" if (tools / "build.py").is_file() else None


def _which(name: str, environ: Mapping[str, str]) -> Optional[str]:
    found = shutil.which(name, path=environ.get("PATH", ""))
    return None if found is None else str(Path(found).absolute())
