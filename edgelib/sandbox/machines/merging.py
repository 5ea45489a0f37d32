"""How cloud-init merges one cloud-config into another, by its ``Merge-Type`` (cloud-init documentation, "User data merging")."""

import re
from collections.abc import Mapping
from typing import Any, Optional, cast

Options = frozenset[str]
MergeHow = Mapping[str, Options]
"""Options by the type that they are for: ``list``, ``dict``, ``str``. A type that is not named is left as it is."""

_STEP = re.compile(r"([a-z_][a-z0-9_]*)\((.*)\)")
_KNOWN = ("list", "dict", "str")


def parse_merge_how(how: Any) -> MergeHow:
    """``list(append)+dict(recurse_list)+str()``, or the same as a list of ``{"name": ..., "settings": [...]}``.

    Raises:
        ValueError: it is in neither form, or names a type that cloud-init has no merger for.
    """
    steps: list[tuple[str, list[str]]] = []
    if isinstance(how, str):
        for text in filter(None, (each.lower().strip().replace("-", "_") for each in how.split("+"))):
            match = _STEP.fullmatch(text)
            if match is None:
                raise ValueError(f"Matcher identifier '{text}' is not in the right format")
            steps.append((match[1], [option.strip() for option in match[2].split(",")]))
    else:
        for step in cast("list[Any]", how):
            named = isinstance(step, dict)
            name, options = (step["name"], step["settings"]) if named else (step[0], step[1:])  # pyright: ignore[reportUnknownVariableType]
            steps.append((str(name), [str(option) for option in options]))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    parsed: dict[str, Options] = {}
    for name, options in steps:
        kind = name.removeprefix("m_")
        if kind not in _KNOWN:
            raise ValueError(f"Could not find merger module named 'm_{kind}'")
        parsed.setdefault(kind, frozenset(options))
    return parsed


DEFAULT = parse_merge_how("dict(replace)+list()+str()")
"""For a part of user data that names none: a later part's keys replace an earlier one's, whole."""


def merge(old: Any, new: Any, how: MergeHow) -> Any:
    """``new`` merged into ``old``; neither is changed. The type of ``old`` says which options count."""
    if isinstance(old, dict) and "dict" in how:
        return _merge_dicts(cast("dict[str, Any]", old), new, how)
    if isinstance(old, list) and "list" in how:
        return _merge_lists(cast("list[Any]", old), new, how)
    if isinstance(old, str) and "str" in how:
        return old + str(new) if "append" in how["str"] else new
    return cast("Any", old)


def _merge_dicts(old: dict[str, Any], new: Any, how: MergeHow) -> dict[str, Any]:
    if not isinstance(new, dict):
        return old
    options, merged = how["dict"], dict(old)
    for key, value in cast("dict[str, Any]", new).items():
        if key not in old:
            merged[key] = value
        elif value is None and "allow_delete" in options:
            del merged[key]
        elif "replace" in options:
            merged[key] = value
        elif isinstance(value, dict) or _recurses(value, options):
            merged[key] = merge(old[key], value, how)
    return merged


def _merge_lists(old: list[Any], new: Any, how: MergeHow) -> Any:
    options = how["list"]
    method = next((each for each in ("append", "prepend", "replace", "no_replace") if each in options), "replace")
    if not isinstance(new, list):
        return new if method == "replace" else old
    others = cast("list[Any]", new)
    if method == "append":
        return [*old, *others]
    if method == "prepend":
        return [*others, *old]
    if method == "no_replace":
        return old
    pairs = zip(old, others, strict=False)
    same = [merge(mine, theirs, how) if _recurses(theirs, options) else theirs for mine, theirs in pairs]
    return [*same, *old[len(same) :]]


def _recurses(value: Any, options: Options) -> bool:
    wanted: Optional[tuple[str, ...]] = None
    if isinstance(value, list):
        wanted = ("recurse_list", "recurse_array")
    elif isinstance(value, str):
        wanted = ("recurse_str",)
    elif isinstance(value, dict):
        wanted = ("recurse_dict",)
    return wanted is not None and any(each in options for each in wanted)
