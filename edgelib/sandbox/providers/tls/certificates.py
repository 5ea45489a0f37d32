"""tls:index certRequest:CertRequest, selfSignedCert:SelfSignedCert, locallySignedCert:LocallySignedCert."""

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Mapping
from typing import Any, Final, Optional

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from edgelib.sandbox.providers.generated import Generated
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Created, ProviderError
from edgelib.sandbox.providers.tls.keys import Key, algorithm_of, load_key
from edgelib.sandbox.providers.tls.usages import USES, extensions_of
from edgelib.sandbox.providers.values import list_of

_NAMES: Final = {
    "country": NameOID.COUNTRY_NAME, "province": NameOID.STATE_OR_PROVINCE_NAME, "locality": NameOID.LOCALITY_NAME,
    "streetAddresses": NameOID.STREET_ADDRESS, "postalCode": NameOID.POSTAL_CODE, "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME, "commonName": NameOID.COMMON_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER, "emailAddress": NameOID.EMAIL_ADDRESS,
}  # fmt: skip
_SUBJECT = tuple(
    Property(name=name, kind=Kind.LIST if name == "streetAddresses" else Kind.STRING, replaces=True) for name in _NAMES
)
_ASKED = (
    Property(name="subject", kind=Kind.OBJECT, replaces=True, fields=_SUBJECT),
    *(Property(name=name, kind=Kind.LIST, replaces=True) for name in ("dnsNames", "ipAddresses", "uris")),
)
_ISSUED = (
    Property(name="validityPeriodHours", kind=Kind.INTEGER, required=True, replaces=True),
    Property(name="earlyRenewalHours", kind=Kind.INTEGER, default=0),
    Property(
        name="allowedUses", kind=Kind.LIST, required=True, replaces=True,
        problem=lambda uses: next((f"has {use!r}, which is none of {', '.join(USES)}" for use in uses if use not in USES), None),
    ),
    Property(name="isCaCertificate", kind=Kind.BOOLEAN, default=False, replaces=True),
    Property(name="maxPathLength", kind=Kind.INTEGER, replaces=True),
    Property(name="setSubjectKeyId", kind=Kind.BOOLEAN, default=False, replaces=True),
    *outputs("certPem", "readyForRenewal", "validityStartTime", "validityEndTime"),
)  # fmt: skip


def _private(name: str) -> Property:
    return Property(name=name, required=True, replaces=True, secret=True)


def _subject(given: Mapping[str, Any]) -> x509.Name:
    attributes: list[x509.NameAttribute[str]] = []
    for name, oid in _NAMES.items():
        value = list_of(given.get(name))
        attributes.extend(x509.NameAttribute(oid, text) for text in ([value] if isinstance(value, str) else value))
    return x509.Name(attributes)


def _alternatives(inputs: Mapping[str, Any]) -> Optional[x509.SubjectAlternativeName]:
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in inputs.get("dnsNames") or ()]
    names.extend(x509.IPAddress(ipaddress.ip_address(text)) for text in inputs.get("ipAddresses") or ())
    names.extend(x509.UniformResourceIdentifier(text) for text in inputs.get("uris") or ())
    return x509.SubjectAlternativeName(names) if names else None


def _digest(key: Key) -> Optional[hashes.SHA256]:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _issue(
    inputs: Mapping[str, Any], builder: x509.CertificateBuilder, public: Any, signer: Key
) -> tuple[str, dict[str, Any]]:
    """Sign: the id (the serial number) and the outputs that every certificate has."""
    start = dt.datetime.now(dt.UTC).replace(microsecond=0)
    end = start + dt.timedelta(hours=inputs["validityPeriodHours"])
    serial = x509.random_serial_number()
    authority = bool(inputs.get("isCaCertificate"))
    builder = builder.serial_number(serial).not_valid_before(start).not_valid_after(end).public_key(public)
    depth = inputs.get("maxPathLength") if authority else None
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=depth), critical=True)
    for extension, critical in extensions_of(inputs["allowedUses"]):
        builder = builder.add_extension(extension, critical=critical)
    if authority or inputs.get("setSubjectKeyId"):
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    certificate = builder.sign(signer, _digest(signer))
    return str(serial), {
        "certPem": certificate.public_bytes(Encoding.PEM).decode(),
        "readyForRenewal": False,
        "validityStartTime": start.isoformat().replace("+00:00", "Z"),
        "validityEndTime": end.isoformat().replace("+00:00", "Z"),
    }


