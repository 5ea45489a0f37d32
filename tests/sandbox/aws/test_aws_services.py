"""The calls that the official provider and the stand-in make, beyond those that other tests are about."""

import json
from typing import Any

import pytest

from tests.sandbox.aws.support import BOSTON, Server, Site, refused

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)


def test_managed_policies_are_attachable_and_roles_in_use_stay(aws: Server) -> None:
    iam, policy = aws.client("iam"), "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    iam.create_role(RoleName="node", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="node", PolicyArn=policy)
    iam.create_instance_profile(InstanceProfileName="node")
    iam.add_role_to_instance_profile(InstanceProfileName="node", RoleName="node")
    refused("DeleteConflict", iam.delete_role, RoleName="node")
    refused("DeleteConflict", iam.delete_instance_profile, InstanceProfileName="node")
    assert iam.list_attached_role_policies(RoleName="node")["AttachedPolicies"][0]["PolicyArn"] == policy
    iam.remove_role_from_instance_profile(InstanceProfileName="node", RoleName="node")
    refused("DeleteConflict", iam.delete_role, RoleName="node")
    iam.detach_role_policy(RoleName="node", PolicyArn=policy)
    iam.delete_role(RoleName="node")
    iam.delete_instance_profile(InstanceProfileName="node")
    assert aws.inventory() == {"opted_in": []}


def test_a_standard_parameter_has_a_limit(aws: Server) -> None:
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="/a", Value="x" * 4096, Type="SecureString")
    refused("ValidationException", ssm.put_parameter, Name="/b", Value="x" * 4097, Type="SecureString")
    ssm.put_parameter(Name="/b", Value="x" * 4097, Type="SecureString", Tier="Advanced")
    ssm.put_parameter(Name="/c", Value="x" * 4097, Type="SecureString", Tier="Intelligent-Tiering")


def test_flow_logs(site: Site, aws: Server) -> None:
    aws.client("logs").create_log_group(logGroupName="flow")
    request = {
        "ResourceIds": [site.vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "flow",
        "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/flow",
    }  # fmt: skip
    made = site.ec2.create_flow_logs(**request)["FlowLogIds"]
    assert site.ec2.describe_flow_logs(FlowLogIds=made)["FlowLogs"][0]["ResourceId"] == site.vpc
    site.ec2.delete_flow_logs(FlowLogIds=made)
    assert "ec2:flow-log" not in aws.inventory()


def test_vpc_attributes(site: Site) -> None:
    site.ec2.modify_vpc_attribute(VpcId=site.vpc, EnableDnsHostnames={"Value": True})
    for attribute in ("enableDnsHostnames", "enableDnsSupport", "enableNetworkAddressUsageMetrics"):
        seen = site.ec2.describe_vpc_attribute(VpcId=site.vpc, Attribute=attribute)
        assert seen[attribute[0].upper() + attribute[1:]]["Value"] in (True, False)


READS: list[tuple[str, str, dict[str, Any], str]] = [
    ("ec2", "describe_instance_types", {"InstanceTypes": ["t3.medium", "g4dn.2xlarge"]}, "InstanceTypes"),
    ("ec2", "describe_instance_credit_specifications", {"InstanceIds": ["{instance}"]}, "InstanceCreditSpecifications"),
    ("ec2", "describe_tags", {"Filters": [{"Name": "resource-id", "Values": ["{instance}"]}]}, "Tags"),
    ("ec2", "describe_security_group_rules", {"Filters": [{"Name": "group-id", "Values": ["{group}"]}]}, "SecurityGroupRules"),
    ("ec2", "describe_network_acls", {"Filters": [{"Name": "vpc-id", "Values": ["{vpc}"]}]}, "NetworkAcls"),
    ("ec2", "describe_managed_prefix_lists", {}, "PrefixLists"),
    ("ec2", "describe_account_attributes", {"AttributeNames": ["default-vpc"]}, "AccountAttributes"),
    ("ec2", "describe_iam_instance_profile_associations", {}, "IamInstanceProfileAssociations"),
    ("ec2", "describe_instance_status", {"InstanceIds": ["{instance}"], "IncludeAllInstances": True}, "InstanceStatuses"),
    ("ec2", "describe_dhcp_options", {}, "DhcpOptions"),
    ("ec2", "describe_volumes_modifications", {}, "VolumesModifications"),
    ("ec2", "describe_carrier_gateways", {}, "CarrierGateways"),
    ("ec2", "describe_vpc_endpoint_services", {"ServiceNames": ["com.amazonaws.us-east-1.s3"]}, "ServiceNames"),
    ("sts", "get_caller_identity", {}, "Account"),
    ("logs", "describe_log_groups", {}, "logGroups"),
    ("kms", "list_aliases", {}, "Aliases"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "call", "arguments", "key"), READS, ids=lambda value: str(value)[:40])
def test_reads_that_providers_make(site: Site, service: str, call: str, arguments: dict[str, Any], key: str) -> None:
    names = {"instance": site.run(SubnetId=site.boston), "group": site.group("g"), "vpc": site.vpc}
    text = json.dumps(arguments)
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    assert key in getattr(site.aws.client(service), call)(**json.loads(text))


@pytest.mark.parametrize(
    "attribute",
    ["instanceType", "userData", "disableApiTermination", "disableApiStop", "instanceInitiatedShutdownBehavior",
     "rootDeviceName", "sourceDestCheck", "groupSet", "ebsOptimized", "sriovNetSupport",
     "blockDeviceMapping"],
)  # fmt: skip
def test_instance_attributes(site: Site, attribute: str) -> None:
    instance = site.run(SubnetId=site.boston)
    assert site.ec2.describe_instance_attribute(InstanceId=instance, Attribute=attribute)["InstanceId"] == instance


def test_the_primary_interface_of_an_instance_is_shown_as_aws_shows_it(site: Site) -> None:
    nic = {"DeviceIndex": 0, "SubnetId": site.boston, "AssociateCarrierIpAddress": True}
    seen = site.look(site.run(NetworkInterfaces=[nic]))
    interface = site.ec2.describe_network_interfaces(
        NetworkInterfaceIds=[seen["NetworkInterfaces"][0]["NetworkInterfaceId"]]
    )["NetworkInterfaces"][0]
    assert interface["AvailabilityZone"] == BOSTON
    assert interface["Attachment"]["DeleteOnTermination"] is True
    assert interface["Attachment"]["InstanceId"] == seen["InstanceId"]
    assert interface["Status"] == "in-use"
    assert interface["PrivateIpAddress"] == seen["PrivateIpAddress"]
