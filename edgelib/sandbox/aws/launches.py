# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# Why: moto types its internals in part; ours are typed where they meet the rest of the sandbox.
"""Launches: what RunInstances asks for, made whole from launch template, image and subnet, and checked as AWS does."""

import base64
import copy
from dataclasses import dataclass, field
from typing import Any, Optional

from moto.ec2.exceptions import MalformedAMIIdError
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ssm.models import ssm_backends
from werkzeug.exceptions import HTTPException

from edgelib.sandbox.aws.core import CoreBackend, refusal
from edgelib.sandbox.aws.images import ImagesBackend
from edgelib.sandbox.aws.volumes import VolumesBackend
from edgelib.sandbox.aws.zones import offered_types

LARGEST_USER_DATA = 16384
"""Bytes of user data before base64 (EC2 user guide)."""

_RESOLVE = "resolve:ssm:"
_OTHER_ROOT = {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 8, "VolumeType": "gp2", "DeleteOnTermination": True}}


class NoCapacity(HTTPException):
    """EC2's answer when a zone has no room for an instance type. HTTP 500: SDKs retry it."""

    def __init__(self, zone: str, kind: str, status: int) -> None:
        text = f"We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({zone})."
        super().__init__(
            "<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code>"
            f"<Message>{text}</Message></Error></Errors><RequestID>sandbox</RequestID></Response>"
        )
        self.code = status if status != 400 else 500

    def get_headers(self, *_: Any, **__: Any) -> list[tuple[str, str]]:
        """XML, as all of EC2's answers."""
        return [("Content-Type", "text/xml")]


@dataclass
class Launch:
    """A launch with every default filled in."""

    image_id: str
    kind: str
    zone: str
    subnet_id: str
    nics: list[dict[str, Any]]
    disks: list[dict[str, Any]]
    template: dict[str, Any] = field(default_factory=dict[str, Any])


