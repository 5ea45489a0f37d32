"""The stand-in under the real engine: typed resources, custom resources, manifests and a release in one program."""

import json
import os

import pytest

from tests.sandbox.providers.engine_stack import ROOT, Stack

pytestmark = pytest.mark.engine

PROGRAM = """
import json, os, pathlib, pulumi, pulumi_kubernetes as k8s
provider = k8s.Provider("cluster", kubeconfig=pulumi.Output.secret(pathlib.Path(os.environ["CLUSTER"]).read_text()))
opts = pulumi.ResourceOptions(provider=provider)
site = k8s.core.v1.Namespace("site", opts=opts)
password = k8s.core.v1.Secret("password", metadata={"namespace": site.metadata.name}, string_data={"word": "hushhush"}, opts=opts)
settings = k8s.core.v1.ConfigMap("settings", metadata={"namespace": site.metadata.name}, data={"size": os.environ["SIZE"]}, opts=opts)
labels = {"app": "web"}
web = k8s.apps.v1.Deployment("web", metadata={"namespace": site.metadata.name}, spec=k8s.apps.v1.DeploymentSpecArgs(
    replicas=int(os.environ["SIZE"]), selector={"match_labels": labels}, template={"metadata": {"labels": labels},
    "spec": {"containers": [{"name": "c", "image": "example.test/c:1", "resources": {"limits": {"cpu": "1000m"}},
        "env_from": [{"config_map_ref": {"name": settings.metadata.name}}]}]}}), opts=opts)
service = k8s.core.v1.Service("front", metadata={"namespace": site.metadata.name},
    spec={"selector": labels, "ports": [{"port": 80, "target_port": "http"}]}, opts=opts)
group = k8s.yaml.v2.ConfigGroup("group", yaml=pathlib.Path("group.yaml").read_text(), files=["files/*.yaml"],
    objs=[{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "third", "namespace": "engine-group"}, "data": {"a": "b"}}],
    opts=pulumi.ResourceOptions(providers={"kubernetes": provider}))
file = k8s.yaml.v2.ConfigFile("file", file="file.yaml", opts=pulumi.ResourceOptions(provider=provider))
app = k8s.helm.v3.Release("app", chart="./chart", namespace=site.metadata.name,
    values={"word": pulumi.Output.secret("hushhush")}, opts=opts)
pulumi.export("site", site.metadata.name)
pulumi.export("address", service.spec.cluster_ip)
pulumi.export("available", web.status.available_replicas)
pulumi.export("app", app.status.status)
pulumi.export("children", group.resources.apply(len))
"""
GROUP = """
apiVersion: engine.test/v1
kind: Gauge
metadata: {name: first, namespace: engine-group, annotations: {pulumi.com/deletionPropagationPolicy: background}}
spec: {size: 1}
---
apiVersion: v1
kind: Secret
metadata: {name: mine, namespace: engine-group}
stringData: {word: hushhush}
---
apiVersion: v1
kind: Namespace
metadata: {name: engine-group}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gauges.engine.test}
spec:
  group: engine.test
  scope: Namespaced
  names: {plural: gauges, kind: Gauge}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
ONE_FILE = """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: second, namespace: engine-group}, data: {a: b}}
"""
OTHER_FILE = "{apiVersion: v1, kind: ConfigMap, metadata: {name: of-file}, data: {a: b}}"
TEMPLATE = """
apiVersion: v1
kind: Secret
metadata: {name: "{{ .Release.Name }}"}
stringData: {word: {{ .Values.word | quote }}}
"""


@pytest.fixture
def stack_of(tmp_path, kubernetes, kubernetes_programs):
    if not (ROOT / "tools" / "bin" / "pulumi").exists():
        pytest.skip("the engine is not built: run `make engine`")

    def make(program):
        made = Stack(tmp_path, program, CLUSTER=str(kubernetes.kubeconfig), SIZE="1")
        (tmp_path / "group.yaml").write_text(GROUP)
        (tmp_path / "files").mkdir()
        (tmp_path / "files" / "one.yaml").write_text(ONE_FILE)
        (tmp_path / "file.yaml").write_text(OTHER_FILE)
        (tmp_path / "chart" / "templates").mkdir(parents=True)
        (tmp_path / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: app\nversion: 1.0.0\n")
        (tmp_path / "chart" / "templates" / "secret.yaml").write_text(TEMPLATE)
        made.environment["PATH"] += f"{os.pathsep}{kubernetes_programs}"
        return made

    return make


def test_the_life_of_a_stack(stack_of, kubernetes):
    stack = stack_of(PROGRAM)
    preview = stack.pulumi("preview")
    assert "engine-group/first" in preview, "children of a group are in the preview"
    children = {
        f"group:{name}"
        for name in (
            "engine-group", "gauges.engine.test", "engine-group/first", "engine-group/mine", "engine-group/second", "engine-group/third",
        )
    }  # fmt: skip
    made = {"site", "password", "settings", "web", "front", "app", "group", "file", "file:default/of-file", *children}
    assert stack.run("up") == {"create": made}
    outputs = stack.outputs()
    assert outputs["children"] == len(children)
    assert (outputs["available"], outputs["app"]) == (1, "deployed")
    assert outputs["address"].startswith("10.43.")
    state = stack.state()
    key = json.loads(kubernetes.kubeconfig.read_text())["users"][0]["user"]["client-key-data"]
    for secret in ("hushhush", "aHVzaGh1c2g", key):
        assert secret not in state
    assert stack.run("up") == {}
    assert stack.run("up", "--refresh") == {}

    stack.environment["SIZE"] = "2"
    steps = stack.run("up")
    assert steps["update"] == {"web"}
    assert steps["replace"] == steps["create-replacement"] == steps["delete-replaced"] == {"settings"}
    kubernetes.kubectl("scale", "deployment", "--all", "--replicas=4", "-n", outputs["site"])
    assert stack.run("up", "--refresh") == {"update": {"web"}}

    stack.run("destroy")
    for kind in ("namespace/engine-group", f"namespace/{outputs['site']}", "crd/gauges.engine.test"):
        assert kubernetes.try_kubectl("get", kind).returncode != 0


LATER = """
import os, pulumi, pulumi_command as command, pulumi_kubernetes as k8s
told = command.local.Command("told", create=f"cat {os.environ['CLUSTER']}", logging="none")
provider = k8s.Provider("cluster", kubeconfig=pulumi.Output.secret(told.stdout))
first = k8s.core.v1.ConfigMap("first", data={"a": "b"}, opts=pulumi.ResourceOptions(provider=provider))
group = k8s.yaml.v2.ConfigGroup("group", yaml='{apiVersion: v1, kind: ConfigMap, metadata: {name: of-group}, data: {a: b}}',
    opts=pulumi.ResourceOptions(provider=provider))
