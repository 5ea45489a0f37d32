"""Build what the sandbox runs into tools/bin: the pinned Pulumi engine, and Kubernetes' control plane.

    python3 tools/build.py [-v]

Each is built only where it is needed. The engine: where no recent `pulumi` is on PATH (edgelib/sandbox/engine.py states
the floor). Kubernetes: where etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok are not all on PATH.
Does nothing, and says nothing, when tools/bin is up to date with the pins. The pins are tools/*/go.mod and go.sum, and
the main.go beside them; nothing else decides what is built.
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
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Optional

from go import HEARTBEAT_SECONDS, BuildError, Progress, installed_go, run

TOOLS = Path(__file__).resolve().parent
BIN = TOOLS / "bin"
GO_URL = "https://go.dev/dl/"
LOCK_SECONDS = 1800.0
PULUMI_VERSION = ("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}",)
KUBERNETES_VERSION = tuple(
    f"k8s.io/component-base/version.{name}"
    for name in (
        "gitVersion={version}",
        "gitMajor={major}",
        "gitMinor={minor}",
        "gitTreeState=clean",
        "gitCommit=unknown",
        "buildDate=1970-01-01T00:00:00Z",
    )
)
FLAGS = ("-mod=readonly", "-buildvcs=false", "-trimpath")


@dataclass(frozen=True, kw_only=True)
class Target:
    """One binary from one pinned Go module, and files that are taken from that module as they are.

    Attributes:
        folder: Folder under tools/ with go.mod and go.sum.
        module: Module whose version in go.mod is the binary's version.
        package: Main package by its import path, or "." for the folder's own main.go.
        name: Of the binary.
        variables: What the linker sets; {version}, {major} and {minor} are filled in.
        files: Executable files of the module, below the module, copied next to the binary.
        links: Other names of the binary, by which it does other things.
    """

    folder: str
    module: str
    package: str
    name: str
    variables: tuple[str, ...]
    files: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    @property
    def binary(self) -> Path:
        return BIN / self.name

    @property
    def results(self) -> tuple[Path, ...]:
        return (self.binary, *(BIN / Path(name).name for name in (*self.files, *self.links)))

    @property
    def go_mod(self) -> str:
        return (TOOLS / self.folder / "go.mod").read_text(encoding="utf-8")

    @property
    def version(self) -> str:
        return _only(rf"^\s*(?:require )?{re.escape(self.module)} (v\S+)", self.go_mod)

    @property
    def linker_flags(self) -> str:
        major, minor, *_ = _numbers(self.version)
        values = (each.format(version=self.version, major=major, minor=minor) for each in self.variables)
        return " ".join(("-s -w", *(f"-X {value}" for value in values)))

    @property
    def pins(self) -> str:
        """Hash of everything in the clone that decides the result."""
        digest = hashlib.sha256(repr((self, FLAGS)).encode())
        folder = TOOLS / self.folder
        for file in (folder / "go.mod", folder / "go.sum", *sorted(folder.glob("*.go"))):
            digest.update(file.read_bytes())
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Product:
    """What is there as official programs, or else built from targets.

    Attributes:
        name: In front of what is said about it.
        lacking: Why it is built: what is not on PATH.
        official: What to install instead, with its address.
        minutes: How long a first build takes on 2 idle cores: at least, at most.
    """

    name: str
    lacking: str
    official: str
    minutes: tuple[int, int]
    targets: tuple[Target, ...]


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
    """Make all products available: find the official ones on PATH, else build what is not up to date."""
    needed: list[Product] = []
    for look in (engine, kubernetes):
        product, official = look()
        if official is None:
            needed.append(product)
        elif verbose:
            print(f"{product.name}: {official} (on PATH); nothing to build")
    if not needed:
        return
    with lock():
        found = {target: installed_go(TOOLS / target.folder) for product in needed for target in product.targets}
        stale = [target for target, go in found.items() if not up_to_date(target, go)]
        if stale:
            build_all([product for product in needed if not set(stale).isdisjoint(product.targets)], stale, found)
    if verbose:
        for product in needed:
            versions = ", ".join(f"{target.name} {target.version}" for target in product.targets)
            print(f"{product.name}: {product.targets[-1].binary}, {versions}")


def engine() -> tuple[Product, Optional[str]]:
    """The engine, and the official one that is on PATH, if any."""
    engines = load("edgelib/sandbox/engine.py")
    refused = ""
    try:
        official = engines.find_on_path(os.environ, excluding=BIN)
    except engines.UnusableEngineError as error:
        official, refused = None, f" ({error})"
    product = Product(
        name="engine",
        lacking=f"no recent `pulumi` on PATH{refused}",
        official=f"the Pulumi CLI, {engines.floor()} or newer, from {engines.INSTALL_URL}",
        minutes=(3, 5),
        targets=(
            Target(
                folder="language-python",
                module="github.com/pulumi/pulumi/sdk/v3",
                package="github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
                name="pulumi-language-python",
                variables=PULUMI_VERSION,
                files=("python/cmd/pulumi-language-python-exec",),
            ),
            Target(
                folder="engine",
                module="github.com/pulumi/pulumi/pkg/v3",
                package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
                name="pulumi",
                variables=PULUMI_VERSION,
            ),
        ),
    )
    return product, None if official is None else f"pulumi {official.version} of {official.directory}"


def kubernetes() -> tuple[Product, Optional[str]]:
    """Kubernetes' control plane, and the official programs that are on PATH, if all are."""
    binaries = load("edgelib/sandbox/kubernetes/binaries.py")
    official = binaries.find_on_path(os.environ)
    names = ", ".join(binaries.COMPONENTS)
    product = Product(
        name="kubernetes",
        lacking=f"not all of {names} on PATH",
        official=f"{names} from {binaries.INSTALL_URL}",
        minutes=(4, 6),
        targets=(
            Target(
                folder="kubernetes",
                module="k8s.io/kubernetes",
                package=".",
                name=binaries.COMBINED,
                variables=KUBERNETES_VERSION,
                links=("kubectl",),
            ),
        ),
    )
    return product, None if official is None else official.commands["kube-apiserver"][0]


