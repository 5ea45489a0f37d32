"""aws:ec2 getAmi, getInstanceType, getInstanceTypeOffering, getInstanceTypeOfferings."""

import re
from collections.abc import Mapping
from typing import Any

from edgelib.sandbox.providers.aws.lookups import search
from edgelib.sandbox.providers.aws.names import pascal
from edgelib.sandbox.providers.aws.session import AwsSession, pages
from edgelib.sandbox.providers.aws.tags import as_map
from edgelib.sandbox.providers.aws.zones import FILTERS, filters_of
from edgelib.sandbox.providers.properties import Kind, Property
from edgelib.sandbox.providers.resource import Function, ProviderError
from edgelib.sandbox.providers.values import list_of

_REGION = Property(name="region")
_PLACES = ("region", "availability-zone", "availability-zone-id", "outpost")


def get_ami(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One image; of several the newest, if the program says so."""
    region, client = session.region_of(arguments), session.client("ec2", session.region_of(arguments))
    asked = {"Filters": filters_of(arguments)} if arguments.get("filters") else {}
    owners = {"Owners": arguments["owners"]} if arguments.get("owners") else {}
    images = client.describe_images(**asked, **owners, IncludeDeprecated=arguments.get("includeDeprecated", False))[
        "Images"
    ]
    pattern = re.compile(arguments.get("nameRegex") or "")
    images = [image for image in images if pattern.search(image.get("Name", ""))]
    given = {key: value for key, value in arguments.items() if value}
    if not images:
        raise ProviderError(f"no image matches {given} in {region}")
    if len(images) > 1 and not arguments.get("mostRecent"):
        raise ProviderError(f"{len(images)} images match {given} in {region}: narrow the search, or set mostRecent")
    image = max(images, key=lambda image: image.get("CreationDate", ""))
    devices = [
        {
            "deviceName": device["DeviceName"],
            "noDevice": "",
            "virtualName": device.get("VirtualName", ""),
            "ebs": {
                key[0].lower() + key[1:]: str(value).lower() if isinstance(value, bool) else str(value)
                for key, value in device.get("Ebs", {}).items()
            },
        }
        for device in image.get("BlockDeviceMappings", ())
    ]
    names = (
        "architecture", "bootMode", "creationDate", "description", "enaSupport", "hypervisor", "imageLocation", "imageType",
        "name", "ownerId", "platformDetails", "public", "rootDeviceName", "rootDeviceType", "state", "virtualizationType",
    )  # fmt: skip
    return {
        **arguments,
        **{name: image.get(pascal(name), "") for name in names},
        "id": image["ImageId"],
        "imageId": image["ImageId"],
        "arn": f"arn:aws:ec2:{region}::image/{image['ImageId']}",
        "blockDeviceMappings": devices,
        "productCodes": [],
        "tags": as_map(image.get("Tags")),
        "region": region,
    }


def _offerings(session: AwsSession, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    client = session.client("ec2", session.region_of(arguments))
    asked = {"LocationType": arguments["locationType"]} if arguments.get("locationType") else {}
    found = pages(
        client, "describe_instance_type_offerings", "InstanceTypeOfferings", Filters=filters_of(arguments), **asked
    )
    return sorted(found, key=lambda item: (item["InstanceType"], item["Location"]))


def get_instance_type_offerings(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Which types there are, and where: three lists of equal length."""
    found = _offerings(session, arguments)
    return {
        **arguments,
        "id": session.region_of(arguments),
        "region": session.region_of(arguments),
        "instanceTypes": [item["InstanceType"] for item in found],
        "locations": [item["Location"] for item in found],
        "locationTypes": [item["LocationType"] for item in found],
    }


def get_instance_type_offering(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One type: the first of the preferred ones that there is."""
    found = {item["InstanceType"]: item for item in reversed(_offerings(session, arguments))}
    preferred = list_of(arguments.get("preferredInstanceTypes"))
    chosen = next((name for name in preferred if name in found), None)
    if chosen is None and len(found) == 1 and not preferred:
        chosen = next(iter(found))
    if chosen is None:
        raise ProviderError(f"{len(found)} instance types match {dict(arguments)}: the look-up must match exactly one")
    return {
        **arguments,
        "id": chosen,
        "instanceType": chosen,
        "location": found[chosen]["Location"],
        "locationType": found[chosen]["LocationType"],
        "region": session.region_of(arguments),
    }


def get_instance_type(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a type has. `memorySize` is in MiB; details of disks, GPUs and network cards are not implemented."""
    wanted = arguments["instanceType"]
    found = search(
        session,
        {"region": arguments.get("region")},
        "describe_instance_types",
        "InstanceTypes",
        ids=("InstanceTypes", wanted),
    )
    if not found:
        raise ProviderError(f"instanceType: there is no type {wanted!r} in {session.region_of(arguments)}")
    item = found[0]
    cpus, network = item.get("VCpuInfo", {}), item.get("NetworkInfo", {})
    return {
        "id": wanted,
        "instanceType": wanted,
        "region": session.region_of(arguments),
        "defaultVcpus": cpus.get("DefaultVCpus"),
        "defaultCores": cpus.get("DefaultCores"),
        "defaultThreadsPerCore": cpus.get("DefaultThreadsPerCore"),
        "memorySize": item.get("MemoryInfo", {}).get("SizeInMiB"),
        "supportedArchitectures": item.get("ProcessorInfo", {}).get("SupportedArchitectures", []),
        "supportedVirtualizationTypes": item.get("SupportedVirtualizationTypes", []),
        "supportedRootDeviceTypes": item.get("SupportedRootDeviceTypes", []),
        "maximumNetworkInterfaces": network.get("MaximumNetworkInterfaces"),
        "maximumIpv4AddressesPerInterface": network.get("Ipv4AddressesPerInterface"),
        "networkPerformance": network.get("NetworkPerformance"),
        "currentGeneration": item.get("CurrentGeneration"),
        "bareMetal": item.get("BareMetal"),
        "hypervisor": item.get("Hypervisor"),
        "burstablePerformanceSupported": item.get("BurstablePerformanceSupported"),
        "hibernationSupported": item.get("HibernationSupported"),
    }


_OFFERINGS = (FILTERS, Property(name="locationType", allowed=_PLACES), _REGION)
INVOKES = (
    Function(
        "aws:ec2/getAmi:getAmi",
        (
            FILTERS, _REGION, Property(name="owners", kind=Kind.SET), Property(name="mostRecent", kind=Kind.BOOLEAN),
            Property(name="nameRegex"), Property(name="includeDeprecated", kind=Kind.BOOLEAN),
        ),
        get_ami,
    ),
    Function("aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings", _OFFERINGS, get_instance_type_offerings),
    Function(
        "aws:ec2/getInstanceTypeOffering:getInstanceTypeOffering",
        (*_OFFERINGS, Property(name="preferredInstanceTypes", kind=Kind.LIST)),
        get_instance_type_offering,
    ),
    Function("aws:ec2/getInstanceType:getInstanceType", (Property(name="instanceType", required=True), _REGION), get_instance_type),
)  # fmt: skip
