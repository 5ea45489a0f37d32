"""What K3s checks when a node joins: its token and the CA that the token pins. Pure; the messages are K3s' own."""

import hashlib
import re
from dataclasses import dataclass
from typing import Optional

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

_SECURE = re.compile(r"K10([^:]*)::(.*)", re.DOTALL)


class TokenError(ValueError):
    """A token that K3s cannot read."""


@dataclass(frozen=True)
class Token:
    """A join token. ``ca_hash`` is empty for the short form, ``user`` as well for a bare password."""

    ca_hash: str
    user: str
    password: str


def parse_token(text: str) -> Token:
    """``K10<hash>::<user>:<password>``, or a bare password.

    Raises:
        TokenError: it is in neither form.
    """
    text = text.strip()
    if not text:
        raise TokenError("token must not be empty")
    if not text.startswith("K10"):
        return Token("", "", text)
    match = _SECURE.fullmatch(text)
    if match is None:
        raise TokenError("invalid token format")
    if match[1] and len(match[1]) != hashlib.sha256().digest_size * 2:
        raise TokenError("invalid token CA hash length")
    user, colon, password = match[2].partition(":")
    if not colon or not password:
        raise TokenError("invalid token format")
    return Token(match[1], user, password)


def ca_hash(bundle: str) -> str:
    """The hash that a token has to pin for a ``server-ca.crt``.

    SHA-256, in hex: of the root certificate's DER when the bundle holds more than one certificate and they make a chain,
    else of the file as it is (K3s documentation, "k3s token").
    """
    data = bundle.encode()
    certificates = x509.load_pem_x509_certificates(data)
    root = _root(certificates) if len(certificates) > 1 else None
    return hashlib.sha256(data if root is None else root.public_bytes(Encoding.DER)).hexdigest()


def _root(certificates: list[x509.Certificate]) -> Optional[x509.Certificate]:
    """The self-signed end of the first certificate's chain within the bundle; None when the chain is broken."""
    current = certificates[0]
    for _ in certificates:
        if current.issuer == current.subject:
            return current
        issuer = next((each for each in certificates[1:] if _issued(current, each)), None)
        if issuer is None:
            return None
        current = issuer
    return None


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def hash_refusal(token: Token, server_ca: str) -> Optional[str]:
    """Why a node with this token does not trust a server with this ``server-ca.crt``; None when it does."""
    found = ca_hash(server_ca)
    if token.ca_hash in ("", found):
        return None
    return f"token CA hash does not match the Cluster CA certificate hash: {token.ca_hash} != {found}"
