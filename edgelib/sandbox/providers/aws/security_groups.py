"""Security groups: aws:ec2 SecurityGroup and DefaultSecurityGroup; the rules are in `security_group_rules.py`."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Mapping
from typing import Any, ClassVar, Optional

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.session import AwsSession, unless_missing
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Created, ProviderError, Request

_API = Api(
    noun="security-group", create="create_security_group", created="GroupId", describe="describe_security_groups",
    listed="SecurityGroups", id="GroupId", delete="delete_security_group",
)  # fmt: skip


def permissions(item: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The rules of a group in the form of its `ingress` and `egress` outputs."""
    return [
        {
            "protocol": rule["IpProtocol"],
            "fromPort": 0 if rule["IpProtocol"] == "-1" else rule.get("FromPort", 0),
            "toPort": 0 if rule["IpProtocol"] == "-1" else rule.get("ToPort", 0),
            "cidrBlocks": [block["CidrIp"] for block in rule.get("IpRanges", ())],
            "ipv6CidrBlocks": [block["CidrIpv6"] for block in rule.get("Ipv6Ranges", ())],
            "prefixListIds": [entry["PrefixListId"] for entry in rule.get("PrefixListIds", ())],
            "securityGroups": [
                pair["GroupId"] for pair in rule.get("UserIdGroupPairs", ()) if pair["GroupId"] != item["GroupId"]
            ],
            "self": any(pair["GroupId"] == item["GroupId"] for pair in rule.get("UserIdGroupPairs", ())),
        }
        for rule in item.get(key, ())
    ]


def revoke_all(client: Any, group: str, *, egress_only: bool = False) -> None:
    """Take every rule (or every egress rule) off a group."""
    rules = client.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])[
        "SecurityGroupRules"
    ]
    for egress, revoke in ((True, client.revoke_security_group_egress), (False, client.revoke_security_group_ingress)):
        ids = [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"] is egress]
        if ids and (egress or not egress_only):
            unless_missing(lambda revoke=revoke, ids=ids: revoke(GroupId=group, SecurityGroupRuleIds=ids))


class SecurityGroup(Ec2Object):
    """Without inline rules: use SecurityGroupIngressRule and SecurityGroupEgressRule. AWS's rule that lets everything
    out is taken off, as the official provider does."""

    token = "aws:ec2/securityGroup:SecurityGroup"  # noqa: S105 - a type token
    api = _API
    sent = ("name", "description", "vpcId")
    remote: ClassVar[Mapping[str, str]] = {"name": "GroupName"}
    properties = (
        Property(name="name", autoname=True, replaces=True),
        Property(name="description", default="Managed by Pulumi", replaces=True),
        Property(name="vpcId", computed=True, replaces=True),
        Property(name="revokeRulesOnDelete", kind=Kind.BOOLEAN, default=False),
        *outputs("arn", "ownerId", "namePrefix", "ingress", "egress"),
        *TAGS, REGION,
    )  # fmt: skip

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """The default rule goes before others come."""
        if request.first:
            revoke_all(self.client(request.session, inputs), id, egress_only=True)

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Its rules."""
        rules = {"ingress": permissions(item, "IpPermissions"), "egress": permissions(item, "IpPermissionsEgress")}
        return {**rules, "namePrefix": ""}

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Rules go first if the program says so."""
        if state.get("revokeRulesOnDelete"):
            revoke_all(client, id)
        super().remove(client, id, state)


def _empty(rules: Any) -> Optional[str]:
    return "is not empty: the stand-in only implements a default group without rules" if rules else None


class DefaultSecurityGroup(Ec2Object):
    """Takes over a VPC's default group and keeps it without rules; deleting the resource leaves the group as it is."""

    token = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"  # noqa: S105 - a type token
    api = _API
    remote: ClassVar[Mapping[str, str]] = {"name": "GroupName"}
    properties = (
        Property(name="vpcId", computed=True, replaces=True),
        Property(name="ingress", kind=Kind.ANY, problem=_empty),
        Property(name="egress", kind=Kind.ANY, problem=_empty),
        Property(name="revokeRulesOnDelete", kind=Kind.BOOLEAN, default=False),
        *outputs("arn", "ownerId", "name", "description", "namePrefix"),
        *TAGS, REGION,
    )  # fmt: skip

    def create(self, request: Request[AwsSession], inputs: Mapping[str, Any]) -> Created:
        """Find it."""
        client = self.client(request.session, inputs)
        vpc = inputs.get("vpcId")
        if vpc is None:
            vpcs = client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
            if not vpcs:
                raise ProviderError("vpcId: the account has no default VPC: name the VPC whose default group is meant")
            vpc = vpcs[0]["VpcId"]
        filters = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [vpc]}]
        groups = client.describe_security_groups(Filters=filters)["SecurityGroups"]
        if not groups:
            raise ProviderError(f"vpcId: {vpc} has no default security group")
        return Created(groups[0]["GroupId"])

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """No rules, and the tags, which no create call has set."""
        client = self.client(request.session, inputs)
        revoke_all(client, id)
        if request.first:
            current = self.read(request.session, id, inputs) or {}
            self.update(request, id, current, inputs, {"tags"})

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Its rules."""
        rules = {"ingress": permissions(item, "IpPermissions"), "egress": permissions(item, "IpPermissionsEgress")}
        return {**rules, "namePrefix": ""}

    def delete(self, request: Request[AwsSession], id: str, state: Mapping[str, Any]) -> None:
        """AWS keeps it as long as the VPC."""
