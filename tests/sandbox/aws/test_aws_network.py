"""VPCs, gateways, routes, groups and interfaces: what is in use is not deleted."""

import pytest

from tests.sandbox.aws.support import BOSTON, Site, refused


def routes(site: Site, table: str) -> dict[str, dict]:
    seen = site.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]
    return {route["DestinationCidrBlock"]: route for route in seen["Routes"]}


def test_one_carrier_gateway_a_vpc(site: Site) -> None:
    site.carrier_gateway()
    refused(None, site.ec2.create_carrier_gateway, VpcId=site.vpc)


def test_a_route_to_a_carrier_gateway(site: Site) -> None:
    gateway, table = site.carrier_gateway(), site.route_table()
    everything = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    refused("InvalidCarrierGatewayID.NotFound", site.ec2.create_route, **everything, CarrierGatewayId="cagw-0")
    site.ec2.create_route(**everything, CarrierGatewayId=gateway)
    refused("RouteAlreadyExists", site.ec2.create_route, **everything, CarrierGatewayId=gateway)
    site.ec2.replace_route(**everything, CarrierGatewayId=gateway)
    assert routes(site, table)["0.0.0.0/0"]["CarrierGatewayId"] == gateway
    site.ec2.replace_route(**everything, NetworkInterfaceId=site.interface(site.region))
    assert "CarrierGatewayId" not in routes(site, table)["0.0.0.0/0"]
    site.ec2.replace_route(**everything, CarrierGatewayId=gateway)
    site.ec2.delete_carrier_gateway(CarrierGatewayId=gateway)
    assert routes(site, table)["0.0.0.0/0"]["State"] == "blackhole"


def test_a_zones_subnet_takes_no_route_to_an_internet_gateway(site: Site) -> None:
    gateway, edge, public = site.internet_gateway(), site.route_table(), site.route_table()
    association = site.ec2.associate_route_table(RouteTableId=edge, SubnetId=site.boston)["AssociationId"]
    route = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
    refused(None, site.ec2.create_route, RouteTableId=edge, **route)
    site.ec2.create_route(RouteTableId=public, **route)
    refused(None, site.ec2.associate_route_table, RouteTableId=public, SubnetId=site.new_york)
    refused(None, site.ec2.replace_route_table_association, AssociationId=association, RouteTableId=public)
    site.ec2.associate_route_table(RouteTableId=public, SubnetId=site.region)


@pytest.mark.parametrize(
    ("target", "value"), [("NatGatewayId", "nat-0"), ("TransitGatewayId", "tgw-0"), ("GatewayId", "igw-0")]
)
def test_a_route_needs_a_target_that_exists(site: Site, target: str, value: str) -> None:
    route = {"RouteTableId": site.route_table(), "DestinationCidrBlock": "0.0.0.0/0", target: value}
    refused(None, site.ec2.create_route, **route)


def test_a_subnet_has_one_route_table(site: Site) -> None:
    first, second = site.route_table(), site.route_table()
    site.ec2.associate_route_table(RouteTableId=first, SubnetId=site.region)
    refused("Resource.AlreadyAssociated", site.ec2.associate_route_table, RouteTableId=second, SubnetId=site.region)
    refused("DependencyViolation", site.ec2.delete_route_table, RouteTableId=first)


def test_gateways_stay_while_addresses_are_mapped(site: Site) -> None:
    internet, carrier = site.internet_gateway(), site.carrier_gateway()
    made = {}
    for subnet, group in ((site.region, "us-east-1"), (site.boston, BOSTON)):
        address, interface = site.address(group), site.interface(subnet)
        made[group] = site.ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)
    detach = {"InternetGatewayId": internet, "VpcId": site.vpc}
    refused("DependencyViolation", site.ec2.detach_internet_gateway, **detach)
    refused(None, site.ec2.delete_carrier_gateway, CarrierGatewayId=carrier)
    for each in made.values():
        site.ec2.disassociate_address(AssociationId=each["AssociationId"])
    refused("DependencyViolation", site.ec2.delete_internet_gateway, InternetGatewayId=internet)
    site.ec2.detach_internet_gateway(**detach)
    site.ec2.delete_carrier_gateway(CarrierGatewayId=carrier)


def test_a_vpc_goes_last_and_leaves_nothing(site: Site) -> None:
    carrier, internet, group, table = (
        site.carrier_gateway(),
        site.internet_gateway(),
        site.group("g"),
        site.route_table(),
    )
    steps = [
        lambda: [site.ec2.delete_subnet(SubnetId=each) for each in (site.boston, site.new_york, site.region)],
        lambda: site.ec2.delete_carrier_gateway(CarrierGatewayId=carrier),
        lambda: site.ec2.detach_internet_gateway(InternetGatewayId=internet, VpcId=site.vpc),
        lambda: site.ec2.delete_security_group(GroupId=group),
        lambda: site.ec2.delete_route_table(RouteTableId=table),
    ]
    for step in steps:
        refused("DependencyViolation", site.ec2.delete_vpc, VpcId=site.vpc)
        step()
    site.ec2.delete_vpc(VpcId=site.vpc)
    site.ec2.delete_internet_gateway(InternetGatewayId=internet)
    assert set(site.aws.inventory()) == {"opted_in"}
    assert not site.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [site.vpc]}])["NetworkAcls"]


