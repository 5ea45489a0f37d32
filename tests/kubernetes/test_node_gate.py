"""The readiness gate, run by its text as the provider runs it, against a TLS server that plays the Kubernetes API."""

import ast
import contextlib
import datetime as dt
import http.server
import ipaddress
import json
import os
import re
import socket
import ssl
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edgelib.kubernetes import _node_gate_program as program
from edgelib.kubernetes.node_gate import INTERPRETER, KEEP, PROGRAM, WAIT, Members, NodeGate

BEFORE, AFTER = "2026-03-01T11:59:54.999999Z", "2026-03-01T12:01:00.000000Z"
NODE = "/api/v1/nodes/edge-1"
SYSTEM = "/api/v1/namespaces/kube-system"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/edge-1"
CONSOLE = "aws ec2 get-console-output --latest --output text --instance-id i-0123"


def pem(private_key):
    return private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


@dataclass
class Authority:
    """A CA without the key identifiers that OpenSSL's strict mode wants, and what it has signed."""

    name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def sign(self, name, key, *extensions):
        today = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - dt.timedelta(days=1))
            .not_valid_after(today + dt.timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def certificate(self):
        return self.sign(self.name, self.key, x509.BasicConstraints(ca=True, path_length=None))

    def pair(self, name, *extensions):
        key = ec.generate_private_key(ec.SECP256R1())
        return self.sign(name, key, *extensions), pem(key)


AUTHORITY = Authority("cluster")
CA = AUTHORITY.certificate()
CERTIFICATE, KEY = AUTHORITY.pair("admin")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        api = self.server.api
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        api.requests.append((self.command, self.path.partition("?")[0], body))
        if self.path == "/readyz" and api.steps:
            api.steps.pop(0)()
        status, text = api.reply(self.command, self.path.partition("?")[0])
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PATCH(self):
        self.do_GET()

    def do_DELETE(self):
        self.do_GET()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # a client that does not like the certificate goes away


@dataclass
class Api:
    """What the API answers: (status, object or text) by method and path."""

    answers: dict = field(default_factory=dict)
    requests: list = field(default_factory=list)
    steps: list = field(default_factory=list)
    """Called one by one, before each answer to /readyz."""
    port: int = 0

    def reply(self, method, path):
        status, body = self.answers.get((method, path), (404, {"kind": "Status", "message": f"{path} not found"}))
        return status, body if isinstance(body, str) else json.dumps(body)

    def node(self, *, ready="True", reported=AFTER, labels=None, taints=None, **condition):
        conditions = [{"type": "MemoryPressure", "status": "False"}]
        if ready:
            conditions.append({"type": "Ready", "status": ready, "lastHeartbeatTime": reported, **condition})
        self.answers["GET", NODE] = (
            200,
            {
                "metadata": {"name": "edge-1", "resourceVersion": "41", "labels": labels or {}},
                "spec": {"taints": taints} if taints else {},
                "status": {"conditions": conditions},
            },
        )

    def lease(self, renewed):
        self.answers["GET", LEASE] = 200, {"spec": {"renewTime": renewed}}

    def up(self):
        self.answers["GET", "/readyz"] = 200, "ok"
        self.answers["GET", SYSTEM] = 200, {"metadata": {"uid": "c-1"}}

    @property
    def changed(self):
        return [request for request in self.requests if request[0] != "GET"]


@contextlib.contextmanager
def serving(api, certificate, key, folder):
    files = folder / "server.crt", folder / "server.key", folder / "ca.crt"
    for path, text in zip(files, (certificate, key, CA), strict=True):
        path.write_text(text)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files[2])
    context.load_cert_chain(files[0], files[1])
    context.verify_mode = ssl.CERT_REQUIRED
    with Server(("127.0.0.1", 0), Handler) as server:
        server.api = api
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        api.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def api(tmp_path):
    """An API that is up, with a node that is ready since it was launched."""
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    with serving(Api(), *AUTHORITY.pair("server", address), tmp_path) as api:
        api.up()
        api.node()
        api.lease(AFTER)
        api.answers["PATCH", NODE] = 200, {}
        yield api


def gate(api, **changed):
    settings = {
        "server": f"https://127.0.0.1:{api.port}",
        "ca_pem": CA,
        "certificate_pem": CERTIFICATE,
        "key_pem": KEY,
        "node": "edge-1",
        "instance_id": "i-0123",
        "labels": {},
        "taints": [],
        "wait_seconds": 30,
        "poll_seconds": 0.01,
    }
    return NodeGate(**{**settings, **changed})


