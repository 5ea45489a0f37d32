"""aws:ec2/vpc:Vpc and its look-up."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import ipaddress
from collections.abc import Mapping
from typing import Any, Final, Optional

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.names import pascal
from edgelib.sandbox.providers.aws.session import AwsSession
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Request

_ATTRIBUTES: Final = ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics")


def ipv4_network(value: str) -> Optional[str]:
    """What is wrong with an IPv4 block, as the official plugin checks it: host bits must be zero."""
    try:
        ipaddress.IPv4Network(value)
    except ValueError as error:
        return f"is not an IPv4 block: {error}"
    return None


def ipv6_network(value: str) -> Optional[str]:
    """What is wrong with an IPv6 block."""
    try:
        ipaddress.IPv6Network(value)
    except ValueError as error:
        return f"is not an IPv6 block: {error}"
    return None


def _vpc_block(value: str) -> Optional[str]:
    problem = ipv4_network(value)
    if problem is None and not 16 <= ipaddress.IPv4Network(value).prefixlen <= 28:
        return "must be between /16 and /28"
    return problem


class Vpc(Ec2Object):
    """IPv6 and IPAM are not implemented."""

    token = "aws:ec2/vpc:Vpc"  # noqa: S105 - a type token
    api = Api(
        noun="vpc", create="create_vpc", created="Vpc.VpcId", describe="describe_vpcs", listed="Vpcs", id="VpcId",
        delete="delete_vpc", ready="vpc_available",
    )  # fmt: skip
    sent = ("cidrBlock", "instanceTenancy")
    properties = (
        Property(name="cidrBlock", required=True, replaces=True, problem=_vpc_block),
        Property(name="instanceTenancy", default="default", replaces=True, allowed=("default", "dedicated")),
        Property(name="enableDnsSupport", kind=Kind.BOOLEAN, default=True),
        Property(name="enableDnsHostnames", kind=Kind.BOOLEAN, computed=True),
        Property(name="enableNetworkAddressUsageMetrics", kind=Kind.BOOLEAN, computed=True),
        *outputs("arn", "ownerId", "dhcpOptionsId", "mainRouteTableId"),
        *outputs("defaultRouteTableId", "defaultSecurityGroupId", "defaultNetworkAclId"),
        *TAGS, REGION,
    )  # fmt: skip

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """DNS support first: host names cannot be switched on without it."""
        super().settle(request, id, inputs)
        client = self.client(request.session, inputs)
        for name in _ATTRIBUTES:
            if name in inputs and self._attribute(client, id, name) != inputs[name]:
                client.modify_vpc_attribute(VpcId=id, **{pascal(name): {"Value": inputs[name]}})

    @staticmethod
    def _attribute(client: Any, id: str, name: str) -> bool:
        answer = client.describe_vpc_attribute(VpcId=id, Attribute=name)
        return bool(answer.get(pascal(name), {}).get("Value"))

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The attributes, and the things that come with a VPC."""
        vpc = item["VpcId"]
        of_vpc = {"Name": "vpc-id", "Values": [vpc]}
        main = client.describe_route_tables(Filters=[of_vpc, {"Name": "association.main", "Values": ["true"]}])[
            "RouteTables"
        ]
        group = client.describe_security_groups(Filters=[of_vpc, {"Name": "group-name", "Values": ["default"]}])[
            "SecurityGroups"
        ]
        acl = client.describe_network_acls(Filters=[of_vpc, {"Name": "default", "Values": ["true"]}])["NetworkAcls"]
        table = main[0]["RouteTableId"] if main else None
        return {
            **{name: self._attribute(client, vpc, name) for name in _ATTRIBUTES},
            "mainRouteTableId": table,
            "defaultRouteTableId": state.get("defaultRouteTableId") or table,
            "defaultSecurityGroupId": group[0]["GroupId"] if group else None,
            "defaultNetworkAclId": acl[0]["NetworkAclId"] if acl else None,
        }
