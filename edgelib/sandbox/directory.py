"""Where one sandbox keeps everything it has: the layout of its directory, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DIRECTORY_VARIABLE = "EDGELIB_SANDBOX"
"""Environment variable that names the sandbox directory; `edgelib sandbox run` sets it for what it runs."""

DEFAULT_NAME = ".sandbox"
PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "pyproject.toml")

_MARKER_NAME = "edgelib-sandbox"
_OWNER_ONLY = 0o700


class NotASandboxError(ValueError):
    """The directory holds something else, so the sandbox neither writes nor deletes there."""


@dataclass(frozen=True)
class SandboxDirectory:
    """The layout. Every path is absolute; nothing outside `root` is written by a sandbox.

    Attributes:
        root: The directory itself, `.sandbox` of a project by default.
    """

    root: Path

    @property
    def aws(self) -> Path:
        """The emulator's own folder: its endpoint and the journal from which it remembers the account."""
        return self.root / "aws"

    @property
    def endpoint_file(self) -> Path:
        """`{"url": ..., "pid": ...}`, written by the emulator once it answers."""
        return self.aws / "endpoint.json"

    @property
    def machines(self) -> Path:
        """What each emulated instance is as a machine, a folder each: its console output, and what is remembered of it."""
        return self.root / "machines"

    @property
    def clusters(self) -> Path:
        """The Kubernetes clusters, a folder each, by the volume that holds the datastore."""
        return self.root / "clusters"

    @property
    def machines_log(self) -> Path:
        """What the director of the machines says."""
        return self.root / "logs" / "machines.log"

    @property
    def machines_process(self) -> Path:
        """Pid file of the director."""
        return self.root / "run" / "machines.json"

    @property
    def aws_log(self) -> Path:
        """What the running emulator says; that of the run before is beside it, with `.previous`."""
        return self.root / "logs" / "aws.log"

    @property
    def plugins_log(self) -> Path:
        """What the engine said while it downloaded official plugins."""
        return self.root / "logs" / "plugins.log"

    @property
    def aws_process(self) -> Path:
        """Pid file of the emulator, with what tells it from another process that got the same pid."""
        return self.root / "run" / "aws.json"

    @property
    def lock(self) -> Path:
        """Held while a command starts, stops or resets this sandbox."""
        return self.root / "run" / "lock"

    @property
    def pulumi_home(self) -> Path:
        """PULUMI_HOME: plugins and the selected stacks."""
        return self.root / "pulumi"

    @property
    def plugins(self) -> Path:
        """The engine's plugin cache."""
        return self.pulumi_home / "plugins"

    @property
    def workspaces(self) -> Path:
        """The engine's note of which stack is selected in which project."""
        return self.pulumi_home / "workspaces"

    @property
    def state(self) -> Path:
        """Pulumi's file backend."""
        return self.root / "state"

    @property
    def aws_config(self) -> Path:
        """An empty AWS_CONFIG_FILE, so that no profile of the user is read."""
        return self.root / "aws-config"

    @property
    def aws_credentials(self) -> Path:
        """An empty AWS_SHARED_CREDENTIALS_FILE, so that no credential of the user is read."""
        return self.root / "aws-credentials"

    @property
    def marker(self) -> Path:
        """Says that this directory is a sandbox, so that `reset` never empties another one."""
        return self.root / _MARKER_NAME

    def exists(self) -> bool:
        """Whether a sandbox was ever started here."""
        return self.marker.is_file()

    def prepare(self) -> None:
        """Make the folders and fixed files, readable by their owner only. Does nothing to a sandbox that is whole.

        Raises:
            NotASandboxError: if `root` is a file, or a folder with other content.
        """
        # Content is looked at before the marker, and the marker is written before all other content: two starts at once
        # agree, and a start that is cut short leaves a sandbox that the next start completes.
        content = [self.root] if self.root.is_file() else self.root.iterdir() if self.root.exists() else []
        if any(content) and not self.exists():
            raise NotASandboxError(
                f"{self.root} is not a sandbox and not empty, and `reset` would delete what is in it; "
                "name a folder that is new or empty"
            )
        self.root.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        self.root.chmod(_OWNER_ONLY)
        self.marker.touch()
        parents = (self.aws_log.parent, self.aws_process.parent)
        for folder in (self.aws, self.machines, self.clusters, *parents, self.plugins, self.state):
            folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        (self.root / ".gitignore").write_text("*\n", encoding="utf-8")
        for file in (self.aws_config, self.aws_credentials):
            file.write_bytes(b"")


def default_directory(environ: Mapping[str, str], here: Path) -> SandboxDirectory:
    """The sandbox of a command that names none: EDGELIB_SANDBOX, else the nearest `.sandbox` from `here` upwards.

    Where there is none yet it is made in the project around `here`, the nearest folder upwards that holds a Pulumi.yaml or
    a pyproject.toml; without one in `here` itself. So a project inside a repository that has a sandbox shares it.
    """
    named = environ.get(DIRECTORY_VARIABLE)
    if named:
        return SandboxDirectory((here / Path(named).expanduser()).resolve())
    here = here.resolve()
    upwards = (here, *here.parents)
    for folder in upwards:
        if SandboxDirectory(folder / DEFAULT_NAME).exists():
            return SandboxDirectory(folder / DEFAULT_NAME)
    for folder in upwards:
        if any((folder / name).is_file() for name in PROJECT_FILES):
            return SandboxDirectory(folder / DEFAULT_NAME)
    return SandboxDirectory(here / DEFAULT_NAME)
