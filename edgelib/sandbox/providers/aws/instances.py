"""aws:ec2/instance:Instance: its properties and how it is launched; see also `instance_state.py` and `instance_changes.py`."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Optional

from edgelib.sandbox.providers.aws import instance_changes, instance_state
from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.session import AwsSession, is_missing
from edgelib.sandbox.providers.aws.tags import all_tags, as_list
from edgelib.sandbox.providers.aws.volumes import VOLUME_TYPES
from edgelib.sandbox.providers.differences import Change
from edgelib.sandbox.providers.properties import Failure, Kind, Property, outputs
from edgelib.sandbox.providers.resource import ProviderError, Request
from edgelib.sandbox.providers.values import list_of, mapping_of

_USER_DATA_LIMIT = 16 * 1024  # bytes before encoding, EC2's own limit


def _user_data_problem(text: str) -> Optional[str]:
    size = len(text.encode())
    return (
        f"(not shown) is {size} bytes long; EC2 takes {_USER_DATA_LIMIT} at most" if size > _USER_DATA_LIMIT else None
    )


def _disk(*, replaces: bool) -> tuple[Property, ...]:
    return (
        Property(name="volumeSize", kind=Kind.INTEGER, computed=True, replaces=replaces),
        Property(name="volumeType", computed=True, replaces=replaces, allowed=VOLUME_TYPES),
        Property(name="iops", kind=Kind.INTEGER, computed=True, replaces=replaces),
        Property(name="throughput", kind=Kind.INTEGER, computed=True, replaces=replaces),
        Property(name="encrypted", kind=Kind.BOOLEAN, computed=True, replaces=True),
        Property(name="kmsKeyId", computed=True, replaces=True),
        Property(name="deleteOnTermination", kind=Kind.BOOLEAN, default=True, replaces=replaces),
        Property(name="tags", kind=Kind.MAP),
        *outputs("volumeId", *(() if replaces else ("deviceName",))),
    )


_METADATA = (
    Property(name="httpEndpoint", computed=True, allowed=("enabled", "disabled")),
    Property(name="httpTokens", computed=True, allowed=("optional", "required")),
    Property(name="httpPutResponseHopLimit", kind=Kind.INTEGER, computed=True),
    Property(name="httpProtocolIpv6", computed=True, allowed=("enabled", "disabled")),
    Property(name="instanceMetadataTags", computed=True, allowed=("enabled", "disabled")),
)
_INTERFACE = (
    Property(name="networkInterfaceId", required=True),
    Property(name="deviceIndex", kind=Kind.INTEGER, required=True),
    Property(name="deleteOnTermination", kind=Kind.BOOLEAN, default=False),
)
_AFTER_RESTART = ("instanceType", "userData", "userDataBase64", "ebsOptimized")
_OWN_STATE = (  # items of an instance that have another shape in the state: `instance_state.py` makes them
    "monitoring", "metadataOptions", "networkInterfaces", "securityGroups", "tenancy", "availabilityZone", "iamInstanceProfile",
    "instanceState",
)  # fmt: skip


class Instance(Ec2Object):
    """On a subnet, or on network interfaces that exist. A new type or (without `userDataReplaceOnChange`) new user data
    stops and starts it; a new image, place or key replaces it. No hibernation, enclaves, spot or capacity reservations."""

    token = "aws:ec2/instance:Instance"  # noqa: S105 - a type token
    api = Api(
        noun="instance", create="run_instances", created="Instances[0].InstanceId", describe="describe_instances",
        listed="Reservations[].Instances[]", id="InstanceId", delete="terminate_instances", ready="instance_running",
        gone="instance_terminated", gone_states=("terminated", "shutting-down"),
    )  # fmt: skip
    sent = (
        "instanceType",
        "keyName",
        "ebsOptimized",
        "disableApiTermination",
        "disableApiStop",
        "instanceInitiatedShutdownBehavior",
    )
    remote: ClassVar[Mapping[str, str]] = {
        "ami": "ImageId", "privateIp": "PrivateIpAddress", "privateDns": "PrivateDnsName", "publicIp": "PublicIpAddress",
        "publicDns": "PublicDnsName", **dict.fromkeys(_OWN_STATE, "-"),
    }  # fmt: skip
    properties = (
        Property(name="ami", required=True, replaces=True),
        Property(name="instanceType", required=True),
        Property(name="subnetId", computed=True, replaces=True),
        Property(name="availabilityZone", computed=True, replaces=True),
        Property(name="tenancy", computed=True, replaces=True),
        Property(name="privateIp", computed=True, replaces=True),
        Property(name="associatePublicIpAddress", kind=Kind.BOOLEAN, computed=True, replaces=True),
        Property(name="vpcSecurityGroupIds", kind=Kind.SET, computed=True),
        Property(name="primaryNetworkInterface", kind=Kind.OBJECT, computed=True, replaces=True, fields=_INTERFACE[:1]),
        Property(name="networkInterfaces", kind=Kind.OBJECTS, computed=True, replaces=True, fields=_INTERFACE),
        Property(name="keyName", computed=True, replaces=True),
        Property(name="iamInstanceProfile", computed=True),
        Property(name="userData", problem=_user_data_problem),
        Property(name="userDataBase64"),
        Property(name="userDataReplaceOnChange", kind=Kind.BOOLEAN, default=False),
        Property(name="metadataOptions", kind=Kind.OBJECT, computed=True, fields=_METADATA),
        Property(name="rootBlockDevice", kind=Kind.OBJECT, computed=True, fields=_disk(replaces=False)),
        Property(
            name="ebsBlockDevices", kind=Kind.OBJECTS, computed=True, replaces=True,
            fields=(Property(name="deviceName", required=True), Property(name="snapshotId", computed=True), *_disk(replaces=True)),
        ),
        Property(name="volumeTags", kind=Kind.MAP),
        Property(name="disableApiTermination", kind=Kind.BOOLEAN, computed=True),
        Property(name="disableApiStop", kind=Kind.BOOLEAN, computed=True),
        Property(name="instanceInitiatedShutdownBehavior", computed=True, allowed=("stop", "terminate")),
        Property(name="monitoring", kind=Kind.BOOLEAN, computed=True),
        Property(name="ebsOptimized", kind=Kind.BOOLEAN, computed=True, replaces=True),
        Property(
            name="creditSpecification", kind=Kind.OBJECT,
            fields=(Property(name="cpuCredits", default="standard", allowed=("standard", "unlimited")),),
        ),
        Property(name="sourceDestCheck", kind=Kind.BOOLEAN, default=True),
        Property(name="forceDestroy", kind=Kind.BOOLEAN, default=False),
        *outputs("arn", "primaryNetworkInterfaceId", "privateDns", "securityGroups", "instanceLifecycle", "passwordData"),
        *outputs("publicIp", "publicDns", "instanceState", unsettled_by=_AFTER_RESTART),
        *TAGS, REGION,
    )  # fmt: skip

    def check(self, session: AwsSession, inputs: Mapping[str, Any]) -> Iterable[Failure]:
        """What excludes what."""
        groups = ("subnetId", "vpcSecurityGroupIds", "associatePublicIpAddress", "privateIp")
        for owner in ("primaryNetworkInterface", "networkInterfaces"):
            for name in groups:
                if owner in inputs and name in inputs:
                    yield Failure(name, f"{self.token}.{name} conflicts with {owner}: set it on the network interface")
        for one, other in (("userData", "userDataBase64"), ("primaryNetworkInterface", "networkInterfaces")):
            if one in inputs and other in inputs:
                yield Failure(one, f"{self.token}.{one} conflicts with {other}: give one of them")

    def replaces(self, changes: Sequence[Change], inputs: Mapping[str, Any]) -> set[str]:
        """User data, if the program says so."""
        if not inputs.get("userDataReplaceOnChange"):
            return set()
        return {change.top for change in changes} & {"userData", "userDataBase64"}

    def arguments(self, session: AwsSession, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The launch."""
        more: dict[str, Any] = {"ImageId": inputs["ami"], "MinCount": 1, "MaxCount": 1, **_network(inputs)}
        placement = {"AvailabilityZone": inputs.get("availabilityZone"), "Tenancy": inputs.get("tenancy")}
        optional: dict[str, Any] = {
            "Placement": {key: value for key, value in placement.items() if value},
            "MetadataOptions": instance_changes.metadata_arguments(inputs.get("metadataOptions") or {}),
            "BlockDeviceMappings": self._disks(session, inputs),
            "UserData": inputs.get("userData")
            or (base64.b64decode(inputs["userDataBase64"]) if inputs.get("userDataBase64") else None),
            "IamInstanceProfile": {"Name": inputs["iamInstanceProfile"]} if inputs.get("iamInstanceProfile") else None,
            "Monitoring": {"Enabled": True} if inputs.get("monitoring") else None,
            "CreditSpecification": {"CpuCredits": inputs["creditSpecification"]["cpuCredits"]}
            if inputs.get("creditSpecification")
            else None,
        }
        more.update({key: value for key, value in optional.items() if value})
        volume_tags = {**session.default_tags, **mapping_of(inputs.get("volumeTags"))}
        if volume_tags:
            more["TagSpecifications"] = [{"ResourceType": "volume", "Tags": as_list(volume_tags)}]
        return more

    def _disks(self, session: AwsSession, inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
        disks = [instance_changes.mapping(disk["deviceName"], disk) for disk in inputs.get("ebsBlockDevices") or ()]
        if inputs.get("rootBlockDevice"):
            client = self.client(session, inputs)
            try:
                image = client.describe_images(ImageIds=[inputs["ami"]])["Images"][0]
            except Exception as error:
                if not is_missing(error):
                    raise
                raise ProviderError(f"ami: there is no image {inputs['ami']} in {session.region_of(inputs)}") from error
            disks.insert(0, instance_changes.mapping(image["RootDeviceName"], inputs["rootBlockDevice"]))
        return disks

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """Running; then what the launch does not take: the check of source and destination, and tags of single disks."""
        super().settle(request, id, inputs)
        client = self.client(request.session, inputs)
        item = self.item(client, id) or {}
        if instance_state.primary(item).get("SourceDestCheck", True) != inputs["sourceDestCheck"]:
            instance_changes.set_source_dest_check(client, item, on=inputs["sourceDestCheck"])
        defaults = all_tags(request.session, {})
        instance_changes.tag_disks(client, item, inputs, defaults)

    def state(
        self, session: AwsSession, client: Any, item: Mapping[str, Any], state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """See `instance_state.py`."""
        return instance_state.of(client, item, state, session.default_tags)

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """See `instance_changes.py`."""
        instance_changes.apply(client, id, old, new, changed)

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Terminate; a protected instance only if the program forces it."""
        if state.get("forceDestroy"):
            client.modify_instance_attribute(InstanceId=id, DisableApiTermination={"Value": False})
        client.terminate_instances(InstanceIds=[id])


def _network(inputs: Mapping[str, Any]) -> dict[str, Any]:
    interfaces = [*list_of(inputs.get("networkInterfaces"))]
    if inputs.get("primaryNetworkInterface"):
        interfaces.append({**inputs["primaryNetworkInterface"], "deviceIndex": 0})
    if interfaces:
        return {
            "NetworkInterfaces": [
                {"DeviceIndex": item["deviceIndex"], "NetworkInterfaceId": item["networkInterfaceId"]}
                for item in interfaces
            ]
        }
    names = {"subnetId": "SubnetId", "privateIp": "PrivateIpAddress"}
    place = {remote: inputs[name] for name, remote in names.items() if inputs.get(name)}
    groups = inputs.get("vpcSecurityGroupIds")
    if "associatePublicIpAddress" not in inputs:
        return {**place, **({"SecurityGroupIds": groups} if groups else {})}
    interface = {**place, "DeviceIndex": 0, "AssociatePublicIpAddress": inputs["associatePublicIpAddress"]}
    return {"NetworkInterfaces": [{**interface, **({"Groups": groups} if groups else {})}]}
