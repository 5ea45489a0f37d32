"""The certificate authorities of one cluster, made before its first boot, so that its kubeconfig is known before it, too."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_tls as tls

from edgelib.components._family import Family

AUTHORITIES = ("server-ca", "client-ca", "request-header-ca", "etcd/peer-ca", "etcd/server-ca")
"""All that K3s expects under server/tls; it makes up what is missing (K3s documentation, "k3s certificate")."""

_YEAR = 365 * 24
_AUTHORITY_HOURS = 10 * _YEAR  # as K3s' own
_ADMIN_HOURS = _YEAR
_ADMIN_RENEWAL_HOURS = 30 * 24
_SIGNING = ("cert_signing", "crl_signing", "digital_signature", "key_encipherment")


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A certificate and its key, PEM."""

    certificate: pulumi.Output[str]
    key: pulumi.Output[str]
    """Secret."""


@dataclass(frozen=True, kw_only=True)
class ClusterPki:
    """One root, what it vouches for, and the administrator's certificate."""

    root_certificate: pulumi.Output[str]
    authorities: dict[str, Issued]
    """By K3s' name, such as ``etcd/peer-ca``; each certificate is followed by the root's."""
    service_key: pulumi.Output[str]
    """Signs service account tokens; secret."""
    admin: Issued
    """Client certificate of ``system:masters``, good for a year; an update within its last 30 days renews it."""


def build_pki(family: Family) -> ClusterPki:
    """Builds the authorities of a cluster. The root's key stays in the state: no node needs it."""
    root_key = _key(family, "root-ca")
    root = tls.SelfSignedCert(
        f"{family.name}-root-ca",
        private_key_pem=root_key.private_key_pem,
        subject=tls.SelfSignedCertSubjectArgs(common_name=f"{family.name} root-ca"),
        is_ca_certificate=True,
        set_subject_key_id=True,
        validity_period_hours=_AUTHORITY_HOURS,
        allowed_uses=_SIGNING,
        opts=family.opts(),
    )
    issued = {
        name: _issue(family, name.replace("/", "-"), root.cert_pem, root_key.private_key_pem, uses=_SIGNING, ca=True)
        for name in AUTHORITIES
    }
    client_ca = issued["client-ca"]
    admin = _issue(
        family,
        "admin",
        client_ca.certificate,
        client_ca.key,
        uses=("digital_signature", "key_encipherment", "client_auth"),
        organization="system:masters",
    )
    return ClusterPki(
        root_certificate=root.cert_pem,
        authorities={
            name: Issued(certificate=pulumi.Output.concat(ca.certificate, root.cert_pem), key=ca.key)
            for name, ca in issued.items()
        },
        service_key=_key(family, "service").private_key_pem,
        admin=admin,
    )


def _key(family: Family, role: str) -> tls.PrivateKey:
    return tls.PrivateKey(f"{family.name}-{role}", algorithm="ECDSA", ecdsa_curve="P256", opts=family.opts())


def _issue(
    family: Family,
    role: str,
    ca_certificate: pulumi.Output[str],
    ca_key: pulumi.Output[str],
    *,
    uses: Sequence[str],
    ca: bool = False,
    organization: str = "edgelib",
) -> Issued:
    key = _key(family, role)
    request = tls.CertRequest(
        f"{family.name}-{role}",
        private_key_pem=key.private_key_pem,
        subject=tls.CertRequestSubjectArgs(common_name=f"{family.name} {role}", organization=organization),
        opts=family.opts(),
    )
    certificate = tls.LocallySignedCert(
        f"{family.name}-{role}",
        ca_cert_pem=ca_certificate,
        ca_private_key_pem=ca_key,
        cert_request_pem=request.cert_request_pem,
        is_ca_certificate=ca,
        set_subject_key_id=True,
        validity_period_hours=_AUTHORITY_HOURS if ca else _ADMIN_HOURS,
        early_renewal_hours=0 if ca else _ADMIN_RENEWAL_HOURS,
        allowed_uses=uses,
        opts=family.opts(),
    )
    return Issued(certificate=certificate.cert_pem, key=key.private_key_pem)
