"""Answers to the questions (invokes) that programs put to AWS."""

import re
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, Union

from edgelib import zones
from edgelib.testing.errors import ProviderError, UnansweredInvokeError
from edgelib.testing.world import ACCOUNT, DEFAULT_REGION, made_up

Answer = Union[Mapping[str, Any], Callable[[Mapping[str, Any]], Mapping[str, Any]]]
"""The properties of the result (provider's names), or a function from the invoke's arguments to them."""

AVAILABILITY_ZONE: Final = "aws:index/getAvailabilityZone:getAvailabilityZone"
AVAILABILITY_ZONES: Final = "aws:index/getAvailabilityZones:getAvailabilityZones"
INSTANCE_TYPE_OFFERINGS: Final = "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings"
PARAMETER: Final = "aws:ssm/getParameter:getParameter"

_REGIONAL_TYPES: Final = ("t3.micro", "t3.small", "t3.large", "m5.large", "m5.xlarge", "c5.large", "r5.large")
_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")


def wavelength_answers(
    *,
    region: str = DEFAULT_REGION,
    parents: Mapping[str, str] | None = None,
    opted_out: Collection[str] = (),
    instance_types: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Answer]:
    """Return answers, by token, for a made-up account in which every catalogued Wavelength Zone exists.

    ``parents`` gives Wavelength Zones another parent AZ (default: one of the Region's a, b and c, always the same one).
    ``opted_out`` names zone groups that the account has not opted in to (default: none).
    ``instance_types`` says what a zone or an AZ offers (default: `edgelib.zones.INSTANCE_TYPES`, in an AZ also some
    sizes that Wavelength Zones lack).
    """
    account = _Account(region, parents or {}, opted_out, instance_types or {})
    return {
        AVAILABILITY_ZONE: account.availability_zone,
        AVAILABILITY_ZONES: account.availability_zones,
        INSTANCE_TYPE_OFFERINGS: account.offerings,
        PARAMETER: account.parameter,
        "aws:index/getRegion:getRegion": account.this_region,
        "aws:index/getCallerIdentity:getCallerIdentity": {
            "accountId": ACCOUNT,
            "arn": f"arn:aws:iam::{ACCOUNT}:user/test",
            "id": ACCOUNT,
            "userId": "AIDATESTTESTTESTTEST",
        },
        "aws:index/getPartition:getPartition": {
            "id": "aws",
            "partition": "aws",
            "dnsSuffix": "amazonaws.com",
            "reverseDnsPrefix": "com.amazonaws",
        },
    }


