"""Certificates that the components need, signed by the cluster's own CAs as K3s does."""

import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALIDITY = dt.timedelta(days=365)
"""K3s' own for what it signs."""

_BACKDATED = dt.timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A CA that can sign.

    Attributes:
        bundle: PEM, the CA's own certificate first.
        key: PEM.
    """

    bundle: str
    key: str

    def client(self, common_name: str, *organizations: str) -> "Credential":
        """A client certificate: Kubernetes takes the common name for the user, the organizations for its groups."""
        return self._issue(common_name, organizations, sans=(), usage=ExtendedKeyUsageOID.CLIENT_AUTH)

    def server(self, common_name: str, sans: Sequence[str]) -> "Credential":
        """A serving certificate for these IPs and DNS names."""
        return self._issue(common_name, (), sans=sans, usage=ExtendedKeyUsageOID.SERVER_AUTH)

    def _issue(
        self, common_name: str, organizations: Sequence[str], *, sans: Sequence[str], usage: x509.ObjectIdentifier
    ) -> "Credential":
        issuer = x509.load_pem_x509_certificate(self.bundle.encode())
        issuer_key = cast(
            "CertificateIssuerPrivateKeyTypes", serialization.load_pem_private_key(self.key.encode(), password=None)
        )
        key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(
                x509.Name(
                    [
                        *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in organizations),
                        x509.NameAttribute(NameOID.COMMON_NAME, common_name),
                    ]
                )
            )
            .issuer_name(issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + VALIDITY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_DIGITAL_SIGNATURE, critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        )
        if sans:
            names = x509.SubjectAlternativeName([general_name(san) for san in sans])
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(issuer_key, hashes.SHA256())
        pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        return Credential(
            # The chain goes along: clients may know the root alone.
            certificate=pem + self.bundle,
            key=key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
        )


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A certificate with its chain, and its key; both PEM."""

    certificate: str
    key: str


def write_private(file: Path, content: str) -> None:
    """Write a file that its owner alone can read, whole or not at all."""
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(content)
    partial.replace(file)


def general_name(san: str) -> x509.GeneralName:
    """A subject alternative name: an IP address where it is one, else a DNS name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(san))
    except ValueError:
        return x509.DNSName(san)


_DIGITAL_SIGNATURE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
