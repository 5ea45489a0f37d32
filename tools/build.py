"""Build the pinned Pulumi engine and Python language host into tools/bin, where no recent `pulumi` is on PATH.

    python3 tools/build.py [-v]

Does nothing, and says nothing, when `pulumi` on PATH is recent enough (edgelib/sandbox/engine.py states the floor) or
when tools/bin is up to date with the pins. The pins are tools/*/go.mod and go.sum; nothing else decides what is built.
Standard library only. Exit codes: 0 all is well, 1 failed (the reason is on stderr), 130 interrupted.
"""

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Optional

from go import HEARTBEAT_SECONDS, BuildError, Progress, installed_go, run

TOOLS = Path(__file__).resolve().parent
BIN = TOOLS / "bin"
GO_URL = "https://go.dev/dl/"
LOCK_SECONDS = 1800.0
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
FLAGS = ("-mod=readonly", "-buildvcs=false", "-trimpath")


@dataclass(frozen=True, kw_only=True)
class Target:
    """One binary from one pinned Go module, and files that are taken from that module as they are.

    Attributes:
        folder: Folder under tools/ with go.mod and go.sum.
        module: Module whose version in go.mod is the binary's version.
        package: Main package, below the module.
        files: Executable files of the module, below the module, copied next to the binary.
    """

    folder: str
    module: str
    package: str
    files: tuple[str, ...] = ()

    @property
    def binary(self) -> Path:
        return BIN / Path(self.package).name

    @property
    def results(self) -> tuple[Path, ...]:
        return (self.binary, *(BIN / Path(name).name for name in self.files))

    @property
    def go_mod(self) -> str:
        return (TOOLS / self.folder / "go.mod").read_text(encoding="utf-8")

    @property
    def version(self) -> str:
        return _only(rf"^\s*(?:require )?{re.escape(self.module)} (v\S+)", self.go_mod)

    @property
    def pins(self) -> str:
        """Hash of everything in the clone that decides the result."""
        digest = hashlib.sha256(repr((self, FLAGS)).encode())
        for name in ("go.mod", "go.sum"):
            digest.update((TOOLS / self.folder / name).read_bytes())
        return digest.hexdigest()


TARGETS = (
    Target(
        folder="language-python",
        module="github.com/pulumi/pulumi/sdk/v3",
        package="python/cmd/pulumi-language-python",
        files=("python/cmd/pulumi-language-python-exec",),
    ),
    Target(folder="engine", module="github.com/pulumi/pulumi/pkg/v3", package="cmd/pulumi"),
)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="also say what is used when there is nothing to do"
    )
    verbose: bool = parser.parse_args(arguments).verbose
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        ensure(verbose=verbose)
    except BuildError as error:
        print(f"tools/build.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tools/build.py: interrupted; nothing half-built was left, run it again to continue", file=sys.stderr)
        return 130
    return 0


def ensure(*, verbose: bool) -> None:
    """Make an engine available: find the one on PATH, else build what is not up to date."""
    engines = load_engine_module()
    refused = ""
    try:
        official = engines.find_on_path(os.environ, excluding=BIN)
    except engines.UnusableEngineError as error:
        official, refused = None, f" ({error})"
    if official is not None:
        if verbose:
            print(f"engine: pulumi {official.version} of {official.directory} (on PATH); nothing to build")
        return
    with lock():
        go = installed_go(TOOLS / TARGETS[-1].folder)
        stale = [target for target in TARGETS if not up_to_date(target, go)]
        if stale:
            build_all(stale, go=go, refused=refused)
    if verbose:
        print(f"engine: {BIN / 'pulumi'}, " + ", ".join(f"{target.binary.name} {target.version}" for target in TARGETS))


