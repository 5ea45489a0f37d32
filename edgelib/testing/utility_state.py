"""What the providers of secrets, certificates and commands compute."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from edgelib.testing.world import NewResource, digest, mac_address


def computed(new: NewResource) -> dict[str, Any]:
    """Return the computed properties of a ``random``, ``tls`` or ``command`` resource; none of any other."""
    return _BY_TYPE[new.type](new) if new.type in _BY_TYPE else {}


def _pem(label: str, seed: str) -> str:
    """Return text of PEM's shape: its body decodes as base64 and is the same for the same seed, but is no key."""
    body = base64.b64encode(hashlib.sha256(seed.encode()).digest() * 2).decode()
    return f"-----BEGIN {label}-----\n{body[:64]}\n{body[64:]}\n-----END {label}-----\n"


def _password(new: NewResource) -> dict[str, Any]:
    length = int(new.inputs.get("length") or 16)
    text = "".join(digest(f"{new.name} {part}", 64) for part in range(length // 64 + 1))[:length]
    return {"result": text, "bcryptHash": f"$2a$10${digest(new.name, 53)}"}


def _random_id(new: NewResource) -> dict[str, Any]:
    raw = hashlib.shake_256(new.name.encode()).digest(
        int(new.inputs.get("byteLength") or new.inputs.get("length") or 8)
    )
    standard = base64.b64encode(raw).decode()
    return {
        "hex": raw.hex(),
        "dec": str(int.from_bytes(raw, "big")),
        "b64Std": standard,
        "b64Url": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "base64": standard,
    }


def _private_key(new: NewResource) -> dict[str, Any]:
    return {
        "privateKeyPem": _pem("PRIVATE KEY", f"private {new.name}"),
        "privateKeyPemPkcs8": _pem("PRIVATE KEY", f"private {new.name}"),
        "privateKeyOpenssh": _pem("OPENSSH PRIVATE KEY", f"private {new.name}"),
        "publicKeyPem": _pem("PUBLIC KEY", f"public {new.name}"),
        "publicKeyOpenssh": f"ssh-ed25519 {base64.b64encode(digest(new.name, 33).encode()).decode()}\n",
        "publicKeyFingerprintMd5": mac_address(new.name),
        "publicKeyFingerprintSha256": f"SHA256:{digest(new.name, 43)}",
    }


def _certificate(new: NewResource) -> dict[str, Any]:
    return {
        "certPem": _pem("CERTIFICATE", new.name),
        "keyAlgorithm": "ECDSA",
        "readyForRenewal": False,
        "validityStartTime": "2026-01-01T00:00:00Z",
        "validityEndTime": "2036-01-01T00:00:00Z",
    }


def _request(new: NewResource) -> dict[str, Any]:
    return {"certRequestPem": _pem("CERTIFICATE REQUEST", new.name), "keyAlgorithm": "ECDSA"}


def _silent(_: NewResource) -> dict[str, Any]:
    return {"stdout": "", "stderr": ""}


_BY_TYPE: Final[Mapping[str, Callable[[NewResource], dict[str, Any]]]] = {
    "command:local:Command": _silent,
    "command:remote:Command": _silent,
    "random:index/randomBytes:RandomBytes": _random_id,
    "random:index/randomId:RandomId": _random_id,
    "random:index/randomPassword:RandomPassword": _password,
    "random:index/randomString:RandomString": _password,
    "tls:index/certRequest:CertRequest": _request,
    "tls:index/locallySignedCert:LocallySignedCert": _certificate,
    "tls:index/privateKey:PrivateKey": _private_key,
    "tls:index/selfSignedCert:SelfSignedCert": _certificate,
}
