"""What every component's arguments share: a dataclass that also accepts plain mappings, and says plainly what is wrong with them.

The multi-language host hands arguments over as plain dictionaries whatever the annotation says (pulumi/pulumi#18526), and
programs nest mappings where a dataclass would be noise. Both end up as the annotated types here.
"""

import dataclasses
import difflib
import functools
import inspect
import types
import typing
from collections.abc import Awaitable, Mapping, Sequence
from enum import Enum
from typing import Any, Self, cast

import pulumi

from edgelib.errors import ArgsError

_T = typing.TypeVar("_T")


@dataclasses.dataclass(kw_only=True)
class Args:
    """Base of every ``XArgs``: keyword-only, nested mappings become the annotated dataclasses, strings become enums.

    Raises:
        ArgsError: a value that is not of its field's type; ``Output`` and awaitable values pass as they are.
    """

    def __post_init__(self) -> None:
        for name, hint in _hints(type(self)).items():
            setattr(self, name, _coerce(f"{type(self).__name__}.{name}", hint, getattr(self, name)))

    @classmethod
    def of(cls, args: "Self | Mapping[str, Any]") -> Self:
        """Returns ``args`` itself, or builds it from a plain mapping with the same field names.

        Raises:
            ArgsError: a key that is no field of this class, a required field that is missing, or a value of the wrong type.
        """
        if isinstance(args, cls):
            return args
        if not isinstance(args, Mapping):
            raise ArgsError(
                cls.__name__, repr(args), "is neither", f"pass {cls.__name__}(...) or a mapping of its fields"
            )
        known = {field.name: field for field in dataclasses.fields(cls)}
        for key in args:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                way_out = f"did you mean {near[0]!r}?" if near else f"the fields are {', '.join(known)}"
                raise ArgsError(f"{cls.__name__}.{key}", repr(args[key]), "belongs to no field", way_out)
        for field in known.values():
            if field.name not in args and field.default is field.default_factory is dataclasses.MISSING:
                raise ArgsError(f"{cls.__name__}.{field.name}", "(missing)", "is required", f"pass {field.name}=...")
        return cls(**args)


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    # pulumi.Input holds its Output as an unresolved forward reference
    hints = typing.get_type_hints(cls, localns={"Output": pulumi.Output, "T": _T})
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _coerce(path: str, hint: Any, value: Any) -> Any:
    if value is None and _is_optional(hint):
        return None
    if isinstance(value, (pulumi.Output, Awaitable)):
        if _is_input(hint):
            return cast("Any", value)
        raise ArgsError(path, "an Output", "is not known when the resources are planned", "pass a plain value")
    hint = _plain(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is dict or origin is Mapping:
        return _coerce_mapping(path, arguments[1], value)
    if origin is list or origin is Sequence:
        return _coerce_list(path, arguments[0], value)
    if inspect.isclass(hint):
        return _coerce_scalar(path, hint, value)
    return value


def _coerce_mapping(path: str, hint: Any, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ArgsError(path, repr(value), "is not a mapping", "use {name: value}")
    return {key: _coerce(f"{path}[{key!r}]", hint, item) for key, item in cast("Mapping[str, Any]", value).items()}


def _coerce_list(path: str, hint: Any, value: Any) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence):
        raise ArgsError(path, repr(cast("Any", value)), "is not a list", f"use [{cast('Any', value)!r}]")
    return [_coerce(f"{path}[{at}]", hint, item) for at, item in enumerate(cast("Sequence[Any]", value))]


def _coerce_scalar(path: str, hint: type, value: Any) -> Any:
    if issubclass(hint, Enum):
        try:
            return hint(value)
        except ValueError:
            raise ArgsError(path, repr(value), "is unknown", f"use one of {', '.join(e.value for e in hint)}") from None
    if issubclass(hint, Args):
        return hint.of(value)
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)  # every number of the multi-language host is a float
    if hint in {str, int, bool} and (not isinstance(value, hint) or (hint is int and isinstance(value, bool))):
        raise ArgsError(path, repr(value), f"is not of type {hint.__name__}", f"use {_EXAMPLES[hint]}")
    return value


_EXAMPLES = {str: "a string", int: "a whole number", bool: "True or False"}


def _members(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) in {typing.Union, types.UnionType} else (hint,)


def _is_optional(hint: Any) -> bool:
    return type(None) in _members(hint)


def _is_input(hint: Any) -> bool:
    return any(typing.get_origin(member) is pulumi.Output for member in _members(hint)) or hint is Any


def _plain(hint: Any) -> Any:
    """``Optional[Input[T]]`` and its like reduced to ``T``."""
    for member in _members(hint):
        if member is not type(None) and typing.get_origin(member) not in {pulumi.Output, Awaitable}:
            return member if member is hint else _plain(member)
    return hint
