"""Waiting on a real API: what is ready, and what is said of what does not get ready in time."""

import pytest

from tests.sandbox.providers.kubernetes.kubernetes_support import (
    CLAIM,
    CONFIG_MAP,
    DAEMON_SET,
    DEPLOYMENT,
    INGRESS,
    JOB,
    POD,
    SERVICE,
    STATEFUL_SET,
    deployment,
    obj,
    template,
)
from tests.sandbox.providers.provider_client import UnfinishedError

SHORT = {"pulumi.com/timeoutSeconds": "0.5"}
NOWHERE = {"nodeSelector": {"no": "such-node"}}


def workload(kind, namespace, app, **spec):
    selector = {"selector": {"matchLabels": {"app": app}}, "template": template(app)}
    return obj("apps/v1", kind, namespace, app, spec={**selector, **spec})


def job(namespace, name, **spec):
    pod = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "example.test/c:1"}]}}
    return obj("batch/v1", "Job", namespace, name, spec={"template": pod, **spec})


def claim(namespace, name, storage_class, **how):
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return obj("v1", "PersistentVolumeClaim", namespace, name, spec={**spec, "storageClassName": storage_class}, **how)


def unfinished(client, token, given, name="one"):
    with pytest.raises(UnfinishedError) as caught:
        client.create(token, given, name=name)
    return caught.value.made, str(caught.value)


def test_workloads_are_waited_for(client, namespace):
    made = client.create(STATEFUL_SET, workload("StatefulSet", namespace, "db", serviceName="db", replicas=2))
    assert made.outputs["status"]["readyReplicas"] == 2
    made = client.create(DAEMON_SET, workload("DaemonSet", namespace, "agent"))
    assert made.outputs["status"]["numberAvailable"] == 1
    made = client.create(JOB, job(namespace, "once"))
    assert made.outputs["status"]["succeeded"] == 1


def test_services_are_waited_for(client, namespace):
    client.create(DEPLOYMENT, deployment(namespace, name="web"), name="web")
    ports, selector = [{"port": 80}], {"app": "web"}
    spec = {"ports": ports, "selector": selector, "type": "LoadBalancer"}
    made = client.create(SERVICE, obj("v1", "Service", namespace, spec=spec))
    assert made.outputs["status"]["loadBalancer"]["ingress"]
    headless = {"ports": ports, "selector": {"app": "nobody"}, "clusterIP": "None"}
    client.create(SERVICE, obj("v1", "Service", namespace, spec=headless), name="headless")
    backend = {"service": {"name": made.id.split("/")[1], "port": {"number": 80}}}
    rule = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    made = client.create(INGRESS, obj("networking.k8s.io/v1", "Ingress", namespace, spec={"rules": [rule]}))
    assert made.outputs["status"]["loadBalancer"]["ingress"]
    lonely = {"ports": ports, "selector": {"app": "nobody"}}
    _, said = unfinished(client, SERVICE, obj("v1", "Service", namespace, "lonely", annotations=SHORT, spec=lonely))
    assert f"Service {namespace}/lonely is not ready after 0.5 s" in said
    assert 'no pod matches its selector {"app": "nobody"}' in said


def test_a_rollout_that_is_not_done_in_time_names_the_pods_and_goes_on_later(client, namespace):
    wanted = deployment(namespace, name="web", pod=NOWHERE, annotations=SHORT)
    made, said = unfinished(client, DEPLOYMENT, wanted)
    assert f"Deployment {namespace}/web is not ready after 0.5 s: 0 of 1 replicas available" in said
    assert "pod web-" in said
    assert "Unschedulable: 0/1 nodes are available" in said
    assert made.outputs["status"]["unavailableReplicas"] == 1
    finished = client.update(made, deployment(namespace, name="web"))
    assert finished.outputs["status"]["availableReplicas"] == 1
    with pytest.raises(Exception, match="is not ready after"):
        client.update(finished, deployment(namespace, name="web", pod=NOWHERE, annotations=SHORT))


def test_a_rollout_that_kubernetes_gives_up_fails_at_once(client, namespace):
    wanted = deployment(namespace, name="web", pod=NOWHERE, progressDeadlineSeconds=1)
    _, said = unfinished(client, DEPLOYMENT, wanted)
    assert f"Deployment {namespace}/web has failed: ProgressDeadlineExceeded" in said


def test_a_failed_job_says_why(client, namespace):
    pod = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}], **NOWHERE}}
    _, said = unfinished(client, JOB, job(namespace, "late", template=pod, activeDeadlineSeconds=1))
    assert f"Job {namespace}/late has failed: DeadlineExceeded" in said


def test_claims_wait_for_their_volume_unless_only_a_pod_binds_it(client, namespace):
    made = client.create(CLAIM, claim(namespace, "later", "local-path"))
    assert made.outputs["status"]["phase"] == "Pending"
    _, said = unfinished(client, CLAIM, claim(namespace, "never", "missing", annotations=SHORT))
    assert "phase Pending; there is no storage class 'missing'" in said


def test_a_pod_that_cannot_be_scheduled_is_explained(client, namespace):
    spec = {"containers": [{"name": "c", "image": "i"}]}
    client.create(POD, obj("v1", "Pod", namespace, spec=spec))
    _, said = unfinished(
        client, POD, obj("v1", "Pod", namespace, annotations=SHORT, spec={**spec, **NOWHERE}), name="two"
    )
    assert "is not ready after 0.5 s: phase Pending" in said
    assert "Unschedulable" in said


def test_skip_await_and_wait_for(client, namespace):
    skipped = {"pulumi.com/skipAwait": "true"}
    made = client.create(DEPLOYMENT, deployment(namespace, name="later", pod=NOWHERE, annotations=skipped))
    assert not made.outputs.get("status", {}).get("availableReplicas")
    wanted = {"pulumi.com/waitFor": '["jsonpath={.data.state}=done", "condition=Ready"]', **SHORT}
    _, said = unfinished(
        client, CONFIG_MAP, obj("v1", "ConfigMap", namespace, annotations=wanted, data={"state": "no"})
    )
    assert ".data.state is no, not done" in said


def test_what_a_finalizer_holds_is_said(client, kubernetes, namespace):
    made = client.create(CONFIG_MAP, obj("v1", "ConfigMap", namespace, "held", annotations=SHORT, data={"a": "b"}))
    hold = '{"metadata": {"finalizers": ["example.test/hold"]}}'
    kubernetes.kubectl("patch", "configmap/held", "-n", namespace, "--type=merge", "-p", hold)
    with pytest.raises(Exception, match=r"is not gone after .* it still exists .finalizer example.test/hold"):
        client.delete(made)
    kubernetes.kubectl(
        "patch", "configmap/held", "-n", namespace, "--type=merge", "-p", '{"metadata":{"finalizers":null}}'
    )
    client.delete(made)


def test_a_cancelled_update_stops_waiting(client, namespace):
    client.provider.cancelled.set()
    with pytest.raises(Exception, match="cancelled"):
        client.create(DEPLOYMENT, deployment(namespace, name="web", pod=NOWHERE))
