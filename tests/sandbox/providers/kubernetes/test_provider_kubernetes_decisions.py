"""What is decided from values alone: tokens, differences, readiness, kubeconfigs, manifests, settings."""

import inspect
import json
import re
from pathlib import Path

import pulumi_kubernetes
import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from edgelib.sandbox.providers import packages
from edgelib.sandbox.providers.kubernetes import kubeconfig, manifests, readiness
from edgelib.sandbox.providers.kubernetes.changes import differences, refused, replacing
from edgelib.sandbox.providers.kubernetes.kinds import has_namespace, is_list, kind_of, kind_of_token, token_of
from edgelib.sandbox.providers.kubernetes.settings import CONFIG, Session, replaced_by
from edgelib.sandbox.providers.resource import ProviderError
from edgelib.sandbox.providers.values import UNKNOWN, encode
from tests.sandbox.providers.kubernetes.kubernetes_support import obj
from tests.sandbox.providers.provider_client import Client


def every_token():
    """From the SDK's files: importing all of its modules takes seconds."""
    for file in Path(pulumi_kubernetes.__file__).parent.glob("*/v*/*.py"):
        yield from re.findall(r"^ +'(kubernetes:[\w./]+:\w+)',$", file.read_text(), re.MULTILINE)


def test_every_type_of_the_sdk_is_understood():
    none = ("helm.sh", "kustomize", "meta/v1", "yaml/v2")
    tokens = {token for token in every_token() if not any(each in token for each in none)}
    assert len(tokens) > 400
    for token in tokens:
        kind, patch = kind_of_token(token)
        assert kind.built_in, token
        assert patch == token.endswith("Patch")
        assert is_list(token) == token.endswith("List")
        assert token_of(kind) + ("Patch" if patch else "") == token
        assert has_namespace(kind) is not None


def test_tokens_of_custom_resources():
    kind, patch = kind_of_token("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", "HTTPRoute")
    assert (kind.api_version, kind.name, patch, has_namespace(kind)) == (
        "gateway.networking.k8s.io/v1", "HTTPRoute", False, None,
    )  # fmt: skip
    assert kind_of_token("kubernetes:example.com/v1:RoutePatch", "RoutePatch")[1] is False
    assert kind_of_token("kubernetes:example.com/v1:RoutePatch", "Route")[1] is True
    assert not is_list("kubernetes:example.com/v1:AllowList")


def test_scopes_are_those_of_a_real_server(client):
    api = client.provider._configured().api()
    for group in ("v1", "apps/v1", "batch/v1", "rbac.authorization.k8s.io/v1", "storage.k8s.io/v1", "networking.k8s.io/v1",
                  "admissionregistration.k8s.io/v1", "apiextensions.k8s.io/v1", "certificates.k8s.io/v1", "resource.k8s.io/v1",
                  "policy/v1", "scheduling.k8s.io/v1", "node.k8s.io/v1", "flowcontrol.apiserver.k8s.io/v1"):  # fmt: skip
        listed = api.request("get", f"/apis/{group}" if "/" in group else f"/api/{group}")["resources"]
        for each in listed:
            if "/" not in each["name"] and "list" in each["verbs"]:
                assert has_namespace(kind_of(group, each["kind"])) == each["namespaced"], each["kind"]


def test_differences_have_the_engines_paths():
    old = {"metadata": {"labels": {"a/b": "1"}}, "spec": {"items": [{"x": 1}, {"x": 2}], "gone": {"y": 1}}}
    new = {"metadata": {"labels": {"a/b": "2"}}, "spec": {"items": [{"x": 1}, {"x": UNKNOWN}, {"x": 3}]}}
    assert {(str(each), each.action) for each in differences(old, new)} == {
        ('metadata.labels["a/b"]', "update"), ("spec.items[1].x", "update"), ("spec.items[2]", "add"), ("spec.gone", "delete"),
    }  # fmt: skip


def test_a_parent_that_goes_takes_its_immutable_fields_along():
    found = [*differences({"spec": {"selector": {"a": 1}, "size": 1}}, {})]
    assert replacing(found, [("spec", "selector")]) == set(found)
    found = [*differences({"spec": {"size": 1}}, {"spec": {"size": 2}})]
    assert replacing(found, [("spec", "selector")]) == set()


