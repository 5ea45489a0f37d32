"""What these tests create, and the tokens of it."""

import contextlib

import grpc
import pytest

NAMESPACE = "kubernetes:core/v1:Namespace"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"
SERVICE = "kubernetes:core/v1:Service"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
POD = "kubernetes:core/v1:Pod"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
DAEMON_SET = "kubernetes:apps/v1:DaemonSet"
JOB = "kubernetes:batch/v1:Job"
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
RELEASE = "kubernetes:helm.sh/v3:Release"


def obj(api_version, kind, namespace=None, name=None, *, annotations=None, **content):
    """An object; without a name the provider makes one."""
    given = {"namespace": namespace, "name": name, "annotations": annotations}
    metadata = {key: value for key, value in given.items() if value}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def template(app, **spec):
    container = {"name": "c", "image": "example.test/c:1"}
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container], **spec}}


def deployment(namespace, app="web", *, replicas=1, pod=None, name=None, annotations=None, **spec):
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": app}},
        "template": template(app, **(pod or {})),
        **spec,
    }
    return obj("apps/v1", "Deployment", namespace, name, annotations=annotations, spec=spec)


def definition(group, kind, scope="Namespaced"):
    """A CustomResourceDefinition with a bounded integer and free-form settings, as the SDK spells it."""
    plural = kind.lower() + "s"
    settings = {"type": "object", "x_kubernetes_preserve_unknown_fields": True}
    spec = {"type": "object", "properties": {"size": {"type": "integer", "maximum": 9}, "settings": settings}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    }
    names = {"plural": plural, "kind": kind, "singular": kind.lower()}
    return obj(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        name=f"{plural}.{group}",
        spec={"group": group, "scope": scope, "names": names, "versions": [version]},
    )


@contextlib.contextmanager
def refused(*words):
    """The call fails, and its message has all these words."""
    with pytest.raises(grpc.RpcError) as caught:
        yield
    said = caught.value.details()
    for word in words:
        assert word in said, said
