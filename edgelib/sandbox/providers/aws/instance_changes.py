"""Changes of an instance in place, and the arguments that launch and change share."""
# ruff: noqa: A001, A002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import base64
from collections.abc import Mapping
from typing import Any

from edgelib.sandbox.providers.aws.ec2 import retag
from edgelib.sandbox.providers.aws.instance_state import primary
from edgelib.sandbox.providers.aws.names import pascal
from edgelib.sandbox.providers.aws.tags import as_map
from edgelib.sandbox.providers.values import list_of, mapping_of

_WAITING = {"Delay": 0.2, "MaxAttempts": 1500}  # five minutes


def metadata_arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    """IMDS options as AWS takes them."""
    return {pascal(name): value for name, value in options.items()}


def mapping(device: str, disk: Mapping[str, Any]) -> dict[str, Any]:
    """A block device mapping."""
    names = (
        "volumeSize",
        "volumeType",
        "iops",
        "throughput",
        "encrypted",
        "kmsKeyId",
        "deleteOnTermination",
        "snapshotId",
    )
    ebs = {pascal(name): disk[name] for name in names if disk.get(name) is not None}
    return {"DeviceName": device, "Ebs": ebs}


def set_source_dest_check(client: Any, item: Mapping[str, Any], *, on: bool) -> None:
    """On the primary interface: an instance with several has no attribute of its own."""
    client.modify_network_interface_attribute(
        NetworkInterfaceId=primary(item)["NetworkInterfaceId"], SourceDestCheck={"Value": on}
    )


def tag_disks(client: Any, item: Mapping[str, Any], inputs: Mapping[str, Any], defaults: Mapping[str, str]) -> None:
    """Every disk that the launch made carries the provider's default tags, the instance's `volumeTags` and its own."""
    own = {disk["deviceName"]: mapping_of(disk.get("tags")) for disk in list_of(inputs.get("ebsBlockDevices"))}
    if inputs.get("rootBlockDevice"):
        own[item.get("RootDeviceName", "")] = mapping_of(inputs["rootBlockDevice"].get("tags"))
    managed = {
        entry["DeviceName"]: entry["Ebs"]["VolumeId"]
        for entry in item.get("BlockDeviceMappings") or ()
        if "Ebs" in entry
    }
    shared = {**defaults, **mapping_of(inputs.get("volumeTags"))}
    for device, volume in managed.items():
        if device not in own and not (inputs.get("volumeTags") and device == item.get("RootDeviceName")):
            continue
        current = as_map(client.describe_volumes(VolumeIds=[volume])["Volumes"][0].get("Tags"))
        retag(client, volume, current, {**shared, **own.get(device, {})})


def apply(client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
    """What needs a stop together in one, then the rest."""
    _attributes(client, id, new, changed)
    if "vpcSecurityGroupIds" in changed and new.get("vpcSecurityGroupIds"):
        interface = old["primaryNetworkInterfaceId"]
        client.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=new["vpcSecurityGroupIds"])
    if "iamInstanceProfile" in changed:
        _profile(client, id, new.get("iamInstanceProfile"))
    if "rootBlockDevice" in changed and new.get("rootBlockDevice") and old.get("rootBlockDevice"):
        _root(client, id, old["rootBlockDevice"], new["rootBlockDevice"])
    if changed & {"instanceType", "userData", "userDataBase64"}:
        _stopped(client, id, old, new, changed)


def _attributes(client: Any, id: str, new: Mapping[str, Any], changed: set[str]) -> None:
    for name in ("disableApiTermination", "disableApiStop", "instanceInitiatedShutdownBehavior"):
        if name in changed and name in new:
            client.modify_instance_attribute(InstanceId=id, **{pascal(name): {"Value": new[name]}})
    if "metadataOptions" in changed and new.get("metadataOptions"):
        client.modify_instance_metadata_options(InstanceId=id, **metadata_arguments(new["metadataOptions"]))
    if "monitoring" in changed and "monitoring" in new:
        switch = client.monitor_instances if new["monitoring"] else client.unmonitor_instances
        switch(InstanceIds=[id])
    if "creditSpecification" in changed:
        credits = mapping_of(new.get("creditSpecification")).get("cpuCredits", "standard")
        client.modify_instance_credit_specification(
            InstanceCreditSpecifications=[{"InstanceId": id, "CpuCredits": credits}]
        )


def _profile(client: Any, id: str, name: Any) -> None:
    filters = [{"Name": "instance-id", "Values": [id]}]
    current = [
        association
        for association in client.describe_iam_instance_profile_associations(Filters=filters)[
            "IamInstanceProfileAssociations"
        ]
        if association["State"] in {"associating", "associated"}
    ]
    if name and current:
        client.replace_iam_instance_profile_association(
            AssociationId=current[0]["AssociationId"], IamInstanceProfile={"Name": name}
        )
    elif name:
        client.associate_iam_instance_profile(InstanceId=id, IamInstanceProfile={"Name": name})
    elif current:
        client.disassociate_iam_instance_profile(AssociationId=current[0]["AssociationId"])


def _root(client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    names = {"volumeSize": "Size", "volumeType": "VolumeType", "iops": "Iops", "throughput": "Throughput"}
    arguments = {remote: new[name] for name, remote in names.items() if name in new and new[name] != old.get(name)}
    if arguments:
        client.modify_volume(VolumeId=old["volumeId"], **arguments)
    if "deleteOnTermination" in new and new["deleteOnTermination"] != old.get("deleteOnTermination"):
        ebs = {"DeleteOnTermination": new["deleteOnTermination"]}
        client.modify_instance_attribute(
            InstanceId=id, BlockDeviceMappings=[{"DeviceName": old["deviceName"], "Ebs": ebs}]
        )


def _stopped(client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
    """Stop, change, start, as the official provider does; an instance that was stopped stays stopped."""
    runs = old.get("instanceState") == "running"
    if runs:
        client.stop_instances(InstanceIds=[id])
        client.get_waiter("instance_stopped").wait(InstanceIds=[id], WaiterConfig=_WAITING)
    if "instanceType" in changed:
        client.modify_instance_attribute(InstanceId=id, InstanceType={"Value": new["instanceType"]})
    if changed & {"userData", "userDataBase64"}:
        text = new.get("userData", "").encode() or base64.b64decode(new.get("userDataBase64", ""))
        client.modify_instance_attribute(InstanceId=id, UserData={"Value": text})
    if runs:
        client.start_instances(InstanceIds=[id])
        client.get_waiter("instance_running").wait(InstanceIds=[id], WaiterConfig=_WAITING)
