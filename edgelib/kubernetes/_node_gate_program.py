"""Waits until a Kubernetes node is up, then keeps its labels and taints; or takes nodes that are no more out of the cluster.

A program of its own: it runs by its text on whatever Python 3.9 or later the user's machine has, and imports only the standard
library. The action is its argument (``wait`` or ``keep``), the settings are JSON on stdin (see node_gate.py). It prints what it
manages as its last line, and is given that line again in PULUMI_COMMAND_STDOUT. Progress goes to stderr.
"""

import contextlib
import http.client
import ipaddress
import json
import os
import re
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Optional, cast

REQUEST_SECONDS = 10.0
REMOVE_TRIES = 3  # with REQUEST_SECONDS each: an update is not held up for longer than 30 s
SLOWEST = 10  # the pause between two looks grows to so many times `poll_seconds`

UNREACHABLE = (
    "The API must be open to this machine: its address, as the internet sees it, belongs in the cluster's api_allowed_cidrs"
    " (a rule of the servers' security group)."
)
NOT_IN_SAN = (
    "The address must be among the subject alternative names that the server was started with: add it to K3s' tls-san."
)
FOREIGN = "What answers there is not this cluster, or it was started with another certificate authority."
NOT_ACCEPTED = "The server does not accept the cluster's admin certificate: it was started with another client certificate authority."
NEVER_JOINED = "It never joined: K3s on the instance does not run, cannot reach the server, or was refused by it (token, node password)."
NOT_READY = "`kubectl describe node` says more."


class PendingError(Exception):
    """Not yet: what is waited for, what was seen instead, and what helps if it stays so."""

    def __init__(self, what: str, seen: str, way_out: str) -> None:
        super().__init__(f"{what}: {seen}")
        self.way_out = way_out


class RefusedError(Exception):
    """The API refused a change for good."""


class Api:
    """The Kubernetes API by the admin's client certificate."""

    def __init__(self, gate: Mapping[str, Any]) -> None:
        self.server = str(gate["server"]).rstrip("/")
        handlers = [urllib.request.HTTPSHandler(context=tls(gate["ca_pem"], gate["certificate_pem"] + gate["key_pem"]))]
        direct = [urllib.request.ProxyHandler({})] if is_loopback(self.server) else []
        self._opener = urllib.request.build_opener(*handlers, *direct)

    def ask(self, method: str, path: str, body: Optional[Mapping[str, Any]] = None) -> tuple[int, str]:
        """The HTTP status and the text of the answer. Raises PendingError when none comes."""
        request = urllib.request.Request(self.server + path, method=method)  # noqa: S310 - the scheme is the gate's https
        request.add_header("Accept", "application/json, */*")
        if body is not None:
            request.add_header("Content-Type", "application/merge-patch+json")
            request.data = json.dumps(body).encode()
        try:
            try:
                with self._opener.open(request, timeout=REQUEST_SECONDS) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as refusal:
                with refusal:
                    return refusal.code, refusal.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise unanswered(self.server + path, error) from error

    def get(self, path: str, what: str) -> Optional[dict[str, Any]]:
        """The object, or None if there is none. Raises PendingError for any other answer."""
        status, text = self.ask("GET", path)
        if status == http.client.NOT_FOUND:
            return None
        if status != http.client.OK:
            raise PendingError(what, f"HTTP {status}, {message_of(text)}", way_out_of(status))
        return cast("dict[str, Any]", json.loads(text))


def tls(ca_pem: str, pair_pem: str) -> ssl.SSLContext:
    """As strict with certificates as kubectl is: any certificate in `ca_pem` is an anchor, RFC 5280's optional parts are optional."""
    context = ssl.create_default_context(cadata=ca_pem)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000)  # named since Python 3.10
    with tempfile.TemporaryDirectory(
        prefix="edgelib-"
    ) as folder:  # 0700; the standard library takes a key from files only
        pair = Path(folder, "pair.pem")
        pair.touch(mode=0o600)
        pair.write_text(pair_pem, encoding="utf-8")
        context.load_cert_chain(pair)
    return context


