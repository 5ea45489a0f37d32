"""Waiting until an object is ready, or gone: bounded, with progress in the engine's log, and with the cause at the end."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Optional

from edgelib.sandbox.providers.kubernetes.api import Api, RefusedError, UnknownKindError, UnreachableError
from edgelib.sandbox.providers.kubernetes.kinds import Kind, kind_of
from edgelib.sandbox.providers.kubernetes.objects import (
    SKIP_AWAIT,
    TIMEOUT,
    WAIT_FOR,
    Object,
    annotation,
    identity,
    metadata_of,
)
from edgelib.sandbox.providers.kubernetes.readiness import READY, Standing, custom_rules, pod_problems, rule_of
from edgelib.sandbox.providers.resource import Log, ProviderError
from edgelib.sandbox.providers.values import list_of, mapping_of

DELETION_SECONDS = 600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_PODS_NAMED = 5

_POD: Final = kind_of("v1", "Pod")
_SLICE: Final = kind_of("discovery.k8s.io/v1", "EndpointSlice")
_STORAGE_CLASS: Final = kind_of("storage.k8s.io/v1", "StorageClass")
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"


class NotReadyError(ProviderError):
    """The object exists and is not what was waited for."""


@dataclass(frozen=True)
class Waiter:
    """How to wait: `timeout` in seconds is the resource's customTimeouts, `cancelled` is set when the engine is interrupted."""

    log: Log
    cancelled: threading.Event
    timeout: Optional[float] = None

    def seconds(self, inputs: Object, default: float) -> float:
        """The bound: customTimeouts, else the annotation pulumi.com/timeoutSeconds, else the default."""
        if self.timeout:
            return self.timeout
        try:
            return float(annotation(inputs, TIMEOUT) or default)
        except ValueError:
            return default

    def until(
        self, what: str, goal: str, look: Callable[[], Standing], seconds: float, explain: Callable[[], Sequence[str]]
    ) -> None:
        """Look again and again until `what` is `goal`. Raises NotReadyError at the end of the time, or when it has failed
        for good."""
        until, pause, last = time.monotonic() + seconds, _FIRST_PAUSE, ""
        while True:
            try:
                standing = look()
            except UnreachableError as error:  # a server that restarts is no failure of the object
                standing = Standing(done=False, message=str(error))
            if standing.done:
                return
            left = until - time.monotonic()
            if standing.failed or left <= 0:
                end = "has failed" if standing.failed else f"is not {goal} after {seconds:g} s"
                raise NotReadyError("\n  ".join([f"{what} {end}: {standing.message}", *_explained(explain)]))
            if standing.message != last:
                last = standing.message
                self.log.info(f"waiting until {what} is {goal}: {last}")  # noqa: G004 - shown to the user, not a log
            if self.cancelled.wait(min(pause, left)):
                raise NotReadyError(f"{what}: the wait was cancelled; last: {last}")
            pause = min(pause * 1.5, _LONGEST_PAUSE)


def _explained(explain: Callable[[], Sequence[str]]) -> Sequence[str]:
    try:
        return explain()
    except ProviderError as error:
        return [f"(why could not be found out: {error})"]


def until_ready(api: Api, kind: Kind, inputs: Object, live: Object, waiter: Waiter) -> None:
    """Wait until the object is ready by its kind's rule, or by its pulumi.com/waitFor. Raises NotReadyError."""
    if annotation(inputs, SKIP_AWAIT) == "true":
        return
    rule, default = rule_of(kind) or (None, 600.0)
    wanted = annotation(inputs, WAIT_FOR)
    rules = custom_rules(wanted) if wanted else [rule] if rule else []
    if not rules:
        return
    namespace, name = metadata_of(live).get("namespace"), str(metadata_of(live)["name"])

    def look() -> Standing:
        now = api.get(kind, namespace, name)
        if now is None:
            expires = mapping_of(inputs.get("spec")).get("ttlSecondsAfterFinished") is not None
            return READY if expires else Standing(done=False, failed=True, message="it was deleted meanwhile")
        related = _related(api, kind, now)
        standings = [each(now, related) for each in rules]
        return next((each for each in standings if not each.done), READY)

    what = f"{kind.name} {identity(live)}"
    waiter.until(what, "ready", look, waiter.seconds(inputs, default), lambda: _reasons(api, kind, live))


