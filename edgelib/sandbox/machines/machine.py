"""An emulated instance as a machine: what the emulator says of it, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional


@dataclass(frozen=True, kw_only=True)
class Role:
    """The role of an instance's profile; ``policies`` are the texts of its policies, inline and attached."""

    name: str
    account: str
    policies: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """An instance that is not terminated.

    Attributes:
        boot: 1 at launch, one more at each start and reboot.
        user_data: base64, empty without.
        memory: Bytes.
        public_ip: Public or carrier address, in 127.0.0.0/8.
        volumes: Volume id by device.
    """

    id: str
    region: str
    state: str
    boot: int
    user_data: str
    type: str
    cpu: int
    memory: int
    zone: str
    vpc_id: str
    private_ip: str
    public_ip: Optional[str]
    volumes: Mapping[str, str]
    role: Optional[Role]
    name: str

    @property
    def running(self) -> bool:
        """Whether something runs on it: not yet while pending, no more once it is told to stop."""
        return self.state == "running"

    @property
    def root_volume(self) -> str:
        """The volume that it booted from, the first of its devices; it goes with the machine."""
        return self.volumes[min(self.volumes)] if self.volumes else self.id


@dataclass(frozen=True, kw_only=True)
class Account:
    """All machines by id, the ids of all volumes, and the network for addresses of machines without a public one."""

    machines: Mapping[str, Machine]
    volumes: frozenset[str]
    private_range: str


def parse_account(document: Mapping[str, Any]) -> Account:
    """The emulator's answer to ``GET /sandbox/machines``."""
    machines = [_machine(row) for row in document["machines"]]
    return Account(
        machines={each.id: each for each in machines},
        volumes=frozenset(document["volumes"]),
        private_range=document["private_range"],
    )


def _machine(row: Mapping[str, Any]) -> Machine:
    role: Any = row["role"]
    same = ("id", "region", "state", "boot", "type", "cpu", "memory", "zone", "public_ip", "volumes")
    return Machine(
        **{name: row[name] for name in same},
        user_data=row["user_data"] or "",
        vpc_id=row["vpc_id"] or "",
        private_ip=row["private_ip"] or "",
        role=Role(name=role["name"], account=role["account"], policies=tuple(role["policies"])) if role else None,
        name=row["name"] or "",
    )
