"""What the director remembers of a machine, on disk, so that a new director carries on where one was killed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Optional

Stage = Literal["off", "booting", "up", "failed", "idle"]


@dataclass(frozen=True, kw_only=True)
class Memory:
    """A machine as it was left.

    Attributes:
        boot: The boot that is, or was, acted out; 0 before the first.
        stage: "off": not running; "booting": not there yet, and tried again; "up": its node has joined; "failed": its
            Kubernetes ended with `problem`; "idle": no Kubernetes in its user data.
        problem: What keeps it from being up, empty when nothing does.
        cluster: Id of the cluster that it belongs to, empty for none.
        serves: Whether it runs an API server of that cluster.
        volume: The volume that its datastore is on.
        advertise_address: As the API server advertises it.
        sans: Names and addresses in its API server's certificate.
        came_up: Whether its Kubernetes came up once: what brings it up has nothing more to do then.
        loopback: Address for its API while it has neither a public nor a carrier address.
    """

    boot: int = 0
    stage: Stage = "off"
    problem: str = ""
    cluster: str = ""
    node: str = ""
    serves: bool = False
    volume: str = ""
    advertise_address: str = ""
    sans: tuple[str, ...] = ()
    came_up: bool = False
    loopback: str = ""


class MachineFolder:
    """``machines/<instance id>`` of a sandbox: memory, console, and what the first boot left on the machine's disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.console = path / "console.log"
        self._memory = path / "machine.json"
        self._user_data = path / "user-data"
        self._fetched = path / "fetched.json"

    def load(self) -> Memory:
        """The memory; a fresh one where there is none."""
        document: Any = read_document(self._memory)
        if document is None:
            return Memory()
        document["sans"] = tuple(document["sans"])
        return Memory(**document)

    def save(self, memory: Memory) -> None:
        """Keep the memory, whole or not at all."""
        write_document(self._memory, asdict(memory))

    def user_data(self, now: str) -> str:
        """The user data, base64, of the first boot: what it left stays, whatever the instance's user data becomes."""
        if not self._user_data.exists():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._user_data.touch(mode=0o600)
            self._user_data.write_text(now, encoding="ascii")
        return self._user_data.read_text(encoding="ascii")

    def fetched(self) -> Optional[dict[str, str]]:
        """The texts last fetched at a boot, by path; None before the first time."""
        return read_document(self._fetched)

    def save_fetched(self, files: Mapping[str, str]) -> None:
        """Keep what was fetched."""
        write_document(self._fetched, dict(files))

    def forget(self) -> None:
        """The machine is terminated: its disk goes, its console output stays."""
        for file in (self._memory, self._user_data, self._fetched):
            file.unlink(missing_ok=True)

    def remembered(self) -> bool:
        """Whether there is a memory."""
        return self._memory.exists()


def read_document(file: Path) -> Any:
    """A JSON file; None when it is not there."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def write_document(file: Path, document: Any) -> None:
    """Write a JSON file that its owner alone can read, whole or not at all."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(document), encoding="utf-8")
    partial.replace(file)
