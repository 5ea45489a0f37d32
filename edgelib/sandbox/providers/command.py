"""The stand-in for pulumi-command: `local.Command` and `local.run`. Nothing remote: in the sandbox there is no machine to log in to."""
# ruff: noqa: A002, ARG001, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import os
import secrets
import subprocess
import threading
from collections.abc import Callable, Mapping
from typing import IO, Any, Final, Optional

from edgelib.sandbox.providers.generated import Session, package_of
from edgelib.sandbox.providers.properties import Kind, Property
from edgelib.sandbox.providers.resource import Created, Function, Package, ProviderError, Request, Resource
from edgelib.sandbox.providers.values import mapping_of

_SHELL: Final = ["/bin/sh", "-c"]
_SHOWN: Final = {"stdout": ("stdout",), "stderr": ("stderr",), "stdoutAndStderr": ("stdout", "stderr"), "none": ()}
_RUN = (
    Property(name="dir"),
    Property(name="environment", kind=Kind.MAP),
    Property(name="interpreter", kind=Kind.LIST),
    Property(name="stdin"),
    Property(name="logging", allowed=tuple(_SHOWN)),
    Property(name="addPreviousOutputInEnv", kind=Kind.BOOLEAN),
)
_INPUTS: Final = ("create", "update", "delete", "triggers", *(row.name for row in _RUN))


def run(
    command: str, options: Mapping[str, Any], previous: Mapping[str, Any], show: Callable[[str], None]
) -> dict[str, Any]:
    """Run it to its end: {"stdout", "stderr"} without the last line break.

    `options` are the properties of a Command; `previous` the outputs of the last run, given as PULUMI_COMMAND_STDOUT and
    PULUMI_COMMAND_STDERR; `show` gets each line of the streams that `logging` names (both by default).
    Raises ProviderError when it cannot be started or ends with another status than 0.
    """
    environment = {**os.environ, **mapping_of(options.get("environment"))}
    if options.get("addPreviousOutputInEnv", True):
        environment.update(
            {f"PULUMI_COMMAND_{name.upper()}": previous[name] for name in ("stdout", "stderr") if previous.get(name)}
        )
    arguments = [*(options.get("interpreter") or _SHELL), command]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(  # noqa: S603 - running the program's command is what this resource is for
            arguments, cwd=options.get("dir"), env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
    except OSError as error:
        raise ProviderError(f"cannot start {arguments[0]} in {options.get('dir') or os.curdir}: {error}") from error
    shown = _SHOWN[options.get("logging") or "stdoutAndStderr"]
    streams = {"stdout": process.stdout, "stderr": process.stderr}
    lines: dict[str, list[str]] = {name: [] for name in streams}
    readers = [
        threading.Thread(target=_follow, args=(stream, lines[name], show if name in shown else None))
        for name, stream in streams.items()
    ]
    for reader in readers:
        reader.start()
    _feed(process.stdin, options.get("stdin") or "")
    for reader in readers:
        reader.join()
    status = process.wait()
    output = {name: "".join(text).removesuffix("\n") for name, text in lines.items()}
    if status != 0:
        raise ProviderError(
            f"exit status {status}: running {command!r}:\n{output['stdout']}\n{output['stderr']}".rstrip()
        )
    return output


def _follow(stream: Optional[IO[str]], lines: list[str], show: Optional[Callable[[str], None]]) -> None:
    if stream is None:
        return
    with stream:
        for line in stream:
            lines.append(line)
            if show:
                show(line.rstrip("\n"))


def _feed(stream: Optional[IO[str]], text: str) -> None:
    if stream is None:
        return
    try:
        with stream:
            stream.write(text)
    except BrokenPipeError:
        return  # a command need not read what it is given


class Command(Resource[Session]):
    """Runs `create` once, `update` (or else `create`) when an input changes, `delete` at the end. New triggers run it anew."""

    token = "command:local:Command"  # noqa: S105 - a type token
    spreads_secrets = True  # what a command prints may be what it was told
    properties = (
        Property(name="create"),
        Property(name="update"),
        Property(name="delete"),
        Property(name="triggers", kind=Kind.ANY, replaces=True),
        *_RUN,
        Property(name="stdout", output=True, unsettled_by=_INPUTS),
        Property(name="stderr", output=True, unsettled_by=_INPUTS),
    )

    def create(self, request: Request[Session], inputs: Mapping[str, Any]) -> Created:
        """Run `create`."""
        made = self._run(request, inputs.get("create"), inputs, {})
        return Created(f"{request.name}{secrets.token_hex(4)}", made)

    @staticmethod
    def _run(
        request: Request[Session], command: Optional[str], inputs: Mapping[str, Any], previous: Mapping[str, Any]
    ) -> dict[str, Any]:
        if not command:
            return {"stdout": previous.get("stdout", ""), "stderr": previous.get("stderr", "")}
        return run(command, inputs, previous, request.engine.info)

    def read(self, session: Session, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """The state is all there is. Raises ProviderError for an import."""
        if not state:
            raise ProviderError(f"{self.token}: a command cannot be imported")
        return state

    def update(
        self,
        request: Request[Session],
        id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: set[str],
    ) -> Mapping[str, Any]:
        """Run `update`, or `create` again."""
        return self._run(request, new.get("update") or new.get("create"), new, old)

    def delete(self, request: Request[Session], id: str, state: Mapping[str, Any]) -> None:
        """Run `delete`."""
        self._run(request, state.get("delete"), state, state)


def run_function(session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`local.run`: on every run of the program, previews included."""
    return {**arguments, **run(arguments["command"], arguments, {}, lambda _: None)}


def package(version: str) -> Package[Session]:
    """The package as the server takes it."""
    function = Function("command:local:run", (Property(name="command", required=True), *_RUN), run_function)
    return package_of("command", version, Command(), invokes={function.token: function}, accept_secrets=True)
