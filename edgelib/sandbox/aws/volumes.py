# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# Why: moto types its internals in part; ours are typed where they meet the rest of the sandbox.
"""Volumes: gp2 only in a Wavelength Zone, attached in their own zone, encrypted when the account says so."""

from typing import Any, Optional

from moto.core.responses import ActionResult
from moto.ec2.models.elastic_block_store import Volume

from edgelib.sandbox.aws.core import refusal
from edgelib.sandbox.aws.endpoints import EndpointsBackend, EndpointsResponses


class VolumesBackend(EndpointsBackend):
    """EBS of a Region."""

    ebs_encryption_by_default = False  # moto makes its images' snapshots before it sets the switch

    def check_volume_type(self, zone: Optional[str], volume_type: Optional[str]) -> None:
        """Refuse what a Wavelength Zone has not: anything but gp2."""
        if volume_type not in (None, "gp2") and self.wavelength_zone(zone):
            text = f"Unsupported volume type '{volume_type}' for volume creation."
            raise refusal("UnknownVolumeType", text)

    def create_volume(
        self,
        size: Any,
        zone_name: str,
        snapshot_id: Optional[str] = None,
        encrypted: bool = False,
        kms_key_id: Optional[str] = None,
        volume_type: Optional[str] = None,
        **others: Any,
    ) -> Volume:
        self.check_volume_type(zone_name, volume_type)
        secret = encrypted or self.ebs_encryption_by_default
        return super().create_volume(size, zone_name, snapshot_id, secret, kms_key_id, volume_type, **others)

    def modify_volume(
        self,
        volume_id: str,
        target_size: Any = None,
        target_volume_type: Optional[str] = None,
        *args: Any,
        **kwargs: Any,
    ) -> Volume:
        self.check_volume_type(self.get_volume(volume_id).availability_zone, target_volume_type)
        return super().modify_volume(volume_id, target_size, target_volume_type, *args, **kwargs)

    def attach_volume(
        self, volume_id: str, instance_id: str, device_path: str, delete_on_termination: bool = False
    ) -> Any:
        volume, instance = self.get_volume(volume_id), self.get_instance(instance_id)
        if volume.attachment:
            raise refusal("VolumeInUse", f"{volume_id} is already attached to an instance")
        if volume.availability_zone != instance.availability_zone:
            text = f"The volume '{volume_id}' is not in the same availability zone as instance '{instance_id}'"
            raise refusal("InvalidVolume.ZoneMismatch", text)
        if instance.state not in ("running", "stopped"):
            raise refusal("IncorrectState", f"Instance '{instance_id}' is not 'running'.")
        if device_path in instance.block_device_mapping:
            text = f"Invalid value '{device_path}' for unixDevice. Attachment point {device_path} is already in use"
            raise refusal("InvalidParameterValue", text)
        return super().attach_volume(volume_id, instance_id, device_path, delete_on_termination)

    def detach_volume(self, volume_id: str, instance_id: Optional[str], device_path: str) -> Any:
        attachment = self.get_volume(volume_id).attachment
        if attachment is None:
            raise refusal("IncorrectState", f"Volume '{volume_id}' is in the 'available' state.")
        return super().detach_volume(volume_id, instance_id or attachment.instance_id, device_path)


class VolumesResponses(EndpointsResponses):
    """Calls about volumes."""

    sandbox: VolumesBackend

    def create_volume(self) -> ActionResult:
        zone = self._get_param("AvailabilityZone")
        if zone not in {row["ZoneName"] for row in self.sandbox.usable_zone_rows()}:
            raise refusal("InvalidZone.NotFound", f"The zone '{zone}' does not exist.")
        return super().create_volume()

    def get_ebs_default_kms_key_id(self) -> ActionResult:
        return ActionResult({"KmsKeyId": self.sandbox.default_kms_key_id or "alias/aws/ebs"})
