# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportPrivateUsage=false
# ruff: noqa: SLF001
# Why: moto types its internals in part, and keeps some of them to itself.
"""What exists in the account, over all Regions and services, so that "nothing is left" can be asserted.

Left out is what a new account has from the start: default VPCs with all that belongs to them, AWS's own images, policies,
parameters and keys; what belongs to its VPC and goes with it (main route table, default group and default ACL); and what
is only remembered: terminated instances and deleted NAT gateways.
"""

from collections.abc import Callable, Iterable
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.resource_tagging import TaggableResourcesMixin
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends
from moto.ssm.models import ssm_backends

from edgelib.sandbox.aws.core import regions
from edgelib.sandbox.aws.zones import ZonesBackend

Row = dict[str, Any]
Rows = Iterable[Row]

_LISTED_BY_NOUN = {"ec2", "iam", "kms", "logs", "s3", "ssm", "sts"}


def inventory() -> dict[str, Any]:
    """The account's resources by kind, ``{"ec2:vpc": [{"id": ...}, ...]}``, each kind in the order of its ids.

    ``opted_in`` lists the zone groups that the account has opted in to, which AWS does not let it take back.
    """
    kinds: dict[str, list[Row]] = {}
    for backend in regions():
        for kind, rows in _EC2.items():
            kinds.setdefault(f"ec2:{kind}", []).extend(
                {**row, "region": backend.region_name, "tags": dict(backend.tags.get(row["id"], {}))}
                for row in rows(backend)
            )
    for service, backends, nouns in _OTHERS:
        for backend in _backends(backends):
            for kind, rows in nouns.items():
                found = ({**row, "region": backend.region_name} for row in rows(backend))
                kinds.setdefault(f"{service}:{kind}", []).extend(found)
    for kind, row in _taggable():
        kinds.setdefault(kind, []).append(row)
    opted_in = sorted(group for backend in regions() for group in _opted_in(backend))
    listed = {kind: sorted(rows, key=lambda row: str(row["id"])) for kind, rows in sorted(kinds.items()) if rows}
    return {**listed, "opted_in": opted_in}


def _opted_in(backend: ZonesBackend) -> set[str]:
    return backend.opted_in


def _backends(backends: BackendDict[Any]) -> list[Any]:
    """The backends that exist already: looking must not make new ones."""
    return [backend for _, _, backend in backends.iter_backends()]


def _ids(objects: Iterable[Any], *attributes: str) -> Rows:
    for each in objects:
        yield {"id": each.id, **{name: getattr(each, name) for name in attributes}}


def _default_vpcs(backend: Any) -> set[str]:
    return {vpc.id for vpc in backend.vpcs.values() if vpc.is_default}


def _of_own_vpcs(backend: Any, objects: Iterable[Any]) -> Iterable[Any]:
    defaults = _default_vpcs(backend)
    return [each for each in objects if each.vpc_id not in defaults]


def _instances(backend: Any) -> Rows:
    for instance in backend.all_instances():
        if instance.state != "terminated":
            yield {
                "id": instance.id,
                "state": instance.state,
                "type": instance.instance_type,
                "zone": instance.availability_zone,
                "private_ip": instance.private_ip,
                "interfaces": sorted(interface.id for interface in instance.nics.values()),
                "volumes": sorted(device.volume_id for device in instance.block_device_mapping.values()),
            }


def _interfaces(backend: Any) -> Rows:
    for interface in backend.enis.values():
        yield {
            "id": interface.id,
            "subnet_id": interface.subnet_id,
            "status": interface.status,
            "private_ips": [each["PrivateIpAddress"] for each in interface.private_ip_addresses],
            "public_ip": interface.public_ip,
            "carrier_ip": interface.carrier_ip,
            "groups": sorted(group.id for group in interface._group_set),
        }


def _route_tables(backend: Any) -> Rows:
    for table in backend.route_tables.values():
        if not table.main_association_id or len(table.routes) > 1 or table._associations:
            yield {
                "id": table.id,
                "vpc_id": table.vpc_id,
                "routes": sorted(route.id for route in table.routes),
                "associations": dict(sorted(table._associations.items())),
            }


def _security_groups(backend: Any) -> Rows:
    for groups in backend.groups.values():
        for group in groups.values():
            if not group.is_default:
                rules = sorted(rule.id for rule in (*group.ingress_rules, *group.egress_rules))
                yield {"id": group.id, "name": group.name, "vpc_id": group.vpc_id, "rules": rules}


def _addresses(backend: Any) -> Rows:
    for address in backend.addresses:
        yield {
            "id": address.id,
            "address": address.public_ip,
            "network_border_group": address.network_border_group,
            "interface": address.eni.id if address.eni else None,
        }


def _nat_gateways(backend: Any) -> Rows:
    live = (gateway for gateway in backend.nat_gateways.values() if gateway.state not in ("deleted", "failed"))
    return _ids(live, "state", "subnet_id", "private_ip")


def _own_snapshots(backend: Any) -> Rows:
    return _ids((each for each in backend.snapshots.values() if not each.from_ami), "status")


def _own_images(backend: Any) -> Rows:
    return _ids((each for each in backend.amis.values() if each.owner_id == backend.account_id), "name")


