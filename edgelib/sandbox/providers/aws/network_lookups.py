"""aws:ec2 getVpc, getVpcs, getSubnet, getSubnets, getRouteTable, getRouteTables, getSecurityGroup, getPrefixList, getManagedPrefixList."""

from collections.abc import Mapping
from typing import Any

from edgelib.sandbox.providers.aws.lookups import COMMON, PLACED, arn, only, search
from edgelib.sandbox.providers.aws.names import pascal
from edgelib.sandbox.providers.aws.session import AwsSession
from edgelib.sandbox.providers.aws.tags import as_map
from edgelib.sandbox.providers.aws.vpc import Vpc
from edgelib.sandbox.providers.properties import Kind, Property
from edgelib.sandbox.providers.resource import Function

_ATTRIBUTES = ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics", "mainRouteTableId")


def _inputs(*names: str, flags: tuple[str, ...] = ()) -> tuple[Property, ...]:
    return (
        *(Property(name=name) for name in names),
        *(Property(name=name, kind=Kind.BOOLEAN) for name in flags),
        *COMMON,
    )


def _ids(session: AwsSession, arguments: Mapping[str, Any], found: list[dict[str, Any]], key: str) -> dict[str, Any]:
    region = session.region_of(arguments)
    return {**arguments, "id": region, "region": region, "ids": sorted(item[key] for item in found)}


