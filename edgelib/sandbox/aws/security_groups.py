# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# ruff: noqa: SLF001
# Why: moto types its internals in part, and keeps some of them to itself.
"""Security groups: no deletion while an interface has one or another group's rule names it."""

from typing import Any, Optional

from moto.ec2.exceptions import InvalidPermissionDuplicateError, InvalidSecurityGroupNotFoundError

from edgelib.sandbox.aws.addresses import AddressesBackend
from edgelib.sandbox.aws.core import refusal


class SecurityGroupsBackend(AddressesBackend):
    """Security groups of a Region."""

    def delete_security_group(self, name: Optional[str] = None, group_id: Optional[str] = None) -> None:
        group = self.get_security_group_by_name_or_id(group_id or name or "")
        if group is None:
            raise InvalidSecurityGroupNotFoundError(group_id or name)
        if group.is_default:
            raise refusal("CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted')
        if self._used_by_interface(group) or self._named_by_other_group(group):
            raise refusal("DependencyViolation", f"resource {group.id} has a dependent object")
        super().delete_security_group(group_id=group.id)

    def _used_by_interface(self, group: Any) -> bool:
        return any(group in interface._group_set for interface in self.enis.values())

    def _named_by_other_group(self, group: Any) -> bool:
        return any(
            rule.source_group.get("GroupId") == group.id
            for groups in self.groups.values()
            for other in groups.values()
            if other is not group
            for rule in (*other.ingress_rules, *other.egress_rules)
        )

    def authorize_security_group_ingress(self, *args: Any, **kwargs: Any) -> Any:
        self._check_duplicates(*args, egress=False, **kwargs)
        return super().authorize_security_group_ingress(*args, **kwargs)

    def authorize_security_group_egress(self, *args: Any, **kwargs: Any) -> Any:
        self._check_duplicates(*args, egress=True, **kwargs)
        return super().authorize_security_group_egress(*args, **kwargs)

    def _check_duplicates(
        self,
        group_name_or_id: str,
        ip_protocol: str,
        from_port: Any,
        to_port: Any,
        ip_ranges: Any,
        *,
        egress: bool,
        source_groups: Optional[list[dict[str, Any]]] = None,
        **_: Any,
    ) -> None:
        """Refuse a rule that only differs in its description; moto takes a described group for another rule."""
        group = self.get_security_group_by_name_or_id(group_name_or_id)
        if group is None:
            raise InvalidSecurityGroupNotFoundError(group_name_or_id)
        ports = (ip_protocol,) if ip_protocol == "-1" else (ip_protocol, str(from_port), str(to_port))
        wanted = {(*ports, each.get("GroupId")) for each in source_groups or []}
        if isinstance(ip_ranges, list):
            wanted |= {(*ports, _cidr(each)) for each in ip_ranges if isinstance(each, dict)}
        for rule in group.egress_rules if egress else group.ingress_rules:
            there = (rule.ip_protocol,)
            if rule.ip_protocol != "-1":
                there = (rule.ip_protocol, str(rule.from_port), str(rule.to_port))
            if {(*there, rule.source_group.get("GroupId")), (*there, _cidr(rule.ip_range))} & wanted:
                raise InvalidPermissionDuplicateError


def _cidr(ip_range: dict[str, str]) -> Optional[str]:
    return ip_range.get("CidrIp") or ip_range.get("CidrIpv6") or "-"