class LaunchesBackend(VolumesBackend, ImagesBackend):
    """Planning and checking of launches in a Region."""

    def plan_launch(self, image_id: Optional[str], user_data: Any, asked: dict[str, Any]) -> Launch:
        """Fill in what the request leaves open, and refuse what AWS would refuse."""
        template: dict[str, Any] = {}
        if asked.get("launch_template"):
            template = self._get_template_from_args(asked["launch_template"]).data
        image = self._image_id(image_id or template.get("ImageId"))
        kind = asked["instance_type"]
        if asked.get("is_instance_type_default"):
            kind = template.get("InstanceType", kind)
        nics = copy.deepcopy(asked.get("nics") or template.get("NetworkInterfaces") or [])
        subnet_id = self._subnet_id(asked, template, nics)
        zone = self.get_subnet(subnet_id).availability_zone
        disks = asked.get("block_device_mappings") or template.get("BlockDeviceMappings") or []
        launch = Launch(image, kind, zone, subnet_id, self._nics(nics, subnet_id), self._disks(image, disks), template)
        check_user_data(user_data or template.get("UserData"))
        if key := asked.get("key_name") or template.get("KeyName"):
            self.describe_key_pairs(key_names=[key])
        self._check_kind(launch)
        self._check_nics(launch)
        for disk in launch.disks:
            self.check_volume_type(zone, disk["Ebs"].get("VolumeType") if "Ebs" in disk else None)
        self._check_capacity(launch)
        return launch

    def _image_id(self, image_id: Optional[str]) -> str:
        if not image_id:
            raise refusal("MissingParameter", "The request must contain the parameter ImageId")
        if image_id.startswith(_RESOLVE):
            name = image_id.removeprefix(_RESOLVE)
            parameter = ssm_backends[self.account_id][self.region_name].get_parameter(name)
            if parameter is None:
                raise refusal("InvalidParameterValue", f"The SSM parameter {name} of ImageId does not exist")
            image_id = parameter.value
        if not image_id.startswith("ami-"):
            raise MalformedAMIIdError([image_id])
        if image_id not in self.amis:
            raise refusal("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
        return image_id

    def _subnet_id(self, asked: dict[str, Any], template: dict[str, Any], nics: list[dict[str, Any]]) -> str:
        if asked.get("subnet_id"):
            return asked["subnet_id"]
        primary = next((nic for nic in nics if int(nic.get("DeviceIndex", 0)) == 0), {})
        if "NetworkInterfaceId" in primary:
            return self.get_network_interface(primary["NetworkInterfaceId"]).subnet.id
        if "SubnetId" in primary:
            return primary["SubnetId"]
        zone = asked.get("placement") or template.get("Placement", {}).get("AvailabilityZone")
        defaults = self.get_default_subnets()
        if zone and zone not in defaults:
            raise refusal("InvalidInput", f"No default subnet for availability zone: '{zone}'.")
        if not defaults:
            raise refusal("MissingInput", "No subnets found for the default VPC. Please specify a subnet.")
        return defaults[zone or min(defaults)].id

    def _nics(self, nics: list[dict[str, Any]], subnet_id: str) -> list[dict[str, Any]]:
        """The interfaces; without any, the primary one that AWS makes. New ones go with the instance by default."""
        filled = nics or [{"DeviceIndex": 0, "SubnetId": subnet_id}]
        for index, nic in enumerate(filled):
            nic.setdefault("DeviceIndex", index)
            if "NetworkInterfaceId" not in nic:
                nic.setdefault("SubnetId", subnet_id)
                nic.setdefault("DeleteOnTermination", True)
        return filled

    def _disks(self, image_id: str, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The disks, each with the image's values where the request has none; the root disk among them."""
        mappings = self.amis[image_id].block_device_mappings
        root = copy.deepcopy(mappings[0] if mappings else _OTHER_ROOT)
        disks = [copy.deepcopy(disk) for disk in asked]
        if root["DeviceName"] not in [disk["DeviceName"] for disk in disks]:
            disks.insert(0, root)
        for disk in disks:
            like: Any = root["Ebs"] if disk["DeviceName"] == root["DeviceName"] else {"VolumeType": "gp2"}
            given = {key: value for key, value in (disk.get("Ebs") or {}).items() if value is not None}
            disk["Ebs"] = {**like, **given}
        return disks

    def _check_kind(self, launch: Launch) -> None:
        if launch.kind not in INSTANCE_TYPES:
            raise refusal("InvalidParameterValue", f"Invalid value '{launch.kind}' for InstanceType.")
        offered = offered_types(self.region_name, launch.zone)
        if offered and launch.kind not in offered:
            usable = [
                z.name
                for z in self.describe_availability_zones()
                if launch.kind in offered_types(z.region_name, z.name)
            ]
            raise refusal(
                "Unsupported",
                f"Your requested instance type ({launch.kind}) is not supported in your requested Availability Zone "
                f"({launch.zone}). Please retry your request by not specifying an Availability Zone or choosing "
                f"{', '.join(usable)}.",
            )
        machines = INSTANCE_TYPES[launch.kind]["ProcessorInfo"]["SupportedArchitectures"]
        machine = self.amis[launch.image_id].architecture
        if machine not in machines:
            raise refusal(
                "InvalidParameterValue",
                f"The architecture '{','.join(machines)}' of the specified instance type does not match the architecture "
                f"'{machine}' of the specified AMI. Specify an instance type and an AMI that have matching architectures.",
            )

    def _check_nics(self, launch: Launch) -> None:
        edge = self.wavelength_zone(launch.zone)
        for nic in launch.nics:
            existing = nic.get("NetworkInterfaceId")
            if existing:
                self.check_interface_is_free(self.get_network_interface(existing))
            if nic.get("AssociateCarrierIpAddress") and (not edge or existing):
                text = "A carrier IP address needs a new interface in a Wavelength Zone subnet."
                raise refusal("InvalidParameterCombination", text)
            if nic.get("AssociatePublicIpAddress") and edge:
                text = "A subnet in a Wavelength Zone has carrier IP addresses, not public ones."
                raise refusal("InvalidParameterCombination", text)

    def _check_capacity(self, launch: Launch) -> None:
        rule = self.faults.capacity_rule_for(launch.zone, launch.kind)
        if rule is not None:
            CoreBackend.capacity_refused = True
            raise NoCapacity(launch.zone, launch.kind, rule.status)


def check_user_data(user_data: Any) -> None:
    """Refuse user data, given encoded, that is larger than EC2 takes."""
    size = len(base64.b64decode(str(user_data))) if user_data else 0
    if size > LARGEST_USER_DATA:
        raise refusal("InvalidParameterValue", f"User data is limited to {LARGEST_USER_DATA} bytes")
