"""When an object is ready: decisions on what the API says of it, one rule for each kind that has one."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Optional, cast

from edgelib.sandbox.providers.kubernetes.kinds import Kind
from edgelib.sandbox.providers.kubernetes.objects import Object, metadata_of
from edgelib.sandbox.providers.values import list_of, mapping_of


@dataclass(frozen=True)
class Standing:
    """How far an object is. `message` says what is missing; `failed`: it will not get there by itself."""

    done: bool
    message: str = ""
    failed: bool = False


READY: Final = Standing(done=True)
Rule = Callable[[Object, Sequence[Object]], Standing]


def _waiting(message: str) -> Standing:
    return Standing(done=False, message=message)


def condition(obj: Object, type_: str) -> Mapping[str, Any]:
    """The status condition of a type; empty when there is none."""
    conditions: list[Mapping[str, Any]] = list_of(mapping_of(obj.get("status")).get("conditions"))
    return next((each for each in conditions if each.get("type") == type_), dict[str, Any]())


def _says(entry: Mapping[str, Any]) -> str:
    return ": ".join(str(entry[key]) for key in ("reason", "message") if entry.get(key))


def _not_observed(obj: Object) -> bool:
    observed = mapping_of(obj.get("status")).get("observedGeneration") or 0
    return observed < (metadata_of(obj).get("generation") or 0)


def deployment(obj: Object, _: Sequence[Object] = ()) -> Standing:
    """Every replica is of this generation and available, and no older one is left."""
    spec, status = mapping_of(obj.get("spec")), mapping_of(obj.get("status"))
    if spec.get("paused"):
        return READY
    if _not_observed(obj):
        return _waiting("the controller has not seen this change yet")
    progress = condition(obj, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return Standing(done=False, failed=True, message=_says(progress))
    wanted = spec.get("replicas", 1)
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    if updated < wanted:
        return _waiting(f"{updated} of {wanted} replicas updated")
    if total > updated:
        return _waiting(f"{total - updated} old replicas are still there")
    available = status.get("availableReplicas", 0)
    return READY if available >= wanted else _waiting(f"{available} of {wanted} replicas available")


def stateful_set(obj: Object, _: Sequence[Object] = ()) -> Standing:
    """Every replica is ready and, with rolling updates, of the newest revision (down to the partition)."""
    spec, status = mapping_of(obj.get("spec")), mapping_of(obj.get("status"))
    if _not_observed(obj):
        return _waiting("the controller has not seen this change yet")
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    if ready < wanted:
        return _waiting(f"{ready} of {wanted} replicas ready")
    strategy = mapping_of(spec.get("updateStrategy"))
    if strategy.get("type") == "OnDelete":
        return READY
    partition = mapping_of(strategy.get("rollingUpdate")).get("partition") or 0
    updated, needed = status.get("updatedReplicas", 0), max(wanted - partition, 0)
    old = status.get("updateRevision") != status.get("currentRevision")
    return _waiting(f"{updated} of {needed} replicas updated") if updated < needed and old else READY


def daemon_set(obj: Object, _: Sequence[Object] = ()) -> Standing:
    """On every node that should have one, the pod is of this generation and available."""
    status = mapping_of(obj.get("status"))
    if _not_observed(obj):
        return _waiting("the controller has not seen this change yet")
    wanted = status.get("desiredNumberScheduled", 0)
    on_delete = mapping_of(mapping_of(obj.get("spec")).get("updateStrategy")).get("type") == "OnDelete"
    updated = wanted if on_delete else status.get("updatedNumberScheduled", 0)
    if updated < wanted:
        return _waiting(f"{updated} of {wanted} pods updated")
    available = status.get("numberAvailable", 0)
    return READY if available >= wanted else _waiting(f"{available} of {wanted} pods available")


def job(obj: Object, _: Sequence[Object] = ()) -> Standing:
    """It is complete."""
    if condition(obj, "Complete").get("status") == "True":
        return READY
    failure = condition(obj, "Failed")
    if failure.get("status") == "True":
        return Standing(done=False, failed=True, message=_says(failure))
    status, wanted = mapping_of(obj.get("status")), mapping_of(obj.get("spec")).get("completions", 1)
    paused = ", suspended" if mapping_of(obj.get("spec")).get("suspend") else ""
    return _waiting(f"{status.get('succeeded', 0)} of {wanted} completions, {status.get('active', 0)} active{paused}")


def pod(obj: Object, _: Sequence[Object] = ()) -> Standing:
    """It is ready, or has come to a good end."""
    status = mapping_of(obj.get("status"))
    phase = status.get("phase")
    if phase == "Succeeded" or condition(obj, "Ready").get("status") == "True":
        return READY
    if phase == "Failed":
        return Standing(done=False, failed=True, message=_says(status) or "phase Failed")
    return _waiting(f"phase {phase or 'not set'}")


def claim(obj: Object, classes: Sequence[Object] = ()) -> Standing:
    """It is bound, or its storage class binds it only when a pod uses it."""
    phase = mapping_of(obj.get("status")).get("phase")
    if phase == "Bound":
        return READY
    if phase == "Lost":
        return Standing(done=False, failed=True, message="its volume is lost")
    if any(each.get("volumeBindingMode") == "WaitForFirstConsumer" for each in classes):
        return READY
    wanted = mapping_of(obj.get("spec")).get("storageClassName")
    missing = f"; there is no storage class {wanted!r}" if wanted and not classes else ""
    return _waiting(f"phase {phase or 'not set'}{missing}")


def volume(obj: Object, _: Sequence[Object] = ()) -> Standing:
    """It is available or bound."""
    status = mapping_of(obj.get("status"))
    if status.get("phase") == "Failed":
        return Standing(done=False, failed=True, message=_says(status) or "phase Failed")
    phase = status.get("phase")
    return READY if phase in {"Available", "Bound"} else _waiting(f"phase {phase or 'not set'}")


def definition(obj: Object, _: Sequence[Object] = ()) -> Standing:
    """Its kind is served."""
    refused = condition(obj, "NamesAccepted")
    if refused.get("status") == "False":
        return Standing(done=False, failed=True, message=_says(refused))
    established = condition(obj, "Established").get("status") == "True"
    return READY if established else _waiting("its kind is not served yet")


def service(obj: Object, slices: Sequence[Object] = ()) -> Standing:
    """It has at least one ready endpoint, and an address if it is a load balancer; headless and external ones need neither."""
    spec, status = mapping_of(obj.get("spec")), mapping_of(obj.get("status"))
    if spec.get("type") == "LoadBalancer" and not mapping_of(status.get("loadBalancer")).get("ingress"):
        return _waiting("the load balancer has no address yet")
    if not spec.get("selector") or spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None":
        return READY
    endpoints: list[Mapping[str, Any]] = [each for one in slices for each in list_of(one.get("endpoints"))]
    if any(mapping_of(each.get("conditions")).get("ready", True) for each in endpoints):
        return READY
    if endpoints:
        return _waiting("none of the pods that it selects is ready")
    return _waiting(f"no pod matches its selector {json.dumps(spec['selector'])}, or none is running")


def ingress(obj: Object, _: Sequence[Object] = ()) -> Standing:
    """It has an address."""
    status = mapping_of(obj.get("status"))
    ready = mapping_of(status.get("loadBalancer")).get("ingress")
    return READY if ready else _waiting("no ingress controller has given it an address yet")


def quota(obj: Object, _: Sequence[Object] = ()) -> Standing:
    """The controller counts it."""
    ready = mapping_of(obj.get("status")).get("hard") is not None
    return READY if ready else _waiting("the controller has not counted it yet")


def token_secret(obj: Object, _: Sequence[Object] = ()) -> Standing:
    """The token of a service account is filled in; any other Secret is ready at once."""
    wanted = obj.get("type") == "kubernetes.io/service-account-token"
    return (
        _waiting("its token is not filled in yet") if wanted and "token" not in mapping_of(obj.get("data")) else READY
    )


def api_service(obj: Object, _: Sequence[Object] = ()) -> Standing:
    """The aggregated API answers."""
    available = condition(obj, "Available")
    return READY if available.get("status") == "True" else _waiting(_says(available) or "it is not available yet")


RULES: Final[Mapping[tuple[str, str], tuple[Rule, float]]] = {
    ("", "PersistentVolume"): (volume, 300),
    ("", "PersistentVolumeClaim"): (claim, 300),
    ("", "Pod"): (pod, 600),
    ("", "ResourceQuota"): (quota, 60),
    ("", "Secret"): (token_secret, 300),
    ("", "Service"): (service, 600),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (definition, 300),
    ("apiregistration.k8s.io", "APIService"): (api_service, 600),
    ("apps", "DaemonSet"): (daemon_set, 600),
    ("apps", "Deployment"): (deployment, 600),
    ("apps", "StatefulSet"): (stateful_set, 600),
    ("batch", "Job"): (job, 600),
    ("networking.k8s.io", "Ingress"): (ingress, 600),
}
"""Rule and default bound in seconds, by group and kind; what is not here is ready at once."""

_PATH: Final = re.compile(r"jsonpath=\{\.([\w.\-]+)\}(?:=(.*))?")
_CONDITION: Final = re.compile(r"condition=([\w./\-]+)(?:=(.*))?")


def custom_rules(text: str) -> list[Rule]:
    """The rules of a pulumi.com/waitFor annotation: one expression, or a JSON list of them.

    Raises:
        ValueError: An expression is of another form than `condition=Type[=Status]` or `jsonpath={.a.b}[=value]`.
    """
    try:
        listed = json.loads(text)
    except ValueError:
        listed = None
    expressions = cast("list[Any]", listed) if isinstance(listed, list) else [text]
    return [_custom(each) for each in expressions]


def _custom(expression: Any) -> Rule:
    condition_, path = _CONDITION.fullmatch(str(expression)), _PATH.fullmatch(str(expression))
    if condition_:
        type_, wanted = condition_[1], condition_[2] or "True"
        return lambda obj, _: _met(condition(obj, type_).get("status"), wanted, f"condition {type_}")
    if path:
        steps, value = path[1].split("."), path[2]
        return lambda obj, _: _met(_at(obj, steps), value, "." + ".".join(steps))
    msg = f"{expression!r} is not `condition=Type[=Status]` or `jsonpath={{.a.b}}[=value]`, which is what the stand-in knows"
    raise ValueError(msg)


def _at(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        value = cast("Mapping[str, Any]", value).get(step) if isinstance(value, Mapping) else None
    return value


def _met(actual: Any, wanted: Optional[str], what: str) -> Standing:
    text = json.dumps(actual) if isinstance(actual, bool) else str(actual)
    met = actual is not None and (wanted is None or text == wanted)
    return READY if met else _waiting(f"{what} is {text if actual is not None else 'not set'}, not {wanted or 'set'}")


def rule_of(kind: Kind) -> Optional[tuple[Rule, float]]:
    """The rule of a kind and its default bound in seconds."""
    return RULES.get((kind.group, kind.name))


def pod_problems(pods: Sequence[Object]) -> list[str]:
    """What keeps each of these pods from being ready, in a line."""
    return [f"pod {metadata_of(each).get('name')}: {_problem(each)}" for each in pods if not pod(each).done]


def _problem(obj: Object) -> str:
    status = mapping_of(obj.get("status"))
    scheduled = condition(obj, "PodScheduled")
    if scheduled.get("status") == "False":
        return _says(scheduled)
    containers: list[Mapping[str, Any]] = [
        *list_of(status.get("initContainerStatuses")), *list_of(status.get("containerStatuses")),
    ]  # fmt: skip
    found: list[str] = []
    for container in containers:
        state = mapping_of(container.get("state"))
        waiting, ended = mapping_of(state.get("waiting")), mapping_of(state.get("terminated"))
        if waiting:
            found.append(f"container {container.get('name')}: {_says(waiting)}")
        elif ended and ended.get("exitCode"):
            found.append(f"container {container.get('name')}: exit code {ended['exitCode']}: {_says(ended)}")
    return "; ".join(found) or _says(condition(obj, "Ready")) or _says(status) or f"phase {status.get('phase')}"
