"""Helm releases by the real helm: installed, upgraded, failed and repaired, uninstalled."""

import base64
import http.server
import json
import os
import subprocess
import threading

import pytest

from tests.sandbox.providers.kubernetes.kubernetes_support import RELEASE, refused
from tests.sandbox.providers.provider_client import UnfinishedError

TEMPLATE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}-settings"}
data: {size: {{ .Values.size | quote }}, word: {{ .Values.word | quote }}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Release.Name }}"}
spec:
  replicas: 1
  selector: {matchLabels: {app: "{{ .Release.Name }}"}}
  template:
    metadata: {labels: {app: "{{ .Release.Name }}"}}
    spec:
      nodeSelector: {{ toJson .Values.nodeSelector }}
      containers: [{name: c, image: example.test/c:1}]
"""


@pytest.fixture
def chart(tmp_path):
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 1.2.3\nappVersion: '9'\n")
    (folder / "values.yaml").write_text("size: 1\nword: none\nnodeSelector: {}\n")
    (folder / "templates" / "all.yaml").write_text(TEMPLATE)
    return folder


@pytest.fixture(autouse=True)
def helm(kubernetes_programs, monkeypatch, tmp_path):
    """helm on PATH, with a home of the test's own."""
    monkeypatch.setenv("PATH", f"{kubernetes_programs}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    yield
    assert list(temporary.iterdir()) == [], "the kubeconfig that helm read is gone"


def settings(kubernetes, release):
    namespace, name = release.id.split("/")
    return kubernetes.get(f"configmap/{name}-settings", "-n", namespace)["data"]


def test_a_release_is_installed_upgraded_and_uninstalled(client, kubernetes, chart):
    given = {"chart": str(chart), "namespace": "helm-life", "createNamespace": True, "values": {"size": 2}}
    made = client.create(RELEASE, given, name="app")
    assert made.id.startswith("helm-life/app-")
    status = made.outputs["status"]
    assert (status["status"], status["revision"], status["chart"], status["version"]) == (
        "deployed",
        1,
        "small",
        "1.2.3",
    )
    assert made.outputs["resourceNames"]["Deployment/apps/v1"] == [made.id.split("/")[1]]
    assert settings(kubernetes, made) == {"size": "2", "word": "none"}
    assert client.diff(made, given) == ({}, set(), False)
    assert client.refresh(made).inputs == made.inputs

    wanted = {**given, "values": {"size": 3}, "valueYamlFiles": [{"text": "word: file\nsize: 7"}]}
    made = client.update(made, wanted)
    assert made.outputs["status"]["revision"] == 2
    assert settings(kubernetes, made) == {"size": "3", "word": "file"}
    assert client.diff(made, {**wanted, "namespace": "elsewhere"})[1] == {"namespace"}
    client.delete(made)
    client.delete(made)
    assert client.refresh(made) is None
    assert kubernetes.get("deployment", "-n", "helm-life")["items"] == []


def test_drift_and_import(client, kubernetes, chart, kubernetes_programs, namespace):
    given = {"chart": str(chart), "namespace": namespace, "name": "drifting", "values": {"size": 2}}
    made = client.create(RELEASE, given)
    config = {"HOME": os.environ["HOME"], "KUBECONFIG": str(kubernetes.kubeconfig)}
    command = [kubernetes_programs / "helm", "upgrade", "drifting", chart, "-n", namespace, "--set", "size=8"]
    subprocess.run(command, env=config, check=True, capture_output=True)
    drifted = client.refresh(made)
    assert drifted.inputs["values"] == {"size": 8}
    assert client.diff(drifted, given)[0] == {"values": "UPDATE"}
    imported = client.imported(RELEASE, f"{namespace}/drifting")
    assert imported.outputs["status"]["revision"] == 2
    with refused("already exists", "import it"):
        client.create(RELEASE, given, name="again")


def test_a_release_that_does_not_come_up_is_kept_and_repaired(client, chart, namespace):
    given = {"chart": str(chart), "namespace": namespace, "name": "stuck", "timeout": 1}
    broken = {**given, "values": {"nodeSelector": {"no": "such-node"}}}
    with pytest.raises(UnfinishedError, match="helm install") as caught:
        client.create(RELEASE, broken)
    made = client.update(caught.value.made, {**given, "timeout": 60})
    assert made.outputs["status"]["status"] == "deployed"
    atomic = {**broken, "name": "atomic", "atomic": True}
    with refused("helm install"):
        client.create(RELEASE, atomic, name="atomic")
    assert client.imported(RELEASE, f"{namespace}/atomic").id == "", "nothing is left behind"


def test_what_helm_refuses_is_in_helms_words(client, tmp_path, namespace, monkeypatch):
    with refused("no-such-chart", "not found"):
        client.create(RELEASE, {"chart": str(tmp_path / "no-such-chart"), "namespace": namespace})
    assert "not implemented" in client.check(RELEASE, {"chart": "c", "postrender": "p"})[1]["postrender"]
    monkeypatch.setenv("PATH", str(tmp_path))
    with refused("needs the helm binary", "PATH"):
        client.create(RELEASE, {"chart": "c", "namespace": namespace})


def test_a_chart_of_a_repository_with_a_password(client, kubernetes, chart, kubernetes_programs, namespace, tmp_path):
    shelf = tmp_path / "shelf"
    helm = kubernetes_programs / "helm"
    environment = {"HOME": str(tmp_path)}
    subprocess.run([helm, "package", chart, "-d", shelf], env=environment, check=True, capture_output=True)
    subprocess.run([helm, "repo", "index", shelf], env=environment, check=True, capture_output=True)
    wanted = "Basic " + base64.b64encode(b"me:hush").decode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(shelf))

        def do_GET(self):
            if self.headers.get("Authorization") == wanted:
                super().do_GET()
            else:
                self.send_error(401)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        options = {"repo": f"http://127.0.0.1:{server.server_port}", "username": "me", "password": "hush"}
        given = {"chart": "small", "version": "1.2.3", "namespace": namespace, "name": "shelved"}
        made = client.create(RELEASE, {**given, "repositoryOpts": options})
        server.shutdown()
    assert settings(kubernetes, made)["size"] == "1"
    assert json.dumps(made.outputs["status"])


