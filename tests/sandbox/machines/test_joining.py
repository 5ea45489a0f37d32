"""Tokens, and the certificate authority that they pin."""

import hashlib

import pytest

from edgelib.kubernetes.tokens import secure_token
from edgelib.sandbox.machines.joining import Token, TokenError, ca_hash, hash_refusal, parse_token
from tests.sandbox.machines.k3s_user_data import Pki, pki

HASH = "a" * 64


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (f"K10{HASH}::server:secret\n", Token(HASH, "server", "secret")),
        (f"K10{HASH}::node:a:b", Token(HASH, "node", "a:b")),
        ("K10::node:x", Token("", "node", "x")),
        ("secret", Token("", "", "secret")),
    ],
)
def test_tokens_are_read(text, token):
    assert parse_token(text) == token


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "token must not be empty"),
        ("K10abc::server:secret", "invalid token CA hash length"),
        (f"K10{HASH}:server:secret", "invalid token format"),
        (f"K10{HASH}::server", "invalid token format"),
        (f"K10{HASH}::server:", "invalid token format"),
    ],
)
def test_what_k3s_cannot_read_is_refused_in_its_words(text, words):
    with pytest.raises(TokenError, match=words):
        parse_token(text)


def test_a_token_pins_the_root_of_the_servers_bundle():
    authority = pki()
    bundle = authority.certificates["server-ca.crt"]
    assert ca_hash(bundle) == authority.root_hash
    token = parse_token(secure_token(authority.root_pem, "node", "x"))
    assert hash_refusal(token, bundle) is None
    assert hash_refusal(Token("", "", "x"), bundle) is None


def test_another_clusters_token_is_refused_with_both_hashes():
    other = Pki("other")
    token = parse_token(other.token("node", "x"))
    refusal = hash_refusal(token, pki().certificates["server-ca.crt"])
    assert (
        refusal
        == f"token CA hash does not match the Cluster CA certificate hash: {other.root_hash} != {pki().root_hash}"
    )


def test_a_bundle_without_its_root_or_of_one_certificate_is_hashed_as_it_is():
    single = pki().root_pem
    assert ca_hash(single) == hashlib.sha256(single.encode()).hexdigest()
    broken = pki().certificates["server-ca.crt"].replace(pki().root_pem, Pki("other").root_pem)
    assert ca_hash(broken) == hashlib.sha256(broken.encode()).hexdigest()
