"""What exists while a program is deployed here."""

import hashlib
import ipaddress
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

ACCOUNT: Final = "123456789012"
"""The AWS account of every mocked ARN and of ``get_caller_identity``."""

DEFAULT_REGION: Final = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class NewResource:
    """A resource that is about to get its state."""

    type: str
    name: str
    id: str
    inputs: Mapping[str, Any]
    region: str


class World:
    """Knows by id what exists, and which addresses are taken."""

    def __init__(self, existing: Mapping[str, Mapping[str, Any]]) -> None:
        self.things: dict[str, Mapping[str, Any]] = dict(existing)
        """Id to properties: what the test says exists, and what the program has made so far."""
        self._addresses: set[str] = set()

    def find(self, identifier: object) -> Mapping[str, Any]:
        """Return the properties of the thing with this id, none if it is not known."""
        return self.things.get(identifier, {}) if isinstance(identifier, str) else {}

    def free_id(self, wanted: str) -> str:
        """Return ``wanted``, numbered if something has it already: names may repeat under different parents."""
        numbered = (f"{wanted}-{number}" for number in itertools.count(2))
        return wanted if wanted not in self.things else next(each for each in numbered if each not in self.things)

    def address(self, network: str, seed: str) -> str:
        """Return a free host address of the network: always the same one for the same seed, unless it is taken."""
        block = ipaddress.IPv4Network(network, strict=False)
        first = min(4, block.num_addresses - 1)  # AWS keeps the first four addresses of a subnet, and the last
        usable = max(block.num_addresses - 5, 1)
        start = int(digest(seed, 8), 16)
        for step in range(usable):
            address = str(block[first + (start + step) % usable])
            if address not in self._addresses:
                self._addresses.add(address)
                return address
        raise ValueError(f"{network} has no free address left for {seed}")


def digest(seed: str, length: int) -> str:
    """Return up to 64 hexadecimal digits that are the same for the same seed."""
    return hashlib.sha256(seed.encode()).hexdigest()[:length]


def made_up(prefix: str, seed: str) -> str:
    """Return an AWS id of the usual form, such as ``ami-`` and 17 hexadecimal digits, the same for the same seed."""
    return f"{prefix}-{digest(seed, 17)}"


def mac_address(seed: str) -> str:
    """Return a locally administered MAC address, the same for the same seed."""
    return "0a:" + ":".join(re.findall("..", digest(seed, 10)))
