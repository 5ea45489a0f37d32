"""A configured AWS account: clients that talk to a loopback endpoint and to nothing else."""

import ipaddress
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Optional, TypeVar, cast
from urllib.parse import urlsplit

import boto3  # pyright: ignore[reportMissingTypeStubs]
import jmespath
from botocore.config import Config  # pyright: ignore[reportMissingTypeStubs]
from botocore.exceptions import (  # pyright: ignore[reportMissingTypeStubs]
    ClientError,
    HTTPClientError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError  # pyright: ignore[reportMissingTypeStubs]

from edgelib.sandbox.providers.resource import ProviderError

ResultT = TypeVar("ResultT")

_THROTTLED: Final = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException"})


@dataclass
class AwsSession:
    """`region` is the provider's; a resource may name another one. `endpoints` maps services to URLs, "" is all others."""

    region: str
    credentials: Mapping[str, str]
    endpoints: Mapping[str, str]
    default_tags: Mapping[str, str]
    max_attempts: int = 5
    _clients: dict[tuple[str, str, bool], Any] = field(default_factory=dict[tuple[str, str, bool], Any])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _account: Optional[str] = None

    def client(self, service: str, region: Optional[str] = None, *, retried: bool = True) -> Any:
        """The boto3 client of a service. `retried=False`: each call is made once, for calls that must not be repeated blindly."""
        key = (service, region or self.region, retried)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._new_client(*key)
            return self._clients[key]

    def _new_client(self, service: str, region: str, retried: bool) -> Any:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": self.max_attempts if retried else 1},
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=64,
            proxies={},
            s3={"addressing_style": "path"},
        )
        endpoint = self.endpoints.get(service) or self.endpoints.get("")
        if endpoint is None:
            raise ProviderError(
                f"no endpoint for AWS {service}: set aws:endpoints or AWS_ENDPOINT_URL to the sandbox's URL"
            )
        session = boto3.Session(**self.credentials)
        made = session.client(service, region_name=region, endpoint_url=endpoint, config=config)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportCallIssue, reportArgumentType] - the service is a plain str
        return cast("Any", made)

    @property
    def account(self) -> str:
        """The account id."""
        if self._account is None:
            self._account = str(self.client("sts").get_caller_identity()["Account"])
        return self._account

    def region_of(self, values: Mapping[str, Any]) -> str:
        """The Region of a resource or of an invoke's arguments."""
        return values.get("region") or self.region


def require_loopback(url: str) -> str:
    """The URL, if it points at this machine. Raises ProviderError otherwise: a stand-in must never reach a real account."""
    host = urlsplit(url).hostname or ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        raise ProviderError(
            f"edgelib's stand-in for the aws provider only talks to the sandbox on this machine, not to {url}: "
            f"install the official plugin (`pulumi plugin install resource aws`) to deploy to AWS"
        )
    return url


def _answer(error: ClientError) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", error.response)  # pyright: ignore[reportUnknownMemberType] - boto3 has no types


def error_code(error: BaseException) -> str:
    """The AWS error code, "" for an error that is none of AWS's."""
    return str(_answer(error).get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def is_missing(error: BaseException) -> bool:
    """Whether AWS says that the thing does not exist."""
    code = error_code(error)
    return code.endswith(("NotFound", "NotFoundException", "NoSuchEntity", "NoSuchBucket")) or code in {
        "404",
        "InvalidRoute.NotFound",
    }


def unless_missing(call: Callable[[], ResultT]) -> Optional[ResultT]:
    """The call's result, None when AWS says that the thing does not exist."""
    try:
        return call()
    except Exception as error:
        if not is_missing(error):
            raise
        return None


def is_unanswered(error: BaseException) -> bool:
    """Whether a failed call may be made again, and may have done its work: the connection broke, the server failed or was busy."""
    if isinstance(error, ClientError):
        status = _answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error_code(error) in _THROTTLED
    return isinstance(error, (BotoConnectionError, HTTPClientError))


def pages(client: Any, operation: str, path: str, **arguments: Any) -> Iterator[Any]:
    """Everything that a list call gives, over all its pages; `path` is the JMESPath of the items in an answer."""
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**arguments):
            yield from jmespath.search(path, page) or []
    else:
        yield from jmespath.search(path, getattr(client, operation)(**arguments)) or []
