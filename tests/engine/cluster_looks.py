"""What tests ask of a cluster's API, through the kubeconfig that the stack gives."""

import time

import urllib3
import yaml
from kubernetes import client, config

WAIT_SECONDS = 90


def connect(kubeconfig, context=None):
    """The API behind a kubeconfig (text)."""
    settings = client.Configuration()
    config.load_kube_config_from_dict(yaml.safe_load(kubeconfig), context=context, client_configuration=settings)
    settings.proxy = None  # loopback
    settings.retries = urllib3.Retry(3, backoff_factor=0.2)
    return client.CoreV1Api(client.ApiClient(settings))


def eventually(look, what, seconds=WAIT_SECONDS):
    """What ``look`` returns once it is true."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"not within {seconds} s: {what() if callable(what) else what}"
        time.sleep(0.2)


def ready(node):
    return next((each.status for each in node.status.conditions or [] if each.type == "Ready"), None) == "True"


def nodes(api):
    return {each.metadata.name: each for each in api.list_node().items}


def ready_nodes(api):
    return {name for name, node in nodes(api).items() if ready(node)}


def addresses(node):
    return {each.type: each.address for each in node.status.addresses}


def taints(node):
    return {f"{each.key}={each.value or ''}:{each.effect}" for each in node.spec.taints or []}


def pod(name, **spec):
    containers = [{"name": "main", "image": "registry.k8s.io/pause:3.10"}]
    return {"metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def scheduled(api, name):
    """The node that a pod was given, or why there is none, once the scheduler has decided."""

    def decision():
        found = api.read_namespaced_pod(name, "default")
        refused = [each for each in found.status.conditions or [] if each.reason == "Unschedulable"]
        return found.spec.node_name or (refused[0].message if refused else None)

    return eventually(decision, f"pod {name} scheduled or refused")
