"""The packages that have a stand-in. Each is imported only in the process that serves it."""

import importlib
from importlib import metadata
from typing import Any, Final

from edgelib.sandbox.providers.resource import Package

_MODULES: Final = {
    "aws": "edgelib.sandbox.providers.aws",
    "command": "edgelib.sandbox.providers.command",
    "kubernetes": "edgelib.sandbox.providers.kubernetes",
    "random": "edgelib.sandbox.providers.random_",
    "tls": "edgelib.sandbox.providers.tls",
}
NAMES: Final = tuple(_MODULES)


def version(package: str) -> str:
    """The version of the installed SDK package (`pulumi_aws` for "aws"): the one that the engine asks the plugin folder for."""
    return metadata.version(f"pulumi_{package}")


def load(package: str) -> Package[Any]:
    """The table of a package. Raises ValueError for a package without a stand-in."""
    if package not in _MODULES:
        msg = f"there is no stand-in for the provider {package!r}: there are {', '.join(NAMES)}"
        raise ValueError(msg)
    return importlib.import_module(_MODULES[package]).package(version(package))