def test_only_immutability_replaces_not_any_refusal():
    found = [*differences({"spec": {"a": 1, "b": 1}}, {"spec": {"a": 2, "b": -1}})]
    assert refused(found, [("spec.b", "Invalid value: -1: must be positive")]) == set()
    blamed = refused(found, [("spec.a", "Invalid value: 2: field is immutable")])
    assert {str(each) for each in blamed} == {"spec.a"}
    assert refused(found, [("spec", "Forbidden: updates to statefulset spec for fields other than ...")]) == set(found)


def deployment(**status):
    return {"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": {"observedGeneration": 2, **status}}


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            {"observedGeneration": 1, "updatedReplicas": 2, "availableReplicas": 2, "replicas": 2},
            "not seen this change",
        ),
        ({"updatedReplicas": 1, "availableReplicas": 2, "replicas": 2}, "1 of 2 replicas updated"),
        ({"updatedReplicas": 2, "availableReplicas": 2, "replicas": 3}, "1 old replicas are still there"),
        ({"updatedReplicas": 2, "availableReplicas": 1, "replicas": 2}, "1 of 2 replicas available"),
        ({"updatedReplicas": 2, "availableReplicas": 2, "replicas": 2}, None),
    ],
)
def test_a_rollout_is_complete_at_its_own_generation(status, message):
    standing = readiness.deployment(deployment(**status))
    assert standing.done == (message is None)
    assert (message or "") in standing.message


def test_a_stateful_set_of_an_older_revision_is_not_ready():
    status = {"readyReplicas": 3, "updatedReplicas": 1, "updateRevision": "b", "currentRevision": "a"}
    rolling = {"spec": {"replicas": 3}, "status": status}
    assert readiness.stateful_set(rolling).message == "1 of 3 replicas updated"
    partition = {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}
    assert readiness.stateful_set({**rolling, "spec": partition}).done
    assert readiness.stateful_set({**rolling, "spec": {"replicas": 3, "updateStrategy": {"type": "OnDelete"}}}).done


