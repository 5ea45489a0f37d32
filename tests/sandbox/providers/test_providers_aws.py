"""The aws stand-in against the emulated AWS."""

import grpc
import pytest

from edgelib.sandbox.providers import packages
from edgelib.sandbox.providers.differences import inputs_from_state
from edgelib.sandbox.providers.properties import Kind
from tests.sandbox.providers.aws_site import BOSTON, IMAGE, IMPORT_IDS, KEPT, TRUST, filled, site
from tests.sandbox.providers.provider_client import Client, Made, UnfinishedError

VPC = "aws:ec2/vpc:Vpc"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
TEN = {"cidrBlock": "10.0.0.0/16"}


def details(call, *arguments, **more):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **more)
    return caught.value.details()


def things(account):
    return {kind: found for kind, found in account.inventory().items() if kind != "opted_in"}


def test_every_type_lives_and_leaves_nothing_behind(aws, account):
    image = aws.invoke("aws:ssm/getParameter:getParameter", name=IMAGE)["value"]
    before, made = things(account), {}
    types = set()
    for name, type_, template, change in site(image):
        token, props = f"aws:{type_}", filled(template, made)
        types.add(token)
        one = aws.create(token, props, name=name)
        assert aws.diff(one, props) == ({}, set(), False), name
        assert aws.refresh(one) == one, name
        import_id = IMPORT_IDS.get(type_, "").format(**one.outputs) or one.id
        imported = aws.imported(token, import_id, name)
        assert imported.id == one.id
        rows = packages.load("aws").resources[token].properties
        hidden = {
            "publicKey",
            "userDataBase64",
            "insecureValue",
            "primaryNetworkInterface",
            "volumeTags",
            "creditSpecification",
        }
        assert {row.name for row in rows if row.required} - hidden <= set(imported.inputs), name
        if change:
            changed = {**props, **filled(change, made)}
            wanted = {key: value for key, value in changed.items() if value is not None}
            changes, replaces, _ = aws.diff(one, wanted)
            assert changes, name
            assert not replaces, name
            one = aws.update(one, wanted)
            assert aws.refresh(one) == one, name
            assert aws.diff(one, wanted) == ({}, set(), False), name
        made[name] = one
    assert types == set(packages.load("aws").resources) - {
        "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation",
    }
    for name, one in reversed(made.items()):
        aws.delete(one)
        if name not in KEPT:
            assert aws.refresh(one) is None, name
        aws.delete(one)
    assert things(account) == before


def test_an_endpoint_takes_another_route_table(aws):
    vpc = aws.create(VPC, TEN).id
    table = aws.create("aws:ec2/routeTable:RouteTable", {"vpcId": vpc}).id
    endpoint = aws.create(
        "aws:ec2/vpcEndpoint:VpcEndpoint", {"vpcId": vpc, "serviceName": "com.amazonaws.us-east-1.s3"}
    )
    token = "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation"
    one = aws.create(token, {"vpcEndpointId": endpoint.id, "routeTableId": table})
    assert aws.refresh(endpoint).outputs["routeTableIds"] == [table]
    assert aws.refresh(one) == one
    aws.delete(one)
    assert aws.refresh(one) is None


def test_tags_of_the_provider_and_of_the_program(aws, connect, account):
    made = aws.create(VPC, {**TEN, "tags": {"Name": "a"}})
    assert made.outputs["tags"] == {"Name": "a"}
    assert made.outputs["tagsAll"] == {"team": "edge", "Name": "a"}
    account.client().create_tags(Resources=[made.id], Tags=[{"Key": "stray", "Value": "1"}])
    drifted = aws.refresh(made)
    assert aws.diff(drifted, {**TEN, "tags": {"Name": "a"}})[0] == {"tags.stray": "DELETE"}
    assert aws.update(drifted, {**TEN, "tags": {"Name": "a"}}).outputs["tagsAll"] == {"team": "edge", "Name": "a"}
    other = connect(defaultTags='{"tags": {"team": "core"}}')
    assert other.diff(made, {**TEN, "tags": {"Name": "a"}})[0] == {"tagsAll": "UPDATE"}
    assert aws.preview_create(VPC, TEN)["tagsAll"] == {"team": "edge"}


