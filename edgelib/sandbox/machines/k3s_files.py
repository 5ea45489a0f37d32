"""K3s' configuration files: ``config.yaml`` and ``config.yaml.d``, and which of their keys K3s takes. Pure."""

import posixpath
from collections.abc import Mapping
from typing import Any, cast

import yaml

CONFIG = "/etc/rancher/k3s/config.yaml"


class ConfigError(ValueError):
    """A file that K3s cannot read."""


def read_config(files: Mapping[str, str]) -> dict[str, list[str]]:
    """The values by key, each a list of texts: ``config.yaml``, then ``config.yaml.d/*.yaml`` and ``*.yml`` by name.

    A later file's key takes the place of an earlier one's; with a ``+`` at its end its values are added (K3s documentation,
    "Configuration File").

    Args:
        files: Text by absolute path; those that are no configuration of K3s are left alone.

    Raises:
        ConfigError: a file that is not a YAML mapping.
    """
    drop_ins = sorted(
        path for path in files if posixpath.dirname(path) == f"{CONFIG}.d" and path.endswith((".yaml", ".yml"))
    )
    config: dict[str, list[str]] = {}
    for path in [CONFIG, *drop_ins] if CONFIG in files else drop_ins:
        for key, value in _mapping(path, files[path]).items():
            name, values = key.removesuffix("+"), _texts(value)
            config[name] = [*config.get(name, []), *values] if key.endswith("+") else values
    return config


def _mapping(path: str, text: str) -> dict[str, Any]:
    try:
        loaded: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: yaml: {' '.join(str(error).split())}") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError(f"{path}: yaml: unmarshal errors: cannot unmarshal {type(loaded).__name__} into a mapping")
    return {str(key): value for key, value in cast("dict[Any, Any]", loaded).items()}


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [_text(each) for each in cast("list[Any]", value)]
    return [_text(value)]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
