"""`edgelib sandbox`: the commands, thin over edgelib.sandbox.lifecycle."""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

import click

from edgelib.sandbox import lifecycle
from edgelib.sandbox.directory import NotASandboxError, SandboxDirectory, default_directory
from edgelib.sandbox.emulator import EmulatorError
from edgelib.sandbox.engine import EngineNotFoundError
from edgelib.sandbox.lifecycle import Status
from edgelib.sandbox.processes import BusyError, ProcessError

NOT_RUNNING = 3
"""Exit code of `status` for a sandbox that is stopped or crashed, as LSB init scripts have it."""

NOT_EXECUTABLE = 126
NOT_FOUND = 127

_directory_option = click.option(
    "--directory",
    "named",
    type=click.Path(file_okay=False, path_type=Path),
    help="The sandbox. Default: $EDGELIB_SANDBOX, else .sandbox in the nearest folder, from here upwards, that holds a "
    "Pulumi.yaml or a pyproject.toml.",
)


@click.group()
def sandbox() -> None:
    """An AWS account on this machine for trying and testing: never talks to AWS, and needs no account.

    Its state is in one directory, .sandbox; several sandboxes live side by side in several directories.
    """


@sandbox.command()
@_directory_option
def start(named: Optional[Path]) -> None:
    """Start the sandbox. Does nothing when it runs, and heals one that crashed."""
    with _plain_errors():
        running = lifecycle.start(_directory(named), environ=os.environ, report=_report)
    word = "started" if running.started else "already running"
    click.echo(f"Sandbox {word} at {running.emulator.url} ({running.directory.root}).")
    click.echo("Use it: edgelib sandbox run -- pulumi up")


@sandbox.command()
@_directory_option
def stop(named: Optional[Path]) -> None:
    """Stop the sandbox. Its account and its stacks stay for the next start."""
    directory = _directory(named)
    with _plain_errors():
        ran = lifecycle.stop(directory)
    click.echo(f"Sandbox {'stopped' if ran else 'was not running'} ({directory.root}).")


@sandbox.command()
@_directory_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(named: Optional[Path], *, as_json: bool) -> None:
    """Show whether the sandbox runs and what is in it. Exit code: 0 running, 3 stopped or crashed."""
    with _plain_errors():
        found = lifecycle.status(_directory(named), environ=os.environ)
    click.echo(json.dumps(describe(found), indent=2) if as_json else render(found))
    if found.state != "running":
        sys.exit(NOT_RUNNING)


@sandbox.command()
@_directory_option
def reset(named: Optional[Path]) -> None:
    """Start over: a new AWS account, no clusters and no stacks. The plugins stay."""
    directory = _directory(named)
    with _plain_errors():
        lifecycle.reset(directory)
    click.echo(f"Sandbox reset: the account is new and there are no stacks ({directory.root}).")


@sandbox.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@_directory_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(named: Optional[Path], command: tuple[str, ...]) -> None:
    """Run COMMAND in the sandbox, which is started if it does not run, and stays on afterwards.

    The command has the engine, the plugins and this Python first on its path, finds the emulated AWS at the usual
    settings, and reaches no address beyond this machine. Its exit code is passed on; 127: no such command.
    """
    with _plain_errors():
        running = lifecycle.start(_directory(named), environ=os.environ, report=_report)
    environ = running.environment(os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    # Python ignores SIGPIPE, and what a process ignores its successor ignores too: `run -- yes | head` would complain.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, environ)  # noqa: S606 - running the user's command is what this is for
    except FileNotFoundError:
        click.echo(
            f"edgelib sandbox run: {command[0]}: no such command on the sandbox's PATH, {environ['PATH']}", err=True
        )
        sys.exit(NOT_FOUND)
    except OSError as error:
        click.echo(f"edgelib sandbox run: {command[0]}: {error.strerror}", err=True)
        sys.exit(NOT_EXECUTABLE)


def describe(found: Status) -> dict[str, Any]:
    """The status as JSON has it."""
    live = found.emulator
    return {
        "directory": str(found.directory.root),
        "state": found.state,
        "url": live.url if live else None,
        "pid": live.pid if live else None,
        "uptime_seconds": None if found.uptime is None else round(found.uptime, 1),
        "engine": None if found.engine is None else {**asdict(found.engine), "directory": str(found.engine.directory)},
        "providers": {plugin.package: {"version": plugin.version, "kind": plugin.kind} for plugin in found.plugins},
        "resources": dict(found.resources),
        "machines": [asdict(machine) for machine in found.machines],
        "clusters": [asdict(cluster) for cluster in found.clusters],
        "problem": found.problem or None,
        "stacks": list(found.stacks),
    }


def render(found: Status) -> str:
    """The status as a person reads it."""
    live = found.emulator
    lines = [f"sandbox    {found.directory.root}", f"state      {found.state}"]
    if found.state == "crashed":
        lines.append(f"           `edgelib sandbox start` heals it; its log: {found.directory.aws_log}")
    if live is not None and found.uptime is not None:
        lines.append(f"endpoint   {live.url} (pid {live.pid}, up {_duration(found.uptime)})")
    if found.engine is not None:
        source = "official, on PATH" if found.engine.official else "built from the pins in tools/"
        lines.append(f"engine     pulumi {found.engine.version} ({source}: {found.engine.directory})")
    else:
        lines.append("engine     none; `edgelib sandbox start` says how to get one")
    providers = ", ".join(f"{plugin.package} {plugin.version} ({plugin.kind})" for plugin in found.plugins)
    lines.append(f"providers  {providers or 'none yet'}")
    if live is not None:
        total = sum(found.resources.values())
        kinds = ", ".join(f"{number} {kind}" for kind, number in found.resources.items())
        lines.append(f"resources  {total}" + (f": {kinds}" if kinds else ""))
    lines += _machine_lines(found)
    lines.append(f"stacks     {', '.join(found.stacks) or 'none'}")
    return "\n".join(lines)


def _machine_lines(found: Status) -> list[str]:
    lines = [f"machines   {found.problem or len(found.machines) or 'none'}"]
    for machine in found.machines:
        node = f", node {machine.node}" if machine.node else ""
        problem = f": {machine.problem}" if machine.problem else ""
        lines.append(f"           {machine.id} {machine.name} ({machine.state}{node}){problem}")
    for cluster in found.clusters:
        api = ", ".join(cluster.api) or "no API server runs"
        lines.append(f"cluster    {cluster.id}: {api}, {cluster.ready} of {cluster.nodes} nodes ready")
    return lines


def _directory(named: Optional[Path]) -> SandboxDirectory:
    if named is not None:
        return SandboxDirectory(named.expanduser().resolve())
    return default_directory(os.environ, Path.cwd())


@contextlib.contextmanager
def _plain_errors() -> Generator[None, None, None]:
    """What a user can act on is shown as a message, with exit code 1; anything else is a defect and shows its trace."""
    try:
        yield
    except (EngineNotFoundError, NotASandboxError, ProcessError, EmulatorError, BusyError) as error:
        raise click.ClickException(str(error)) from error


def _report(line: str) -> None:
    """Steps go to stderr: stdout belongs to the result, or to the command that is run."""
    click.echo(line, err=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
