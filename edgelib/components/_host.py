"""One EC2 host whose addresses and data outlive its instance: network interface, Elastic IP, association, then the instance."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Optional

import pulumi
import pulumi_aws as aws

from edgelib import zones
from edgelib.components._args import Args
from edgelib.components._family import Family
from edgelib.components._placement import Egress, Placement
from edgelib.components.network import after
from edgelib.errors import ArgsError
from edgelib.tags import Tags

# Canonical publishes 24.04 with gp3 root disks only, hence the override of the type where the zone has gp2 only.
UBUNTU_PARAMETER = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
SMALLEST_ROOT_DISK_GIB = 8  # the image's own snapshot
LARGEST_DISK_GIB = 16384  # gp2 and gp3 (Amazon EBS user guide)
USER_DATA_LIMIT = 16384  # bytes before base64 (EC2 user guide, instance user data)

_USER_DATA_HEADS = (
    "#!",
    "#cloud-config",
    "#cloud-boothook",
    "#include",
    "#part-handler",
    "## template:",
    "Content-Type:",
    "MIME-Version:",
)


class DiskType(Enum):
    """EBS volume type."""

    GP2 = "gp2"
    GP3 = "gp3"
    """Not in Wavelength Zones."""


@dataclass(kw_only=True)
class DiskArgs(Args):
    """One data disk per node, encrypted; it outlives the node's instance."""

    size_gib: int
    """Size in GiB, 1 to 16384."""
    type: Optional[DiskType] = None
    """Volume type (default gp2 in a Wavelength Zone, which has no other: AWS Wavelength quotas; gp3 in the Region)."""


@dataclass(frozen=True, kw_only=True)
class DiskPlan:
    """One data disk."""

    device: str
    size_gib: int
    type: str


@dataclass(frozen=True, kw_only=True)
class HostPlan:
    """Every decision about the hosts of one role in one place."""

    placement: Placement
    instance_type: str
    ami: Optional[str]
    root_disk_gib: int
    disks: tuple[DiskPlan, ...] = ()
    termination_protection: bool = False
    instance_tags: Tags = field(default_factory=dict[str, pulumi.Input[str]])
    """Tags of the instance alone, below all others."""


@dataclass(frozen=True, kw_only=True)
class HostBase:
    """What of one host outlives its instance, and is there before its first boot."""

    role: str
    plan: HostPlan
    nic: "aws.ec2.NetworkInterface"
    address: "Optional[aws.ec2.Eip]"
    """Its Elastic IP; none behind NAT."""
    volumes: "Mapping[str, aws.ebs.Volume]"
    """Data disks by device."""
    before_boot: Sequence[pulumi.Input[pulumi.Resource]]

    @property
    def private_ip(self) -> pulumi.Output[str]:
        """Private IPv4 address."""
        return self.nic.private_ip

    @property
    def public_ip(self) -> Optional[pulumi.Output[str]]:
        """Public IP, where the egress is one."""
        return self.address.public_ip if self.address and self.plan.placement.egress is Egress.PUBLIC_IP else None

    @property
    def carrier_ip(self) -> Optional[pulumi.Output[str]]:
        """Carrier IP, where the egress is one."""
        return self.address.carrier_ip if self.address and self.plan.placement.egress is Egress.CARRIER_IP else None


@dataclass(frozen=True, kw_only=True)
class Host:
    """One host with its instance."""

    base: HostBase
    instance: "aws.ec2.Instance"
    gates: Sequence[pulumi.Resource]
    """What the next host of a rolling replacement waits for."""


def check_instance_type(field_name: str, instance_type: str, zone: Optional[zones.Zone]) -> str:
    """Returns the type.

    Raises:
        ArgsError: it does not have the form of a type, is arm64, which the image is not, or bare metal in a Wavelength Zone.
    """
    if not re.fullmatch(r"[a-z]+\d*[a-z0-9-]*\.[a-z0-9-]+", instance_type):
        raise ArgsError(field_name, repr(instance_type), "is no instance type", "use a type such as t3.medium")
    if zones.is_arm(instance_type):
        problem = "is arm64, and Wavelength Zones and the image are x86-64"
        raise ArgsError(field_name, instance_type, problem, "use t3.medium, for example")
    if zone and zones.offers(zone, instance_type) is False:
        problem = "is bare metal, which Wavelength Zones do not have"
        raise ArgsError(field_name, instance_type, problem, "use t3.xlarge, for example")
    return instance_type


def check_ami(field_name: str, ami: Optional[str]) -> Optional[str]:
    """Returns the id.

    Raises:
        ArgsError: it is no AMI id.
    """
    if ami is not None and not re.fullmatch(r"ami-[0-9a-f]{8}([0-9a-f]{9})?", ami):
        raise ArgsError(
            field_name, repr(ami), "is no AMI id", "use an id such as ami-0123456789abcdef0, or leave it out"
        )
    return ami


def check_root_disk(field_name: str, size_gib: int) -> int:
    """Returns the size.

    Raises:
        ArgsError: it is smaller than the image or larger than a volume can be.
    """
    if not SMALLEST_ROOT_DISK_GIB <= size_gib <= LARGEST_DISK_GIB:
        raise ArgsError(field_name, size_gib, "GiB do not do", f"use {SMALLEST_ROOT_DISK_GIB} to {LARGEST_DISK_GIB}")
    return size_gib


