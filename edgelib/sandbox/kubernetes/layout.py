"""Where one control plane keeps everything it has: the layout of its directory, as a value."""

from dataclasses import dataclass
from pathlib import Path

ETCD_SOCKET = "etcd.sock"
"""Relative to the directory, in which all components run: the path of a Unix socket may have 107 bytes at most."""


@dataclass(frozen=True)
class Layout:
    """The layout. Nothing outside `root` is written by a control plane.

    Attributes:
        root: The directory of the cluster, by absolute path.
    """

    root: Path

    @property
    def etcd(self) -> Path:
        """The cluster's data; what a server's data disk would hold."""
        return self.root / "etcd"

    @property
    def encryption(self) -> Path:
        """How secrets are encrypted at rest, with the key; absent where they are not."""
        return self.root / "encryption.json"

    @property
    def egress(self) -> Path:
        """Where the API server's own connections to nodes, pods and services go: nowhere."""
        return self.root / "egress.json"

    @property
    def applied(self) -> Path:
        """The servers that were applied last."""
        return self.root / "servers.json"

    @property
    def stages(self) -> Path:
        """What kwok acts out."""
        return self.root / "stages.yaml"

    @property
    def run(self) -> Path:
        """Pid files, by component."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """What each component says; that of the run before is beside it, with `.previous`."""
        return self.root / "logs"

    @property
    def credentials(self) -> Path:
        """One folder of keys and certificates per set of CAs."""
        return self.root / "credentials"

    def pid_file(self, component: str) -> Path:
        return self.run / f"{component}.json"

    def log(self, component: str) -> Path:
        return self.logs / f"{component}.log"