RECORDER = """#!/bin/sh
echo "$@" >> "$HOME/arguments"
stat -c %a "$KUBECONFIG" >> "$HOME/modes"
case "$*" in *"get metadata"*) echo "Error: release: not found" >&2; exit 1;; esac
echo "Error: enough" >&2; exit 1
"""


def test_helm_gets_no_secret_in_its_arguments_and_a_kubeconfig_for_its_user_alone(
    client, monkeypatch, tmp_path, namespace, kubeconfig
):
    program = tmp_path / "bin" / "helm"
    program.parent.mkdir()
    program.write_text(RECORDER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    values = {"password": "hush"}
    with refused("enough"):
        client.create(RELEASE, {"chart": "c", "namespace": namespace, "values": values})
    said = (tmp_path / "arguments").read_text()
    assert "install one-" in said
    assert "hush" not in said
    assert set((tmp_path / "modes").read_text().split()) == {"600"}


def test_a_release_of_a_cluster_that_is_gone_can_be_forgotten(client, connect, kubeconfig, chart, namespace):
    made = client.create(RELEASE, {"chart": str(chart), "namespace": namespace, "name": "left", "skipAwait": True})
    document = json.loads(kubeconfig)
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    with refused("cannot be reached", "deleteUnreachable"):
        connect(kubeconfig=json.dumps(document)).delete(made)
    gone = connect(kubeconfig=json.dumps(document), deleteUnreachable="true")
    assert gone.refresh(made) is None
    gone.delete(made)
