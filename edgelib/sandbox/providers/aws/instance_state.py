"""An instance as AWS describes it, in the shape of the resource's state."""
# ruff: noqa: A001, A002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import base64
from collections.abc import Mapping
from typing import Any, Optional

from edgelib.sandbox.providers.aws.names import camel, pascal
from edgelib.sandbox.providers.aws.session import error_code
from edgelib.sandbox.providers.aws.tags import as_map
from edgelib.sandbox.providers.values import list_of, mapping_of


def of(
    client: Any, item: Mapping[str, Any], state: Mapping[str, Any], default_tags: Mapping[str, str]
) -> dict[str, Any]:
    """Everything that is not in the item under its own name. `state` is the recorded one."""
    id = item["InstanceId"]
    found = {**_place(item, state), **_options(item), **_attributes(client, id)}
    found.update(_user_data(client, id, state))
    found.update(_disks(client, item, state, default_tags))
    if "creditSpecification" in state:
        answer = client.describe_instance_credit_specifications(InstanceIds=[id])["InstanceCreditSpecifications"]
        found["creditSpecification"] = {"cpuCredits": answer[0]["CpuCredits"]} if answer else None
    return found


def primary(item: Mapping[str, Any]) -> dict[str, Any]:
    """The interface with device index 0, {} if there is none."""
    for interface in item.get("NetworkInterfaces") or ():
        if interface.get("Attachment", {}).get("DeviceIndex", 0) == 0:
            return interface
    return {}


def _place(item: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    interface, placement = primary(item), item.get("Placement", {})
    given = {entry.get("networkInterfaceId"): entry for entry in state.get("networkInterfaces") or ()}
    interfaces = [
        {
            "networkInterfaceId": other["NetworkInterfaceId"],
            "deviceIndex": other.get("Attachment", {}).get("DeviceIndex", 0),
            "deleteOnTermination": bool(other.get("Attachment", {}).get("DeleteOnTermination")),
        }
        for other in item.get("NetworkInterfaces") or ()
        if other["NetworkInterfaceId"] in given
    ]
    order = list(given)
    interfaces.sort(key=lambda entry: order.index(entry["networkInterfaceId"]))
    return {
        "subnetId": item.get("SubnetId") or interface.get("SubnetId", ""),
        "availabilityZone": placement.get("AvailabilityZone", ""),
        "tenancy": placement.get("Tenancy", "default"),
        "primaryNetworkInterfaceId": interface.get("NetworkInterfaceId", ""),
        "primaryNetworkInterface": {"networkInterfaceId": interface["NetworkInterfaceId"]}
        if interface and state
        else None,
        "networkInterfaces": interfaces,
        "associatePublicIpAddress": bool(item.get("PublicIpAddress")),
        "vpcSecurityGroupIds": [
            group["GroupId"] for group in interface.get("Groups") or item.get("SecurityGroups", ())
        ],
        "securityGroups": [],
        "sourceDestCheck": interface.get("SourceDestCheck", True),
        "publicIp": item.get("PublicIpAddress") or "",
        "publicDns": item.get("PublicDnsName") or "",
    }


def _options(item: Mapping[str, Any]) -> dict[str, Any]:
    profile = mapping_of(item.get("IamInstanceProfile")).get("Arn", "")
    metadata = {camel(key): value for key, value in mapping_of(item.get("MetadataOptions")).items() if key != "State"}
    return {
        "instanceState": item["State"]["Name"],
        "iamInstanceProfile": profile.rpartition("/")[2],
        "metadataOptions": metadata,
        "monitoring": item.get("Monitoring", {}).get("State") in {"enabled", "pending"},
        "instanceLifecycle": item.get("InstanceLifecycle", ""),
        "passwordData": "",
        "keyName": item.get("KeyName") or "",
    }


def _attribute(client: Any, id: str, name: str) -> Any:
    answer = client.describe_instance_attribute(InstanceId=id, Attribute=name)
    return mapping_of(answer.get(pascal(name))).get("Value")


def _attributes(client: Any, id: str) -> dict[str, Any]:
    return {
        "disableApiTermination": bool(_attribute(client, id, "disableApiTermination")),
        "instanceInitiatedShutdownBehavior": _attribute(client, id, "instanceInitiatedShutdownBehavior") or "stop",
    }


def _user_data(client: Any, id: str, state: Mapping[str, Any]) -> dict[str, Optional[str]]:
    encoded = _attribute(client, id, "userData")
    if not encoded:
        return {"userData": None, "userDataBase64": None}
    try:
        text = base64.b64decode(encoded).decode()
    except ValueError:
        text = None
    if "userDataBase64" in state or text is None:
        return {"userData": None, "userDataBase64": encoded}
    return {"userData": text, "userDataBase64": None}


def _volumes(client: Any, ids: list[str]) -> dict[str, Any]:
    try:
        answer = client.describe_volumes(VolumeIds=ids)["Volumes"] if ids else ()
    except Exception as error:
        if error_code(error) != "InvalidVolume.NotFound":
            raise
        answer = ()  # one went away between the two calls
    return {volume["VolumeId"]: volume for volume in list_of(answer)}


def _disks(
    client: Any, item: Mapping[str, Any], state: Mapping[str, Any], default_tags: Mapping[str, str]
) -> dict[str, Any]:
    mappings = {entry["DeviceName"]: entry["Ebs"] for entry in item.get("BlockDeviceMappings") or () if "Ebs" in entry}
    volumes = _volumes(client, [ebs["VolumeId"] for ebs in mappings.values()])
    given = [disk["deviceName"] for disk in state.get("ebsBlockDevices") or ()]
    shared = {**default_tags, **mapping_of(state.get("volumeTags"))}
    found: dict[str, Any] = {"rootBlockDevice": None, "volumeTags": None}
    disks: dict[str, Any] = {}
    for device, ebs in mappings.items():
        if ebs["VolumeId"] not in volumes:
            continue
        disk = _disk(device, ebs, volumes[ebs["VolumeId"]], shared)
        if device == item.get("RootDeviceName"):
            found["rootBlockDevice"] = disk
            tags = as_map(volumes[ebs["VolumeId"]].get("Tags"))
            if "volumeTags" in state:
                found["volumeTags"] = {
                    k: v for k, v in tags.items() if k in state["volumeTags"] or default_tags.get(k) != v
                }
        else:
            disks[device] = disk
    names = given or sorted(disks)
    return {**found, "ebsBlockDevices": [disks[name] for name in names if name in disks]}


def _disk(device: str, ebs: Mapping[str, Any], volume: Mapping[str, Any], shared: Mapping[str, str]) -> dict[str, Any]:
    own = {key: value for key, value in as_map(volume.get("Tags")).items() if shared.get(key) != value}
    return {
        "deviceName": device,
        "volumeId": volume["VolumeId"],
        "volumeSize": volume["Size"],
        "volumeType": volume["VolumeType"],
        "iops": volume.get("Iops"),
        "throughput": volume.get("Throughput"),
        "encrypted": volume["Encrypted"],
        "kmsKeyId": volume.get("KmsKeyId"),
        "deleteOnTermination": bool(ebs.get("DeleteOnTermination")),
        "tags": own,
    }
