"""The stand-in for pulumi-random: bytes, ids, integers, passwords, strings, UUIDs and shuffles. No seeds, no pets, no bcrypt hashes."""
# ruff: noqa: ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import base64
import secrets
import string
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final, Optional

from edgelib.sandbox.providers.generated import Generated, Session, package_of
from edgelib.sandbox.providers.properties import Failure, Kind, Property, outputs
from edgelib.sandbox.providers.resource import Created, Package

_KEEPERS = Property(name="keepers", kind=Kind.MAP, replaces=True)
_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"  # the official provider's
_CLASSES: Final = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
    "special": _SPECIAL,
}
_chance = secrets.SystemRandom()


def _positive(number: int) -> Optional[str]:
    return None if number >= 1 else "must be at least 1"


def _secret(name: str) -> Property:
    return Property(name=name, output=True, secret=True)


class RandomBytes(Generated):
    """Secret bytes."""

    token = "random:index/randomBytes:RandomBytes"  # noqa: S105 - a type token
    properties = (
        Property(name="length", kind=Kind.INTEGER, required=True, replaces=True, problem=_positive),
        _KEEPERS,
        _secret("base64"),
        _secret("hex"),
    )

    def generate(self, inputs: Mapping[str, Any]) -> Created:
        """`base64` and `hex` of the same bytes."""
        value = secrets.token_bytes(inputs["length"])
        return Created("none", {"base64": base64.b64encode(value).decode(), "hex": value.hex()})


class RandomId(Generated):
    """Bytes that are no secret, in four spellings, each after `prefix`."""

    token = "random:index/randomId:RandomId"  # noqa: S105 - a type token
    properties = (
        Property(name="byteLength", kind=Kind.INTEGER, required=True, replaces=True, problem=_positive),
        Property(name="prefix", replaces=True),
        _KEEPERS,
        *outputs("b64Std", "b64Url", "dec", "hex"),
    )

    def generate(self, inputs: Mapping[str, Any]) -> Created:
        """The id is the URL-safe spelling without the prefix."""
        value, prefix = secrets.token_bytes(inputs["byteLength"]), inputs.get("prefix", "")
        url = base64.urlsafe_b64encode(value).decode().rstrip("=")
        spelled = {
            "b64Std": base64.b64encode(value).decode(),
            "b64Url": url,
            "dec": str(int.from_bytes(value)),
            "hex": value.hex(),
        }
        return Created(url, {name: prefix + text for name, text in spelled.items()})


class RandomInteger(Generated):
    """From `min` to `max`, both included."""

    token = "random:index/randomInteger:RandomInteger"  # noqa: S105 - a type token
    properties = (
        Property(name="min", kind=Kind.INTEGER, required=True, replaces=True),
        Property(name="max", kind=Kind.INTEGER, required=True, replaces=True),
        _KEEPERS,
        *outputs("result"),
    )

    def check(self, session: Session, inputs: Mapping[str, Any]) -> Iterable[Failure]:
        """An empty range."""
        low, high = inputs.get("min"), inputs.get("max")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield Failure("min", f"{self.token}.min: {low} is greater than max, {high}")

    def generate(self, inputs: Mapping[str, Any]) -> Created:
        """The id is the number."""
        number = _chance.randint(inputs["min"], inputs["max"])
        return Created(str(number), {"result": number})


_CHARACTERS = (
    Property(name="length", kind=Kind.INTEGER, required=True, replaces=True, problem=_positive),
    *(Property(name=name, kind=Kind.BOOLEAN, default=True, replaces=True) for name in _CLASSES),
    *(Property(name=f"min{name.capitalize()}", kind=Kind.INTEGER, default=0, replaces=True) for name in _CLASSES),
    Property(name="number", kind=Kind.BOOLEAN, replaces=True),
    Property(name="overrideSpecial", replaces=True),
    _KEEPERS,
)


class RandomString(Generated):
    """Characters of the chosen classes, at least `minX` of each. The id is the string."""

    token = "random:index/randomString:RandomString"  # noqa: S105 - a type token
    properties = (*_CHARACTERS, *outputs("result"))

    @staticmethod
    def _classes(inputs: Mapping[str, Any]) -> dict[str, str]:
        chosen = {name: characters for name, characters in _CLASSES.items() if inputs.get(name)}
        if inputs.get("number") is False:  # the deprecated name of `numeric`
            chosen.pop("numeric", None)
        if "special" in chosen and inputs.get("overrideSpecial"):
            chosen["special"] = inputs["overrideSpecial"]
        return chosen

    def check(self, session: Session, inputs: Mapping[str, Any]) -> Iterable[Failure]:
        """Something to choose from, and room for what is asked for."""
        if not self._classes(inputs):
            yield Failure("length", f"{self.token}: every class of characters is turned off")
        asked = [inputs.get(f"min{name.capitalize()}", 0) for name in _CLASSES]
        length = inputs.get("length")
        if isinstance(length, int) and all(isinstance(number, int) for number in asked) and sum(asked) > length:
            yield Failure("length", f"{self.token}.length: {length} is less than the sum of the minimums, {sum(asked)}")

    def _text(self, inputs: Mapping[str, Any]) -> str:
        classes = self._classes(inputs)
        picked = [
            _chance.choice(characters)
            for name, characters in classes.items()
            for _ in range(inputs.get(f"min{name.capitalize()}", 0))
        ]
        everything = "".join(classes.values())
        picked.extend(_chance.choice(everything) for _ in range(inputs["length"] - len(picked)))
        _chance.shuffle(picked)
        return "".join(picked)

    def generate(self, inputs: Mapping[str, Any]) -> Created:
        """Make it."""
        text = self._text(inputs)
        return Created(text, {"result": text})


class RandomPassword(RandomString):
    """The same, secret: the id says nothing. There is no `bcryptHash`."""

    token = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type token
    properties = (*_CHARACTERS, _secret("result"))

    def generate(self, inputs: Mapping[str, Any]) -> Created:
        """Make it."""
        return Created("none", {"result": self._text(inputs)})


class RandomUuid(Generated):
    """A version 4 UUID, which is also the id."""

    token = "random:index/randomUuid:RandomUuid"  # noqa: S105 - a type token
    properties = (_KEEPERS, *outputs("result"))

    def generate(self, inputs: Mapping[str, Any]) -> Created:
        """Make it."""
        value = str(uuid.uuid4())
        return Created(value, {"result": value})


class RandomUuid4(RandomUuid):
    """The same under its newer name."""

    token = "random:index/randomUuid4:RandomUuid4"  # noqa: S105 - a type token


class RandomShuffle(Generated):
    """`inputs` in another order; `resultCount` of them, again from the start if it is more than there are."""

    token = "random:index/randomShuffle:RandomShuffle"  # noqa: S105 - a type token
    properties = (
        Property(name="inputs", kind=Kind.LIST, required=True, replaces=True),
        Property(name="resultCount", kind=Kind.INTEGER, replaces=True),
        _KEEPERS,
        *outputs("results"),
    )

    def generate(self, inputs: Mapping[str, Any]) -> Created:
        """Shuffle."""
        given = list(inputs["inputs"])
        wanted = inputs.get("resultCount", len(given))
        results: list[str] = []
        while given and len(results) < wanted:
            results.extend(_chance.sample(given, len(given)))
        return Created("-", {"results": results[:wanted]})


def package(version: str) -> Package[Session]:
    """The package as the server takes it."""
    return package_of(
        "random", version, RandomBytes(), RandomId(), RandomInteger(), RandomString(), RandomPassword(), RandomUuid(),
        RandomUuid4(), RandomShuffle(),
    )  # fmt: skip
