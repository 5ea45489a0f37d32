"""Tags, in one precedence everywhere: ``{Name} < common tags < the resource's own``."""

from collections.abc import Mapping
from typing import Optional

import pulumi

from edgelib.errors import ArgsError

MOST_TAGS = 50  # per resource; EC2 user guide, tag restrictions
LONGEST_KEY = 128
LONGEST_VALUE = 256

Tags = Mapping[str, pulumi.Input[str]]


def named(name: str, *layers: Optional[Tags]) -> dict[str, pulumi.Input[str]]:
    """Returns the tags of the resource called ``name``: its ``Name``, overridden by each layer in turn."""
    merged: dict[str, pulumi.Input[str]] = {"Name": name}
    for layer in layers:
        merged.update(layer or {})
    return merged


def check_tags(field: str, tags: Optional[Tags]) -> dict[str, pulumi.Input[str]]:
    """Returns ``tags`` as a new mapping.

    Raises:
        ArgsError: too many of them, a key that AWS reserves, or a key or a value that is too long (EC2 user guide, tag restrictions).
    """
    checked = dict(tags or {})
    if len({"Name", *checked}) > MOST_TAGS:
        raise ArgsError(field, len(checked), f"tags, with Name, are more than {MOST_TAGS}", "leave some out")
    for key, value in checked.items():
        if key.lower().startswith("aws:"):
            raise ArgsError(field, repr(key), "starts with aws:, which AWS keeps for itself", "rename it")
        if not 0 < len(key) <= LONGEST_KEY:
            raise ArgsError(field, repr(key), f"is not between 1 and {LONGEST_KEY} characters long", "rename it")
        if isinstance(value, str) and len(value) > LONGEST_VALUE:
            raise ArgsError(
                f"{field}[{key!r}]", f"{len(value)} characters", f"are more than {LONGEST_VALUE}", "shorten it"
            )
    return checked
