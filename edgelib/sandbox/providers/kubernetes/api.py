"""One Kubernetes API: requests by the official client, what the server refuses, and which kinds it has."""

import base64
import json
import ssl
import tempfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Optional, cast
from urllib.parse import urlsplit

import urllib3.exceptions
from kubernetes import client as official  # pyright: ignore[reportMissingTypeStubs]
from kubernetes import config as official_config  # pyright: ignore[reportMissingTypeStubs]
from kubernetes import dynamic  # pyright: ignore[reportMissingTypeStubs]
from kubernetes.dynamic.exceptions import DynamicApiError  # pyright: ignore[reportMissingTypeStubs]

from edgelib.sandbox.providers.kubernetes.kinds import Kind
from edgelib.sandbox.providers.kubernetes.kubeconfig import CONTEXT, Chosen
from edgelib.sandbox.providers.resource import ProviderError
from edgelib.sandbox.providers.values import list_of, mapping_of

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0
"""Bound on one answer; nothing here watches."""


class UnreachableError(ProviderError):
    """No answer from the API server."""


class UnknownKindError(ProviderError):
    """The server has no such kind, perhaps not yet."""


class RefusedError(ProviderError):
    """An answer other than success, read from its Status object.

    Attributes:
        status: HTTP status.
        reason: Machine-readable: "Conflict", "Invalid"; "" when the server gives none.
        message: The server's sentence.
        causes: (field, message, reason) of each cause.
        retry_after: Seconds that the server asks to wait, None when it does not.
    """

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        self.status = status
        self.reason = str(answer.get("reason") or "")
        self.message = str(answer.get("message") or f"HTTP {status}")
        details = mapping_of(answer.get("details"))
        causes: list[Mapping[str, Any]] = list_of(details.get("causes"))
        self.causes = [
            (each.get("field"), str(each.get("message", "")), str(each.get("reason", ""))) for each in causes
        ]
        self.retry_after: Optional[int] = details.get("retryAfterSeconds")
        super().__init__(f"{self.message} ({status}{' ' + self.reason if self.reason else ''})")


@dataclass(frozen=True)
class Endpoint:
    """Where the objects of a kind are: `/apis/apps/v1`, "deployments", in namespaces or not."""

    prefix: str
    plural: str
    namespaced: bool

    def path(self, namespace: Optional[str], name: Optional[str] = None) -> str:
        """The path of one object, or of all of them in a namespace."""
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.prefix}{place}/{self.plural}" + (f"/{name}" if name else "")


class Api:
    """The API of one cluster, for any number of threads."""

    def __init__(self, chosen: Chosen) -> None:
        self.chosen = chosen
        # Its own discovery would leave a cache in the system's folder for temporary files, found by the server's URL alone.
        self._dynamic: Any = dynamic.DynamicClient(_client(chosen), discoverer=_no_discovery)
        self._lock = threading.Lock()
        self._endpoints: dict[Kind, Endpoint] = {}

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Iterable[tuple[str, Any]] = (),
        content_type: Optional[str] = None,
    ) -> dict[str, Any]:
        """One request and its JSON answer.

        Raises:
            RefusedError: The server says no.
            UnreachableError: It says nothing, or cannot be trusted.
        """
        try:
            answer = self._dynamic.request(
                method,
                path,
                body=body,
                query_params=list(query),
                header_params={"Accept": "application/json"},
                content_type=content_type,
                serialize=False,
                _request_timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            )
        except DynamicApiError as error:
            answered = cast("Any", error)
            if not answered.status:
                raise self._unreachable(error) from error
            if answered.status == 401:
                raise ProviderError(
                    f"the Kubernetes API server {self.chosen.server} does not know the user of context {self.chosen.context!r} "
                    f"of the provider's kubeconfig (401): its certificate or token has expired, or is another cluster's"
                ) from None
            raise RefusedError(answered.status, _status_object(answered.body)) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from error
        return json.loads(answer.data)

    def _unreachable(self, error: BaseException) -> UnreachableError:
        return UnreachableError(
            f"the Kubernetes API server {self.chosen.server} (context {self.chosen.context!r} of the provider's kubeconfig) "
            f"cannot be reached: {_cause(error)}"
        )

    def endpoint(self, kind: Kind) -> Endpoint:
        """Where a kind's objects are. What the server does not have is asked for anew each time: a CRD may bring it.

        Raises:
            UnknownKindError: The server does not have it.
        """
        with self._lock:
            known = self._endpoints.get(kind)
        if known is not None:
            return known
        prefix = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
        try:
            listed: list[Mapping[str, Any]] = list_of(self.request("get", prefix).get("resources"))
        except RefusedError as error:
            if error.status != 404:
                raise
            listed = []
        found = {
            Kind(kind.group, kind.version, str(each["kind"])): Endpoint(
                prefix, str(each["name"]), bool(each["namespaced"])
            )
            for each in listed
            if "/" not in str(each["name"])
        }
        with self._lock:
            self._endpoints.update(found)
        if kind not in found:
            raise UnknownKindError(
                f"the API server {self.chosen.server} has no kind {kind.name} in {kind.api_version}: create its "
                f"CustomResourceDefinition first (`depends_on`), or correct apiVersion and kind"
            )
        return found[kind]

    def forget(self, kind: Kind) -> None:
        """Ask the server again where a kind's objects are: its definition may have changed."""
        with self._lock:
            self._endpoints.pop(kind, None)

    def get(self, kind: Kind, namespace: Optional[str], name: str) -> Optional[dict[str, Any]]:
        """An object, None when there is none."""
        try:
            return self.request("get", self.endpoint(kind).path(namespace, name))
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def list(self, kind: Kind, namespace: Optional[str], *, labels: str = "", fields: str = "") -> list[dict[str, Any]]:
        """The objects of a kind that the selectors match."""
        query = [(key, value) for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value]
        answer = self.request("get", self.endpoint(kind).path(namespace), query=query)
        return list_of(answer.get("items"))


