"""The life of objects on a real API: created, compared, changed, refreshed, imported, deleted; and what is refused."""

import base64
import json
import socket

from pulumi.runtime.proto import provider_pb2 as pb

from edgelib.sandbox.providers.creations import Creation
from edgelib.sandbox.providers.values import UNKNOWN, Secret, encode, secret_keys
from tests.sandbox.kubernetes.support import Authorities
from tests.sandbox.providers.kubernetes.kubernetes_support import (
    CONFIG_MAP,
    DEFINITION,
    DEPLOYMENT,
    NAMESPACE,
    SECRET,
    SERVICE,
    definition,
    deployment,
    obj,
    refused,
)


def config_map(namespace, name=None, **data):
    return obj("v1", "ConfigMap", namespace, name, data=data)


def test_a_namespace_and_a_deployment_in_it(client, kubernetes):
    space = client.create(NAMESPACE, obj("v1", "Namespace"), name="site")
    assert space.id.startswith("site-")
    assert len(space.id) == len("site-") + 8
    web = client.create(DEPLOYMENT, deployment(space.id), name="web")
    assert web.id == f"{space.id}/web-{web.id.rsplit('-', 1)[1]}"
    assert web.outputs["status"]["availableReplicas"] == 1
    assert "app.kubernetes.io/managed-by" not in web.outputs["metadata"].get("labels", {})
    assert client.diff(web, deployment(space.id)) == ({}, set(), False)

    assert client.diff(web, deployment(space.id, replicas=2))[0] == {"spec.replicas": "UPDATE"}
    web = client.update(web, deployment(space.id, replicas=2))
    assert web.outputs["status"]["availableReplicas"] == 2
    assert web.inputs["metadata"]["name"] == web.id.split("/")[1], "the generated name is kept"
    assert kubernetes.get("deployment", "-n", space.id)["items"][0]["spec"]["replicas"] == 2

    client.delete(web)
    assert kubernetes.get("pods", "-n", space.id)["items"] == [], "dependents go first"
    client.delete(space)
    client.delete(space)
    assert kubernetes.try_kubectl("get", "namespace", space.id).returncode != 0
    assert client.refresh(web) is None


def test_what_the_server_would_not_store_is_no_change(client, namespace):
    limits = {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "1000m"}}}]}
    web = client.create(DEPLOYMENT, deployment(namespace, pod=limits))
    assert client.refresh(web).inputs == web.inputs, "the server's spelling of a quantity is no drift"
    same = {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "1"}}}]}
    assert client.diff(web, deployment(namespace, pod=same)) == ({}, set(), False)
    assert client.diff(web, deployment(namespace, pod=limits, progressDeadlineSeconds=600)) == ({}, set(), False)
    assert client.diff(web, deployment(namespace, pod=limits, progressDeadlineSeconds=601))[0] != {}


def test_immutable_fields_replace(client, namespace):
    web = client.create(DEPLOYMENT, deployment(namespace))
    other = deployment(namespace, app="other")
    assert client.diff(web, other)[1:] == ({"spec.selector.matchLabels.app"}, False)
    named = client.create(DEPLOYMENT, deployment(namespace, app="fixed", name="fixed"))
    assert client.diff(named, deployment(namespace, app="other", name="fixed"))[1:] == (
        {"spec.selector.matchLabels.app"},
        True,
    ), "a fixed name is taken until its holder is gone"
    assert client.diff(named, deployment(namespace, app="fixed", name="moved"))[1:] == ({"metadata.name"}, False)
    assert client.diff(named, deployment("default", app="fixed", name="fixed"))[1:] == ({"metadata.namespace"}, False)


def test_a_field_that_only_the_server_knows_to_be_immutable_replaces(client, namespace):
    spec = {"type": "ClusterIP", "ports": [{"port": 80}], "ipFamilies": ["IPv4"]}
    made = client.create(SERVICE, obj("v1", "Service", namespace, spec=spec))
    assert client.diff(made, obj("v1", "Service", namespace, spec={**spec, "ipFamilies": ["IPv6"]}))[0] != {}
    kept = client.create(SECRET, obj("v1", "Secret", namespace, immutable=True, stringData={"a": "b"}), name="kept")
    kinds, replaces, _ = client.diff(kept, obj("v1", "Secret", namespace, immutable=False, stringData={"a": "b"}))
    assert kinds == {"immutable": "UPDATE_REPLACE"}
    assert replaces == {"immutable"}