def get_vpc(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One VPC."""
    found = search(
        session, arguments, "describe_vpcs", "Vpcs", ids=("VpcIds", arguments.get("id")), cidr=arguments.get("cidrBlock"),
        state=arguments.get("state"), dhcp_options_id=arguments.get("dhcpOptionsId"),
        is_default=arguments.get("default") or None,
    )  # fmt: skip
    vpc = only(found, "VPCs", arguments)
    state = Vpc().read(session, vpc["VpcId"], {"region": session.region_of(arguments)}) or {}
    blocks = [
        {
            "associationId": item["AssociationId"],
            "cidrBlock": item["CidrBlock"],
            "state": item["CidrBlockState"]["State"],
        }
        for item in vpc.get("CidrBlockAssociationSet", ())
    ]
    return {
        **{name: state.get(name) for name in _ATTRIBUTES},
        "id": vpc["VpcId"],
        "arn": arn(session, arguments, "vpc", vpc["VpcId"]),
        "cidrBlock": vpc["CidrBlock"],
        "cidrBlockAssociations": blocks,
        "ipv6CidrBlockAssociations": [],
        "ipv6CidrBlock": "",
        "ipv6AssociationId": "",
        "default": vpc["IsDefault"],
        "dhcpOptionsId": vpc["DhcpOptionsId"],
        "instanceTenancy": vpc["InstanceTenancy"],
        "ownerId": vpc.get("OwnerId") or session.account,
        "state": vpc["State"],
        "tags": as_map(vpc.get("Tags")),
        "region": session.region_of(arguments),
        "filters": arguments.get("filters"),
    }


def get_vpcs(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Ids of VPCs."""
    return _ids(session, arguments, search(session, arguments, "describe_vpcs", "Vpcs"), "VpcId")


def get_subnet(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One subnet."""
    found = search(
        session, arguments, "describe_subnets", "Subnets", ids=("SubnetIds", arguments.get("id")),
        vpc_id=arguments.get("vpcId"), availability_zone=arguments.get("availabilityZone"),
        availability_zone_id=arguments.get("availabilityZoneId"), cidr_block=arguments.get("cidrBlock"),
        default_for_az=arguments.get("defaultForAz") or None, state=arguments.get("state"),
    )  # fmt: skip
    subnet = only(found, "subnets", arguments)
    names = (
        "availabilityZone",
        "availabilityZoneId",
        "availableIpAddressCount",
        "cidrBlock",
        "defaultForAz",
        "mapPublicIpOnLaunch",
    )
    return {
        **{
            name: subnet.get(pascal(name))
            for name in (*names, "vpcId", "state", "ownerId", "assignIpv6AddressOnCreation")
        },
        "id": subnet["SubnetId"],
        "arn": arn(session, arguments, "subnet", subnet["SubnetId"]),
        "tags": as_map(subnet.get("Tags")),
        "region": session.region_of(arguments),
        "filters": arguments.get("filters"),
    }


def get_subnets(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Ids of subnets."""
    return _ids(session, arguments, search(session, arguments, "describe_subnets", "Subnets"), "SubnetId")


def get_route_table(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One route table, also the one of a subnet."""
    found = search(
        session, arguments, "describe_route_tables", "RouteTables", ids=("RouteTableIds", arguments.get("routeTableId")),
        vpc_id=arguments.get("vpcId"), association__subnet_id=arguments.get("subnetId"),
        association__gateway_id=arguments.get("gatewayId"),
    )  # fmt: skip
    table = only(found, "route tables", arguments)
    associations = [
        {
            "routeTableAssociationId": item["RouteTableAssociationId"],
            "routeTableId": table["RouteTableId"],
            "subnetId": item.get("SubnetId", ""),
            "gatewayId": item.get("GatewayId", ""),
            "main": item.get("Main", False),
        }
        for item in table.get("Associations", ())
    ]
    targets = (
        "gatewayId",
        "natGatewayId",
        "carrierGatewayId",
        "networkInterfaceId",
        "transitGatewayId",
        "localGatewayId",
    )
    routes = [
        {
            "cidrBlock": item.get("DestinationCidrBlock", ""),
            "ipv6CidrBlock": item.get("DestinationIpv6CidrBlock", ""),
            "destinationPrefixListId": item.get("DestinationPrefixListId", ""),
            **{name: item.get(pascal(name), "") for name in targets},
        }
        for item in table.get("Routes", ())
        if item.get("GatewayId") != "local"
    ]
    return {
        "id": table["RouteTableId"],
        "routeTableId": table["RouteTableId"],
        "arn": arn(session, arguments, "route-table", table["RouteTableId"]),
        "vpcId": table["VpcId"],
        "ownerId": table.get("OwnerId") or session.account,
        "subnetId": arguments.get("subnetId", ""),
        "gatewayId": arguments.get("gatewayId", ""),
        "associations": associations,
        "routes": routes,
        "tags": as_map(table.get("Tags")),
        "region": session.region_of(arguments),
        "filters": arguments.get("filters"),
    }


def get_route_tables(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Ids of route tables."""
    found = search(session, arguments, "describe_route_tables", "RouteTables", vpc_id=arguments.get("vpcId"))
    return _ids(session, arguments, found, "RouteTableId")


def get_security_group(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One security group."""
    found = search(
        session, arguments, "describe_security_groups", "SecurityGroups", ids=("GroupIds", arguments.get("id")),
        group_name=arguments.get("name"), vpc_id=arguments.get("vpcId"),
    )  # fmt: skip
    group = only(found, "security groups", arguments)
    return {
        "id": group["GroupId"],
        "arn": arn(session, arguments, "security-group", group["GroupId"]),
        "name": group["GroupName"],
        "description": group["Description"],
        "vpcId": group.get("VpcId", ""),
        "tags": as_map(group.get("Tags")),
        "region": session.region_of(arguments),
        "filters": arguments.get("filters"),
    }


def get_prefix_list(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One of AWS's own prefix lists, by name or id."""
    found = [
        item
        for item in search(session, arguments, "describe_prefix_lists", "PrefixLists")
        if arguments.get("name") in (None, item["PrefixListName"])
        and arguments.get("prefixListId") in (None, item["PrefixListId"])
    ]
    entry = only(found, "prefix lists", arguments)
    return {
        "id": entry["PrefixListId"],
        "prefixListId": arguments.get("prefixListId"),
        "name": entry["PrefixListName"],
        "cidrBlocks": entry.get("Cidrs", []),
        "region": session.region_of(arguments),
        "filters": arguments.get("filters"),
    }


def get_managed_prefix_list(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One prefix list of AWS or of the account, with its entries."""
    found = [
        item
        for item in search(session, arguments, "describe_managed_prefix_lists", "PrefixLists")
        if arguments.get("name") in (None, item["PrefixListName"])
        and arguments.get("id") in (None, item["PrefixListId"])
    ]
    entry = only(found, "prefix lists", arguments)
    client = session.client("ec2", session.region_of(arguments))
    entries = client.get_managed_prefix_list_entries(PrefixListId=entry["PrefixListId"]).get("Entries", ())
    return {
        "id": entry["PrefixListId"],
        "arn": entry.get("PrefixListArn", ""),
        "name": entry["PrefixListName"],
        "addressFamily": entry.get("AddressFamily", "IPv4"),
        "entries": [{"cidr": item["Cidr"], "description": item.get("Description", "")} for item in entries],
        "maxEntries": entry.get("MaxEntries", 0),
        "ownerId": entry.get("OwnerId", ""),
        "version": entry.get("Version", 0),
        "tags": as_map(entry.get("Tags")),
        "region": session.region_of(arguments),
        "filters": arguments.get("filters"),
    }


_SUBNET = ("availabilityZone", "availabilityZoneId", "cidrBlock", "id", "state", "vpcId")
INVOKES = (
    Function(
        "aws:ec2/getVpc:getVpc", _inputs("cidrBlock", "dhcpOptionsId", "id", "state", flags=("default",)), get_vpc
    ),
    Function("aws:ec2/getVpcs:getVpcs", _inputs(), get_vpcs),
    Function("aws:ec2/getSubnet:getSubnet", _inputs(*_SUBNET, flags=("defaultForAz",)), get_subnet),
    Function("aws:ec2/getSubnets:getSubnets", _inputs(), get_subnets),
    Function(
        "aws:ec2/getRouteTable:getRouteTable",
        _inputs("gatewayId", "routeTableId", "subnetId", "vpcId"),
        get_route_table,
    ),
    Function("aws:ec2/getRouteTables:getRouteTables", _inputs("vpcId"), get_route_tables),
    Function("aws:ec2/getSecurityGroup:getSecurityGroup", _inputs("id", "name", "vpcId"), get_security_group),
    Function(
        "aws:ec2/getPrefixList:getPrefixList",
        (Property(name="name"), Property(name="prefixListId"), *PLACED),
        get_prefix_list,
    ),
    Function("aws:ec2/getManagedPrefixList:getManagedPrefixList", _inputs("id", "name"), get_managed_prefix_list),
)