def build_all(stale: Sequence[Target], *, go: Optional[str], refused: str) -> None:
    """Build each. Raises BuildError when there is no Go or when a build fails."""
    engines = load_engine_module()
    needed = max(_numbers(_only(r"^go (\S+)", target.go_mod)) for target in TARGETS)
    way_out = (
        f"Install Go {'.'.join(map(str, needed))} or newer from {GO_URL} and run this again, "
        f"or install the Pulumi CLI, {engines.floor()} or newer, from {engines.INSTALL_URL}"
    )
    if go is None:
        raise BuildError(f"no recent `pulumi` on PATH{refused}, and no `go` to build one. {way_out}")
    if _numbers(go) < needed:
        raise BuildError(f"no recent `pulumi` on PATH{refused}, and Go is too old to build one: {go}. {way_out}")
    print(
        f"No recent `pulumi` on PATH{refused}: building {' and '.join(target.binary.name for target in stale)} "
        f"with {go.split()[0]} into {BIN}.\nThis takes about 3 to 5 minutes on 2 idle cores the first time, longer on a busy machine.",
        flush=True,
    )
    for target in stale:
        build(target, go)


def build(target: Target, go: str) -> None:
    """Build one target under temporary names, then rename: tools/bin never holds a half binary."""
    started = time.monotonic()
    module_folder = TOOLS / target.folder
    package = f"{target.module}/{target.package}"
    packages = run(
        ("go", "list", *FLAGS[:1], "-deps", "-f", "{{.ImportPath}}", package),
        cwd=module_folder,
        progress=Progress(f"{target.binary.name} {target.version}: downloading modules", only="go: downloading"),
    ).splitlines()
    partial = BIN / f".{target.binary.name}.{os.getpid()}.partial"
    try:
        run(
            (
                "go",
                "build",
                "-v",
                *FLAGS,
                "-ldflags",
                f"-s -w -X {VERSION_VARIABLE}={target.version}",
                "-o",
                str(partial),
                package,
            ),
            cwd=module_folder,
            progress=Progress(f"{target.binary.name} {target.version}: compiling", total=len(packages)),
        )
        source = Path(run(("go", "list", *FLAGS[:1], "-m", "-f", "{{.Dir}}", target.module), cwd=module_folder).strip())
        for name in target.files:
            copied = BIN / f".{Path(name).name}.{os.getpid()}.partial"
            shutil.copyfile(source / name, copied)
            copied.chmod(0o755)
            copied.replace(BIN / Path(name).name)
        partial.replace(target.binary)
    finally:
        partial.unlink(missing_ok=True)
    stamp(target).write_text(json.dumps({"pins": target.pins, "go": go}), encoding="utf-8")
    print(f"{target.binary.name} {target.version}: built in {time.monotonic() - started:.0f} s", flush=True)


@contextlib.contextmanager
def lock() -> Generator[None, None, None]:
    """One build at a time in this clone; a second one waits, says so, and then finds the work done."""
    BIN.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + LOCK_SECONDS
    next_word = 0.0
    with (BIN / ".lock").open("w", encoding="utf-8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise BuildError(f"another build still holds {BIN / '.lock'} after {LOCK_SECONDS:.0f} s") from error
                if time.monotonic() >= next_word:
                    print(f"waiting for another build that holds {BIN / '.lock'}", flush=True)
                    next_word = time.monotonic() + HEARTBEAT_SECONDS
                time.sleep(0.2)
        for left_over in BIN.glob(".*.partial"):
            left_over.unlink()
        yield


def up_to_date(target: Target, go: Optional[str]) -> bool:
    """Whether the results are there, made from these pins by this Go (any Go, on a machine that has none now)."""
    if not all(os.access(result, os.X_OK) for result in target.results):
        return False
    try:
        made = json.loads(stamp(target).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return made.get("pins") == target.pins and (go is None or made.get("go") == go)


def stamp(target: Target) -> Path:
    return BIN / f".{target.folder}.stamp"


def load_engine_module() -> ModuleType:
    """edgelib/sandbox/engine.py by its path: importing edgelib needs packages that may not be installed yet."""
    name = "edgelib_sandbox_engine"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, TOOLS.parent / "edgelib" / "sandbox" / "engine.py")
        if spec is None or spec.loader is None:
            raise BuildError("edgelib/sandbox/engine.py is missing: this is not a whole clone")
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


def _interrupt(_signal: int, _frame: Optional[FrameType]) -> None:
    raise KeyboardInterrupt


def _only(pattern: str, text: str) -> str:
    match = re.search(pattern, text, flags=re.MULTILINE)
    if match is None:
        raise BuildError(f"no line in a go.mod under {TOOLS} matches {pattern}")
    return match.group(1)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.split(maxsplit=1)[0])[:3])


if __name__ == "__main__":
    sys.exit(main())
