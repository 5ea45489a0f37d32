"""The fault plan: which AWS calls fail, and how. Controlled at ``/sandbox/faults``.

A rule is a JSON object. Which calls it is about: ``service``, ``action``, ``region`` (globs; a REST call's action is its
method and path) and ``params`` (an object of globs by parameter). When it acts: ``after`` lets the first n matching calls
pass, ``times`` then acts on that many, ``rate`` acts only on calls beyond n a second. What it does: ``delay`` in seconds,
``code`` with ``status`` and ``message`` answers that error, and ``late`` does the work first and then answers the error, or,
without a ``code``, drops the connection: the answer is lost. A rule with ``zone`` or ``type`` (globs) refuses launches there
for want of capacity.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, Optional, cast

from edgelib.sandbox.aws.calls import Call


class FaultPlanError(ValueError):
    """A rule that cannot be understood; the message says which key, and what is allowed."""


@dataclass(frozen=True, kw_only=True)
class FaultRule:
    """One rule of the plan; see the module's text for what each key means."""

    service: str = "*"
    action: str = "*"
    region: str = "*"
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    after: int = 0
    times: Optional[int] = None
    rate: Optional[float] = None
    delay: float = 0.0
    code: Optional[str] = None
    status: int = 400
    message: str = "Injected by the sandbox."
    late: bool = False
    zone: Optional[str] = None
    type: Optional[str] = None

    @property
    def about_capacity(self) -> bool:
        """Whether the rule acts inside a launch, where subnet and launch template are resolved."""
        return self.zone is not None or self.type is not None

    def matches(self, call: Call) -> bool:
        """Whether the rule is about this call."""
        wanted = ((self.service, call.service), (self.action, call.action), (self.region, call.region))
        return all(fnmatchcase(value, glob) for glob, value in wanted) and all(
            fnmatchcase(call.params.get(key, ""), glob) for key, glob in self.params.items()
        )


KEYS = tuple(each.name for each in fields(FaultRule))
_NUMBERS = {"after": int, "times": int, "rate": float, "delay": float, "status": int}


def parse_rule(document: object) -> FaultRule:
    """A rule from JSON.

    Raises:
        FaultPlanError: an unknown key, a value of the wrong type, or a rule that would do nothing.
    """
    if not isinstance(document, dict):
        raise FaultPlanError(f"a fault rule is a JSON object, not {document!r}; its keys are {', '.join(KEYS)}")
    rule = cast("dict[str, Any]", document)
    if unknown := sorted(set(rule) - set(KEYS)):
        raise FaultPlanError(f"unknown key {', '.join(unknown)} in a fault rule; the keys are {', '.join(KEYS)}")
    for key, value in rule.items():
        _check_value(key, value)
    parsed = FaultRule(**rule)
    if not (parsed.code or parsed.delay or parsed.late or parsed.about_capacity):
        raise FaultPlanError(f"the fault rule {rule} does nothing; give it a code, a delay, late, a zone or a type")
    return parsed


def _check_value(key: str, value: object) -> None:
    if key in _NUMBERS:
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
        good = good and (_NUMBERS[key] is float or isinstance(value, int))
        wanted = "a whole number of at least 0" if _NUMBERS[key] is int else "a number of at least 0"
    elif key == "late":
        good, wanted = isinstance(value, bool), "true or false"
    elif key == "params":
        items = cast("dict[object, object]", value) if isinstance(value, dict) else {1: 1}
        good, wanted = all(isinstance(each, str) for pair in items.items() for each in pair), "an object of texts"
    else:
        good, wanted = isinstance(value, str), "a text"
    if not good:
        raise FaultPlanError(f"fault rule: {key} is {value!r}; it must be {wanted}")


@dataclass
class _Counter:
    rule: FaultRule
    seen: int = 0
    hits: int = 0
    recent: deque[float] = field(default_factory=deque[float])

    def due(self) -> bool:
        """Count a matching call and say whether the rule acts on it."""
        if self.rule.rate is not None:
            now = time.monotonic()
            while self.recent and now - self.recent[0] > 1:
                self.recent.popleft()
            if len(self.recent) < self.rule.rate:
                self.recent.append(now)
                return False
        self.seen += 1
        last = math.inf if self.rule.times is None else self.rule.after + self.rule.times
        acts = self.rule.after < self.seen <= last
        self.hits += acts
        return acts


class FaultPlan:
    """The rules in force, in order: the first one that acts on a call is the one that counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: list[_Counter] = []

    def add(self, document: object) -> None:
        """Add a rule, or a list of rules, from JSON: all of them, or none when one is wrong (FaultPlanError)."""
        documents = cast("list[object]", document) if isinstance(document, list) else [document]
        rules = [parse_rule(each) for each in documents]
        with self._lock:
            self._counters += [_Counter(rule) for rule in rules]

    def clear(self) -> None:
        """Drop every rule."""
        with self._lock:
            self._counters.clear()

    def rows(self) -> list[dict[str, Any]]:
        """The rules with their counts: ``seen`` matching calls, of which the rule acted on ``hits``."""
        with self._lock:
            return [{**asdict(each.rule), "seen": each.seen, "hits": each.hits} for each in self._counters]

    def rule_for(self, call: Call) -> Optional[FaultRule]:
        """The rule that acts on this call, if one does."""
        with self._lock:
            for counter in self._counters:
                if not counter.rule.about_capacity and counter.rule.matches(call) and counter.due():
                    return counter.rule
        return None

    def capacity_rule_for(self, zone: str, instance_type: str) -> Optional[FaultRule]:
        """The rule that refuses this launch for want of capacity, if one does."""
        with self._lock:
            for counter in self._counters:
                zone_glob, type_glob = counter.rule.zone or "*", counter.rule.type or "*"
                about = fnmatchcase(zone, zone_glob) and fnmatchcase(instance_type, type_glob)
                if counter.rule.about_capacity and about and counter.due():
                    return counter.rule
        return None
