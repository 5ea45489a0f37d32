"""tls:index/privateKey:PrivateKey and tls:index/getPublicKey."""
# ruff: noqa: ARG001 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from edgelib.sandbox.providers.generated import Generated, Session
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Created, Function, ProviderError

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_CURVES: Final[Mapping[str, type[ec.EllipticCurve]]] = {
    "P224": ec.SECP224R1, "P256": ec.SECP256R1, "P384": ec.SECP384R1, "P521": ec.SECP521R1,
}  # fmt: skip


def algorithm_of(key: Any) -> str:
    """The provider's name of a key's algorithm. Raises ProviderError for one that it has no name for."""
    for kind, name in (
        (rsa.RSAPrivateKey, "RSA"),
        (ec.EllipticCurvePrivateKey, "ECDSA"),
        (ed25519.Ed25519PrivateKey, "ED25519"),
    ):
        if isinstance(key, kind):
            return name
    raise ProviderError(f"a key of type {type(key).__name__} is not supported: use RSA, ECDSA or ED25519")


def load_key(pem: str, name: str) -> Key:
    """A private key from PEM or OpenSSH text. Raises ProviderError, without the key, when it is none."""
    load = serialization.load_ssh_private_key if "OPENSSH" in pem else serialization.load_pem_private_key
    try:
        key = load(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ProviderError(f"{name}: this is no private key without a password: {error}") from None
    algorithm_of(key)
    return key  # pyright: ignore[reportReturnType] - `algorithm_of` refuses the others


def public_parts(key: Key) -> dict[str, str]:
    """The outputs about the public half. There is no OpenSSH form of a P224 key: those are empty."""
    public = key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp224r1":
        return {
            "publicKeyPem": pem,
            "publicKeyOpenssh": "",
            "publicKeyFingerprintMd5": "",
            "publicKeyFingerprintSha256": "",
        }
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    wire = base64.b64decode(line.split()[1])
    md5 = hashlib.md5(wire, usedforsecurity=False).hexdigest()
    return {
        "publicKeyPem": pem,
        "publicKeyOpenssh": line.decode() + "\n",
        "publicKeyFingerprintMd5": ":".join(md5[i : i + 2] for i in range(0, len(md5), 2)),
        "publicKeyFingerprintSha256": "SHA256:" + base64.b64encode(hashlib.sha256(wire).digest()).decode().rstrip("="),
    }


def key_id(public_pem: str) -> str:
    """The id of what belongs to a key: the official provider's, a SHA-1 of the public half."""
    return hashlib.sha1(public_pem.encode(), usedforsecurity=False).hexdigest()


class PrivateKey(Generated):
    """The private halves are secret."""

    token = "tls:index/privateKey:PrivateKey"  # noqa: S105 - a type token
    properties = (
        Property(name="algorithm", required=True, replaces=True, allowed=("RSA", "ECDSA", "ED25519")),
        Property(name="rsaBits", kind=Kind.INTEGER, default=2048, replaces=True),
        Property(name="ecdsaCurve", default="P224", replaces=True, allowed=tuple(_CURVES)),
        *(
            Property(name=name, output=True, secret=True)
            for name in ("privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8")
        ),
        *outputs("publicKeyPem", "publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256"),
    )

    def generate(self, inputs: Mapping[str, Any]) -> Created:
        """Make a key."""
        key: Key
        match inputs["algorithm"]:
            case "RSA":
                key = rsa.generate_private_key(65537, inputs["rsaBits"])
            case "ECDSA":
                key = ec.generate_private_key(_CURVES[inputs["ecdsaCurve"]]())
            case _:
                key = ed25519.Ed25519PrivateKey.generate()
        public = public_parts(key)
        plain, pkcs8 = NoEncryption(), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        own = isinstance(key, ed25519.Ed25519PrivateKey)
        pem = pkcs8 if own else key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, plain).decode()
        ssh = (
            key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, plain).decode() if public["publicKeyOpenssh"] else ""
        )
        private = {"privateKeyPem": pem, "privateKeyPemPkcs8": pkcs8, "privateKeyOpenssh": ssh}
        return Created(key_id(public["publicKeyPem"]), {**private, **public})


def get_public_key(session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The public half of a private key."""
    given = [name for name in ("privateKeyPem", "privateKeyOpenssh") if arguments.get(name)]
    if len(given) != 1:
        raise ProviderError("give exactly one of privateKeyPem, privateKeyOpenssh")
    key = load_key(arguments[given[0]], given[0])
    public = public_parts(key)
    return {**arguments, "id": key_id(public["publicKeyPem"]), "algorithm": algorithm_of(key), **public}


PUBLIC_KEY = Function(
    "tls:index/getPublicKey:getPublicKey",
    (Property(name="privateKeyPem", secret=True), Property(name="privateKeyOpenssh", secret=True)),
    get_public_key,
    secrets=frozenset({"privateKeyPem", "privateKeyOpenssh"}),
)
