"""Who and where: aws:index getRegion, getCallerIdentity, getPartition."""
# ruff: noqa: ARG001 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Mapping
from typing import Any

import botocore.session  # pyright: ignore[reportMissingTypeStubs]

from edgelib.sandbox.providers.aws.session import AwsSession
from edgelib.sandbox.providers.properties import Property
from edgelib.sandbox.providers.resource import Function


def get_region(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The provider's Region, or a named one."""
    region = arguments.get("name") or session.region_of(arguments)
    regions = botocore.session.get_session().get_data("endpoints")["partitions"][0]["regions"]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    description = str(regions.get(region, {}).get("description", ""))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": description,
        "endpoint": f"ec2.{region}.amazonaws.com",
    }


def get_caller_identity(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The account that the sandbox's credentials are of."""
    found = session.client("sts").get_caller_identity()
    return {"id": found["Account"], "accountId": found["Account"], "arn": found["Arn"], "userId": found["UserId"]}


def get_partition(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The commercial partition: no other has Wavelength Zones."""
    return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


_ID = Property(name="id")
INVOKES = (
    Function(
        "aws:index/getRegion:getRegion",
        (_ID, Property(name="name"), Property(name="region"), Property(name="endpoint")),
        get_region,
    ),
    Function("aws:index/getCallerIdentity:getCallerIdentity", (_ID,), get_caller_identity),
    Function("aws:index/getPartition:getPartition", (_ID,), get_partition),
)
