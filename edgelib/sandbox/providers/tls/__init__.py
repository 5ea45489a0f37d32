"""The stand-in for pulumi-tls: private keys, certificate requests, self-signed and locally signed certificates."""

from edgelib.sandbox.providers.generated import Session, package_of
from edgelib.sandbox.providers.resource import Package
from edgelib.sandbox.providers.tls.certificates import CertRequest, LocallySignedCert, SelfSignedCert
from edgelib.sandbox.providers.tls.keys import PUBLIC_KEY, PrivateKey


def package(version: str) -> Package[Session]:
    """The package as the server takes it."""
    resources = (PrivateKey(), CertRequest(), SelfSignedCert(), LocallySignedCert())
    return package_of("tls", version, *resources, invokes={PUBLIC_KEY.token: PUBLIC_KEY})