def _status_object(body: Any) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except (TypeError, ValueError):
        return {"message": body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")}
    return cast("dict[str, Any]", answer) if isinstance(answer, dict) else {"message": str(answer)}


def _no_discovery(_client: Any, _cache_file: Any) -> None:
    return None


def _cause(error: BaseException) -> str:
    """The last word of a chain of wrapped network errors."""
    reason: Any = getattr(error, "reason", None)
    while isinstance(reason, BaseException):
        error, reason = reason, getattr(reason, "reason", None)
    text = str(error)
    return text.rpartition(": ")[2] if isinstance(error, urllib3.exceptions.NewConnectionError) else text


def _client(chosen: Chosen) -> Any:
    """The official client, with keys and certificates in memory alone.

    The client would leave the keys of a kubeconfig in files until a clean exit, which a plugin never has; here they are
    in files only while OpenSSL reads them.
    """
    configuration: Any = official.Configuration()
    with tempfile.TemporaryDirectory(prefix="edgelib-kubernetes-") as folder:
        document = chosen.document()
        for section, entry in (("clusters", "cluster"), ("users", "user")):
            _write_data(document[section][0][entry], Path(folder))
        try:
            loader: Any = official_config.kube_config.KubeConfigLoader(config_dict=document, active_context=CONTEXT)
            loader.load_and_set(configuration)
        except official_config.ConfigException as error:
            raise ProviderError(f"kubeconfig: context {chosen.context!r}: {error}") from None
        context = _tls(configuration, chosen)
    host = str(urlsplit(chosen.server).hostname)
    if host == "localhost" or _is_loopback(host):
        configuration.proxy = None
    configuration.cert_file = configuration.key_file = configuration.ssl_ca_cert = None
    configuration.retries = False
    made: Any = official.ApiClient(configuration)
    pool: dict[str, Any] = made.rest_client.pool_manager.connection_pool_kw
    if context is not None:
        for key in ("cert_file", "key_file", "ca_certs", "ca_cert_data", "cert_reqs"):
            pool.pop(key, None)
        pool["ssl_context"] = context
    pool["maxsize"] = 32
    return made


def _write_data(entry: dict[str, Any], folder: Path) -> None:
    for name in ("certificate-authority", "client-certificate", "client-key"):
        data = entry.pop(f"{name}-data", None)
        if data is None:
            continue
        file = folder / name
        file.touch(mode=0o600)
        try:
            file.write_bytes(base64.b64decode(data, validate=True))
        except ValueError:
            raise ProviderError(f"kubeconfig: {name}-data is not base64") from None
        entry[name] = str(file)


def _tls(configuration: Any, chosen: Chosen) -> Optional[ssl.SSLContext]:
    """TLS as Go's clients do it: any certificate of the CA file is trusted, an intermediate one too."""
    if not chosen.server.startswith("https"):
        return None
    try:
        context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
        context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
        if not configuration.verify_ssl:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
    except (ssl.SSLError, OSError) as error:
        raise ProviderError(
            f"kubeconfig: context {chosen.context!r}: its CA, client certificate or key cannot be read: {error}"
        ) from None
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
