"""The random, tls and command stand-ins."""

import datetime as dt
import string

import grpc
import pytest
from cryptography import x509
from pulumi.runtime.proto import provider_pb2 as pb

from edgelib.sandbox.providers import packages
from edgelib.sandbox.providers.values import Secret, encode, secret_keys
from tests.sandbox.providers.provider_client import Client

COMMAND = "command:local:Command"
CA_USES = ["cert_signing", "crl_signing", "digital_signature"]


@pytest.fixture
def connect(tmp_path):
    """No AWS is needed here."""
    clients = []

    def make(package):
        clients.append(Client(packages.load(package), tmp_path / "notes"))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_random_values_have_the_shape_that_was_asked_for(connect):
    random = connect("random")
    text = random.create(
        "random:index/randomString:RandomString", {"length": 40, "special": False, "upper": False, "minNumeric": 30}
    )
    result = text.outputs["result"]
    assert len(result) == 40
    assert sum(character in string.digits for character in result) >= 30
    assert set(result) <= set(string.digits + string.ascii_lowercase)
    made = random.create("random:index/randomId:RandomId", {"byteLength": 3, "prefix": "p-"})
    assert int(made.outputs["dec"][2:]) == int.from_bytes(bytes.fromhex(made.outputs["hex"][2:]))
    assert random.refresh(made) == made
    assert random.diff(made, {"byteLength": 3, "prefix": "p-", "keepers": {"a": "1"}})[1] == {"keepers"}
    shuffled = random.create(
        "random:index/randomShuffle:RandomShuffle", {"inputs": ["a", "b"], "resultCount": 5}
    ).outputs["results"]
    assert len(shuffled) == 5


def test_random_secrets_are_secret(connect):
    random = connect("random")
    for type_, key in (("randomPassword:RandomPassword", "result"), ("randomBytes:RandomBytes", "hex")):
        token = f"random:index/{type_}"
        inputs = encode(random.checked(token, {"length": 8}))
        answer = random.stub.Create(pb.CreateRequest(urn=random.urn(token, "one"), properties=inputs))
        assert key in secret_keys(answer.properties)
        assert answer.id == "none"


def test_random_refuses_what_cannot_be(connect):
    random = connect("random")
    refused = random.check("random:index/randomString:RandomString", {"length": 2, "minLower": 3})[1]
    assert "2 is less than the sum of the minimums, 3" in refused["length"]
    assert "seed" in random.check("random:index/randomInteger:RandomInteger", {"min": 1, "max": 2, "seed": "x"})[1]


@pytest.mark.parametrize("algorithm", ["RSA", "ECDSA", "ED25519"])
def test_a_ca_signs_a_request(connect, algorithm):
    tls = connect("tls")
    key = {"algorithm": algorithm, "ecdsaCurve": "P256"}
    authority = tls.create("tls:index/privateKey:PrivateKey", key).outputs
    client = tls.create("tls:index/privateKey:PrivateKey", key).outputs
    root = tls.create(
        "tls:index/selfSignedCert:SelfSignedCert",
        {
            "privateKeyPem": authority["privateKeyPem"], "subject": {"commonName": "ca"}, "validityPeriodHours": 48,
            "allowedUses": CA_USES, "isCaCertificate": True,
        },
    ).outputs  # fmt: skip
    request = tls.create(
        "tls:index/certRequest:CertRequest",
        {
            "privateKeyPem": client["privateKeyPem"],
            "subject": {"commonName": "admin", "organization": "system:masters"},
            "ipAddresses": ["127.0.0.1"],
        },
    ).outputs
    signed = tls.create(
        "tls:index/locallySignedCert:LocallySignedCert",
        {
            "certRequestPem": request["certRequestPem"], "caPrivateKeyPem": authority["privateKeyPem"], "caCertPem": root["certPem"],
            "validityPeriodHours": 1, "allowedUses": ["client_auth", "digital_signature"],
        },
    )  # fmt: skip
    issuer = x509.load_pem_x509_certificate(root["certPem"].encode())
    certificate = x509.load_pem_x509_certificate(signed.outputs["certPem"].encode())
    certificate.verify_directly_issued_by(issuer)
    assert certificate.subject.rfc4514_string() == "CN=admin,O=system:masters"
    assert certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value[0].dotted_string.endswith("3.2")
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lifetime == dt.timedelta(hours=1)
    public = tls.invoke("tls:index/getPublicKey:getPublicKey", privateKeyPem=client["privateKeyPem"])
    assert public["publicKeyOpenssh"] == client["publicKeyOpenssh"]
    assert public["algorithm"] == algorithm
    unchanged = {key: value for key, value in signed.inputs.items() if key != "earlyRenewalHours"}
    assert tls.diff(signed, unchanged) == ({}, set(), False)
    assert tls.diff(signed, {**unchanged, "earlyRenewalHours": 0})[1] == set()
    signed.outputs["earlyRenewalHours"] = 2
    assert tls.diff(signed, unchanged)[1] == {"readyForRenewal"}


