import base64

import yaml

from edgelib.kubernetes.kubeconfig import render_kubeconfig

SERVERS = {
    "k3s": "https://203.0.113.7:6443",
    "k3s-server-1": "https://203.0.113.7:6443",
    "k3s-server-2": "https://203.0.113.8:6443",
}


def rendered():
    return yaml.safe_load(render_kubeconfig(servers=SERVERS, ca_pem="CA", certificate_pem="CERT", key_pem="KEY"))


def test_the_first_server_is_current_and_each_has_a_context():
    config = rendered()
    assert config["current-context"] == "k3s"
    clusters = {each["name"]: each["cluster"]["server"] for each in config["clusters"]}
    contexts = {each["name"]: clusters[each["context"]["cluster"]] for each in config["contexts"]}
    assert contexts == SERVERS
    assert {each["context"]["user"] for each in config["contexts"]} == {config["users"][0]["name"]}


def test_certificates_and_key_are_inside():
    config = rendered()
    user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
    inside = [cluster["certificate-authority-data"], user["client-certificate-data"], user["client-key-data"]]
    assert [base64.b64decode(each).decode() for each in inside] == ["CA", "CERT", "KEY"]
