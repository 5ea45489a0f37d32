"""The stand-in for pulumi-kubernetes: objects of every kind by server-side apply, Helm releases, manifests as components."""

from edgelib.sandbox.providers.kubernetes.helm import Release
from edgelib.sandbox.providers.kubernetes.manifests import DECODE
from edgelib.sandbox.providers.kubernetes.servicer import KubernetesProvider
from edgelib.sandbox.providers.kubernetes.settings import CONFIG, Session
from edgelib.sandbox.providers.resource import Package


def package(version: str) -> Package[Session]:
    """The package as the server takes it."""
    return Package(
        name="kubernetes",
        version=version,
        config=CONFIG,
        configure=Session,
        resources={Release.token: Release()},
        invokes={DECODE.token: DECODE},
        accept_secrets=True,
        servicer=KubernetesProvider,
    )