def test_a_nat_gateway_takes_its_time(site: Site) -> None:
    address, carrier, _ = site.address(), site.address(BOSTON), site.internet_gateway()
    refused(
        "NotAvailableInZone", site.ec2.create_nat_gateway, SubnetId=site.boston, AllocationId=address["AllocationId"]
    )
    wrong = {"SubnetId": site.region, "AllocationId": carrier["AllocationId"]}
    refused("OperationNotPermitted", site.ec2.create_nat_gateway, **wrong)
    made = site.ec2.create_nat_gateway(SubnetId=site.region, AllocationId=address["AllocationId"])["NatGateway"]
    which = {"NatGatewayIds": [made["NatGatewayId"]]}

    def state() -> str:
        return site.ec2.describe_nat_gateways(**which)["NatGateways"][0]["State"]

    assert made["State"] == "pending"
    assert [state(), state()] == ["pending", "available"]
    interface = made["NatGatewayAddresses"][0]
    assert interface["PrivateIp"].startswith("10.0.3.")
    which_interface = {"NetworkInterfaceId": interface["NetworkInterfaceId"]}
    refused("InvalidParameterValue", site.ec2.delete_network_interface, **which_interface)
    table = site.route_table()
    site.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=made["NatGatewayId"])
    site.ec2.associate_route_table(RouteTableId=table, SubnetId=site.boston)  # a NAT in the Region serves a zone
    site.ec2.delete_nat_gateway(NatGatewayId=made["NatGatewayId"])
    refused(None, site.ec2.release_address, AllocationId=address["AllocationId"])
    refused("DependencyViolation", site.ec2.delete_subnet, SubnetId=site.region)
    assert [state(), state()] == ["deleting", "deleted"]
    site.ec2.release_address(AllocationId=address["AllocationId"])
    site.ec2.delete_subnet(SubnetId=site.region)
    refused("NatGatewayNotFound", site.ec2.delete_nat_gateway, NatGatewayId="nat-0")


def test_a_nat_gateway_fails_in_a_vpc_without_an_internet_gateway(site: Site) -> None:
    address = site.address()["AllocationId"]
    made = site.ec2.create_nat_gateway(SubnetId=site.region, AllocationId=address)["NatGateway"]["NatGatewayId"]
    seen = [site.ec2.describe_nat_gateways(NatGatewayIds=[made])["NatGateways"][0] for _ in range(2)]
    assert [each["State"] for each in seen] == ["pending", "failed"]
    assert seen[1]["FailureCode"] == "Gateway.NotAttached"
    site.ec2.release_address(AllocationId=address)
    assert "ec2:nat-gateway" not in site.aws.inventory()


def test_an_interface_endpoint_holds_its_group_and_subnet_until_it_is_gone(site: Site) -> None:
    group = site.group("endpoint")
    wanted = {
        "VpcId": site.vpc, "VpcEndpointType": "Interface", "ServiceName": "com.amazonaws.us-east-1.ssm",
        "SecurityGroupIds": [group],
    }  # fmt: skip
    refused(None, site.ec2.create_vpc_endpoint, **wanted, SubnetIds=[site.boston])
    made = site.ec2.create_vpc_endpoint(**wanted, SubnetIds=[site.region])["VpcEndpoint"]["VpcEndpointId"]

    def state() -> str:
        return site.ec2.describe_vpc_endpoints(VpcEndpointIds=[made])["VpcEndpoints"][0]["State"]

    assert [state(), state()] == ["pending", "available"]
    refused("DependencyViolation", site.ec2.delete_security_group, GroupId=group)
    site.ec2.delete_vpc_endpoints(VpcEndpointIds=[made])
    refused("DependencyViolation", site.ec2.delete_subnet, SubnetId=site.region)
    assert state() == "deleting"
    refused("InvalidVpcEndpointId.NotFound", site.ec2.describe_vpc_endpoints, VpcEndpointIds=[made])
    site.ec2.delete_security_group(GroupId=group)
    site.ec2.delete_subnet(SubnetId=site.region)


def test_a_gateway_endpoint_is_a_route(site: Site) -> None:
    table = site.route_table()
    made = site.ec2.create_vpc_endpoint(
        VpcId=site.vpc, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=[table]
    )["VpcEndpoint"]
    assert made["State"] == "available"
    seen = site.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert [route["GatewayId"] for route in seen if "DestinationPrefixListId" in route] == [made["VpcEndpointId"]]
    lists = site.ec2.describe_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [made["ServiceName"]]}])
    assert lists["PrefixLists"][0]["PrefixListId"].startswith("pl-")
    site.ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])
    assert len(site.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]) == 1