def is_loopback(server: str) -> bool:
    """Whether a proxy would be asked for its own machine."""
    host = urllib.parse.urlsplit(server).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def unanswered(url: str, error: Exception) -> PendingError:
    """Why there was no answer of the API."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        mismatch = cause.verify_code in (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
        return PendingError(url, cause.verify_message.rstrip("."), NOT_IN_SAN if mismatch else FOREIGN)
    if isinstance(cause, ssl.SSLError):
        return PendingError(url, f"TLS: {cause.reason or cause}", FOREIGN)
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return PendingError(url, text[:1].lower() + text[1:], UNREACHABLE)


def way_out_of(status: int) -> str:
    """What helps against an HTTP status that stays."""
    return (
        NOT_ACCEPTED
        if status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN)
        else "The API server itself is not healthy."
    )


def message_of(text: str) -> str:
    """What an answer says: the message of a Status, the failed checks of /readyz, or its beginning."""
    failed = re.findall(r"^\[-\](\S+) failed", text, re.MULTILINE)
    if failed:
        return f"failed: {', '.join(failed[:3])}{f' and {len(failed) - 3} more' if len(failed) > 3 else ''}"
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return " ".join(text.split())[:200] or "no text"


class Heartbeats:
    """Tells this machine's heartbeats from those that the machine before it, of the same node name, has left in the cluster.

    No clocks are compared: the old machine beats no more, so a heartbeat that moves is the new one's.
    """

    def __init__(self, instance: str, previous_instance: str) -> None:
        self.instance = instance
        self.replaced = bool(instance and previous_instance and instance != previous_instance)
        self.seen: list[Optional[str]] = []

    def check(self, what: str, renewed: Optional[str]) -> None:
        """`renewed` is the time of the node's lease. Raises PendingError."""
        self.seen.append(renewed)
        if self.replaced and renewed == self.seen[0]:
            beat = f"since {renewed}" if renewed else "yet"
            raise PendingError(what, f"no heartbeat {beat}, and {self.instance} is to take it over", NEVER_JOINED)


def check_api(api: Api) -> None:
    """The API serves. Raises PendingError."""
    status, text = api.ask("GET", "/readyz")
    if status != http.client.OK:
        raise PendingError(f"{api.server}/readyz", f"HTTP {status}, {message_of(text)}", way_out_of(status))


def check_cluster(api: Api, before: str) -> str:
    """What no other cluster has: the UID of its first namespace. Raises PendingError; RefusedError if it was another one before.

    A server that has lost its disk begins a new cluster, with the same certificates and tokens.
    """
    what = "namespace kube-system"
    namespace = api.get("/api/v1/namespaces/kube-system", what)
    if namespace is None:
        raise PendingError(what, "not there yet", NOT_READY)
    now = str(namespace["metadata"]["uid"])
    if before not in ("", now):
        raise RefusedError(
            f"{api.server} serves another cluster than before (kube-system was {before} and is {now}): its datastore is empty or"
            " another one, as after a move of the servers. The old disk goes when an update succeeds: bring it back, or take a"
            " snapshot of it. If the new cluster is meant, run one update with wait_for=nothing."
        )
    return now


def check_node(api: Api, gate: Mapping[str, Any], heartbeats: Heartbeats) -> dict[str, Any]:
    """The Node, once it is ready on this very machine. Raises PendingError."""
    name = gate["node"]
    what = f"node {name}"
    node = api.get(f"/api/v1/nodes/{name}", what)
    if node is None:
        raise PendingError(what, "not in the cluster", NEVER_JOINED)
    conditions: list[dict[str, Any]] = node.get("status", {}).get("conditions") or []
    ready = next((each for each in conditions if each["type"] == "Ready"), None)
    lease = api.get(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}", f"lease of {what}")
    heartbeats.check(what, (lease or {}).get("spec", {}).get("renewTime"))
    if ready is None:
        raise PendingError(what, "has not reported its status yet", NOT_READY)
    if ready["status"] != "True":
        said = ", ".join(ready[key] for key in ("reason", "message") if ready.get(key))
        raise PendingError(what, f"Ready={ready['status']} ({said or 'no reason given'})", NOT_READY)
    return node


def taint_id(taint: str) -> tuple[str, str]:
    """Key and effect of ``key=value:Effect``: what tells taints of a node apart."""
    pair, _, effect = taint.rpartition(":")
    return pair.partition("=")[0], effect


def taint_object(taint: str) -> dict[str, str]:
    """A taint as the API has it."""
    key, effect = taint_id(taint)
    value = taint.rpartition(":")[0].partition("=")[2]
    return {"key": key, **({"value": value} if value else {}), "effect": effect}