def build_all(products: Sequence[Product], stale: Sequence[Target], found: Mapping[Target, Optional[str]]) -> None:
    """Build what is stale of these products. Raises BuildError when there is no Go or when a build fails."""
    needed = max(_numbers(_only(r"^go (\S+)", target.go_mod)) for target in stale)
    lacking = "; ".join(product.lacking for product in products)
    way_out = (
        f"Install Go {'.'.join(map(str, needed))} or newer from {GO_URL} and run this again, "
        f"or install {', and '.join(product.official for product in products)}"
    )
    gos = {go for target, go in found.items() if target in stale and go is not None}
    if not gos:
        raise BuildError(f"{lacking}, and no `go` to build from source. {way_out}")
    too_old = [go for go in gos if _numbers(go) < needed]
    if too_old:
        raise BuildError(f"{lacking}, and Go is too old to build from source: {too_old[0]}. {way_out}")
    least, most = (sum(product.minutes[end] for product in products) for end in (0, 1))
    print(
        f"{lacking}: building {', '.join(target.name for target in stale)} "
        f"with {max(gos).split()[0]} into {BIN}.\n"
        f"This takes about {least} to {most} minutes on 2 idle cores the first time, longer on a busy machine.",
        flush=True,
    )
    for target in stale:
        build(target, found[target])


def build(target: Target, go: Optional[str]) -> None:
    """Build one target under temporary names, then rename: tools/bin never holds a half binary."""
    started = time.monotonic()
    module_folder = TOOLS / target.folder
    packages = run(
        ("go", "list", *FLAGS[:1], "-deps", "-f", "{{.ImportPath}}", target.package),
        cwd=module_folder,
        progress=Progress(f"{target.name} {target.version}: downloading modules", only="go: downloading"),
    ).splitlines()
    partial = BIN / f".{target.name}.{os.getpid()}.partial"
    try:
        run(
            (
                "go",
                "build",
                "-v",
                *FLAGS,
                "-ldflags",
                target.linker_flags,
                "-o",
                str(partial),
                target.package,
            ),
            cwd=module_folder,
            progress=Progress(f"{target.name} {target.version}: compiling", total=len(packages)),
        )
        if target.files:
            copy_files(target)
        partial.replace(target.binary)
        for name in target.links:
            partial.symlink_to(target.name)
            partial.replace(BIN / name)
    finally:
        partial.unlink(missing_ok=True)
    stamp(target).write_text(json.dumps({"pins": target.pins, "go": go}), encoding="utf-8")
    print(f"{target.name} {target.version}: built in {time.monotonic() - started:.0f} s", flush=True)


def copy_files(target: Target) -> None:
    """Copy the files that are taken from the module as they are."""
    folder = run(("go", "list", *FLAGS[:1], "-m", "-f", "{{.Dir}}", target.module), cwd=TOOLS / target.folder).strip()
    for name in target.files:
        copied = BIN / f".{Path(name).name}.{os.getpid()}.partial"
        shutil.copyfile(Path(folder) / name, copied)
        copied.chmod(0o755)
        copied.replace(BIN / Path(name).name)


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


def load(path: str) -> ModuleType:
    """A file of edgelib by its path: importing edgelib needs packages that may not be installed yet."""
    name = path.removesuffix(".py").replace("/", "_")
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, TOOLS.parent / path)
        if spec is None or spec.loader is None or not (TOOLS.parent / path).is_file():
            raise BuildError(f"{path} is missing: this is not a whole clone")
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