def test_a_resource_may_name_its_region(aws, account):
    made = aws.create(VPC, {**TEN, "region": "eu-central-1"})
    assert made.outputs["arn"].startswith("arn:aws:ec2:eu-central-1:")
    assert account.client(region="eu-central-1").describe_vpcs(VpcIds=[made.id])["Vpcs"]
    assert aws.diff(made, {**TEN, "region": "us-west-2"})[1] == {"region"}
    aws.delete(made)
    assert aws.refresh(made) is None


@pytest.mark.parametrize(
    ("token", "props", "path", "words"),
    [
        (VPC, {"cidrBlock": "10.0.0.1/16"}, "cidrBlock", "has host bits set"),
        (VPC, {"cidrBlock": "10.0.0.0/8"}, "cidrBlock", "must be between /16 and /28"),
        (VPC, {**TEN, "ipv6CidrBlock": "::/0"}, "ipv6CidrBlock", "aws:ec2/vpc:Vpc.ipv6CidrBlock is not an input"),
        (VPC, {**TEN, "tags": {"aws:x": "1"}}, "tags", "keys that begin with aws: are reserved"),
        ("aws:ec2/routeTable:RouteTable", {"vpcId": "v", "routes": []}, "routes", "is not an input"),
        (
            "aws:ec2/route:Route",
            {"routeTableId": "r", "destinationCidrBlock": "0.0.0.0/0"},
            "",
            "takes exactly one of gatewayId",
        ),
        (
            INGRESS,
            {"securityGroupId": "s", "ipProtocol": "-1", "cidrIpv4": "10.0.0.0/8", "fromPort": 1},
            "fromPort",
            "-1: that means all ports",
        ),
        (
            INGRESS,
            {"securityGroupId": "s", "ipProtocol": "tcp", "cidrIpv4": "10.0.0.0/8", "fromPort": 1},
            "toPort",
            "is required",
        ),
        (
            "aws:ec2/instance:Instance",
            {"ami": "a", "instanceType": "t", "userData": "x" * 17000},
            "userData",
            "17000 bytes long",
        ),
        (
            "aws:ec2/natGateway:NatGateway",
            {"subnetId": "s"},
            "allocationId",
            "is required when connectivityType is public",
        ),
        ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 8}, "retentionInDays", "8 is not one of 0, 1, 3"),
    ],
)
def test_a_refusal_before_anything_is_made(aws, token, props, path, words):
    assert words in aws.check(token, props)[1][path]


def test_user_data_replaces_only_if_the_program_says_so(aws):
    token, props = "aws:ec2/instance:Instance", {"ami": "ami-1", "instanceType": "t3.medium", "userData": "a"}
    inputs = aws.checked(token, props)
    made = recorded(token, inputs)
    assert aws.diff(made, {**props, "userData": "b"}) == ({"userData": "UPDATE"}, set(), False)
    now = {**props, "userDataReplaceOnChange": True}
    made = recorded(token, aws.checked(token, now))
    assert aws.diff(made, {**now, "userData": "b"}) == ({"userData": "UPDATE_REPLACE"}, {"userData"}, False)
    assert aws.diff(made, {**now, "ami": "ami-2"})[1] == {"ami"}
    preview = aws.update(
        recorded(token, inputs, publicIp="1.2.3.4", arn="arn"), {**props, "instanceType": "t3.xlarge"}, preview=True
    )
    assert preview.outputs["arn"] == "arn"
    assert preview.outputs["publicIp"] != "1.2.3.4"


def recorded(token, inputs, **outputs):
    return Made(token, "one", "i-1", {**inputs, **outputs}, inputs)


LOST = {"late": True, "times": 1, "code": "InternalError", "status": 500}


