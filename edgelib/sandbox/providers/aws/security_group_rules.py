"""aws:vpc SecurityGroupIngressRule and SecurityGroupEgressRule."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.names import pascal
from edgelib.sandbox.providers.aws.routes import exactly_one
from edgelib.sandbox.providers.aws.session import AwsSession
from edgelib.sandbox.providers.aws.vpc import ipv4_network, ipv6_network
from edgelib.sandbox.providers.properties import Failure, Kind, Property, outputs
from edgelib.sandbox.providers.values import mapping_of

_PROTOCOLS: Final = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
_PEERS: Final = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")


def _protocol(value: str) -> str:
    return _PROTOCOLS.get(value.lower(), value.lower())


class _Rule(Ec2Object):
    """One rule: one protocol, one range of ports, one peer."""

    egress: bool
    remote: ClassVar[Mapping[str, str]] = {"securityGroupId": "GroupId"}
    properties = (
        Property(name="securityGroupId", required=True, replaces=True),
        Property(name="ipProtocol", required=True, normal=_protocol),
        Property(name="fromPort", kind=Kind.INTEGER),
        Property(name="toPort", kind=Kind.INTEGER),
        Property(name="cidrIpv4", problem=ipv4_network),
        Property(name="cidrIpv6", problem=ipv6_network),
        Property(name="prefixListId"),
        Property(name="referencedSecurityGroupId"),
        Property(name="description"),
        *outputs("arn", "securityGroupRuleId"),
        *TAGS, REGION,
    )  # fmt: skip

    def check(self, session: AwsSession, inputs: Mapping[str, Any]) -> Iterable[Failure]:
        """One peer; ports unless every protocol is meant."""
        yield from exactly_one(self.token, inputs, _PEERS)
        protocol = inputs.get("ipProtocol")
        if not isinstance(protocol, str):
            return
        for name in ("fromPort", "toPort"):
            if _protocol(protocol) == "-1" and name in inputs:
                yield Failure(name, f"{self.token}.{name} cannot be set when ipProtocol is -1: that means all ports")
            if _protocol(protocol) in {"tcp", "udp"} and name not in inputs:
                yield Failure(name, f"{self.token}.{name} is required when ipProtocol is {protocol}")

    def arguments(self, session: AwsSession, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The rule as AWS's older, nested form, which the authorize calls take."""
        about = {"Description": inputs["description"]} if inputs.get("description") else {}
        ports = {key: inputs[name] for name, key in (("fromPort", "FromPort"), ("toPort", "ToPort")) if name in inputs}
        rule: dict[str, Any] = {"IpProtocol": _protocol(inputs["ipProtocol"]), **ports}
        if "cidrIpv4" in inputs:
            rule["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"], **about}]
        elif "cidrIpv6" in inputs:
            rule["Ipv6Ranges"] = [{"CidrIpv6": inputs["cidrIpv6"], **about}]
        elif "prefixListId" in inputs:
            rule["PrefixListIds"] = [{"PrefixListId": inputs["prefixListId"], **about}]
        else:
            rule["UserIdGroupPairs"] = [{"GroupId": inputs["referencedSecurityGroupId"].rpartition("/")[2], **about}]
        return {"GroupId": inputs["securityGroupId"], "IpPermissions": [rule]}

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The peer group by its id; no ports where the protocol has none, as the program wrote it."""
        found: dict[str, Any] = {
            "referencedSecurityGroupId": mapping_of(item.get("ReferencedGroupInfo")).get("GroupId")
        }
        if item["IpProtocol"] == "-1":
            found |= {"fromPort": None, "toPort": None}
        found["description"] = item.get("Description") or None
        return found

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """The whole rule at once."""
        if changed <= {"tags"}:
            return
        rule: dict[str, Any] = {"IpProtocol": _protocol(new["ipProtocol"]), "Description": new.get("description", "")}
        for name in ("fromPort", "toPort", *_PEERS):
            if name in new:
                key = {"referencedSecurityGroupId": "ReferencedGroupId"}.get(name, pascal(name))
                rule[key] = new[name]
        changes = [{"SecurityGroupRuleId": id, "SecurityGroupRule": rule}]
        client.modify_security_group_rules(GroupId=new["securityGroupId"], SecurityGroupRules=changes)

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Revoke it by its id."""
        revoke = client.revoke_security_group_egress if self.egress else client.revoke_security_group_ingress
        revoke(GroupId=state["securityGroupId"], SecurityGroupRuleIds=[id])

    def _looks_like(self, item: Mapping[str, Any], inputs: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
        peer = mapping_of(item.get("ReferencedGroupInfo")).get("GroupId")
        return (
            super()._looks_like(item, inputs, tags)
            and item["IsEgress"] is self.egress
            and item["IpProtocol"] == _protocol(inputs["ipProtocol"])
            and all(
                item.get(key) == inputs[name]
                for name, key in (("fromPort", "FromPort"), ("toPort", "ToPort"))
                if name in inputs
            )
            and all(item.get(pascal(name)) == inputs.get(name) for name in _PEERS[:3])
            and (peer or None) == inputs.get("referencedSecurityGroupId")
        )


def _api(create: str) -> Api:
    return Api(
        noun="security-group-rule", create=create, created="SecurityGroupRules[0].SecurityGroupRuleId",
        describe="describe_security_group_rules", listed="SecurityGroupRules", id="SecurityGroupRuleId", delete="",
    )  # fmt: skip


class SecurityGroupIngressRule(_Rule):
    """What may come in."""

    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"  # noqa: S105 - a type token
    api = _api("authorize_security_group_ingress")
    egress = False


class SecurityGroupEgressRule(_Rule):
    """What may go out."""

    token = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"  # noqa: S105 - a type token
    api = _api("authorize_security_group_egress")
    egress = True