def test_a_changed_endpoint_changes_its_interfaces_and_routes(site: Site) -> None:
    first, second, tables = site.group("first"), site.group("second"), [site.route_table(), site.route_table()]
    other = site.subnet("10.0.8.0/24", "us-east-1b")
    interface = site.ec2.create_vpc_endpoint(
        VpcId=site.vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.us-east-1.ssm",
        SubnetIds=[site.region],
        SecurityGroupIds=[first],
    )["VpcEndpoint"]["VpcEndpointId"]
    change = {"AddSecurityGroupIds": [second], "RemoveSecurityGroupIds": [first]}
    site.ec2.modify_vpc_endpoint(VpcEndpointId=interface, AddSubnetIds=[other], RemoveSubnetIds=[site.region], **change)
    site.ec2.delete_security_group(GroupId=first)
    site.ec2.delete_subnet(SubnetId=site.region)
    refused("DependencyViolation", site.ec2.delete_security_group, GroupId=second)
    refused("DependencyViolation", site.ec2.delete_subnet, SubnetId=other)
    gateway = site.ec2.create_vpc_endpoint(
        VpcId=site.vpc, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=tables[:1]
    )["VpcEndpoint"]["VpcEndpointId"]
    site.ec2.modify_vpc_endpoint(VpcEndpointId=gateway, AddRouteTableIds=tables[1:], RemoveRouteTableIds=tables[:1])
    seen = site.ec2.describe_route_tables(RouteTableIds=tables)["RouteTables"]
    counts = {table["RouteTableId"]: len(table["Routes"]) for table in seen}
    assert [counts[table] for table in tables] == [1, 2]


def test_a_security_group_in_use_stays(site: Site) -> None:
    used, named, naming = site.group("used"), site.group("named"), site.group("naming")
    interface = site.interface(site.boston, Groups=[used])
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": named}]}
    site.ec2.authorize_security_group_ingress(GroupId=naming, IpPermissions=[rule])
    refused("DependencyViolation", site.ec2.delete_security_group, GroupId=used)
    refused("DependencyViolation", site.ec2.delete_security_group, GroupId=named)
    default = site.ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [site.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"][0]["GroupId"]
    refused("CannotDelete", site.ec2.delete_security_group, GroupId=default)
    site.ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[named])
    site.ec2.delete_security_group(GroupId=used)
    refused("DependencyViolation", site.ec2.delete_security_group, GroupId=named)
    site.ec2.delete_network_interface(NetworkInterfaceId=interface)
    site.ec2.delete_security_group(GroupId=naming)
    site.ec2.delete_security_group(GroupId=named)


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_rule_is_there_once_whatever_its_description(site: Site, direction: str) -> None:
    group, other = site.group("one"), site.group("other")
    add = getattr(site.ec2, f"authorize_security_group_{direction}")
    port = {"IpProtocol": "tcp", "FromPort": 6443, "ToPort": 6443}
    for source, key in (({"CidrIp": "10.0.0.0/16"}, "IpRanges"), ({"GroupId": other}, "UserIdGroupPairs")):
        add(GroupId=group, IpPermissions=[{**port, key: [{**source, "Description": "a"}]}])
        twice = [{**port, key: [{**source, "Description": "b"}]}]
        refused("InvalidPermission.Duplicate", add, GroupId=group, IpPermissions=twice)
    add(GroupId=group, IpPermissions=[{**port, "ToPort": 6444, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}])


def test_private_addresses_are_of_the_subnet_and_free(site: Site) -> None:
    taken = site.interface(site.boston, PrivateIpAddress="10.0.1.10")
    for wrong in ("10.0.2.10", "10.0.1.0", "10.0.1.3", "10.0.1.255"):
        refused("InvalidParameterValue", site.interface, subnet=site.boston, PrivateIpAddress=wrong)
    refused("InvalidIPAddress.InUse", site.interface, subnet=site.boston, PrivateIpAddress="10.0.1.10")
    refused("InvalidIPAddress.InUse", site.run, SubnetId=site.boston, PrivateIpAddress="10.0.1.10")
    site.ec2.delete_network_interface(NetworkInterfaceId=taken)
    site.interface(site.boston, PrivateIpAddress="10.0.1.10", SecondaryPrivateIpAddressCount=2)
    rows = site.aws.inventory()["ec2:network-interface"]
    assert len(set(rows[0]["private_ips"])) == 3


def test_a_small_subnet_runs_out_of_addresses(site: Site) -> None:
    small = site.subnet("10.0.9.0/28", "us-east-1a")
    given = set()
    for _ in range(11):
        site.interface(small)
    refused("InsufficientFreeAddressesInSubnet", site.interface, subnet=small)
    given = {each for row in site.aws.inventory()["ec2:network-interface"] for each in row["private_ips"]}
    assert given == {f"10.0.9.{host}" for host in range(4, 15)}


def test_groups_of_an_interface_exist_in_its_vpc(site: Site) -> None:
    refused("InvalidGroup.NotFound", site.interface, subnet=site.boston, Groups=["sg-00000000000000000"])
    vpc = site.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    group = site.ec2.create_security_group(GroupName="x", Description="x", VpcId=vpc)["GroupId"]
    refused("InvalidParameter", site.interface, subnet=site.boston, Groups=[group])
