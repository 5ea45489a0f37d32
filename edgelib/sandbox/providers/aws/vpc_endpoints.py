"""aws:ec2 VpcEndpoint and VpcEndpointRouteTableAssociation."""
# ruff: noqa: A001, A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import zlib
from collections.abc import Mapping
from typing import Any, ClassVar, Optional

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.resource import AwsResource
from edgelib.sandbox.providers.aws.session import AwsSession, unless_missing
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Created, Request
from edgelib.sandbox.providers.values import list_of, mapping_of

_SETS = {"routeTableIds": "RouteTableIds", "subnetIds": "SubnetIds", "securityGroupIds": "SecurityGroupIds"}


class VpcEndpoint(Ec2Object):
    """Gateway and interface endpoints."""

    token = "aws:ec2/vpcEndpoint:VpcEndpoint"  # noqa: S105 - a type token
    api = Api(
        noun="vpc-endpoint", create="create_vpc_endpoint", created="VpcEndpoint.VpcEndpointId",
        describe="describe_vpc_endpoints", listed="VpcEndpoints", id="VpcEndpointId", delete="delete_vpc_endpoints",
        polled="available",
    )  # fmt: skip
    sent = ("vpcId", "serviceName", "vpcEndpointType", "privateDnsEnabled", "ipAddressType", *_SETS)
    remote: ClassVar[Mapping[str, str]] = {"policy": "PolicyDocument"}
    properties = (
        Property(name="vpcId", required=True, replaces=True),
        Property(name="serviceName", required=True, replaces=True),
        Property(name="vpcEndpointType", default="Gateway", replaces=True, allowed=("Gateway", "Interface", "GatewayLoadBalancer")),
        Property(name="policy", kind=Kind.JSON, computed=True),
        Property(name="privateDnsEnabled", kind=Kind.BOOLEAN, computed=True),
        Property(name="ipAddressType", computed=True, allowed=("ipv4", "dualstack", "ipv6")),
        *(Property(name=name, kind=Kind.SET, computed=True) for name in _SETS),
        *outputs("arn", "cidrBlocks", "dnsEntries", "networkInterfaceIds", "ownerId", "prefixListId", "requesterManaged", "state"),
        *TAGS, REGION,
    )  # fmt: skip

    def arguments(self, session: AwsSession, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The policy under its other name."""
        return {"PolicyDocument": inputs["policy"]} if inputs.get("policy") else {}

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Groups, names, and a gateway's prefix list."""
        prefix, blocks = "", list[str]()
        if item["VpcEndpointType"] == "Gateway":
            filters = [{"Name": "prefix-list-name", "Values": [item["ServiceName"]]}]
            lists = client.describe_prefix_lists(Filters=filters)["PrefixLists"]
            lists = [entry for entry in lists if entry["PrefixListName"] == item["ServiceName"]]
            prefix, blocks = (lists[0]["PrefixListId"], list_of(lists[0].get("Cidrs"))) if lists else ("", [])
        names = [
            {"dnsName": entry.get("DnsName", ""), "hostedZoneId": entry.get("HostedZoneId", "")}
            for entry in item.get("DnsEntries", ())
        ]
        return {
            "securityGroupIds": [group["GroupId"] for group in item.get("Groups", ())],
            "dnsEntries": names,
            "prefixListId": prefix,
            "cidrBlocks": blocks,
        }

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """What came and what went, set by set."""
        arguments: dict[str, Any] = {}
        for name in set(_SETS) & changed:
            before, after = set(old.get(name) or ()), set(new.get(name) or ())
            remote = _SETS[name]
            if after - before:
                arguments[f"Add{remote}"] = sorted(after - before)
            if before - after:
                arguments[f"Remove{remote}"] = sorted(before - after)
        if "policy" in changed and new.get("policy"):
            arguments["PolicyDocument"] = new["policy"]
        if "privateDnsEnabled" in changed and "privateDnsEnabled" in new:
            arguments["PrivateDnsEnabled"] = new["privateDnsEnabled"]
        if arguments:
            client.modify_vpc_endpoint(VpcEndpointId=id, **arguments)

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """The call takes several."""
        client.delete_vpc_endpoints(VpcEndpointIds=[id])


class VpcEndpointRouteTableAssociation(AwsResource):
    """One more route table for a gateway endpoint."""

    token = "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation"  # noqa: S105 - a type token
    properties = (
        Property(name="routeTableId", required=True, replaces=True),
        Property(name="vpcEndpointId", required=True, replaces=True),
        REGION,
    )

    @staticmethod
    def _tables(client: Any, endpoint: str) -> list[str]:
        found = unless_missing(lambda: client.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"][0])
        return list_of(mapping_of(found).get("RouteTableIds"))

    def create(self, request: Request[AwsSession], inputs: Mapping[str, Any]) -> Created:
        """Add it: the call may be repeated."""
        client = self.client(request.session, inputs)
        endpoint, table = inputs["vpcEndpointId"], inputs["routeTableId"]
        client.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[table])
        return Created(f"a-{endpoint}{zlib.crc32(table.encode())}")  # the official provider's form

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Whether the endpoint still has the table; an import names it `<endpoint>/<table>`."""
        if not state.get("routeTableId"):
            endpoint, _, table = id.partition("/")
            state = {"vpcEndpointId": endpoint, "routeTableId": table}
            id = f"a-{endpoint}{zlib.crc32(table.encode())}"
        if state["routeTableId"] not in self._tables(self.client(session, state), state["vpcEndpointId"]):
            return None
        return {
            "routeTableId": state["routeTableId"],
            "vpcEndpointId": state["vpcEndpointId"],
            "region": session.region_of(state),
            "id": id,
        }

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Take it out."""
        if state["routeTableId"] in self._tables(client, state["vpcEndpointId"]):
            client.modify_vpc_endpoint(
                VpcEndpointId=state["vpcEndpointId"], RemoveRouteTableIds=[state["routeTableId"]]
            )