def test_config_maps_are_replaced_unless_the_provider_says_they_can_change(client, connect, namespace):
    made = client.create(CONFIG_MAP, config_map(namespace, a="b"))
    assert client.diff(made, config_map(namespace, a="c"))[1] == {"data.a"}
    mutable = connect(enableConfigMapMutable="true")
    assert mutable.diff(made, config_map(namespace, a="c")) == ({"data.a": "UPDATE"}, set(), False)
    assert mutable.update(made, config_map(namespace, a="c")).outputs["data"] == {"a": "c"}


def test_a_refresh_sees_drift_and_an_update_heals_what_kubectl_did(client, kubernetes, namespace):
    web = client.create(DEPLOYMENT, deployment(namespace, name="web"))
    kubernetes.kubectl("scale", "deployment/web", "--replicas=3", "-n", namespace)
    drifted = client.refresh(web)
    assert drifted.inputs["spec"]["replicas"] == 3
    assert client.diff(drifted, deployment(namespace, name="web"))[0] == {"spec.replicas": "UPDATE"}
    healed = client.update(drifted, deployment(namespace, name="web"))
    assert healed.outputs["spec"]["replicas"] == 1
    kubernetes.kubectl("delete", "deployment/web", "-n", namespace)
    assert client.refresh(web) is None
    with refused("no longer exists: run `pulumi refresh`"):
        client.update(web, deployment(namespace, name="web", replicas=2))


def test_another_managers_field_is_a_conflict_that_says_what_to_do(client, kubernetes, namespace):
    web = client.create(DEPLOYMENT, deployment(namespace, name="web"))
    other = json.dumps(deployment(namespace, name="web", replicas=4))
    arguments = ("apply", "--server-side", "--force-conflicts", "--field-manager=autoscaler", "-f", "-")
    kubernetes.kubectl(*arguments, stdin=other)
    wanted = deployment(namespace, name="web", replicas=2)
    for preview in (True, False):
        with refused('.spec.replicas is managed by "autoscaler"', "pulumi.com/patchForce", "enablePatchForce"):
            client.update(web, wanted, preview=preview)
    forced = deployment(namespace, name="web", replicas=2, annotations={"pulumi.com/patchForce": "true"})
    assert client.update(web, forced).outputs["spec"]["replicas"] == 2


def test_ignored_fields_stay_with_their_manager(client, kubernetes, namespace):
    web = client.create(DEPLOYMENT, deployment(namespace, name="web"))
    arguments = ("apply", "--server-side", "--force-conflicts", "--field-manager=autoscaler", "-f", "-")
    kubernetes.kubectl(*arguments, stdin=json.dumps(deployment(namespace, name="web", replicas=4)))
    news = client.checked(DEPLOYMENT, deployment(namespace, name="web", minReadySeconds=0, paused=True), web.inputs)
    request = pb.UpdateRequest(
        id=web.id,
        urn=client.urn(DEPLOYMENT, "one"),
        olds=encode(web.outputs),
        old_inputs=encode(web.inputs),
        news=encode(news),
        ignoreChanges=["spec.replicas"],
    )
    client.stub.Update(request)
    spec = kubernetes.get("deployment/web", "-n", namespace)["spec"]
    assert (spec["replicas"], spec["paused"]) == (4, True)
    shown = json.loads(
        kubernetes.kubectl("get", "deployment/web", "-n", namespace, "--show-managed-fields", "-o", "json")
    )
    owners = {
        each["manager"]
        for each in shown["metadata"]["managedFields"]
        if "f:replicas" in each["fieldsV1"].get("f:spec", {})
    }
    assert owners == {"autoscaler"}


def test_a_typo_is_named_by_its_path(client, namespace):
    with refused(".spec.replcas: field not declared in schema", f"{namespace}/"):
        client.create(DEPLOYMENT, deployment(namespace, replcas=3))
    with refused(".spec.replicas: expected numeric", "name or its type"):
        client.create(DEPLOYMENT, deployment(namespace, replicas="five"))
    with refused("is invalid: spec.replicas: Invalid value: -1"):
        client.preview_create(DEPLOYMENT, deployment(namespace, replicas=-1))


def test_what_exists_is_not_taken_over_unasked(client, connect, kubernetes, namespace):
    kubernetes.apply(config_map(namespace, "mine", a="b"))
    with refused("already exists in the cluster", "pulumi import", "upsertExistingObjects"):
        client.create(CONFIG_MAP, config_map(namespace, "mine", a="b"))
    taken = connect(upsertExistingObjects="true").create(CONFIG_MAP, config_map(namespace, "mine", a="b", c="d"))
    assert taken.outputs["data"] == {"a": "b", "c": "d"}