def _internet_gateways(backend: Any) -> Rows:
    for gateway in backend.internet_gateways.values():
        yield {"id": gateway.id, "vpc_id": gateway.vpc.id if gateway.vpc else None}


_EC2: dict[str, Callable[[Any], Rows]] = {
    "address": _addresses,
    "carrier-gateway": lambda b: _ids(b.carrier_gateways.values(), "vpc_id"),
    "customer-gateway": lambda b: _ids(b.customer_gateways.values()),
    "dhcp-options": lambda b: _ids(b.dhcp_options_sets.values()),
    "egress-only-internet-gateway": lambda b: _ids(b.egress_only_internet_gateways.values(), "vpc_id"),
    "flow-log": lambda b: _ids(b.flow_logs.values(), "resource_id"),
    "image": _own_images,
    "instance": _instances,
    "internet-gateway": _internet_gateways,
    "key-pair": lambda b: ({"id": key.id, "name": key.key_name} for key in b.key_pairs.values()),
    "launch-template": lambda b: _ids(b.launch_templates.values(), "name", "latest_version_number"),
    "nat-gateway": _nat_gateways,
    "network-acl": lambda b: _ids((a for a in b.network_acls.values() if not a.default), "vpc_id"),
    "network-interface": _interfaces,
    "prefix-list": lambda b: _ids(p for p in b.managed_prefix_lists.values() if p.owner_id == b.account_id),
    "route-table": _route_tables,
    "security-group": _security_groups,
    "snapshot": _own_snapshots,
    "subnet": lambda b: _ids(
        _of_own_vpcs(b, b.describe_subnets()), "vpc_id", "cidr_block", "availability_zone", "map_public_ip_on_launch"
    ),
    "transit-gateway": lambda b: _ids((t for t in b.transit_gateways.values() if t.state != "deleted"), "state"),
    "transit-gateway-attachment": lambda b: _ids(
        (t for t in b.transit_gateway_attachments.values() if t.state != "deleted"), "state"
    ),
    "volume": lambda b: _ids(b.volumes.values(), "size", "volume_type", "encrypted", "status", "availability_zone"),
    "vpc": lambda b: _ids((v for v in b.vpcs.values() if not v.is_default), "cidr_block"),
    "vpc-endpoint": lambda b: _ids(b.vpc_end_points.values(), "vpc_id", "service_name", "state"),
    "vpc-peering-connection": lambda b: _ids(p for p in b.vpc_pcxs.values() if p._status.code != "deleted"),
    "vpn-gateway": lambda b: _ids(g for g in b.vpn_gateways.values() if g.state != "deleted"),
}

_IAM: dict[str, Callable[[Any], Rows]] = {
    "role": lambda b: (
        {"id": role.id, "name": role.name, "policies": sorted([*role.policies, *role.managed_policies])}
        for role in b.roles.values()
    ),
    "instance-profile": lambda b: (
        {"id": profile.id, "name": profile.name, "roles": sorted(role.name for role in profile.roles)}
        for profile in b.instance_profiles.values()
    ),
    "policy": lambda b: (
        {"id": policy.arn} for policy in b.managed_policies.values() if ":aws:policy/" not in policy.arn
    ),
    "user": lambda b: ({"id": user.id, "name": user.name} for user in b.users.values()),
    "group": lambda b: ({"id": group.id, "name": group.name} for group in b.groups.values()),
}


def _own_keys(backend: Any) -> Rows:
    """Without services' default keys, which moto makes as if they were a customer's, and keys that are being deleted."""
    for key in backend.keys.values():
        default = any(alias.startswith("alias/aws/") for alias in key.aliases)
        if not default and key.key_state != "PendingDeletion":
            yield {"id": key.id, "state": key.key_state}


_KMS: dict[str, Callable[[Any], Rows]] = {
    "key": _own_keys,
}

_LOGS: dict[str, Callable[[Any], Rows]] = {
    "group": lambda b: ({"id": name, "retention": g.retention_in_days} for name, g in b.groups.items()),
}

_S3: dict[str, Callable[[Any], Rows]] = {
    "bucket": lambda b: ({"id": name, "objects": sorted(bucket.keys)} for name, bucket in b.buckets.items()),
}

_SSM: dict[str, Callable[[Any], Rows]] = {
    "parameter": lambda b: (
        {"id": name, "type": versions[-1].parameter_type, "version": versions[-1].version}
        for name, versions in dict.items(b._parameters)
        if versions and not name.startswith("/aws/")
    ),
}

_OTHERS: tuple[tuple[str, BackendDict[Any], dict[str, Callable[[Any], Rows]]], ...] = (
    ("iam", iam_backends, _IAM),
    ("kms", kms_backends, _KMS),
    ("logs", logs_backends, _LOGS),
    ("s3", s3_backends, _S3),
    ("ssm", ssm_backends, _SSM),
)


def _taggable() -> Iterable[tuple[str, Row]]:
    """The resources of all other services, as far as moto can list what is taggable there."""
    in_use: list[Any] = BackendDict.__dict__["_instances"]
    for backends in in_use:
        if backends.service_name in _LISTED_BY_NOUN:
            continue
        for _, region, backend in backends.iter_backends():
            tagged = backend.iter_tagged_resources() if isinstance(backend, TaggableResourcesMixin) else ()
            for each in tagged:
                yield each.resource_type, {"id": each.arn, "region": region, "tags": dict(each.tags)}
