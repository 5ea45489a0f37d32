"""K3s' join tokens, in the form that pins the cluster's certificate authority."""

import base64
import hashlib
import re

SERVER_USER = "server"
AGENT_USER = "node"

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


def secure_token(root_certificate_pem: str, user: str, password: str) -> str:
    """The token ``K10<hash>::<user>:<password>``: whoever joins with it trusts no server but those of this root.

    The hash is SHA-256 over the DER of the root certificate, which is K3s' rule for a bundle of several certificates (K3s
    documentation, "k3s token").

    Raises:
        ValueError: ``root_certificate_pem`` holds no certificate.
    """
    found = _CERTIFICATE.search(root_certificate_pem)
    if found is None:
        raise ValueError("root_certificate_pem holds no PEM certificate")
    der = base64.b64decode("".join(found[1].split()))
    return f"K10{hashlib.sha256(der).hexdigest()}::{user}:{password}"
