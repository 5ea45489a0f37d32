import hashlib
import ssl

import pytest
from cluster_certificates import make_ca

from edgelib.kubernetes.tokens import secure_token


def test_the_token_pins_the_der_of_the_root():
    pem = make_ca("root").pem
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    assert secure_token(pem, "node", "secret") == f"K10{digest}::node:secret"


def test_line_ends_of_the_pem_do_not_matter():
    pem = make_ca("root").pem
    assert secure_token(pem.replace("\n", "\r\n").strip(), "node", "x") == secure_token(pem, "node", "x")


def test_what_is_no_certificate_is_refused():
    with pytest.raises(ValueError, match="no PEM certificate"):
        secure_token("-----BEGIN PRIVATE KEY-----", "node", "x")
