"""The stand-in for pulumi-aws: the types and look-ups that edgelib uses, on the sandbox's endpoint."""

import os
from collections.abc import Mapping
from typing import Any

from edgelib.sandbox.providers.aws import catalogue
from edgelib.sandbox.providers.aws.session import AwsSession, require_loopback
from edgelib.sandbox.providers.properties import Kind, Property
from edgelib.sandbox.providers.resource import Package, ProviderError
from edgelib.sandbox.providers.values import list_of, mapping_of

_IGNORED = (  # they tell the official plugin not to ask AWS about the account: nothing to do here
    "skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId", "s3UsePathStyle",
)  # fmt: skip
_CONFIG = (
    Property(name="region"),
    Property(name="accessKey", secret=True),
    Property(name="secretKey", secret=True),
    Property(name="token", secret=True),
    Property(name="maxRetries", kind=Kind.INTEGER),
    Property(name="endpoints", kind=Kind.ANY),
    Property(name="defaultTags", kind=Kind.OBJECT, fields=(Property(name="tags", kind=Kind.MAP),)),
    *(Property(name=name, kind=Kind.BOOLEAN) for name in _IGNORED),
)


def _configure(config: Mapping[str, Any]) -> AwsSession:
    region = config.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise ProviderError("the aws provider has no Region: `pulumi config set aws:region us-east-1`")
    given = list_of(config.get("endpoints"))
    endpoints: dict[str, str] = {}
    for entry in [given] if isinstance(given, Mapping) else given:  # pyright: ignore[reportUnknownVariableType]
        endpoints.update(entry)  # pyright: ignore[reportUnknownArgumentType]
    if "AWS_ENDPOINT_URL" in os.environ:
        endpoints.setdefault("", os.environ["AWS_ENDPOINT_URL"])
    for url in endpoints.values():
        require_loopback(url)
    credentials = {
        "aws_access_key_id": config.get("accessKey") or os.environ.get("AWS_ACCESS_KEY_ID") or "sandbox",
        "aws_secret_access_key": config.get("secretKey") or os.environ.get("AWS_SECRET_ACCESS_KEY") or "sandbox",
    }
    if config.get("token"):
        credentials["aws_session_token"] = config["token"]
    tags = mapping_of(mapping_of(config.get("defaultTags")).get("tags"))
    return AwsSession(region, credentials, endpoints, tags, max_attempts=config.get("maxRetries", 4) + 1)


def package(version: str) -> Package[AwsSession]:
    """The package as the server takes it."""
    return Package(
        name="aws",
        version=version,
        config=_CONFIG,
        configure=_configure,
        resources={resource.token: resource for resource in catalogue.RESOURCES},
        invokes={invoke.token: invoke for invoke in catalogue.INVOKES},
        config_replaces=frozenset({"region"}),
    )