@pytest.mark.parametrize(
    "rule", [LOST, {**LOST, "code": "RequestLimitExceeded", "status": 503}, {**LOST, "late": False}]
)
@pytest.mark.parametrize(
    ("action", "token", "props", "kind"),
    [
        ("CreateVpc", VPC, TEN, "ec2:vpc"),
        ("AllocateAddress", "aws:ec2/eip:Eip", {"domain": "vpc"}, "ec2:address"),
        ("CreateVolume", "aws:ebs/volume:Volume", {"availabilityZone": "us-east-1a", "size": 1}, "ec2:volume"),
        ("CreateRole", "aws:iam/role:Role", {"assumeRolePolicy": TRUST}, "iam:role"),
        ("CreateLogGroup", "aws:cloudwatch/logGroup:LogGroup", {}, "logs:log-group"),
        ("PutParameter", "aws:ssm/parameter:Parameter", {"type": "String", "value": "x"}, "ssm:parameter"),
    ],
)
def test_a_lost_answer_makes_no_second_thing(aws, account, action, token, props, kind, rule):
    aws.create(token, props, name="other")
    before = things(account)
    account.faults({"action": action, **rule})
    made = aws.create(token, props)
    account.control("faults", "DELETE")
    after = things(account)
    new = {
        key: len(found) - len(before.get(key, []))
        for key, found in after.items()
        if len(found) != len(before.get(key, []))
    }
    assert set(new.values()) == {1}, (kind, new)
    aws.delete(made)
    assert things(account) == before


def test_what_exists_but_is_not_finished_is_continued(aws, account):
    account.faults({"action": "ModifyVpcAttribute", "code": "UnauthorizedOperation", "status": 403})
    with pytest.raises(UnfinishedError, match="UnauthorizedOperation") as caught:
        aws.create(VPC, {**TEN, "enableDnsHostnames": True})
    account.control("faults", "DELETE")
    finished = aws.update(caught.value.made, {**TEN, "enableDnsHostnames": True})
    assert finished.outputs["enableDnsHostnames"] is True
    assert finished.id == caught.value.made.id


def test_a_security_group_starts_without_rules_even_when_its_creation_was_interrupted(aws, account):
    vpc = aws.create(VPC, TEN).id
    account.faults({"action": "RevokeSecurityGroupEgress", "code": "UnauthorizedOperation", "status": 403})
    with pytest.raises(UnfinishedError) as caught:
        aws.create(GROUP, {"vpcId": vpc})
    account.control("faults", "DELETE")
    group = aws.update(caught.value.made, {"vpcId": vpc})
    assert group.outputs["egress"] == []
    aws.create(
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        {"securityGroupId": group.id, "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"},
    )
    group = aws.update(group, {"vpcId": vpc, "tags": {"a": "b"}})
    assert len(group.outputs["egress"]) == 1


def test_rules_that_come_back_to_the_default_group_are_drift(aws, account):
    vpc = aws.create(VPC, TEN).id
    made = aws.create("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": vpc})
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    account.client().authorize_security_group_ingress(GroupId=made.id, IpPermissions=[rule])
    drifted = aws.refresh(made)
    assert aws.diff(drifted, {"vpcId": vpc})[0] == {"ingress": "DELETE"}
    assert aws.update(drifted, {"vpcId": vpc}).outputs["ingress"] == []


def test_a_stand_in_never_talks_to_another_machine(connect, tmp_path):
    with pytest.raises(grpc.RpcError) as caught:
        connect(endpoints='[{"ec2": "https://ec2.us-east-1.amazonaws.com"}]')
    assert "only talks to the sandbox on this machine" in caught.value.details()


def test_it_does_not_start_without_an_endpoint(tmp_path):
    client = Client(packages.load("aws"), tmp_path, {"region": "us-east-1"})
    assert "no endpoint for AWS ec2" in details(client.create, VPC, TEN)
    client.close()


