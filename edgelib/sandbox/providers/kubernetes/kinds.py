"""Kubernetes kinds as Pulumi names them: type tokens, scopes, and the fields whose change needs a new object."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Optional

BUILT_IN_GROUPS: Final = frozenset(
    {
        "", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "auditregistration.k8s.io",
        "autoscaling", "batch", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "extensions",
        "flowcontrol.apiserver.k8s.io", "lifecycle.k8s.io", "networking.k8s.io", "node.k8s.io", "policy", "rbac.authorization.k8s.io",
        "resource.k8s.io", "scheduling.k8s.io", "settings.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
    }
)  # fmt: skip
"""Groups that every API server has or had: their kinds need no discovery to know whether they have a namespace."""

_CLUSTER_SCOPED: Final = frozenset(
    {
        "APIService", "AuditSink", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterCIDR", "ClusterRole",
        "ClusterRoleBinding", "ClusterTrustBundle", "ComponentStatus", "CustomResourceDefinition", "DeviceClass", "DeviceTaintRule",
        "FlowSchema", "IPAddress", "IngressClass", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume", "PodSecurityPolicy", "PriorityClass",
        "PriorityLevelConfiguration", "ResourceClass", "ResourcePoolStatusRequest", "ResourceSlice", "RuntimeClass", "ServiceCIDR",
        "StorageClass", "StorageVersionMigration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration", "VolumeAttachment", "VolumeAttributesClass",
    }
)  # fmt: skip

_SELECTOR: Final = ("spec.selector",)
_CONTAINER: Final = (
    "args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports", "readinessProbe", "resources",
    "securityContext", "stdin", "stdinOnce", "terminationMessagePath", "terminationMessagePolicy", "tty", "volumeDevices",
    "volumeMounts", "workingDir",
)  # fmt: skip
_POD: Final = (
    "affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks", "hostAliases", "hostIPC",
    "hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName", "nodeSelector", "overhead", "preemptionPolicy", "priority",
    "priorityClassName", "readinessGates", "restartPolicy", "runtimeClassName", "schedulerName", "securityContext", "serviceAccount",
    "serviceAccountName", "shareProcessNamespace", "subdomain", "terminationGracePeriodSeconds", "volumes",
    *(f"{kind}.{name}" for kind in ("containers", "initContainers") for name in _CONTAINER),
)  # fmt: skip
_VOLUME: Final = (
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker", "gcePersistentDisk",
    "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume", "quobyte", "rbd", "scaleIO",
    "storageos", "vsphereVolume",
)  # fmt: skip
_JOB: Final = ("spec.completions", "spec.parallelism", "spec.selector", "spec.template")
_STATEFUL_SET: Final = (
    "spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.selector", "spec.serviceName", "spec.volumeClaimTemplates",
)  # fmt: skip
_CLAIM: Final = ("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName")

# The official provider's list (its provider/pkg/provider/diff.go); what the server calls immutable is added at run time.
_REPLACING: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("apps", "DaemonSet"): _SELECTOR,
    ("apps", "Deployment"): _SELECTOR,
    ("apps", "StatefulSet"): _STATEFUL_SET,
    ("batch", "Job"): _JOB,
    ("", "PersistentVolume"): tuple(f"spec.{name}" for name in _VOLUME),
    ("", "PersistentVolumeClaim"): _CLAIM,
    ("", "Pod"): tuple(f"spec.{name}" for name in _POD),
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Secret"): ("type",),
    ("", "Service"): ("spec.clusterIP",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
}
_IDENTITY: Final = ("kind", "metadata.name", "metadata.namespace")
_CONTENT: Final = {"ConfigMap": ("binaryData", "data"), "Secret": ("data", "stringData")}


@dataclass(frozen=True)
class Kind:
    """What an object is: group "apps", version "v1", name "Deployment"."""

    group: str
    version: str
    name: str

    @property
    def api_version(self) -> str:
        """As objects write it: "apps/v1", "v1"."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def built_in(self) -> bool:
        """Whether it is of a group that every server has."""
        return self.group in BUILT_IN_GROUPS

    def __str__(self) -> str:
        return f"{self.api_version} {self.name}"


def kind_of(api_version: str, name: str) -> Kind:
    """The kind of an object by its two fields; "core/v1" is "v1"."""
    group, _, version = api_version.rpartition("/")
    return Kind("" if group == "core" else group, version, name)


def token_of(kind: Kind) -> str:
    """The type token of a kind: "kubernetes:core/v1:Pod"."""
    return f"kubernetes:{kind.group or 'core'}/{kind.version}:{kind.name}"


def kind_of_token(token: str, given: Optional[str] = None) -> tuple[Kind, bool]:
    """The kind that a type token stands for, and whether it is a *Patch resource. `given` is the `kind` of the inputs."""
    _, module, name = token.split(":")
    kind = kind_of(module, given or name)
    if name != kind.name + "Patch" and not (given is None and kind.built_in and name.endswith("Patch")):
        return kind, False
    return kind_of(module, name.removesuffix("Patch")), True


def is_list(token: str) -> bool:
    """Whether the type is a list of objects, which no server stores."""
    kind, _ = kind_of_token(token)
    return kind.built_in and kind.name.endswith("List")


def has_namespace(kind: Kind) -> Optional[bool]:
    """Whether objects of a built-in kind live in a namespace; None for others, which the server has to be asked about."""
    return kind.name not in _CLUSTER_SCOPED if kind.built_in else None


def replacing_fields(kind: Kind, content: Mapping[str, Any], *, mutable: bool) -> tuple[tuple[str, ...], ...]:
    """Paths of fields whose change needs a new object.

    Args:
        kind: What the object is.
        content: The object itself, for its `immutable`.
        mutable: Whether the provider is set to change the content of ConfigMaps (or Secrets) in place.
    """
    fields = [*_IDENTITY, *_REPLACING.get((kind.group, kind.name), ())]
    if not kind.group and (not mutable or content.get("immutable") is True):
        fields += _CONTENT.get(kind.name, ())
    return tuple(tuple(field.split(".")) for field in fields)
