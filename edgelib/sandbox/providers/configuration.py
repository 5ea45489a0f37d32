"""A provider's own configuration. It arrives as strings: what is not a string is written as JSON inside one."""

import json
from collections.abc import Mapping
from typing import Any

from edgelib.sandbox.providers.properties import Failure, Kind, check
from edgelib.sandbox.providers.resource import Package, ProviderError
from edgelib.sandbox.providers.values import is_unknown

_ENGINE_KEYS = frozenset({"version", "pluginDownloadURL", "pluginChecksums", "parameterization", "__internal"})


def _checked(package: Package[Any], given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Failure]]:
    kinds = {row.name: row.kind for row in package.config}
    parsed = {
        key: _parsed(kinds.get(key, Kind.STRING), value) for key, value in given.items() if key not in _ENGINE_KEYS
    }
    return check(package.config, parsed, token=f"{package.name} provider configuration")


def _parsed(kind: Kind, value: Any) -> Any:
    if kind is Kind.STRING or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def check_config(package: Package[Any], given: Mapping[str, Any]) -> list[Failure]:
    """Every reason to refuse the configuration."""
    return _checked(package, given)[1]


def config_values(package: Package[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration in the types of the package's table. Raises ProviderError where `check_config` finds a failure."""
    values, failures = _checked(package, given)
    if failures:
        raise ProviderError("; ".join(failure.reason for failure in failures))
    return {key: value for key, value in values.items() if not is_unknown(value)}
