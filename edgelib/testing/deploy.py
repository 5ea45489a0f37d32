"""Run a program against recording stand-ins of the engine."""

import asyncio
import concurrent.futures
import contextlib
import contextvars
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Optional, TypeVar, Union, cast

import pulumi
from pulumi.runtime import mocks, settings
from pulumi.runtime import stack as pulumi_stack

from edgelib.testing.answers import Answer, wavelength_answers
from edgelib.testing.errors import OutputAsTextError
from edgelib.testing.existing import existing_answers
from edgelib.testing.monitor import RecordingEngine, RecordingMonitor, text_conversion
from edgelib.testing.program import Program, config_text, full_key
from edgelib.testing.recording import Recording, ResourceType
from edgelib.testing.state import MockedState, Outputs
from edgelib.testing.world import DEFAULT_REGION, World

T = TypeVar("T")


def deploy(
    program: Union[Callable[[], object], str, "os.PathLike[str]"],
    *,
    preview: bool = False,
    project: Optional[str] = None,
    stack: str = "test",
    config: Optional[Mapping[str, Any]] = None,
    invokes: Optional[Mapping[str, Answer]] = None,
    outputs: Optional[Mapping[ResourceType, Outputs]] = None,
    existing: Optional[Mapping[str, Mapping[str, Any]]] = None,
) -> Recording:
    """Run the program to its end, with every apply, and return what it asked for.

    ``program`` is a function (a coroutine function too), or the path of a Pulumi program: its folder or its file.
    ``preview`` makes ids, and whatever a provider computes, unknown.
    ``project`` defaults to the name in the folder's ``Pulumi.yaml``, else to ``edgelib``.
    ``config`` is the configuration. A key without a namespace belongs to the project; a value that is no text becomes
    JSON. Defaults in ``Pulumi.yaml`` count, files of stacks (``Pulumi.<stack>.yaml``) are not read.
    ``invokes`` answers questions to providers, by token, over `wavelength_answers`; one without an answer fails.
    ``outputs`` is state that a provider computes, by type, over the built-in one. It is unknown in a preview.
    ``existing`` is what exists outside the program, id to properties: for ``aws.ec2.get_vpc``, ``get_subnet``,
    ``get_route_table``, ``get_route_tables``, and the ``get`` of any resource class.

    Raises what the program or one of its applies raises, and a `RecordingError` for an unanswered invoke, two resources
    of one URN, or an Output used as text. Each call has a runtime of its own, in a thread of its own, and leaves
    nothing behind. Not thread-safe: two calls at the same time are not supported.
    """
    source = None if callable(program) else Program.at(Path(program))
    run = cast("Callable[[], Any]", program) if source is None else source.run
    project = project or (source.project if source else None) or "edgelib"
    values = dict(source.config) if source else {}
    values.update({full_key(key, project): config_text(value) for key, value in (config or {}).items()})

    region = values.get("aws:region", DEFAULT_REGION)
    world = World(existing or {})
    state = MockedState(world, region, outputs or {})
    answers = {**wavelength_answers(region=region), **existing_answers(world.things, region), **(invokes or {})}
    monitor, engine = RecordingMonitor(state, answers, preview=preview), RecordingEngine()

    def deployment() -> None:
        _fresh_runtime(monitor, engine, project=project, stack=stack, preview=preview, config=values)
        with source.hosted() if source else contextlib.nullcontext():
            _run(run)

    _judged(deployment, monitor, engine)
    return monitor.recording(tuple(engine.logs))


def _judged(deployment: Callable[[], None], monitor: RecordingMonitor, engine: RecordingEngine) -> None:
    """Run the deployment; raise the mistake that the stand-ins noticed rather than what followed from it."""
    failure: Optional[BaseException] = None
    try:
        _in_own_thread(deployment)
    except Exception as error:
        if not monitor.problems:
            raise
        failure = error
    problems = list(monitor.problems)
    if engine.conversions and not any(isinstance(each, OutputAsTextError) for each in problems):
        problems.append(text_conversion(engine.conversions))
    if not problems:
        return
    first, *others = problems
    if isinstance(first, OutputAsTextError) and monitor.problems and engine.conversions:
        first.add_note(f"turned into text at {', '.join(dict.fromkeys(engine.conversions))}")
    for other in others:
        first.add_note(f"also: {other}")
    raise first from (None if failure is first else failure)


def _fresh_runtime(
    monitor: RecordingMonitor,
    engine: RecordingEngine,
    *,
    project: str,
    stack: str,
    preview: bool,
    config: dict[str, str],
) -> None:
    """Point the SDK at the stand-ins. The SDK keeps all of this in context variables, so it ends with the context."""
    set_root = cast("Callable[[Any], None]", settings.set_root_resource)
    # With a root in place set_mocks makes no stack, whose outputs would be closed before the program starts.
    set_root(object())
    mocks.set_mocks(monitor.mocks, project=project, stack=stack, preview=preview, monitor=monitor)
    set_root(None)
    runtime = cast("Any", settings.SETTINGS)
    runtime.engine = engine
    runtime.outputs = set()  # set_mocks keeps the previous program's
    runtime.lock = threading.Lock()
    pulumi.runtime.set_all_config(config, [])


class _InlineExecutor(concurrent.futures.ThreadPoolExecutor):
    """Runs each call at once: the stand-ins never wait, and requests come in the program's order."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "concurrent.futures.Future[T]":
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - it is the caller's, through the future
            future.set_exception(error)
        return future


def _run(program: Callable[[], Any]) -> None:
    # The SDK steps its loop by hand while it waits for a plain invoke, which works with asyncio's own loops only.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        loop = runner.get_loop()
        loop.set_default_executor(_InlineExecutor(max_workers=1))
        try:
            runner.run(pulumi_stack.run_in_stack(program))
        except BaseException:
            # Whatever waited for the failure ends with it; asyncio would log each, into the output of some later test.
            loop.set_exception_handler(lambda _loop, _context: None)
            raise


def _in_own_thread(work: Callable[[], None]) -> None:
    """Run ``work`` where no event loop runs and none is replaced, whatever the test does with asyncio."""
    outcome: concurrent.futures.Future[None] = concurrent.futures.Future()
    context = contextvars.copy_context()

    def settle() -> None:
        try:
            outcome.set_result(context.run(work))
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            outcome.set_exception(error)

    # A daemon, so that a program that never ends does not keep an interrupted test run alive.
    thread = threading.Thread(target=settle, name="edgelib.testing.deploy", daemon=True)
    thread.start()
    outcome.result()
    thread.join()