def test_private_keys_are_secret_and_refusals_do_not_show_them(connect):
    tls = connect("tls")
    token = "tls:index/privateKey:PrivateKey"
    answer = tls.stub.Create(
        pb.CreateRequest(urn=tls.urn(token, "one"), properties=encode(tls.checked(token, {"algorithm": "ED25519"})))
    )
    assert secret_keys(answer.properties) == {"privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8"}
    with pytest.raises(grpc.RpcError) as caught:
        tls.create("tls:index/certRequest:CertRequest", {"privateKeyPem": "-----BEGIN SECRET-----"})
    assert "privateKeyPem: this is no private key" in caught.value.details()
    assert "BEGIN SECRET" not in caught.value.details()


def test_a_command_runs_at_each_point_of_its_life(connect, tmp_path):
    command = connect("command")
    props = {
        "create": "echo made $WORD; cat; echo oops >&2",
        "update": "echo was $PULUMI_COMMAND_STDOUT",
        "delete": f"echo $PULUMI_COMMAND_STDOUT > {tmp_path}/bye",
        "environment": {"WORD": "it"},
        "stdin": "in",
        "triggers": [1],
    }
    made = command.create(COMMAND, props)
    assert (made.outputs["stdout"], made.outputs["stderr"]) == ("made it\nin", "oops")
    assert command.diff(made, props) == ({}, set(), False)
    assert command.diff(made, {**props, "triggers": [2]})[1] == {"triggers"}
    assert command.diff(made, {**props, "stdin": "x"})[1] == set()
    made = command.update(made, {**props, "stdin": "x"})
    assert made.outputs["stdout"] == "was made it in"
    command.delete(made)
    assert (tmp_path / "bye").read_text() == "was made it in\n"


def test_a_command_that_fails_says_what_it_said(connect):
    command = connect("command")
    with pytest.raises(grpc.RpcError) as caught:
        command.create(COMMAND, {"create": "echo before; echo why >&2; exit 3"})
    assert "exit status 3" in caught.value.details()
    assert "why" in caught.value.details()


def test_what_a_command_prints_is_secret_if_it_was_told_a_secret(connect):
    command = connect("command")
    assert command.provider.package.accept_secrets
    inputs = encode({"create": "echo $A", "environment": {"A": Secret("hush")}})
    checked = command.stub.Check(pb.CheckRequest(urn=command.urn(COMMAND, "one"), news=inputs)).inputs
    assert secret_keys(checked) == {"environment"}
    answer = command.stub.Create(pb.CreateRequest(urn=command.urn(COMMAND, "one"), properties=checked))
    assert secret_keys(answer.properties) == {"environment", "stdout", "stderr"}


def test_nothing_remote(connect):
    with pytest.raises(grpc.RpcError) as caught:
        connect("command").create("command:remote:Command", {"create": "true"})
    assert "command:remote:Command is not implemented" in caught.value.details()