def test_a_create_whose_answer_was_lost_is_not_done_twice(connect, monkeypatch, namespace):
    with monkeypatch.context() as killed:
        killed.setattr(Creation, "finished", lambda creation: None)
        made = connect().create(CONFIG_MAP, config_map(namespace, "once", a="b"))
    again = connect().create(CONFIG_MAP, config_map(namespace, "once", a="b"))
    assert again.outputs["metadata"]["uid"] == made.outputs["metadata"]["uid"]
    with refused("already exists"):
        connect().create(CONFIG_MAP, config_map(namespace, "once", a="b"), name="another")


def test_the_content_of_a_secret_is_secret_and_a_second_up_changes_nothing(client, namespace):
    given = obj("v1", "Secret", namespace, stringData={"password": "hush"})
    inputs = encode(client.checked(SECRET, given))
    answer = client.stub.Create(pb.CreateRequest(urn=client.urn(SECRET, "one"), properties=inputs))
    assert secret_keys(answer.properties) == {"data"}
    assert "hush" not in str(answer.properties.fields["metadata"])
    made = client.create(SECRET, given, name="two")
    assert base64.b64decode(made.outputs["data"]["password"]) == b"hush"
    assert client.diff(made, given) == ({}, set(), False)
    assert client.refresh(made).inputs == made.inputs
    read = client.stub.Read(pb.ReadRequest(id=made.id, urn=client.urn(SECRET, "two")))
    assert secret_keys(read.properties, read.inputs) == {"data"}


def test_a_secret_input_of_any_object_is_a_secret_output_at_its_place(client, namespace):
    inputs = client.checked(CONFIG_MAP, config_map(namespace, open="a", shut="hush"))
    inputs["data"] = {"open": "a", "shut": Secret("hush")}
    request = pb.CreateRequest(urn=client.urn(CONFIG_MAP, "one"), properties=encode(inputs))
    data = client.stub.Create(request).properties.fields["data"].struct_value
    assert secret_keys(data) == {"shut"}


def test_an_import_gives_inputs_that_change_nothing(client, kubernetes, namespace):
    kubernetes.apply(deployment(namespace, name="web"))
    found = client.imported(DEPLOYMENT, f"{namespace}/web")
    assert found.outputs["metadata"]["uid"]
    assert "uid" not in found.inputs["metadata"]
    assert "status" not in found.inputs
    assert client.diff(found, found.inputs) == ({}, set(), False)
    assert client.diff(found, deployment(namespace, name="web", replicas=2))[1] == set()


def test_a_preview_shows_what_the_server_makes_of_it_and_stores_nothing(client, kubernetes, namespace):
    shown = client.preview_create(DEPLOYMENT, deployment(namespace, name="web"))
    assert shown["spec"]["strategy"]["type"] == "RollingUpdate"
    assert shown["metadata"]["uid"] is UNKNOWN
    assert shown["status"] is UNKNOWN
    assert kubernetes.get("deployment", "-n", namespace)["items"] == []
    early = client.preview_create(CONFIG_MAP, config_map("not-there-yet", "x", a="b"))
    assert early["data"] == {"a": "b"}
    unknown = client.preview_create(CONFIG_MAP, config_map(namespace, "x", a=UNKNOWN))
    assert unknown["data"]["a"] is UNKNOWN