def test_look_ups(aws, account):
    vpc = aws.create(VPC, {**TEN, "tags": {"Name": "v"}}).id
    aws.create(
        "aws:ec2/availabilityZoneGroup:AvailabilityZoneGroup", {"groupName": "us-east-1-wl1", "optInStatus": "opted-in"}
    )
    subnet = aws.create(
        "aws:ec2/subnet:Subnet", {"vpcId": vpc, "cidrBlock": "10.0.1.0/24", "availabilityZone": BOSTON}
    ).id
    table = aws.create("aws:ec2/routeTable:RouteTable", {"vpcId": vpc}).id
    aws.create("aws:ec2/routeTableAssociation:RouteTableAssociation", {"routeTableId": table, "subnetId": subnet})
    ordinary = [{"name": "zone-type", "values": ["availability-zone"]}]
    names = aws.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", state="available", filters=ordinary)[
        "names"
    ]
    assert names[0] == "us-east-1a"
    assert BOSTON not in names
    zone = aws.invoke("aws:index/getAvailabilityZone:getAvailabilityZone", name=BOSTON)
    assert (zone["groupName"], zone["zoneType"], zone["optInStatus"]) == (
        "us-east-1-wl1",
        "wavelength-zone",
        "opted-in",
    )
    assert aws.invoke("aws:ec2/getVpc:getVpc", tags={"Name": "v"})["id"] == vpc
    assert aws.invoke("aws:ec2/getSubnet:getSubnet", vpcId=vpc, cidrBlock="10.0.1.0/24")["availabilityZone"] == BOSTON
    assert aws.invoke("aws:ec2/getSubnets:getSubnets", filters=[{"name": "vpc-id", "values": [vpc]}])["ids"] == [subnet]
    assert aws.invoke("aws:ec2/getRouteTable:getRouteTable", subnetId=subnet)["routeTableId"] == table
    assert table in aws.invoke("aws:ec2/getRouteTables:getRouteTables", vpcId=vpc)["ids"]
    assert aws.invoke("aws:ec2/getSecurityGroup:getSecurityGroup", vpcId=vpc, name="default")["vpcId"] == vpc
    offered = aws.invoke(
        "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings",
        locationType="availability-zone", filters=[{"name": "location", "values": [BOSTON]}],
    )  # fmt: skip
    assert "t3.medium" in offered["instanceTypes"]
    assert aws.invoke("aws:ec2/getInstanceType:getInstanceType", instanceType="t3.medium")["memorySize"] == 4096
    chosen = aws.invoke(
        "aws:ec2/getInstanceTypeOffering:getInstanceTypeOffering",
        filters=[{"name": "instance-type", "values": ["t3.medium", "t3.xlarge"]}], preferredInstanceTypes=["none", "t3.xlarge"],
    )  # fmt: skip
    assert chosen["instanceType"] == "t3.xlarge"
    image = aws.invoke("aws:ssm/getParameter:getParameter", name=IMAGE)["value"]
    found = aws.invoke("aws:ec2/getAmi:getAmi", mostRecent=True, filters=[{"name": "image-id", "values": [image]}])
    assert (found["id"], found["rootDeviceName"]) == (image, "/dev/sda1")
    assert aws.invoke("aws:index/getRegion:getRegion")["region"] == "us-east-1"
    account_id = aws.invoke("aws:index/getCallerIdentity:getCallerIdentity")["accountId"]
    assert account_id in aws.invoke("aws:ec2/getVpc:getVpc", id=vpc)["arn"]
    assert aws.invoke("aws:index/getPartition:getPartition")["partition"] == "aws"
    assert "cidrBlocks" in aws.invoke("aws:ec2/getPrefixList:getPrefixList", name="com.amazonaws.us-east-1.s3")
    assert aws.invoke("aws:ec2/getManagedPrefixList:getManagedPrefixList", name="com.amazonaws.us-east-1.s3")["entries"]


def test_a_look_up_that_finds_nothing_or_too_much_says_so(aws):
    assert "0 VPCs match {'id': 'vpc-0'}" in details(aws.invoke, "aws:ec2/getVpc:getVpc", id="vpc-0")
    assert "there is no parameter '/none' in us-east-1" in details(
        aws.invoke, "aws:ssm/getParameter:getParameter", name="/none"
    )
    for name in ("a", "b"):
        aws.create(VPC, {**TEN, "tags": {"pair": "yes"}}, name=name)
    assert "2 VPCs match" in details(aws.invoke, "aws:ec2/getVpc:getVpc", tags={"pair": "yes"})


def test_a_policy_document_is_a_role_s_trust(aws):
    statement = {
        "actions": ["sts:AssumeRole"],
        "principals": [{"type": "Service", "identifiers": ["ec2.amazonaws.com"]}],
    }
    document = aws.invoke("aws:iam/getPolicyDocument:getPolicyDocument", statements=[statement])["json"]
    role = aws.create("aws:iam/role:Role", {"assumeRolePolicy": document})
    table = packages.load("aws").resources["aws:iam/role:Role"].properties
    assert inputs_from_state(table, role.inputs, {"assumeRolePolicy": TRUST})["assumeRolePolicy"] == document
    assert next(row for row in table if row.name == "assumeRolePolicy").kind is Kind.JSON
