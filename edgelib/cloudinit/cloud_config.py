"""The cloud-config format."""

from collections.abc import Mapping
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as literal blocks, so that rendered user data reads like what was written."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)  # pyright: ignore[reportUnknownMemberType]  # PyYAML has no types of its own


_Dumper.add_representer(str, _represent_text)


def render_cloud_config(settings: Mapping[str, Any]) -> str:
    """Renders ``settings`` (cloud-init's own keys) as a cloud-config document, keys in the order given."""
    return "#cloud-config\n" + yaml.dump(dict(settings), Dumper=_Dumper, sort_keys=False, width=1000)
