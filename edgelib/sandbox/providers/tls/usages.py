"""`allowedUses` of a certificate as X.509 extensions."""

from collections.abc import Iterator, Sequence
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Extended
from cryptography.x509.oid import ObjectIdentifier

_KEY: Final = {  # the provider's names of the bits of KeyUsage
    "digital_signature": "digital_signature",
    "content_commitment": "content_commitment",
    "key_encipherment": "key_encipherment",
    "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement",
    "cert_signing": "key_cert_sign",
    "crl_signing": "crl_sign",
    "encipher_only": "encipher_only",
    "decipher_only": "decipher_only",
}
_EXTENDED: Final = {
    "any_extended": Extended.ANY_EXTENDED_KEY_USAGE,
    "server_auth": Extended.SERVER_AUTH,
    "client_auth": Extended.CLIENT_AUTH,
    "code_signing": Extended.CODE_SIGNING,
    "email_protection": Extended.EMAIL_PROTECTION,
    "ipsec_end_system": ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec_tunnel": ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec_user": ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": Extended.TIME_STAMPING,
    "ocsp_signing": Extended.OCSP_SIGNING,
}
USES: Final = (*_KEY, *_EXTENDED)


def extensions_of(uses: Sequence[str]) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """KeyUsage and ExtendedKeyUsage, each only if asked for, and whether it is critical."""
    bits = {_KEY[use] for use in uses if use in _KEY}
    if bits:
        yield x509.KeyUsage(**{name: name in bits for name in _KEY.values()}), True
    extended = [_EXTENDED[use] for use in uses if use in _EXTENDED]
    if extended:
        yield x509.ExtendedKeyUsage(extended), False
