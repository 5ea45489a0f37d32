"""Zones: aws:ec2/availabilityZoneGroup:AvailabilityZoneGroup and the zone look-ups."""
# ruff: noqa: A002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Mapping
from typing import Any, Optional

from edgelib.sandbox.providers.aws.resource import REGION, AwsResource
from edgelib.sandbox.providers.aws.session import AwsSession
from edgelib.sandbox.providers.properties import Kind, Property
from edgelib.sandbox.providers.resource import Created, Function, ProviderError, Request


class AvailabilityZoneGroup(AwsResource):
    """The account's opt-in to a zone group. Deleting the resource leaves it as it is: AWS does not opt out by API."""

    token = "aws:ec2/availabilityZoneGroup:AvailabilityZoneGroup"  # noqa: S105 - a type token
    properties = (
        Property(name="groupName", required=True, replaces=True),
        Property(name="optInStatus", required=True, allowed=("opted-in", "not-opted-in")),
        REGION,
    )

    def create(self, request: Request[AwsSession], inputs: Mapping[str, Any]) -> Created:
        """The group is there already; `settle` opts in."""
        if self.read(request.session, inputs["groupName"], inputs) is None:
            region = request.session.region_of(inputs)
            raise ProviderError(f"groupName: there is no zone group {inputs['groupName']!r} in {region}")
        return Created(inputs["groupName"])

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """Bring the status to what is wanted."""
        current = self.read(request.session, id, inputs) or {}
        if current.get("optInStatus") != inputs["optInStatus"]:
            client = self.client(request.session, inputs)
            client.modify_availability_zone_group(GroupName=id, OptInStatus=inputs["optInStatus"])

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """The status that the group's zones have."""
        zones = self.client(session, state).describe_availability_zones(
            AllAvailabilityZones=True, Filters=[{"Name": "group-name", "Values": [id]}]
        )["AvailabilityZones"]
        if not zones:
            return None
        return {"groupName": id, "optInStatus": zones[0]["OptInStatus"], "region": session.region_of(state)}

    def delete(self, request: Request[AwsSession], id: str, state: Mapping[str, Any]) -> None:
        """Nothing."""


FILTERS = Property(
    name="filters",
    kind=Kind.OBJECTS,
    fields=(Property(name="name", required=True), Property(name="values", kind=Kind.SET, required=True)),
)


def filters_of(arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The `filters` of an invoke as AWS takes them."""
    return [{"Name": item["name"], "Values": item["values"]} for item in arguments.get("filters") or ()]


def get_availability_zones(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The zones of a Region, by name in order."""
    region = session.region_of(arguments)
    filters = filters_of(arguments)
    if arguments.get("state"):
        filters.append({"Name": "state", "Values": [arguments["state"]]})
    zones = session.client("ec2", region).describe_availability_zones(
        AllAvailabilityZones=arguments.get("allAvailabilityZones", False), Filters=filters
    )["AvailabilityZones"]
    zones = [
        zone
        for zone in sorted(zones, key=lambda zone: zone["ZoneName"])
        if zone["ZoneName"] not in arguments.get("excludeNames", ())
        and zone["ZoneId"] not in arguments.get("excludeZoneIds", ())
    ]
    return {
        **arguments,
        "id": region,
        "region": region,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": sorted({zone["GroupName"] for zone in zones if zone.get("GroupName")}),
    }


def get_availability_zone(session: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One zone."""
    region = session.region_of(arguments)
    wanted = {"ZoneNames": [arguments["name"]]} if arguments.get("name") else {}
    if arguments.get("zoneId"):
        wanted["ZoneIds"] = [arguments["zoneId"]]
    filters = filters_of(arguments)
    if arguments.get("state"):
        filters.append({"Name": "state", "Values": [arguments["state"]]})
    zones = session.client("ec2", region).describe_availability_zones(
        AllAvailabilityZones=arguments.get("allAvailabilityZones", False), Filters=filters, **wanted
    )["AvailabilityZones"]
    if len(zones) != 1:
        raise ProviderError(f"{len(zones)} zones match {dict(arguments)}: the look-up must match exactly one")
    zone = zones[0]
    name, kind = zone["ZoneName"], zone.get("ZoneType", "availability-zone")
    parts = {"wavelength-zone": name.removeprefix(f"{region}-"), "local-zone": name.removeprefix(f"{region}-")}
    return {
        **arguments,
        "id": name,
        "name": name,
        "region": region,
        "zoneId": zone["ZoneId"],
        "zoneType": kind,
        "state": zone["State"],
        "groupName": zone.get("GroupName", ""),
        "groupLongName": zone.get("GroupLongName", ""),
        "networkBorderGroup": zone.get("NetworkBorderGroup", ""),
        "optInStatus": zone["OptInStatus"],
        "parentZoneName": zone.get("ParentZoneName", ""),
        "parentZoneId": zone.get("ParentZoneId", ""),
        "nameSuffix": parts.get(kind, name.removeprefix(region)),
    }


INVOKES = (
    Function(
        "aws:index/getAvailabilityZones:getAvailabilityZones",
        (
            Property(name="allAvailabilityZones", kind=Kind.BOOLEAN),
            Property(name="excludeNames", kind=Kind.SET),
            Property(name="excludeZoneIds", kind=Kind.SET),
            FILTERS,
            Property(name="region"),
            Property(name="state"),
        ),
        get_availability_zones,
    ),
    Function(
        "aws:index/getAvailabilityZone:getAvailabilityZone",
        (
            Property(name="allAvailabilityZones", kind=Kind.BOOLEAN),
            FILTERS,
            Property(name="name"),
            Property(name="region"),
            Property(name="state"),
            Property(name="zoneId"),
        ),
        get_availability_zone,
    ),
)