def plan_disks(field_name: str, disks: Mapping[str, DiskArgs], placement: Placement) -> tuple[DiskPlan, ...]:
    """The data disks by device.

    Raises:
        ArgsError: a device that is not for data, a size out of range, a type other than gp2 in a Wavelength Zone.
    """
    planned: list[DiskPlan] = []
    for device, disk in disks.items():
        path = f"{field_name}[{device!r}]"
        if not re.fullmatch(r"/dev/sd[f-p]", device):
            raise ArgsError(
                path, device, "is no device for data", "use /dev/sdf to /dev/sdp (EC2 user guide, device names)"
            )
        if not 1 <= disk.size_gib <= LARGEST_DISK_GIB:
            raise ArgsError(f"{path}.size_gib", disk.size_gib, "is no size of a volume", f"use 1 to {LARGEST_DISK_GIB}")
        if placement.zone and disk.type not in {None, DiskType.GP2}:
            problem = "does not exist in Wavelength Zones, which have gp2 only (AWS Wavelength quotas)"
            raise ArgsError(f"{path}.type", disk.type.value if disk.type else "", problem, "use gp2, or leave it out")
        planned.append(
            DiskPlan(
                device=device, size_gib=disk.size_gib, type=disk.type.value if disk.type else placement.volume_type
            )
        )
    return tuple(planned)


def check_user_data(field_name: str, user_data: str) -> str:
    """Returns the user data.

    Raises:
        ArgsError: it is larger than EC2 takes, or cloud-init would ignore it.
    """
    size = len(user_data.encode())
    if size > USER_DATA_LIMIT:
        way_out = "fetch what is large at boot, from S3 for example"
        raise ArgsError(field_name, f"{size} bytes", f"are more than the {USER_DATA_LIMIT} that EC2 takes", way_out)
    if not user_data.startswith(_USER_DATA_HEADS):
        line = user_data.split("\n", 1)[0][:40]
        raise ArgsError(
            field_name,
            repr(line),
            "is no first line that cloud-init knows: it would ignore all",
            "begin with #cloud-config or #!",
        )
    return user_data


def ubuntu_ami(family: Family) -> "pulumi.Output[str]":
    """Ubuntu 24.04 for x86-64, as Canonical publishes it in SSM for the Region."""
    found = aws.ssm.get_parameter_output(name=UBUNTU_PARAMETER, region=family.region, opts=family.invoke())
    return found.insecure_value  # not .value, which is a secret


def address_host(
    family: Family, role: str, plan: HostPlan, security_group_ids: Sequence[pulumi.Input[str]]
) -> HostBase:
    """Builds what outlives the instance of one host: its addresses and data disks."""
    subnet = plan.placement.subnet
    nic = aws.ec2.NetworkInterface(**family.tagged(role), subnet_id=subnet.id, security_groups=security_group_ids)
    egress = after(subnet.egress_route_id)
    before_boot: list[pulumi.Input[pulumi.Resource]] = [egress]
    address = None
    if plan.placement.egress is not Egress.NAT:
        address = aws.ec2.Eip(
            # the address hangs on the gateway's route, so that it is released before the gateway goes
            **family.tagged(role, depends_on=[egress]),
            domain="vpc",
            network_border_group=plan.placement.place.network_border_group,
        )
        before_boot.append(
            aws.ec2.EipAssociation(
                **family.untagged(role), allocation_id=address.allocation_id, network_interface_id=nic.id
            )
        )
    volumes = {
        disk.device: aws.ebs.Volume(
            **family.tagged(_disk_role(role, disk.device)),
            availability_zone=subnet.availability_zone,
            size=disk.size_gib,
            type=disk.type,
            encrypted=True,
        )
        for disk in plan.disks
    }
    return HostBase(role=role, plan=plan, nic=nic, address=address, volumes=volumes, before_boot=before_boot)


def boot_host(
    family: Family,
    base: HostBase,
    *,
    ami: pulumi.Input[str],
    user_data: Optional[pulumi.Input[str]],
    profile: "aws.iam.InstanceProfile",
    wait_for: Sequence[pulumi.Input[pulumi.Resource]],
) -> Host:
    """Builds the instance of one host; ``wait_for`` holds it back."""
    role, plan = base.role, base.plan
    registered = family.tagged(
        role,
        depends_on=[*wait_for, *base.before_boot],
        delete_before_replace=True,  # a network interface serves one instance at a time
        ignore_changes=[] if plan.ami else ["ami"],  # a new image never replaces a running node by itself
    )
    registered["tags"] = {**plan.instance_tags, **registered["tags"]}
    instance = aws.ec2.Instance(
        **registered,
        ami=ami,
        instance_type=plan.instance_type,
        primary_network_interface=aws.ec2.InstancePrimaryNetworkInterfaceArgs(network_interface_id=base.nic.id),
        iam_instance_profile=profile.name,
        user_data=user_data,
        user_data_replace_on_change=True,
        disable_api_termination=plan.termination_protection,
        metadata_options=aws.ec2.InstanceMetadataOptionsArgs(
            http_endpoint="enabled",
            http_tokens="required",
            http_put_response_hop_limit=1,  # what runs in a container of the node does not reach the node's credentials
        ),
        root_block_device=aws.ec2.InstanceRootBlockDeviceArgs(
            encrypted=True,
            volume_size=plan.root_disk_gib,
            volume_type=plan.placement.volume_type,
            delete_on_termination=True,
            tags=family.tagged(role)["tags"],
        ),
    )
    attachments = [
        aws.ec2.VolumeAttachment(
            **family.untagged(_disk_role(role, device), delete_before_replace=True),
            device_name=device,
            volume_id=volume.id,
            instance_id=instance.id,
            stop_instance_before_detaching=True,  # a mounted file system is unmounted before its disk goes
        )
        for device, volume in base.volumes.items()
    ]
    return Host(base=base, instance=instance, gates=[instance, *attachments])


def _disk_role(role: str, device: str) -> str:
    return f"{role}-{device.removeprefix('/dev/')}"