class _Account:
    def __init__(
        self,
        region: str,
        parents: Mapping[str, str],
        opted_out: Collection[str],
        instance_types: Mapping[str, Collection[str]],
    ) -> None:
        self._region = region
        self._parents = parents
        self._opted_out = opted_out
        self._instance_types = instance_types

    def availability_zone(self, args: Mapping[str, Any]) -> dict[str, Any]:
        region = args.get("region") or self._region
        found = list(self._select(args, region))
        if not found and not args.get("filters"):
            found = list(self._uncatalogued(args, region))
        if len(found) != 1:
            how_many = "multiple EC2 Availability Zones" if found else "no EC2 Availability Zone"
            raise ProviderError(f"{how_many} found for {dict(args)}")
        return found[0]

    def availability_zones(self, args: Mapping[str, Any]) -> dict[str, Any]:
        region = args.get("region") or self._region
        out_names: list[str] = args.get("excludeNames") or []
        out_ids: list[str] = args.get("excludeZoneIds") or []
        found = [
            each
            for each in self._select(args, region)
            if each["name"] not in out_names and each["zoneId"] not in out_ids
        ]
        return {
            "id": region,
            "region": region,
            "names": [each["name"] for each in found],
            "zoneIds": [each["zoneId"] for each in found],
            "groupNames": sorted({each["groupName"] for each in found}),
        }

    def offerings(self, args: Mapping[str, Any]) -> dict[str, Any]:
        region = args.get("region") or self._region
        kind = args.get("locationType") or "region"
        wanted = _filters(args)
        places = [each["name"] for each in self._every(region)] if kind == "availability-zone" else [region]
        if kind == "availability-zone-id":
            places = [each["zoneId"] for each in self._every(region)]
        if "location" in wanted:
            unlisted = [name for name in sorted(wanted["location"]) if _is_zone(name) and name not in places]
            places = [place for place in places if place in wanted["location"]] + unlisted
        pairs = [
            (offered, place)
            for place in places
            for offered in self._offered(place)
            if offered in wanted.get("instance-type", {offered})
        ]
        return {
            "id": region,
            "region": region,
            "instanceTypes": [offered for offered, _ in pairs],
            "locations": [place for _, place in pairs],
            "locationTypes": [kind] * len(pairs),
        }

    def parameter(self, args: Mapping[str, Any]) -> dict[str, Any]:
        name = str(args["name"])
        region = args.get("region") or self._region
        if not name.startswith("/aws/service/"):
            raise UnansweredInvokeError(
                f"{PARAMETER} asks for {name!r}, which is no public parameter of AWS; pass "
                f"deploy(..., invokes={{{PARAMETER!r}: lambda args: {{'name': args['name'], 'value': ...}}}})"
            )
        value = made_up("ami", f"{region} {name}")
        return {
            "id": name,
            "name": name,
            "region": region,
            "arn": f"arn:aws:ssm:{region}::parameter{name}",
            "type": "String",
            "value": value,
            "insecureValue": value,
            "version": 1,
        }

    def this_region(self, args: Mapping[str, Any]) -> dict[str, Any]:
        region = args.get("region") or args.get("name") or self._region
        return {
            "id": region,
            "name": region,
            "region": region,
            "description": region,
            "endpoint": f"ec2.{region}.amazonaws.com",
        }

    def _offered(self, place: str) -> list[str]:
        if place in self._instance_types:
            return sorted(self._instance_types[place])
        return sorted(zones.INSTANCE_TYPES if "-wl" in place else (*zones.INSTANCE_TYPES, *_REGIONAL_TYPES))

    def _select(self, args: Mapping[str, Any], region: str) -> Iterator[dict[str, Any]]:
        wanted = _filters(args)
        for argument, property_name in (("name", "zone-name"), ("zoneId", "zone-id"), ("state", "state")):
            if args.get(argument):
                wanted[property_name] = wanted.get(property_name, {args[argument]}) & {args[argument]}
        for each in self._every(region):
            if not args.get("allAvailabilityZones") and each["optInStatus"] == "not-opted-in":
                continue
            if all(_property(each, name) in values for name, values in wanted.items()):
                yield each

    def _uncatalogued(self, args: Mapping[str, Any], region: str) -> Iterator[dict[str, Any]]:
        name = args.get("name")
        if isinstance(name, str) and _is_zone(name) and zones.find(name).region == region:
            each = self._wavelength(zones.find(name))
            if args.get("allAvailabilityZones") or each["optInStatus"] == "opted-in":
                yield each

    def _every(self, region: str) -> Iterator[dict[str, Any]]:
        if not _REGION.fullmatch(region):
            raise ProviderError(f"{region!r} is no AWS Region")
        for number, letter in enumerate("abc", start=1):
            yield {
                "id": f"{region}{letter}",
                "name": f"{region}{letter}",
                "nameSuffix": letter,
                "zoneId": f"{_short(region)}-az{number}",
                "zoneType": "availability-zone",
                "groupName": f"{region}-zg-1",
                "groupLongName": region,
                "networkBorderGroup": region,
                "optInStatus": "opt-in-not-required",
                "parentZoneId": "",
                "parentZoneName": "",
                "region": region,
                "state": "available",
            }
        for zone in zones.catalogue():
            if zone.region == region:
                yield self._wavelength(zone)

    def _wavelength(self, zone: zones.Zone) -> dict[str, Any]:
        parent = self._parents.get(zone.name, zone.region + "abc"[zlib.crc32(zone.name.encode()) % 3])
        carrier, city = zone.name.removeprefix(f"{zone.region}-").split("-")[:2]
        return {
            "id": zone.name,
            "name": zone.name,
            "nameSuffix": zone.name.removeprefix(f"{zone.region}-"),
            "zoneId": zone.zone_id or f"{_short(zone.region)}-{carrier}-{city}-wlz1",
            "zoneType": "wavelength-zone",
            "groupName": zone.group,
            "groupLongName": zone.city or zone.name,
            "networkBorderGroup": zone.network_border_group,
            "optInStatus": "not-opted-in" if zone.group in self._opted_out else "opted-in",
            "parentZoneId": f"{_short(zone.region)}-az{'abcdefgh'.index(parent[-1]) + 1}",
            "parentZoneName": parent,
            "region": zone.region,
            "state": "available",
        }


_PROPERTIES: Final = {
    "group-name": "groupName",
    "network-border-group": "networkBorderGroup",
    "opt-in-status": "optInStatus",
    "parent-zone-id": "parentZoneId",
    "parent-zone-name": "parentZoneName",
    "region-name": "region",
    "state": "state",
    "zone-id": "zoneId",
    "zone-name": "name",
    "zone-type": "zoneType",
}


def _property(zone: Mapping[str, Any], name: str) -> Any:
    if name not in _PROPERTIES:
        raise ProviderError(f"InvalidParameterValue: the filter {name!r} is invalid for DescribeAvailabilityZones")
    return zone[_PROPERTIES[name]]


def _filters(args: Mapping[str, Any]) -> dict[str, set[Any]]:
    filters: list[dict[str, Any]] = args.get("filters") or []
    return {each["name"]: set(each["values"]) for each in filters}


def _is_zone(name: str) -> bool:
    try:
        zones.find(name)
    except zones.UnknownZoneError:
        return False
    return True


def _short(region: str) -> str:
    """Return a Region's short form in zone ids: ``use1`` of ``us-east-1``, ``apne1`` of ``ap-northeast-1``."""
    country, *middle, number = region.split("-")
    compass = re.findall("north|south|east|west|central", "".join(middle))
    return country + "".join(word[0] for word in compass) + number
