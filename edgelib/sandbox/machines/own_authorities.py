"""The certificate authorities that K3s makes for itself where it finds none."""

import datetime as dt
from collections.abc import Mapping

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_TEN_YEARS = dt.timedelta(days=3650)
_NAMES = ("server-ca", "client-ca", "request-header-ca")


def completed(tls: Mapping[str, str]) -> dict[str, str]:
    """``tls``, PEM by name under server/tls, with a self-signed authority for each that lacks certificate or key."""
    whole = dict(tls)
    for name in _NAMES:
        if not (tls.get(f"{name}.crt") and tls.get(f"{name}.key")):
            whole[f"{name}.crt"], whole[f"{name}.key"] = _authority(f"k3s-{name}")
    whole.setdefault("service.key", _pem(ec.generate_private_key(ec.SECP256R1())))
    return whole


def _authority(common_name: str) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{common_name}@{int(now.timestamp())}")])
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=True,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + _TEN_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), _pem(key)


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    """In the form that kube-apiserver takes for service accounts, "EC PRIVATE KEY"."""
    form, plain = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()