pulumi.export("first", first.metadata.name)
"""


def test_a_kubeconfig_that_is_not_known_yet_and_a_cluster_that_moves(stack_of, kubernetes, tmp_path):
    stack = stack_of(LATER)
    preview = stack.pulumi("preview")
    assert "first" in preview
    assert stack.run("up") == {"create": {"told", "first", "group", "group:default/of-group"}}
    before = stack.outputs()["first"]

    document = json.loads(kubernetes.kubeconfig.read_text())
    document["clusters"][0]["cluster"]["tls-server-name"] = "kubernetes"
    moved = tmp_path / "moved"
    moved.write_text(json.dumps(document))
    stack.environment["CLUSTER"] = str(moved)
    kubernetes.kubectl("delete", "configmap/of-group")  # as in a new cluster, which does not have it
    steps = stack.run("up")
    assert {"first", "group:default/of-group"} <= steps["replace"]
    assert stack.outputs()["first"] != before
    stack.run("destroy")
    assert kubernetes.try_kubectl("get", f"configmap/{before}").returncode != 0


BROKEN = """
import os, pathlib, pulumi, pulumi_kubernetes as k8s
provider = k8s.Provider("cluster", kubeconfig=pathlib.Path(os.environ["CLUSTER"]).read_text(), namespace="default")
labels = {"app": "stuck"}
pod = {"containers": [{"name": "c", "image": "i"}], **({"node_selector": {"no": "node"}} if os.environ["SIZE"] == "1" else {})}
k8s.apps.v1.Deployment("stuck", spec={"selector": {"match_labels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    opts=pulumi.ResourceOptions(provider=provider, custom_timeouts=pulumi.CustomTimeouts(create="1s", update="60s")))
"""


def test_what_is_not_ready_in_time_is_kept_and_finished_by_the_next_up(stack_of):
    stack = stack_of(BROKEN)
    said = stack.pulumi("up", "--yes", "--skip-preview", fails=True)
    assert "is not ready after 1 s: 0 of 1 replicas available" in said
    assert "Unschedulable: 0/1 nodes are available" in said
    assert "waiting until Deployment default/stuck-" in said
    stack.environment["SIZE"] = "2"
    assert stack.run("up") == {"update": {"stuck"}}
    stack.run("destroy")


def test_the_default_provider_takes_no_cluster_from_the_users_home(stack_of, kubernetes, tmp_path):
    stack = stack_of('import pulumi_kubernetes as k8s\nk8s.core.v1.ConfigMap("x", data={"a": "b"})')
    home = tmp_path / "home-of-user"
    (home / ".kube").mkdir(parents=True)
    (home / ".kube" / "config").write_text(kubernetes.kubeconfig.read_text())
    stack.environment = {**{k: v for k, v in stack.environment.items() if k != "KUBECONFIG"}, "HOME": str(home)}
    assert os.environ.get("HOME") != str(home)
    said = stack.pulumi("up", "--yes", "--skip-preview", fails=True)
    assert "has no kubeconfig" in said
    assert "pulumi_kubernetes.Provider" in said
