# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# Why: moto types its internals in part; ours are typed where they meet the rest of the sandbox.
"""Ubuntu's machine images, and the public SSM parameters that Canonical publishes their ids in."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from moto.ec2.models.amis import Ami

from edgelib.sandbox.aws.core import CoreBackend, shown_as_its_base

CANONICAL = "099720109477"
"""Canonical's AWS account."""

_MACHINES = {"amd64": "x86_64", "arm64": "arm64"}


@dataclass(frozen=True)
class UbuntuImage:
    """An Ubuntu release as Canonical publishes it, with the one kind of root disk that its images have."""

    code_name: str
    version: str
    disk: str
    """From 23.10 on, Canonical's images are gp3 only: a zone's root disk has to be overridden to gp2."""
    arch: str

    @property
    def name(self) -> str:
        """The image's name."""
        family = "hvm-ssd-gp3" if self.disk == "gp3" else "hvm-ssd"
        return f"ubuntu/images/{family}/ubuntu-{self.code_name}-{self.version}-{self.arch}-server-20260101"

    @property
    def parameter(self) -> str:
        """The name of the public SSM parameter that holds the image's id."""
        stable = f"/aws/service/canonical/ubuntu/server/{self.version}/stable/current"
        return f"{stable}/{self.arch}/hvm/ebs-{self.disk}/ami-id"

    def image_id(self, region: str) -> str:
        """The image's id in a Region, the same in every sandbox."""
        return "ami-" + sha256(f"{region} {self.name}".encode()).hexdigest()[:17]


UBUNTU = tuple(
    UbuntuImage(code_name, version, disk, arch)
    for code_name, version, disk in (("jammy", "22.04", "gp2"), ("noble", "24.04", "gp3"))
    for arch in _MACHINES
)


@shown_as_its_base
class UbuntuAmi(Ami):
    """An image whose mapping names its kind of root disk."""

    disk = "gp2"

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        disk = {
            "VolumeSize": 8,
            "VolumeType": self.disk,
            "DeleteOnTermination": True,
            "Encrypted": False,
            "SnapshotId": self.ebs_snapshot.id,
        }
        return [{"DeviceName": self.root_device_name, "Ebs": disk}]


class ImagesBackend(CoreBackend):
    """Images of a Region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        for image in UBUNTU:
            ami: Any = UbuntuAmi(
                self,
                image.image_id(region_name),
                name=image.name,
                owner_id=CANONICAL,
                public=True,
                hypervisor="xen",
                virtualization_type="hvm",
                architecture=_MACHINES[image.arch],
                root_device_type="ebs",
                region_name=region_name,
            )
            ami.disk = image.disk
            self.amis[ami.id] = ami
