# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Why: moto types its internals in part.
"""What the account's instances are as machines: what whoever acts them out has to know, and nothing that changes them."""

from collections.abc import Iterator
from typing import Any, Optional

from moto.ec2.models.instance_types import INSTANCE_TYPES

from edgelib.sandbox.aws.core import CoreBackend, regions

Row = dict[str, Any]

PRIVATE_OCTET = 0
"""Third octet of the addresses that the emulator never gives out (it draws 1 to 254), for who needs one besides."""


def machines() -> Row:
    """Every instance that is not terminated, every volume, and the range for addresses of instances without a public one.

    ``{"machines": [...], "volumes": [id, ...], "private_range": "127.<octet>.0.0/24"}``. A machine has: id, region, state,
    boot (1 at launch, one more at each start and reboot), launched (seconds since the epoch), user_data (base64, None
    without), type, cpu, memory (bytes), zone, vpc_id, private_ip, public_ip (public or carrier, None without), volumes (id
    by device), role (``{"name", "account", "policies": [JSON text, ...]}``, None without), groups, name (its tag).
    """
    return {
        "machines": [_machine(backend, each) for backend in regions() for each in _live(backend)],
        "volumes": sorted(volume for backend in regions() for volume in backend.volumes),
        "private_range": f"127.{CoreBackend.octet}.{PRIVATE_OCTET}.0/24",
    }


def _live(backend: Any) -> Iterator[Any]:
    return (each for each in backend.all_instances() if each.state != "terminated")


def _machine(backend: Any, instance: Any) -> Row:
    kind: Any = INSTANCE_TYPES.get(instance.instance_type, {})
    interface = instance.nics[0] if instance.nics else None
    return {
        "id": instance.id,
        "region": backend.region_name,
        "state": instance.state,
        "boot": instance.boots,
        "launched": instance.launch_time.timestamp(),
        "user_data": str(instance.user_data) if instance.user_data else None,
        "type": instance.instance_type,
        "cpu": kind.get("VCpuInfo", {}).get("DefaultVCpus", 1),
        "memory": kind.get("MemoryInfo", {}).get("SizeInMiB", 1024) * 1024**2,
        "zone": instance.availability_zone,
        "vpc_id": instance.vpc_id,
        "private_ip": instance.private_ip,
        "public_ip": (interface.carrier_ip or interface.public_ip) if interface else None,
        "volumes": {device: each.volume_id for device, each in instance.block_device_mapping.items()},
        "role": _role(backend, instance.id),
        "groups": sorted(group.id for group in interface.group_set) if interface else [],
        "name": backend.tags.get(instance.id, {}).get("Name"),
    }


def _role(backend: Any, instance_id: str) -> Optional[Row]:
    """The role of an instance's profile, with the text of each of its policies, inline and attached."""
    association = backend.iam_instance_profile_associations.get(instance_id)
    roles = association.iam_instance_profile.roles if association else []
    if not roles:
        return None
    role = roles[0]
    versions = [version for policy in role.managed_policies.values() for version in policy.versions]
    attached = [version.document for version in versions if version.is_default]
    return {"name": role.name, "account": role.account_id, "policies": [*role.policies.values(), *attached]}
