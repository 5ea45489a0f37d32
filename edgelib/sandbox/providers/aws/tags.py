"""Tags: the program's own, the provider's default ones, and AWS's two spellings."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional

from edgelib.sandbox.providers.aws.session import AwsSession
from edgelib.sandbox.providers.properties import Kind, Property
from edgelib.sandbox.providers.values import mapping_of


def _problem(tags: Mapping[str, str]) -> Optional[str]:
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            return f"has the key {key!r}: keys that begin with aws: are reserved"
        if not 1 <= len(key) <= 128 or len(value) > 256:
            return f"has {key!r}: a key is 1 to 128 characters long and a value at most 256"
    return "has more than the 50 tags that AWS allows" if len(tags) > 50 else None


TAGS = (Property(name="tags", kind=Kind.MAP, problem=_problem), Property(name="tagsAll", kind=Kind.MAP, output=True))


def all_tags(session: AwsSession, inputs: Mapping[str, Any]) -> dict[str, str]:
    """What the resource carries in AWS: the program's tags over the provider's default ones."""
    return {**session.default_tags, **(inputs.get("tags") or {})}


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """AWS's list form."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def as_map(tags: Optional[Iterable[Mapping[str, str]]]) -> dict[str, str]:
    """The map form of AWS's list, without the tags that AWS sets itself."""
    return {tag["Key"]: tag["Value"] for tag in tags or () if not tag["Key"].startswith("aws:")}


def tag_state(session: AwsSession, remote: Mapping[str, str], state: Mapping[str, Any]) -> dict[str, Any]:
    """`tags` and `tagsAll`: a default tag belongs to `tags` only if the program gave it itself."""
    own = mapping_of(state.get("tags"))
    return {
        "tags": {key: value for key, value in remote.items() if key in own or session.default_tags.get(key) != value},
        "tagsAll": dict(remote),
    }


def change_tags(
    current: Mapping[str, str],
    wanted: Mapping[str, str],
    put: Callable[[dict[str, str]], Any],
    remove: Callable[[list[str]], Any],
) -> None:
    """Bring tags to `wanted`: `remove` is called with the keys to go, then `put` with the tags to set; neither without any."""
    removed = sorted(set(current) - set(wanted))
    added = {key: value for key, value in wanted.items() if current.get(key) != value}
    if removed:
        remove(removed)
    if added:
        put(added)