def test_what_keeps_a_pod_from_running_is_said():
    waiting = {"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    crashed = {"name": "d", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}
    status = {"phase": "Pending", "containerStatuses": [waiting, crashed]}
    assert readiness.pod_problems([{"metadata": {"name": "p"}, "status": status}]) == [
        "pod p: container c: ImagePullBackOff: no such image; container d: exit code 3: Error"
    ]


CLUSTERS = {
    "clusters": [{"name": "a", "cluster": {"server": "https://a"}}, {"name": "b", "cluster": {"server": "https://b"}}],
    "users": [{"name": "u", "user": {"client-key": "u.key"}}],
    "contexts": [
        {"name": "one", "context": {"cluster": "a", "user": "u", "namespace": "space"}},
        {"name": "two", "context": {"cluster": "b", "user": "u"}},
    ],
    "current-context": "one",
}


def test_context_and_cluster_are_chosen_by_the_settings(tmp_path):
    file = tmp_path / "config"
    file.write_text(json.dumps(CLUSTERS))
    assert Session({"kubeconfig": str(file)}).namespace() == "space"
    chosen = Session({"kubeconfig": json.dumps(CLUSTERS), "context": "two"})
    assert (chosen.chosen().server, chosen.namespace()) == ("https://b", "default")
    assert Session({"kubeconfig": json.dumps(CLUSTERS), "cluster": "b"}).chosen().server == "https://b"
    document = Session({"kubeconfig": str(file)}).chosen().document()
    assert document["users"][0]["user"]["client-key"] == str(tmp_path / "u.key")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "has no kubeconfig"),
        ({"kubeconfig": "/not/there"}, "'/not/there' cannot be read"),
        ({"kubeconfig": "a: [\n"}, "not YAML"),
        ({"kubeconfig": "{}"}, "has no `clusters`"),
        ({"kubeconfig": json.dumps(CLUSTERS), "context": "six"}, "no context 'six'; there are: one, two"),
        ({"kubeconfig": json.dumps(CLUSTERS), "cluster": "c"}, "no cluster 'c'; there are: a, b"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_says_why(settings, said):
    with pytest.raises(ProviderError, match=re.escape(said)):
        Session(settings).chosen()


def test_another_cluster_replaces_another_user_does_not():
    old = {"kubeconfig": json.dumps(CLUSTERS)}
    renewed = {**CLUSTERS, "users": [{"name": "u", "user": {"token": "t"}}]}
    assert replaced_by(old, {"kubeconfig": json.dumps(renewed)}) == set()
    assert replaced_by(old, {**old, "context": "two"}) == {"context"}
    named = {"clusterIdentifier": "x"}
    assert replaced_by({**old, **named}, {**old, **named, "context": "two"}) == set()
    assert replaced_by({**old, **named}, {**old, "clusterIdentifier": "y"}) == {"clusterIdentifier"}


def test_settings_that_the_stand_in_does_not_have_are_refused(tmp_path):
    client = Client(packages.load("kubernetes"), tmp_path / "notes")
    given = {"renderYamlToDirectory": "out", "enableServerSideApply": "false", "kubeconfg": "x", "context": "c"}
    answer = client.stub.CheckConfig(pb.CheckRequest(news=encode(given)))
    assert {failure.property for failure in answer.failures} == {
        "renderYamlToDirectory", "enableServerSideApply", "kubeconfg",
    }  # fmt: skip
    unknown = client.stub.DiffConfig(
        pb.DiffRequest(old_inputs=encode({"kubeconfig": "a"}), news=encode({"kubeconfig": UNKNOWN}))
    )
    assert list(unknown.replaces) == ["kubeconfig"]
    client.close()


def test_every_setting_of_the_sdk_is_known():
    def camel(name):
        first, *rest = name.split("_")
        return first + "".join(part.capitalize() for part in rest)

    given = inspect.signature(pulumi_kubernetes.ProviderArgs.__init__).parameters
    assert {row.name for row in CONFIG} == {camel(name) for name in given if name != "__self__"}


MANIFEST = """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: n}, data: {at: 2026-01-02}}
- {apiVersion: e.test/v1, kind: Thing, metadata: {name: t}}
---
# nothing here
---
apiVersion: v1
kind: Namespace
metadata: {name: n}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.e.test}
spec: {group: e.test, scope: Cluster, names: {kind: Thing}}
"""


def test_namespaces_and_definitions_of_a_manifest_come_first():
    found = manifests.items(manifests.parsed(MANIFEST, "yaml"), Session({}), prefix="p", skip_await=True)
    first, rest = manifests.in_waves(found)
    assert [each.name for each in first] == ["p:n", "p:things.e.test"]
    assert [each.name for each in rest] == ["p:n/c", "p:t"], (
        "a cluster-scoped kind of the same manifest has no namespace"
    )
    assert [each.name for each in manifests.dependencies(rest[0], found)] == ["p:n"]
    assert [each.name for each in manifests.dependencies(rest[1], found)] == ["p:things.e.test"]
    assert rest[0].obj["data"] == {"at": "2026-01-02"}, "Kubernetes' YAML has no dates"
    assert rest[0].obj["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    assert rest[1].token == "kubernetes:e.test/v1:Thing"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "m.yaml, line 1: this is not YAML"),
        ("- 1", "a document is a list"),
        ("kind: ConfigMap\nmetadata: {}", "has no apiVersion and no metadata.name"),
    ],
)
def test_a_manifest_that_is_none_is_named(text, said):
    with pytest.raises(ProviderError, match=re.escape(said)):
        manifests.items(manifests.parsed(text, "m.yaml"), Session({}), prefix=None, skip_await=False)


def test_the_manifests_of_yaml_v1_are_decoded(connect):
    found = connect().invoke("kubernetes:yaml:decode", text=MANIFEST, defaultNamespace="n")["result"]
    assert [each["kind"] for each in found] == ["ConfigMap", "Thing", "Namespace", "CustomResourceDefinition"]
    assert "namespace" not in found[2]["metadata"]


def test_an_object_twice_in_a_manifest_is_refused():
    twice = [obj("v1", "ConfigMap", "n", "c")] * 2
    with pytest.raises(ProviderError, match=r"have p:n/c .* twice"):
        manifests.items(twice, Session({}), prefix="p", skip_await=False)


def test_manifests_of_the_internet_and_missing_files_are_refused(tmp_path):
    with pytest.raises(ProviderError, match="download it"):
        manifests.from_files(["https://example.test/all.yaml"])
    with pytest.raises(ProviderError, match=r"missing.yaml: this manifest cannot be read: No such file"):
        manifests.from_files([str(tmp_path / "missing.yaml")])


def test_a_kubeconfig_given_as_text_and_as_a_path_is_the_same(tmp_path):
    file = tmp_path / "config"
    file.write_text(json.dumps(CLUSTERS))
    assert kubeconfig.load(str(file))[0] == kubeconfig.load(json.dumps(CLUSTERS))[0]