def _related(api: Api, kind: Kind, live: Object) -> list[dict[str, Any]]:
    """The other objects that a rule looks at."""
    metadata = metadata_of(live)
    match (kind.group, kind.name):
        case ("", "Service"):
            return api.list(_SLICE, metadata.get("namespace"), labels=f"kubernetes.io/service-name={metadata['name']}")
        case ("", "PersistentVolumeClaim"):
            wanted = mapping_of(live.get("spec")).get("storageClassName")
            return [each for each in api.list(_STORAGE_CLASS, None) if _is_class(each, wanted)]
        case _:
            return []


def _is_class(storage_class: Object, wanted: Optional[str]) -> bool:
    if wanted is None:
        return annotation(storage_class, _DEFAULT_CLASS) == "true"
    return metadata_of(storage_class).get("name") == wanted


def _reasons(api: Api, kind: Kind, live: Object) -> list[str]:
    """Lines that say why: what the pods of a workload, and its own conditions, report."""
    namespace, name = metadata_of(live).get("namespace"), str(metadata_of(live)["name"])
    now = api.get(kind, namespace, name) or {}
    spec = mapping_of(now.get("spec"))
    conditions: list[Mapping[str, Any]] = list_of(mapping_of(now.get("status")).get("conditions"))
    lines = [
        f"{each.get('type')}: {each.get('reason')}: {each.get('message')}"
        for each in conditions
        if each.get("message") and (each.get("status") == "False" or each.get("type") == "ReplicaFailure")
    ]
    if kind.name == "Pod":
        return [*lines, *pod_problems([now])] if now else lines
    labels = spec.get("selector") if kind.name == "Service" else mapping_of(spec.get("selector")).get("matchLabels")
    if not labels:
        return lines
    pods = api.list(_POD, namespace, labels=",".join(f"{key}={value}" for key, value in labels.items()))
    problems = pod_problems(pods)
    more = [f"and {len(problems) - _PODS_NAMED} more pods"] if len(problems) > _PODS_NAMED else []
    return [*lines, *problems[:_PODS_NAMED], *more]


def until_gone(api: Api, kind: Kind, inputs: Object, live: Object, waiter: Waiter) -> None:
    """Wait until the object, not another of its name, is gone. Raises NotReadyError with what holds it."""
    if annotation(inputs, SKIP_AWAIT) == "true":
        return
    metadata = metadata_of(live)

    def look() -> Standing:
        now = api.get(kind, metadata.get("namespace"), str(metadata["name"]))
        if now is None or metadata_of(now).get("uid") != metadata.get("uid"):
            return READY
        return Standing(done=False, message=_held_by(now))

    what = f"{kind.name} {identity(live)}"
    waiter.until(what, "gone", look, waiter.seconds(inputs, DELETION_SECONDS), list)


def _held_by(live: Object) -> str:
    finalizers = [
        *list_of(metadata_of(live).get("finalizers")),
        *list_of(mapping_of(live.get("spec")).get("finalizers")),
    ]
    conditions: list[Mapping[str, Any]] = list_of(mapping_of(live.get("status")).get("conditions"))
    held = [f"finalizer {each}" for each in finalizers]
    if metadata_of(live).get("deletionTimestamp") and live.get("kind") == "Namespace":
        held += [str(each["message"]) for each in conditions if each.get("status") == "True" and each.get("message")]
    return "it still exists" + (f" ({'; '.join(held)})" if held else "")


def patiently(attempt: Callable[[], dict[str, Any]], waiter: Waiter, *, what: str) -> dict[str, Any]:
    """Try a create that comes a little too early again: its namespace, its definition or the namespace's default
    service account may be on their way in the same update. Five times, over some 8 seconds, as the official provider does."""
    pause = 0.25
    for _ in range(5):
        try:
            return attempt()
        except UnknownKindError as error:
            early: ProviderError = error
        except RefusedError as error:
            if not _too_early(error):
                raise
            early = error
        waiter.log.info(f"{what} cannot be created yet: {early}")  # noqa: G004 - shown to the user, not a log
        if waiter.cancelled.wait(pause):
            break
        pause *= 2
    return attempt()


def _too_early(error: RefusedError) -> bool:
    missing_account = error.status == 403 and "serviceaccount" in error.message and "not found" in error.message
    return error.status == 404 or missing_account
