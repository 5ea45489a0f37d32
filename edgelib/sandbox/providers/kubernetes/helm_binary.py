"""The helm binary on PATH: one call at a time, with the provider's cluster, and nothing secret in its arguments."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Optional

from edgelib.sandbox.providers.kubernetes.settings import Session
from edgelib.sandbox.providers.resource import ProviderError

_REPOSITORY: Final = "edgelib"
_MARGIN_SECONDS: Final = 60.0  # for helm's own end after its own time-out
_DOWNLOAD_SECONDS: Final = 300.0


class HelmError(ProviderError):
    """Helm ended with another status than 0; the message is helm's own."""


class Helm:
    """A folder of its own for each operation, readable by this user alone and removed afterwards, holds what helm reads."""

    def __init__(self, program: str, session: Session, folder: Path) -> None:
        self._program = program
        self._folder = folder
        config = folder / "kubeconfig"
        config.touch(mode=0o600)
        config.write_text(json.dumps(session.chosen().document()), encoding="utf-8")
        self._environment = {**os.environ, **session.helm_environment(), "KUBECONFIG": str(config)}

    def run(self, *arguments: str, stdin: str = "", seconds: float = _DOWNLOAD_SECONDS) -> str:
        """What it prints.

        Args:
            *arguments: Of helm.
            stdin: What it reads for `-`.
            seconds: The time that helm is told to take at most.

        Raises:
            HelmError: It fails, or does not end.
        """
        command = [self._program, *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - the helm on PATH, by the program's own wish
                command, input=stdin, env=self._environment, capture_output=True, text=True, check=False,
                timeout=seconds + _MARGIN_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise HelmError(f"helm {arguments[0]} did not end within {seconds + _MARGIN_SECONDS:g} s") from None
        if done.returncode != 0:
            raise HelmError(f"helm {arguments[0]}: {_last_words(done.stderr) or f'exit status {done.returncode}'}")
        return done.stdout

    def read(self, *arguments: str) -> Optional[Any]:
        """Its answer as JSON, None when there is no such release."""
        try:
            return json.loads(self.run(*arguments, "--output", "json"))
        except HelmError as error:
            if "not found" in str(error):
                return None
            raise

    def add_repository(self, options: Mapping[str, Any]) -> str:
        """Make a repository with a password known to this operation alone; its name."""
        config = self._folder / "repositories.yaml"
        config.touch(mode=0o600)
        entry = {"name": _REPOSITORY, "url": options["repo"]}
        entry |= {
            key: options[key] for key in ("username", "password", "caFile", "certFile", "keyFile") if options.get(key)
        }
        config.write_text(json.dumps({"apiVersion": "v1", "repositories": [entry]}), encoding="utf-8")
        self._environment["HELM_REPOSITORY_CONFIG"] = str(config)
        self._environment["HELM_REPOSITORY_CACHE"] = str(self._folder / "cache")
        self.run("repo", "update", _REPOSITORY)
        return _REPOSITORY


def _last_words(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line and not line.startswith(("WARNING:", "level="))]
    return "\n".join(lines).removeprefix("Error: ")


@contextmanager
def helm_of(session: Session) -> Generator[Helm]:
    """Helm for one operation. Raises ProviderError without a helm on PATH or a usable kubeconfig."""
    program = shutil.which("helm")
    if program is None:
        raise ProviderError(
            "kubernetes.helm.v3.Release needs the helm binary, and there is none on PATH: install helm (https://helm.sh), or "
            "install the official plugin, which has its own"
        )
    with tempfile.TemporaryDirectory(prefix="edgelib-helm-") as folder:
        yield Helm(program, session, Path(folder))


def flags(table: Sequence[tuple[str, str]], inputs: Mapping[str, Any]) -> list[str]:
    """Command line flags of those inputs that are set: `--version 1.2`, `--skip-crds`."""
    found: list[str] = []
    for name, flag in table:
        value = inputs.get(name)
        if value is True:
            found.append(flag)
        elif value not in (None, False, ""):
            found += [flag, str(value)]
    return found
