"""The certificate authorities of one cluster, made before its first boot, so that its kubeconfig is known before it, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

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
    """A cluster's authorities, and the administrator's certificate."""

    root_certificate: pulumi.Output[str]
    """Vouches for ``server-ca``: what join tokens pin."""
    authorities: dict[str, Issued]
    """By K3s' name, such as ``etcd/peer-ca``."""
    service_key: pulumi.Output[str]
    """Signs service account tokens; secret."""
    admin: Issued
    """Client certificate of ``system:masters``, good for a year; an update within its last 30 days renews it."""


def build_pki(family: Family) -> ClusterPki:
    """Builds the authorities of a cluster.

    All are self-signed, as K3s' own are, but the servers': with a root of its own in the bundle, the hash in a join token is that
    root's, however a file ends its lines (K3s documentation, "k3s token"). The root's key stays in the state: no node needs it.
    """
    root = _self_signed(family, "root-ca")
    server_ca = _issue(family, "server-ca", root, uses=_SIGNING, ca=True)
    bundle = pulumi.Output.concat(server_ca.certificate, root.certificate)
    authorities = {name: _self_signed(family, name.replace("/", "-")) for name in AUTHORITIES if name != "server-ca"}
    admin_uses = ("digital_signature", "key_encipherment", "client_auth")
    return ClusterPki(
        root_certificate=root.certificate,
        authorities={"server-ca": Issued(certificate=bundle, key=server_ca.key), **authorities},
        service_key=_key(family, "service").private_key_pem,
        admin=_issue(family, "admin", authorities["client-ca"], uses=admin_uses, organization="system:masters"),
    )


def _self_signed(family: Family, role: str) -> Issued:
    key = _key(family, role)
    certificate = tls.SelfSignedCert(
        f"{family.name}-{role}",
        private_key_pem=key.private_key_pem,
        subject=tls.SelfSignedCertSubjectArgs(common_name=f"{family.name} {role}"),
        is_ca_certificate=True,
        set_subject_key_id=True,
        validity_period_hours=_AUTHORITY_HOURS,
        allowed_uses=_SIGNING,
        opts=family.opts(),
    )
    return Issued(certificate=certificate.cert_pem, key=key.private_key_pem)


def _key(family: Family, role: str) -> tls.PrivateKey:
    return tls.PrivateKey(f"{family.name}-{role}", algorithm="ECDSA", ecdsa_curve="P256", opts=family.opts())


def _issue(
    family: Family,
    role: str,
    authority: Issued,
    *,
    uses: Sequence[str],
    ca: bool = False,
    organization: Optional[str] = None,
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
        ca_cert_pem=authority.certificate,
        ca_private_key_pem=authority.key,
        cert_request_pem=request.cert_request_pem,
        is_ca_certificate=ca,
        set_subject_key_id=True,
        validity_period_hours=_AUTHORITY_HOURS if ca else _ADMIN_HOURS,
        early_renewal_hours=0 if ca else _ADMIN_RENEWAL_HOURS,
        allowed_uses=uses,
        opts=family.opts(),
    )
    return Issued(certificate=certificate.cert_pem, key=key.private_key_pem)