@pytest.fixture
def run(tmp_path):
    """Runs the text with an action: exit status, stdout, stderr. Leaves no file and shows no secret."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def run(action, gate, *, previous="", text=PROGRAM, **environ):
        assert INTERPRETER[-1] == PROGRAM
        inherited = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        done = subprocess.run(
            [sys.executable, *INTERPRETER[1:-1], text, action],
            input=gate.to_json(),
            env={**inherited, "TMPDIR": str(scratch), "PULUMI_COMMAND_STDOUT": previous, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert list(scratch.iterdir()) == []
        for secret in (*KEY.splitlines()[1:-1], *CERTIFICATE.splitlines()[1:-1]):
            assert secret not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


def answer_of(stderr):
    """What the run says last: the message that Pulumi shows as the reason."""
    return stderr.splitlines()[-1]


# --- waiting


def test_a_ready_node_passes_and_nothing_is_changed(api, run):
    status, stdout, stderr = run(WAIT, gate(api))
    assert status == 0
    assert json.loads(stdout) == {
        "node": "edge-1",
        "instance_id": "i-0123",
        "cluster": "c-1",
        "labels": [],
        "taints": [],
    }
    assert answer_of(stderr) == "node edge-1 is Ready"
    assert api.changed == []


def test_it_waits_for_api_node_status_and_heartbeat_and_says_each_once(api, run):
    api.answers.clear()
    api.answers["GET", "/readyz"] = 500, "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"
    quiet = lambda: None  # noqa: E731
    api.steps = [
        quiet,
        quiet,
        api.up,
        lambda: api.node(ready=""),
        lambda: api.node(ready="False", reason="KubeletNotReady", message="cni plugin not initialized"),
        api.node,
    ]
    status, stdout, stderr = run(WAIT, gate(api))
    assert status == 0
    assert json.loads(stdout)["node"] == "edge-1"
    lines = [re.sub(r" \(\d+ s of 30 s\)$", "", line) for line in stderr.splitlines()]
    assert lines == [
        f"waiting for https://127.0.0.1:{api.port}/readyz: HTTP 500, failed: etcd",
        "waiting for node edge-1: not in the cluster",
        "waiting for node edge-1: has not reported its status yet",
        "waiting for node edge-1: Ready=False (KubeletNotReady, cni plugin not initialized)",
        "node edge-1 is Ready",
    ]


def test_output_is_the_same_however_long_it_took(api, run):
    settings = gate(api, labels={"b": "2", "a": "1"}, taints=["z:NoSchedule", "a=b:NoExecute"])
    _, first, _ = run(WAIT, settings)
    api.steps = [lambda: api.node(ready="Unknown"), api.node]
    _, second, _ = run(WAIT, settings)
    assert first == second
    managed = {"labels": ["a", "b"], "taints": ["a=b:NoExecute", "z:NoSchedule"]}
    assert json.loads(first) == {"node": "edge-1", "instance_id": "i-0123", "cluster": "c-1", **managed}


def test_a_node_without_a_heartbeat_passes_where_none_was_before(api, run):
    del api.answers["GET", LEASE]
    assert run(WAIT, gate(api))[0] == 0


def test_replaced_instance_has_passed_when_a_new_heartbeat_comes(api, run):
    old = printed(instance_id="i-before")
    settings = gate(api)
    stays = "no heartbeat since 2026-03-01T12:01:00.000000Z, and i-0123 is to take it over"
    said = gives_up(run, settings, previous=old)
    assert stays in said
    assert "never joined" in said

    api.steps = [lambda: None, lambda: api.lease("2026-03-01T12:01:10.000000Z")]
    status, stdout, stderr = run(WAIT, settings, previous=old)
    assert status == 0
    assert stays in stderr
    assert json.loads(stdout)["instance_id"] == "i-0123"

    assert "waiting" not in run(WAIT, settings, previous=stdout)[2]


def test_first_heartbeat_of_a_replaced_instance_may_be_the_nodes_first(api, run):
    del api.answers["GET", LEASE]
    api.steps = [lambda: None, lambda: api.lease(AFTER)]
    status, _, stderr = run(WAIT, gate(api), previous=printed(instance_id="i-before"))
    assert status == 0
    assert "no heartbeat yet, and i-0123 is to take it over" in stderr


# --- giving up


def gives_up(run, settings, **options):
    status, stdout, stderr = run(WAIT, replace(settings, wait_seconds=0), **options)
    assert (status, stdout) == (1, "")
    return answer_of(stderr)


def test_node_that_never_joined(api, run):
    del api.answers["GET", NODE]
    said = gives_up(run, gate(api))
    assert said.startswith("node edge-1 on i-0123 is not up after 0 s. Last seen: node edge-1: not in the cluster.")
    assert "never joined" in said
    assert said.endswith(CONSOLE)


@pytest.mark.parametrize("ready", ["False", "Unknown"])
def test_node_that_is_not_ready(api, run, ready):
    api.node(ready=ready, reason="NodeStatusUnknown", message="Kubelet stopped posting node status.")
    said = gives_up(run, gate(api, instance_id=""))
    assert f"Ready={ready} (NodeStatusUnknown, Kubelet stopped posting node status.)" in said
    assert "aws ec2" not in said


def test_api_where_nobody_listens(run):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    said = gives_up(run, gate(Api(port=port)))
    assert f"https://127.0.0.1:{port}/readyz: connection refused" in said
    assert "api_allowed_cidrs" in said
    assert said.endswith(CONSOLE)


def test_api_that_never_answers(run):
    hasty = PROGRAM.replace("REQUEST_SECONDS = 10.0", "REQUEST_SECONDS = 0.2")
    assert hasty != PROGRAM
    with socket.create_server(("127.0.0.1", 0)) as listener:
        said = gives_up(run, gate(Api(port=listener.getsockname()[1])), text=hasty)
    assert "timed out" in said
    assert "api_allowed_cidrs" in said


def test_api_that_hangs_up(run):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up():
            listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        said = gives_up(run, gate(Api(port=listener.getsockname()[1])))
        thread.join()
    assert "Last seen: https://127.0.0.1" in said


def test_name_that_does_not_resolve(run):
    said = gives_up(run, replace(gate(Api()), server="https://api.invalid:6443/"))
    assert "Last seen: https://api.invalid:6443/readyz:" in said
    assert "api_allowed_cidrs" in said


def test_certificate_without_the_address(run, tmp_path):
    other = x509.SubjectAlternativeName([x509.DNSName("kubernetes"), x509.IPAddress(ipaddress.ip_address("10.0.0.4"))])
    with serving(Api(), *AUTHORITY.pair("server", other), tmp_path) as api:
        said = gives_up(run, gate(api))
        assert "certificate is not valid for '127.0.0.1'" in said
        assert "tls-san" in said
        named = gives_up(run, replace(gate(api), server=f"https://localhost:{api.port}"))
        assert "certificate is not valid for 'localhost'" in named
        assert "tls-san" in named


def test_server_of_another_cluster(api, run):
    said = gives_up(run, gate(api, ca_pem=Authority("cluster").certificate()))
    assert "certificate" in said
    assert "not this cluster" in said


def test_certificate_that_the_server_does_not_take(api, run):
    certificate, key = Authority("other").pair("admin")
    said = gives_up(run, gate(api, certificate_pem=certificate, key_pem=key))
    assert f"https://127.0.0.1:{api.port}/readyz: " in said
    assert "Last seen" in said


@pytest.mark.parametrize("status", [401, 403])
def test_user_whom_the_api_does_not_know(api, run, status):
    api.answers["GET", "/readyz"] = status, {"kind": "Status", "message": "Unauthorized"}
    said = gives_up(run, gate(api))
    assert f"HTTP {status}, Unauthorized" in said
    assert "client certificate authority" in said


def test_api_that_fails_over_the_node(api, run):
    api.answers["GET", NODE] = 503, "apiserver not ready"
    assert "node edge-1: HTTP 503, apiserver not ready. The API server" in gives_up(run, gate(api))


def test_api_that_has_just_begun_is_described_in_short(api, run):
    checks = "".join(f"[-]check-{number} failed: reason withheld\n" for number in range(12))
    api.answers["GET", "/readyz"] = 500, f"[+]ping ok\n{checks}readyz check failed\n"
    assert "HTTP 500, failed: check-0, check-1, check-2 and 9 more." in gives_up(run, gate(api))


def test_wait_is_bounded(api, run):
    del api.answers["GET", NODE]
    status, _, stderr = run(WAIT, gate(api, wait_seconds=1, poll_seconds=0.05))
    assert status == 1
    assert "is not up after 1 s" in answer_of(stderr)
    assert 3 < len([path for _, path, _ in api.requests if path == "/readyz"]) < 9  # the pause grows


# --- labels and taints


def printed(labels=(), taints=(), node="edge-1", instance_id="i-0123", cluster="c-1"):
    about = {"node": node, "instance_id": instance_id, "cluster": cluster}
    return json.dumps({**about, "labels": list(labels), "taints": list(taints)})


def test_a_cluster_that_began_anew_on_an_empty_disk_is_refused(api, run):
    status, stdout, stderr = run(WAIT, gate(api), previous=printed(cluster="c-0"))
    assert (status, stdout, api.changed) == (1, "", [])
    assert "serves another cluster than before (kube-system was c-0 and is c-1)" in answer_of(stderr)
    assert "wait_for=nothing" in answer_of(stderr)


def test_a_cluster_that_is_still_being_made_is_waited_for(api, run):
    made = api.answers.pop(("GET", SYSTEM))
    api.steps = [lambda: None, lambda: api.answers.update({("GET", SYSTEM): made})]
    status, _, stderr = run(WAIT, gate(api))
    assert status == 0
    assert "waiting for namespace kube-system: not there yet" in stderr


def test_labels_are_brought_to_what_is_wanted_and_others_stay(api, run):
    api.node(labels={"kept": "1", "changed": "old", "gone": "x", "somebody": "else"})
    wanted = {"kept": "1", "changed": "new", "added": "", "not-ours-before": "z"}
    status, stdout, _ = run(
        WAIT, gate(api, labels=wanted), previous=printed(["kept", "changed", "gone", "never-there"])
    )
    assert status == 0
    labels = {"changed": "new", "added": "", "not-ours-before": "z", "gone": None}
    assert api.changed == [("PATCH", NODE, {"metadata": {"labels": labels, "resourceVersion": "41"}})]
    assert json.loads(stdout)["labels"] == sorted(wanted)


def test_taints_are_brought_to_what_is_wanted_and_others_stay(api, run):
    live = [
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": AFTER},
        {"key": "kept", "value": "1", "effect": "NoSchedule", "timeAdded": AFTER},
        {"key": "changed", "value": "old", "effect": "NoSchedule"},
        {"key": "gone", "effect": "NoSchedule"},
        {"key": "gone", "effect": "NoExecute"},
    ]
    api.node(taints=live)
    settings = gate(api, taints=["kept=1:NoSchedule", "changed=new:NoSchedule", "added:PreferNoSchedule"])
    previous = printed(taints=["kept=1:NoSchedule", "gone:NoSchedule", "changed=old:NoSchedule"])
    assert run(WAIT, settings, previous=previous)[0] == 0
    ((_, _, body),) = api.changed
    assert body["metadata"] == {"resourceVersion": "41"}
    assert body["spec"]["taints"] == [
        live[0],
        live[1],
        {"key": "changed", "value": "new", "effect": "NoSchedule"},
        live[4],
        {"key": "added", "effect": "PreferNoSchedule"},
    ]


def test_what_is_as_wanted_is_left_alone(api, run):
    api.node(labels={"a": "1"}, taints=[{"key": "edge", "value": "yes", "effect": "NoSchedule"}])
    settings = gate(api, labels={"a": "1"}, taints=["edge=yes:NoSchedule"])
    assert run(WAIT, settings, previous=printed(["a", "b"], ["other:NoSchedule"]))[0] == 0
    assert api.changed == []


@pytest.mark.parametrize("previous", ["", "not json", "[]", printed(["gone"], node="edge-2")])
def test_previous_output_that_is_not_about_this_node_removes_nothing(api, run, previous):
    api.node(labels={"gone": "x"})
    assert run(WAIT, gate(api), previous=previous)[0] == 0
    assert api.changed == []


def test_node_that_changed_meanwhile_is_looked_at_again(api, run):
    api.answers["PATCH", NODE] = 409, {"message": "the object has been modified"}
    api.steps = [lambda: None, lambda: api.answers.update({("PATCH", NODE): (200, {})})]
    status, _, stderr = run(WAIT, gate(api, labels={"a": "1"}))
    assert status == 0
    assert "labels and taints of node edge-1: HTTP 409, the object has been modified" in stderr
    assert len(api.changed) == 2


def test_change_that_is_refused_for_good_is_not_waited_for(api, run):
    api.answers["PATCH", NODE] = 422, {"message": 'metadata.labels: Invalid value: "a b"'}
    status, stdout, stderr = run(WAIT, gate(api, labels={"a": "a b"}))
    assert (status, stdout) == (1, "")
    assert answer_of(stderr) == (
        'labels and taints of node edge-1: refused by the API: HTTP 422, metadata.labels: Invalid value: "a b"'
    )


# --- the end


def members(api, *nodes, **changed):
    admin = {key: getattr(gate(api), key) for key in ("server", "ca_pem", "certificate_pem", "key_pem", "poll_seconds")}
    return Members(**{**admin, "nodes": nodes, **changed})


KEPT = json.dumps({"nodes": ["edge-1", "edge-2"]})


def test_a_node_that_is_no_member_any_more_is_taken_out(api, run):
    api.answers["DELETE", NODE] = 200, {"status": "Success"}
    status, stdout, stderr = run(KEEP, members(api, "edge-3", "edge-2"), previous=f"earlier\n{KEPT}")
    assert (status, stderr) == (0, "node edge-1 is out of the cluster\n")
    assert json.loads(stdout) == {"nodes": ["edge-2", "edge-3"]}
    assert api.changed == [("DELETE", NODE, None)]


@pytest.mark.parametrize("previous", ["", KEPT, "no JSON", "[]", "{}"])
def test_nothing_is_taken_out_that_is_a_member_or_never_was(api, run, previous):
    status, _, stderr = run(KEEP, members(api, "edge-1", "edge-2"), previous=previous)
    assert (status, stderr, api.changed) == (0, "", [])


def test_a_busy_api_is_asked_again(api, run):
    api.answers["DELETE", NODE] = 503, "shutting down"
    status, _, stderr = run(KEEP, members(api, "edge-2"), previous=KEPT)
    assert status == 0
    way_out = "`kubectl delete node edge-1` does it."
    assert stderr == f"node edge-1 was not taken out of the cluster: HTTP 503, shutting down. {way_out}\n"
    assert len(api.changed) == 3


def test_a_node_that_is_gone_already_is_no_failure(api, run):
    status, _, stderr = run(KEEP, members(api, "edge-2"), previous=KEPT)
    assert status == 0
    assert "HTTP 404" in stderr
    assert len(api.changed) == 1


def test_an_api_that_is_gone_is_no_failure(run):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    status, _, stderr = run(KEEP, members(Api(port=port), "edge-2"), previous=KEPT)
    assert status == 0
    assert "node edge-1 was not taken out of the cluster" in stderr
    assert "connection refused" in stderr


def test_a_key_that_cannot_be_read_is_no_failure(api, run):
    assert run(KEEP, members(api, "edge-2", key_pem="no key"), previous=KEPT)[0] == 0


# --- how it runs


def test_loopback_is_never_asked_through_a_proxy(api, run):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = gate(api)
    assert run(WAIT, settings, HTTPS_PROXY=closed, https_proxy=closed)[0] == 0


def test_elsewhere_the_proxy_of_the_environment_is_used(run):
    asked = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self):
            asked.append(self.path)
            self.send_error(403)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        settings = replace(gate(Api()), server="https://203.0.113.7:6443")
        said = gives_up(run, settings, HTTPS_PROXY=f"http://127.0.0.1:{server.server_port}")
        thread.join()
    assert asked == ["203.0.113.7:6443"]
    assert "tunnel connection failed: 403" in said


def test_module_of_the_users_folder_stands_in_for_none_of_pythons(api, run, tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "ssl.py").write_text("raise SystemExit('mine')")
    monkeypatch.chdir(folder)
    assert run(WAIT, gate(api), PYTHONPATH=str(folder))[0] == 0


def test_key_lies_in_a_file_of_its_own_for_a_moment_only(monkeypatch):
    seen = []

    def load(self, path):
        seen.append((path, stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)))
        raise ssl.SSLError("no")

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    with pytest.raises(ssl.SSLError):
        program.tls(CA, CERTIFICATE + KEY)
    ((path, mode, folder_mode),) = seen
    assert (mode, folder_mode) == (0o600, 0o700)
    assert not path.parent.exists()


def test_program_needs_nothing_but_python_3_9():
    tree = ast.parse(PROGRAM, feature_version=(3, 9))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names
    assert Path(program.__file__).read_text(encoding="utf-8") == PROGRAM
    assert len(PROGRAM.encode()) < 24 * 1024  # an argument of a process: Windows takes 32 KiB in all


def test_settings_are_the_same_text_for_the_same_settings():
    first, second = gate(Api(), labels={"a": "1", "b": "2"}), gate(Api(), labels={"b": "2", "a": "1"})
    assert first.to_json() == second.to_json()
    assert json.loads(first.to_json())["node"] == "edge-1"
