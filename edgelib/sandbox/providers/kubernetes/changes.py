"""What differs between two versions of an object's inputs, and which differences need a new object."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, cast

from edgelib.sandbox.providers.values import is_unknown

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Difference:
    """One field that differs; `action` is add, delete or update."""

    path: Path
    action: str

    @property
    def names(self) -> tuple[str, ...]:
        """The path without positions in lists."""
        return tuple(step for step in self.path if isinstance(step, str))

    def __str__(self) -> str:
        """As the engine writes paths: `spec.containers[0].image`, `metadata.labels["a/b"]`."""
        text = ""
        for step in self.path:
            if isinstance(step, int):
                text += f"[{step}]"
            elif step.replace("_", "").isalnum():
                text += f".{step}" if text else step
            else:
                text += f'["{step}"]'
        return text


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[Difference]:
    """Every field that differs, as deep down as both sides have it."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        before, after = cast("Mapping[str, Any]", old), cast("Mapping[str, Any]", new)
        for key in sorted({*before, *after}):
            yield from differences(before.get(key), after.get(key), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        left, right = cast("list[Any]", old), cast("list[Any]", new)
        for index in range(max(len(left), len(right))):
            yield from differences(_at(left, index), _at(right, index), (*path, index))
    elif is_unknown(new) or old != new:
        yield Difference(path, "add" if old is None else "delete" if new is None else "update")


def _at(items: Sequence[Any], index: int) -> Any:
    return items[index] if index < len(items) else None


def replacing(found: Iterable[Difference], fields: Iterable[tuple[str, ...]]) -> set[Difference]:
    """Those that touch one of the fields, from inside or as a part of something that comes or goes whole."""
    wanted = tuple(fields)
    return {each for each in found if any(_touches(each, field) for field in wanted)}


def _touches(difference: Difference, field: tuple[str, ...]) -> bool:
    names = difference.names
    return names[: len(field)] == field or (difference.action == "delete" and field[: len(names)] == names)


def refused(found: Sequence[Difference], causes: Iterable[tuple[Optional[str], str]]) -> set[Difference]:
    """Those that the server says cannot be made to an existing object; `causes` are (field, message) of a 422 answer.

    A cause that names no field of ours, such as the whole `spec`, is laid to every difference under it.
    """
    blamed: set[Difference] = set()
    for field, message in causes:
        if not _is_immutability(message):
            continue
        steps = tuple(step.split("[")[0] for step in (field or "").split(".") if step)
        blamed |= replacing(found, (steps,)) or set(found)
    return blamed


def _is_immutability(message: str) -> bool:
    return any(
        sign in message for sign in ("immutable", "may not change fields", "updates to ", "cannot be changed", "may not be changed")
    )  # fmt: skip
