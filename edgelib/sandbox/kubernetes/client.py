"""Requests to an API server: the official Python client for others, and plain JSON over one connection for ourselves."""

import json
from typing import Any, Optional

import urllib3
from kubernetes.client import ApiClient, Configuration

from edgelib.sandbox.kubernetes.credentials import SERVER_NAME, Credentials
from edgelib.sandbox.kubernetes.specs import API_PORT, ApiServer

ANSWER_SECONDS = 5.0
"""Bound on one of our own requests."""

MERGE_PATCH = "application/merge-patch+json"
JSON = "application/json"


class UnreachableError(RuntimeError):
    """No API server answered as it should. The message has its words."""


class Api:
    """One API server, asked as admin; nothing is retried, and no proxy is used. A `with` block closes its connection."""

    def __init__(self, credentials: Credentials, server: ApiServer) -> None:
        self.server = server
        self._pool = urllib3.HTTPSConnectionPool(
            server.address,
            API_PORT,
            ca_certs=str(credentials.file("server-ca.crt")),
            cert_file=str(credentials.file("admin.crt")),
            key_file=str(credentials.file("admin.key")),
            server_hostname=SERVER_NAME,
            assert_hostname=SERVER_NAME,
            timeout=ANSWER_SECONDS,
            retries=urllib3.Retry(0),
        )

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def is_ready(self) -> bool:
        """Whether /readyz says so."""
        try:
            return self._pool.request("GET", "/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def get(self, path: str) -> dict[str, Any]:
        """Raises UnreachableError for anything but success, as all the others do."""
        found = self.find(path)
        if found is None:
            raise UnreachableError(f"GET {self.server.url}{path}: 404")
        return found

    def find(self, path: str) -> Optional[dict[str, Any]]:
        """None where there is no such object."""
        return self._request("GET", path, None, content_type=JSON)

    def create(self, path: str, body: object) -> None:
        """An object that is there already is fine, and stays as it is."""
        self._request("POST", path, body, content_type=JSON)

    def merge(self, path: str, body: object) -> None:
        """Merge patch (RFC 7386): lists as a whole, None removes. An object that is gone is fine."""
        self._request("PATCH", path, body, content_type=MERGE_PATCH)

    def _request(self, method: str, path: str, body: object, *, content_type: str) -> Optional[dict[str, Any]]:
        headers = {"Accept": JSON, "Content-Type": content_type, "User-Agent": "k3s"}
        try:
            answer = self._pool.request(
                method, path, body=None if body is None else json.dumps(body).encode(), headers=headers
            )
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(f"{method} {self.server.url}{path}: {error}") from error
        if (method, answer.status) in {("GET", 404), ("PATCH", 404), ("POST", 409)}:
            return None
        if answer.status >= 300:
            said = answer.data.decode(errors="replace")
            raise UnreachableError(f"{method} {self.server.url}{path}: {answer.status} {said}")
        return json.loads(answer.data)


def official(credentials: Credentials, server: ApiServer) -> ApiClient:
    """The official client of one API server, as admin, whatever proxy the environment names."""
    configuration = Configuration()
    configuration.host = server.url
    configuration.ssl_ca_cert = str(credentials.file("server-ca.crt"))
    configuration.cert_file = str(credentials.file("admin.crt"))
    configuration.key_file = str(credentials.file("admin.key"))
    configuration.tls_server_name = SERVER_NAME
    configuration.proxy = None
    return ApiClient(configuration)