class _Certificate(Generated):
    def outdated(self, state: Mapping[str, Any]) -> set[str]:
        """A certificate that has expired, or will within `earlyRenewalHours`, is made anew by the next `up`."""
        if not state.get("validityEndTime"):
            return set()
        end = dt.datetime.fromisoformat(state["validityEndTime"])
        early = dt.timedelta(hours=state.get("earlyRenewalHours") or 0)
        return {"readyForRenewal"} if dt.datetime.now(dt.UTC) >= end - early else set()


class CertRequest(Generated):
    """A certificate signing request."""

    token = "tls:index/certRequest:CertRequest"  # noqa: S105 - a type token
    properties = (_private("privateKeyPem"), *_ASKED, *outputs("certRequestPem", "keyAlgorithm"))

    def generate(self, inputs: Mapping[str, Any]) -> Created:
        """Sign it with its own key."""
        key = load_key(inputs["privateKeyPem"], "privateKeyPem")
        builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(inputs.get("subject") or {}))
        names = _alternatives(inputs)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        request = builder.sign(key, _digest(key))
        pem = request.public_bytes(Encoding.PEM).decode()
        identity = hashlib.sha1(pem.encode(), usedforsecurity=False).hexdigest()
        return Created(identity, {"certRequestPem": pem, "keyAlgorithm": algorithm_of(key)})


class SelfSignedCert(_Certificate):
    """A certificate signed with its own key: a root, or a test."""

    token = "tls:index/selfSignedCert:SelfSignedCert"  # noqa: S105 - a type token
    properties = (
        _private("privateKeyPem"), *_ASKED, *_ISSUED,
        Property(name="setAuthorityKeyId", kind=Kind.BOOLEAN, default=False, replaces=True),
        *outputs("keyAlgorithm"),
    )  # fmt: skip

    def generate(self, inputs: Mapping[str, Any]) -> Created:
        """Subject and issuer are the same."""
        key = load_key(inputs["privateKeyPem"], "privateKeyPem")
        public, name = key.public_key(), _subject(inputs.get("subject") or {})
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
        names = _alternatives(inputs)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        if inputs.get("setAuthorityKeyId"):
            builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        serial, made = _issue(inputs, builder, public, key)
        return Created(serial, {**made, "keyAlgorithm": algorithm_of(key)})


class LocallySignedCert(_Certificate):
    """A certificate for a request, signed with the key of a CA that the program has."""

    token = "tls:index/locallySignedCert:LocallySignedCert"  # noqa: S105 - a type token
    properties = (
        _private("caPrivateKeyPem"),
        Property(name="caCertPem", required=True, replaces=True),
        Property(name="certRequestPem", required=True, replaces=True),
        *_ISSUED,
        *outputs("caKeyAlgorithm"),
    )

    def generate(self, inputs: Mapping[str, Any]) -> Created:
        """Subject and alternative names are the request's."""
        signer = load_key(inputs["caPrivateKeyPem"], "caPrivateKeyPem")
        try:
            request = x509.load_pem_x509_csr(inputs["certRequestPem"].encode())
            authority = x509.load_pem_x509_certificate(inputs["caCertPem"].encode())
        except ValueError as error:
            raise ProviderError(f"certRequestPem or caCertPem is not what its name says: {error}") from error
        _verify(request)
        builder = x509.CertificateBuilder().subject_name(request.subject).issuer_name(authority.subject)
        builder = builder.add_extension(_authority_key(authority), critical=False)
        try:
            names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            builder = builder.add_extension(names, critical=False)
        except x509.ExtensionNotFound:
            pass  # a request may go without
        serial, made = _issue(inputs, builder, request.public_key(), signer)
        return Created(serial, {**made, "caKeyAlgorithm": algorithm_of(signer)})


def _verify(request: x509.CertificateSigningRequest) -> None:
    try:
        valid = request.is_signature_valid
    except InvalidSignature:
        valid = False
    if not valid:
        raise ProviderError("certRequestPem: the request is not signed with its own key")


def _authority_key(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())  # pyright: ignore[reportArgumentType] - a CA's key can sign
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
