"""Kubeconfig files for a client certificate."""

import base64
from collections.abc import Mapping

import yaml


def render_kubeconfig(*, servers: Mapping[str, str], ca_pem: str, certificate_pem: str, key_pem: str) -> str:
    """Renders a kubeconfig with one context per entry of ``servers`` (context name to ``https://host:port``), the first one current."""

    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    first = next(iter(servers))
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": url, "certificate-authority-data": encoded(ca_pem)}}
            for name, url in servers.items()
        ],
        "users": [
            {
                "name": f"{first}-admin",
                "user": {
                    "client-certificate-data": encoded(certificate_pem),
                    "client-key-data": encoded(key_pem),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": f"{first}-admin"}} for name in servers],
        "current-context": first,
    }
    return yaml.safe_dump(document, sort_keys=False)
