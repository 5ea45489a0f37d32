"""aws:ec2/subnet:Subnet."""
# ruff: noqa: A002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Mapping
from typing import Any

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.session import AwsSession
from edgelib.sandbox.providers.aws.vpc import ipv4_network
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Request


class Subnet(Ec2Object):
    """IPv6, IPAM, Outposts and host-name options are not implemented."""

    token = "aws:ec2/subnet:Subnet"  # noqa: S105 - a type token
    api = Api(
        noun="subnet", create="create_subnet", created="Subnet.SubnetId", describe="describe_subnets", listed="Subnets",
        id="SubnetId", delete="delete_subnet", ready="subnet_available",
    )  # fmt: skip
    sent = ("vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId")
    properties = (
        Property(name="vpcId", required=True, replaces=True),
        Property(name="cidrBlock", required=True, replaces=True, problem=ipv4_network),
        Property(name="availabilityZone", computed=True, replaces=True),
        Property(name="availabilityZoneId", computed=True, replaces=True),
        Property(name="mapPublicIpOnLaunch", kind=Kind.BOOLEAN, default=False),
        *outputs("arn", "ownerId"),
        *TAGS, REGION,
    )  # fmt: skip

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """The one attribute that the create call does not take."""
        super().settle(request, id, inputs)
        client = self.client(request.session, inputs)
        wanted = inputs["mapPublicIpOnLaunch"]
        if (self.item(client, id) or {}).get("MapPublicIpOnLaunch", False) != wanted:
            client.modify_subnet_attribute(SubnetId=id, MapPublicIpOnLaunch={"Value": wanted})
