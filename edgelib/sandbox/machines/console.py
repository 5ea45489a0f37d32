"""A machine's console output: a line for each step of its boot, as EC2 would give it."""

from datetime import UTC, datetime
from pathlib import Path


class Console:
    """``console.log`` of a machine. What is said again and again in one boot is written once.

    No secret belongs in it: anyone who may call GetConsoleOutput reads it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._said: set[str] = set()

    def boot(self, number: int) -> None:
        """The machine boots for the nth time."""
        self._said.clear()
        self._write(f"[    0.000000] Linux version (edgelib sandbox, boot {number})")

    def init(self, text: str) -> None:
        """cloud-init says something."""
        self._write(f"cloud-init: {text}")

    def bootstrap(self, text: str) -> None:
        """The bootstrap script says something."""
        self._write(f"edgelib-k3s: {text}")

    def k3s(self, level: str, message: str) -> None:
        """K3s says something at a level: info, warning, error or fatal."""
        escaped = message.replace('"', '\\"')
        self._write(f'k3s: level={level} msg="{escaped}"')

    def system(self, text: str) -> None:
        """systemd says something."""
        self._write(f"systemd: {text}")

    def _write(self, line: str) -> None:
        if line in self._said:
            return
        self._said.add(line)
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")
