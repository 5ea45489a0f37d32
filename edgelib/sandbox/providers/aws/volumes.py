"""EBS: aws:ebs/volume:Volume, aws:ec2/volumeAttachment:VolumeAttachment, aws:ebs/encryptionByDefault:EncryptionByDefault."""
# ruff: noqa: A001, A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import zlib
from collections.abc import Mapping
from typing import Any, ClassVar, Optional

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.resource import AwsResource
from edgelib.sandbox.providers.aws.session import AwsSession, error_code, is_missing, unless_missing
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Created, ProviderError, Request
from edgelib.sandbox.providers.values import list_of, mapping_of

VOLUME_TYPES = ("gp2", "gp3", "io1", "io2", "sc1", "st1", "standard")
MODIFIABLE = {"size": "Size", "type": "VolumeType", "iops": "Iops", "throughput": "Throughput"}


class Volume(Ec2Object):
    """Without final snapshots and Outposts."""

    token = "aws:ebs/volume:Volume"  # noqa: S105 - a type token
    api = Api(
        noun="volume", create="create_volume", created="VolumeId", describe="describe_volumes", listed="Volumes",
        id="VolumeId", delete="delete_volume", ready="volume_available", gone="volume_deleted",
    )  # fmt: skip
    sent = (
        "availabilityZone",
        "size",
        "type",
        "iops",
        "throughput",
        "encrypted",
        "kmsKeyId",
        "snapshotId",
        "multiAttachEnabled",
    )
    remote: ClassVar[Mapping[str, str]] = {"type": "VolumeType"}
    properties = (
        Property(name="availabilityZone", required=True, replaces=True),
        Property(name="size", kind=Kind.INTEGER, computed=True),
        Property(name="type", computed=True, allowed=VOLUME_TYPES),
        Property(name="iops", kind=Kind.INTEGER, computed=True),
        Property(name="throughput", kind=Kind.INTEGER, computed=True),
        Property(name="encrypted", kind=Kind.BOOLEAN, computed=True, replaces=True),
        Property(name="kmsKeyId", computed=True, replaces=True),
        Property(name="snapshotId", computed=True, replaces=True),
        Property(name="multiAttachEnabled", kind=Kind.BOOLEAN, replaces=True),
        *outputs("arn", "createTime"),
        *TAGS, REGION,
    )  # fmt: skip

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The time as text."""
        return {"createTime": item["CreateTime"].isoformat()}

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """Size and performance, while it is in use if need be."""
        arguments = {remote: new[name] for name, remote in MODIFIABLE.items() if name in changed and name in new}
        if arguments:
            client.modify_volume(VolumeId=id, **arguments)


class VolumeAttachment(AwsResource):
    """A volume on an instance. Any change is a new attachment."""

    token = "aws:ec2/volumeAttachment:VolumeAttachment"  # noqa: S105 - a type token
    delete_before_replace = True  # a volume is on one instance at a time
    properties = (
        Property(name="deviceName", required=True, replaces=True),
        Property(name="instanceId", required=True, replaces=True),
        Property(name="volumeId", required=True, replaces=True),
        Property(name="forceDetach", kind=Kind.BOOLEAN),
        Property(name="skipDestroy", kind=Kind.BOOLEAN),
        Property(name="stopInstanceBeforeDetaching", kind=Kind.BOOLEAN),
        REGION,
    )

    @staticmethod
    def _find(client: Any, values: Mapping[str, Any]) -> Optional[dict[str, Any]]:
        volume = unless_missing(lambda: client.describe_volumes(VolumeIds=[values["volumeId"]])["Volumes"][0])
        attachments = list_of(mapping_of(volume).get("Attachments"))
        return next((item for item in attachments if item["InstanceId"] == values["instanceId"]), None)

    @staticmethod
    def _id(values: Mapping[str, Any]) -> str:
        named = f"{values['deviceName']}-{values['instanceId']}-{values['volumeId']}-"  # the official provider's form
        return f"vai-{zlib.crc32(named.encode())}"

    def create(self, request: Request[AwsSession], inputs: Mapping[str, Any]) -> Created:
        """Attach to an instance that runs."""
        waiter = self.client(request.session, inputs).get_waiter("instance_exists")
        waiter.wait(InstanceIds=[inputs["instanceId"]], WaiterConfig={"Delay": 0.2, "MaxAttempts": 1500})
        return super().create(request, inputs)

    def make(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> str:
        """Attach."""
        client.attach_volume(Device=inputs["deviceName"], InstanceId=inputs["instanceId"], VolumeId=inputs["volumeId"])
        return self._id(inputs)

    def existing(self, session: AwsSession, client: Any, inputs: Mapping[str, Any]) -> Optional[str]:
        """Under the same device name."""
        found = self._find(client, inputs)
        return self._id(inputs) if found and found["Device"] == inputs["deviceName"] else None

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """Wait until it is attached."""
        client = self.client(request.session, inputs)
        client.get_waiter("volume_in_use").wait(
            VolumeIds=[inputs["volumeId"]],
            WaiterConfig={"Delay": 0.2, "MaxAttempts": int((request.timeout or 300) / 0.2)},
        )

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """The volume's attachment; an import names it `<device>:<volume>:<instance>`."""
        if not state.get("volumeId"):
            device, volume, instance = id.split(":")
            state = {"deviceName": device, "volumeId": volume, "instanceId": instance}
            id = self._id(state)
        found = self._find(self.client(session, state), state)
        if found is None:
            return None
        device = {"deviceName": found["Device"], "instanceId": found["InstanceId"], "volumeId": state["volumeId"]}
        return {**device, "region": session.region_of(state), "id": id}

    def delete(self, request: Request[AwsSession], id: str, state: Mapping[str, Any]) -> None:
        """Detach and wait."""
        client = self.client(request.session, state)
        if state.get("skipDestroy") or self._find(client, state) is None:
            return
        attempts = int((request.timeout or 300) / 0.2)
        if state.get("stopInstanceBeforeDetaching"):
            client.stop_instances(InstanceIds=[state["instanceId"]])
            waiting = {"Delay": 0.2, "MaxAttempts": attempts}
            client.get_waiter("instance_stopped").wait(InstanceIds=[state["instanceId"]], WaiterConfig=waiting)
        try:
            client.detach_volume(
                VolumeId=state["volumeId"], InstanceId=state["instanceId"], Device=state["deviceName"],
                Force=bool(state.get("forceDetach")),
            )  # fmt: skip
        except Exception as error:
            if not is_missing(error) and error_code(error) != "IncorrectState":
                raise
        waiting = {"Delay": 0.2, "MaxAttempts": attempts}
        client.get_waiter("volume_available").wait(VolumeIds=[state["volumeId"]], WaiterConfig=waiting)


class EncryptionByDefault(AwsResource):
    """The Region's switch. Deleting the resource turns it off."""

    token = "aws:ebs/encryptionByDefault:EncryptionByDefault"  # noqa: S105 - a type token
    properties = (Property(name="enabled", kind=Kind.BOOLEAN, default=True), REGION)

    def create(self, request: Request[AwsSession], inputs: Mapping[str, Any]) -> Created:
        """There is one per Region; `settle` sets it."""
        return Created(f"ebs-encryption-{request.session.region_of(inputs)}")

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """Set it."""
        self._set(self.client(request.session, inputs), on=inputs["enabled"])

    @staticmethod
    def _set(client: Any, *, on: bool) -> None:
        answer = client.enable_ebs_encryption_by_default() if on else client.disable_ebs_encryption_by_default()
        if answer["EbsEncryptionByDefault"] is not on:
            raise ProviderError(f"AWS left EBS encryption by default {'off' if on else 'on'}")

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """What it is."""
        answer = self.client(session, state).get_ebs_encryption_by_default()
        return {"enabled": answer["EbsEncryptionByDefault"], "region": session.region_of(state)}

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Off."""
        self._set(client, on=False)