def changes(node: Mapping[str, Any], gate: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that brings the Node to what is wanted; {} if it is so. Labels and taints of others stay.

    `before` is what the gate managed until now: of that, what is wanted no more goes.
    """
    wanted: Mapping[str, str] = gate["labels"]
    live: dict[str, str] = node["metadata"].get("labels") or {}
    labels: dict[str, Optional[str]] = {key: value for key, value in wanted.items() if live.get(key) != value}
    labels.update({key: None for key in before["labels"] if key in live and key not in wanted})

    ours = {taint_id(taint): taint_object(taint) for taint in gate["taints"]}
    gone = {taint_id(taint) for taint in before["taints"]}
    present: list[dict[str, Any]] = node.get("spec", {}).get("taints") or []
    taints: list[dict[str, Any]] = []
    for taint in present:
        which = (taint["key"], taint["effect"])
        if which in ours:
            new = ours.pop(which)
            taints.append(taint if taint.get("value", "") == new.get("value", "") else new)
        elif which not in gone:
            taints.append(taint)
    taints.extend(ours.values())

    patch: dict[str, Any] = {}
    if labels:
        patch["metadata"] = {"labels": labels}
    if taints != present:
        patch["spec"] = {"taints": taints}
    return patch


def bring(api: Api, node: Mapping[str, Any], gate: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Sets labels and taints if they differ. Raises PendingError when it may yet work, else RefusedError."""
    patch = changes(node, gate, before)
    if not patch:
        return
    # The list of taints is written whole: with this version a taint that somebody else has just set is not lost.
    patch.setdefault("metadata", {})["resourceVersion"] = node["metadata"]["resourceVersion"]
    what = f"labels and taints of node {gate['node']}"
    status, text = api.ask("PATCH", f"/api/v1/nodes/{gate['node']}?fieldManager=edgelib", patch)
    if status == http.client.OK:
        say(f"{what}: set")
    elif status in (http.client.BAD_REQUEST, http.client.FORBIDDEN, http.client.UNPROCESSABLE_ENTITY):
        raise RefusedError(f"{what}: refused by the API: HTTP {status}, {message_of(text)}")
    else:
        raise PendingError(what, f"HTTP {status}, {message_of(text)}", way_out_of(status))


def managed_before(node: str, output: str) -> dict[str, Any]:
    """Instance, cluster, labels and taints in the last line of the gate's previous output; none if that was about another node."""
    last = (output.strip().splitlines() or [""])[-1]
    try:
        before = json.loads(last)
        if before["node"] == node:
            return {key: before[key] for key in ("instance_id", "cluster", "labels", "taints")}
    except (ValueError, KeyError, TypeError):
        pass
    return {"instance_id": "", "cluster": "", "labels": [], "taints": []}


def wait(gate: Mapping[str, Any], previous: str) -> int:
    """Waits for the node and sets its labels and taints; the exit status."""
    api, node, limit = Api(gate), str(gate["node"]), int(gate["wait_seconds"])
    before = managed_before(node, previous)
    heartbeats = Heartbeats(gate["instance_id"], before["instance_id"])
    start = time.monotonic()
    pause, seen = gate["poll_seconds"], ""
    while True:
        try:
            check_api(api)
            cluster = check_cluster(api, before["cluster"])
            bring(api, check_node(api, gate, heartbeats), gate, before)
            break
        except RefusedError as refused:
            say(str(refused))
            return 1
        except PendingError as pending:
            passed = time.monotonic() - start
            if passed >= limit:
                say(gave_up(gate, pending))
                return 1
            if str(pending) != seen:
                say(f"waiting for {pending} ({passed:.0f} s of {limit} s)")
                pause, seen = gate["poll_seconds"], str(pending)
        time.sleep(min(pause, max(0.0, limit - (time.monotonic() - start))))
        pause = min(pause * 1.5, gate["poll_seconds"] * SLOWEST)
    say(f"node {node} is Ready")
    result = {"node": node, "instance_id": gate["instance_id"], "cluster": cluster}
    print(json.dumps({**result, "labels": sorted(gate["labels"]), "taints": sorted(gate["taints"])}))  # noqa: T201 - the result
    return 0


def gave_up(gate: Mapping[str, Any], pending: PendingError) -> str:
    """The answer to a wait that ended: what, for how long, the last thing seen, the way out."""
    instance = gate["instance_id"]
    console = f"aws ec2 get-console-output --latest --output text --instance-id {instance}"
    parts = [
        f"node {gate['node']}{f' on {instance}' if instance else ''} is not up after {gate['wait_seconds']} s.",
        f"Last seen: {pending}.",
        pending.way_out,
        f"What the instance printed as it booted: {console}" if instance else "",
    ]
    return " ".join(part for part in parts if part)


def keep(members: Mapping[str, Any], previous: str) -> int:
    """Deletes the Nodes that were members and are no more; 0 in any case, because their machines must go in any case."""
    before: set[str] = set()
    with contextlib.suppress(ValueError, KeyError, TypeError):
        before = set(json.loads((previous.strip().splitlines() or [""])[-1])["nodes"])
    for node in sorted(before - set(members["nodes"])):
        remove(members, node)
    print(json.dumps({"nodes": sorted(members["nodes"])}))  # noqa: T201 - the result
    return 0


def remove(members: Mapping[str, Any], node: str) -> None:
    """Deletes the Node, in at most half a minute, or says why not."""
    problem = ""
    for attempt in range(REMOVE_TRIES):
        if attempt:
            time.sleep(members["poll_seconds"])
        try:
            status, text = Api(members).ask("DELETE", f"/api/v1/nodes/{node}")
        except (PendingError, OSError, ValueError) as error:
            problem = str(error)
            continue
        if status == http.client.OK:
            say(f"node {node} is out of the cluster")
            return
        problem = f"HTTP {status}, {message_of(text)}"
        if status < http.client.INTERNAL_SERVER_ERROR and status != http.client.TOO_MANY_REQUESTS:
            break
    say(f"node {node} was not taken out of the cluster: {problem}. `kubectl delete node {node}` does it.")


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - standard error is where progress goes


def main(arguments: Iterable[str]) -> int:
    """Runs the action; the exit status."""
    (action,) = arguments
    settings: Mapping[str, Any] = json.load(sys.stdin)
    return {"wait": wait, "keep": keep}[action](settings, os.environ.get("PULUMI_COMMAND_STDOUT", ""))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