def test_custom_resources_by_a_definition_of_the_same_program(client, kubernetes):
    given = definition("objects.test", "Widget")
    crd = client.create(DEFINITION, given)
    assert client.diff(crd, given) == ({}, set(), False), "the SDK's spelling of x-kubernetes-* is no change"
    schema = crd.outputs["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert schema["properties"]["settings"]["x_kubernetes_preserve_unknown_fields"] is True
    # In the foreground the garbage collector would first have to hear of the kind, which takes it up to 30 s.
    background = {"pulumi.com/deletionPropagationPolicy": "background"}
    widget = obj(
        "objects.test/v1", "Widget", annotations=background, spec={"size": 3, "settings": {"anything": ["goes"]}}
    )
    token = "kubernetes:objects.test/v1:Widget"
    made = client.create(token, widget)
    assert made.id.startswith("default/one-")
    changed = client.update(made, obj("objects.test/v1", "Widget", annotations=background, spec={"size": 4}))
    assert changed.outputs["spec"] == {"size": 4}
    with refused("spec.size", "should be less than or equal to 9"):
        client.create(token, obj("objects.test/v1", "Widget", spec={"size": 10}), name="big")
    client.delete(changed)
    client.delete(crd)
    assert client.refresh(changed) is None, "without its definition there can be no object"


def test_a_kind_that_nobody_defined_is_named(client, monkeypatch):
    monkeypatch.setattr(client.provider.cancelled, "wait", lambda seconds: False)
    with refused("has no kind Gadget in objects.test/v2", "CustomResourceDefinition"):
        client.create("kubernetes:objects.test/v2:Gadget", obj("objects.test/v2", "Gadget", spec={}))


def test_a_patch_resource_manages_its_fields_alone(client, kubernetes, namespace):
    kubernetes.apply(config_map(namespace, "theirs", a="b"))
    token = CONFIG_MAP + "Patch"
    mine = {**config_map(namespace, "theirs", extra="c"), "kind": "ConfigMap"}
    made = client.create(token, mine)
    assert made.outputs["data"] == {"a": "b", "extra": "c"}
    assert client.refresh(made).inputs == made.inputs
    assert client.diff(made, config_map(namespace, "theirs", extra="d")) == ({"data.extra": "UPDATE"}, set(), False)
    client.delete(made)
    assert kubernetes.get("configmap/theirs", "-n", namespace)["data"] == {"a": "b"}
    assert "metadata.name" in client.check(token, config_map(namespace, a="b"))[1]
    with refused("does not exist", "Patch resource"):
        client.create(token, config_map(namespace, "nobodys", a="b"))


def test_lists_and_generate_name_are_refused_with_the_way_out(client):
    with refused("create each of its items", "ConfigGroup"):
        client.check("kubernetes:core/v1:ConfigMapList", {"items": []})
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}
    assert "leave out metadata.name" in client.check(CONFIG_MAP, wanted)[1]["metadata.generateName"]
    wrong = obj("v1", "ConfigMap", annotations={"pulumi.com/waitFor": "ready"})
    assert "condition=Type" in client.check(CONFIG_MAP, wrong)[1]["metadata.annotations"]


def test_the_providers_namespace_is_the_default(connect, namespace):
    made = connect(namespace=namespace).create(CONFIG_MAP, config_map(None, "placed", a="b"))
    assert made.id == f"{namespace}/placed"


def test_an_unreachable_server_is_named_with_the_cause(connect, kubeconfig, namespace):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    document = json.loads(kubeconfig)
    document["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
    gone = connect(kubeconfig=json.dumps(document))
    cause = (f"https://127.0.0.1:{port} (context 'x'", "cannot be reached", "Connection refused")
    with refused(*cause):
        gone.create(CONFIG_MAP, config_map(namespace, "x", a="b"))
    assert gone.preview_create(CONFIG_MAP, config_map(namespace, "x", a="b"))["data"] == {"a": "b"}
    made = connect().create(CONFIG_MAP, config_map(namespace, "x", a="b"))
    for call in (gone.refresh, gone.delete):
        with refused(*cause, "deleteUnreachable"):
            call(made)
    forgiving = connect(kubeconfig=json.dumps(document), deleteUnreachable="true")
    assert forgiving.refresh(made) is None
    forgiving.delete(made)


def test_a_server_that_the_kubeconfigs_ca_did_not_sign_is_not_trusted(connect, kubernetes, namespace):
    admin = kubernetes.authorities.admin()
    other = connect(kubeconfig=kubernetes.kubeconfig_of(admin, authority=Authorities().root.crt))
    with refused("cannot be reached", "CERTIFICATE_VERIFY_FAILED"):
        other.create(CONFIG_MAP, config_map(namespace, "x", a="b"))


def test_a_user_that_the_server_does_not_know_is_said(connect, kubernetes, namespace):
    stranger = connect(kubeconfig=kubernetes.kubeconfig_of(Authorities().admin()))
    with refused("does not know the user of context 'x'", "401"):
        stranger.create(CONFIG_MAP, config_map(namespace, "x", a="b"))


def test_an_intermediate_ca_alone_is_enough_as_it_is_for_kubectl(connect, kubernetes, namespace):
    admin, authority = kubernetes.authorities.admin(), kubernetes.authorities.cas["server-ca"].crt
    made = connect(kubeconfig=kubernetes.kubeconfig_of(admin, authority=authority))
    assert made.create(CONFIG_MAP, config_map(namespace, "x", a="b")).id == f"{namespace}/x"


def test_the_environments_proxy_is_not_asked_for_a_loopback_address(client, monkeypatch, namespace):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert client.create(CONFIG_MAP, config_map(namespace, "x", a="b")).id == f"{namespace}/x"


def test_keys_of_the_kubeconfig_are_not_left_on_disk(connect, monkeypatch, namespace, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    connect().create(CONFIG_MAP, config_map(namespace, "x", a="b"))
    assert list(folder.iterdir()) == []
