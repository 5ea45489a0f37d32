"""A Pulumi program in a folder, run the way Pulumi's Python host runs it."""

import contextlib
import json
import os
import runpy
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Optional, cast

import yaml


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program and what its ``Pulumi.yaml``, if there is one, says about it."""

    entry: Path
    """Its ``__main__.py``, or the file that ``main`` names."""
    project: Optional[str]
    config: Mapping[str, str]
    """Full key, such as ``aws:region``, to the project's default."""

    @classmethod
    def at(cls, path: Path) -> "Program":
        """Return the program in a folder, or the program that is this file.

        Raises FileNotFoundError when there is none.
        """
        root = (path if path.is_dir() else path.parent).resolve()
        description = _description(root)
        main = root / description.get("main", ".") if path.is_dir() else path.resolve()
        entry = main / "__main__.py" if main.is_dir() else main
        if not entry.is_file():
            raise FileNotFoundError(
                f"{path} holds no Pulumi program: {entry} does not exist; give a folder with a __main__.py or a "
                "Pulumi.yaml that says `main:`, or the file itself"
            )
        project = description.get("name")
        return cls(entry=entry, project=project, config=_defaults(description.get("config") or {}, project or ""))

    def run(self) -> None:
        """Execute the program in the current Pulumi runtime; call it inside `hosted`."""
        runpy.run_path(str(self.entry), run_name="__main__")

    @contextlib.contextmanager
    def hosted(self) -> Generator[None, None, None]:
        """Make the program's folder the working directory and first on ``sys.path``; undo that and its imports later.

        The program gets its own modules even where the test has loaded others of the same name. Modules of the folder
        that the test has imported itself stay as they are.
        """
        folder = self.entry.parent
        names = _local_names(folder)
        hidden = {name: module for name, module in _loaded(names).items() if not _is_under(folder, module)}
        for name in hidden:
            del sys.modules[name]
        kept = set(_loaded(names))
        directory, search_path = Path.cwd(), list(sys.path)
        sys.path.insert(0, str(folder))
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(directory)
            sys.path[:] = search_path
            for name in set(_loaded(names)) - kept:
                del sys.modules[name]
            sys.modules.update(hidden)


def config_text(value: object) -> str:
    """Return a configuration value as Pulumi stores it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def full_key(key: str, project: str) -> str:
    """Return the key with its namespace, which is the project's name unless it has one."""
    return key if ":" in key else f"{project}:{key}"


def _description(root: Path) -> dict[str, Any]:
    for name in ("Pulumi.yaml", "Pulumi.yml"):
        if (root / name).is_file():
            return cast("dict[str, Any]", yaml.safe_load((root / name).read_text(encoding="utf-8")))
    return {}


def _defaults(declared: Mapping[str, Any], project: str) -> dict[str, str]:
    """Return the values that the project gives its configuration, in either of the notations of ``Pulumi.yaml``."""
    values: dict[str, str] = {}
    for key, entry in declared.items():
        given = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {"value": entry}
        value = given.get("value", given.get("default"))
        if value is not None:
            values[full_key(key, project)] = config_text(value)
    return values


def _local_names(folder: Path) -> set[str]:
    modules = {path.stem for path in folder.glob("*.py")}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    # What Pulumi's own host has loaded before the program starts wins over a local file there too.
    return (modules | packages) - {"__main__"} - sys.stdlib_module_names


def _loaded(names: set[str]) -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in names}


def _is_under(folder: Path, module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve().is_relative_to(folder)
