# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# Why: moto types its internals in part; ours are typed where they meet the rest of the sandbox.
"""Zones: Availability Zones and the catalogue's Wavelength Zones, opt-in by group, and what a zone offers."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Optional

from moto.core.responses import ActionResult
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

from edgelib import zones as catalogue
from edgelib.sandbox.aws.core import CoreBackend, CoreResponses, refusal

_FILTERS = {
    "zone-name": "ZoneName",
    "zone-id": "ZoneId",
    "zone-type": "ZoneType",
    "group-name": "GroupName",
    "state": "State",
    "opt-in-status": "OptInStatus",
    "parent-zone-name": "ParentZoneName",
    "parent-zone-id": "ParentZoneId",
    "region-name": "RegionName",
}


class WavelengthZone(Zone):
    """A Wavelength Zone of the catalogue. Its parent Availability Zone is invented: AWS publishes none."""

    def __init__(self, entry: catalogue.Zone, parent: Zone) -> None:
        super().__init__(entry.name, entry.region, entry.zone_id or entry.name, "wavelength-zone")
        self.group = entry.group
        self.network_border_group = entry.network_border_group
        self.parent = parent


def install_zones() -> None:
    """Add the catalogue's zones and what they offer to moto's tables, which are the whole process's."""
    for entry in catalogue.catalogue():
        table = RegionsAndZonesBackend.zones[entry.region]
        parents = [zone for zone in table if not isinstance(zone, WavelengthZone)]
        zone = WavelengthZone(entry, parents[(len(table) - len(parents)) % len(parents)])
        table.append(zone)
        for location_type, location in (("availability-zone", zone.name), ("availability-zone-id", zone.zone_id)):
            INSTANCE_TYPE_OFFERINGS[location_type].setdefault(entry.region, []).extend(
                {"InstanceType": kind, "Location": location, "LocationType": location_type}
                for kind in catalogue.INSTANCE_TYPES
            )


@cache
def offered_types(region: str, zone: str) -> frozenset[str]:
    """The instance types that a zone offers; empty for a zone that moto has no list for."""
    rows: Iterable[dict[str, str]] = INSTANCE_TYPE_OFFERINGS["availability-zone"].get(region, [])
    return frozenset(row["InstanceType"] for row in rows if row["Location"] == zone)


class ZonesBackend(CoreBackend):
    """Zones of a Region."""

    def zone_rows(self) -> list[dict[str, Any]]:
        """All zones as DescribeAvailabilityZones shows them, those not opted in among them."""
        return [self._row(zone) for zone in self.zones.get(self.region_name, [])]

    def _row(self, zone: Zone) -> dict[str, Any]:
        row: dict[str, Any] = {
            "ZoneName": zone.name,
            "ZoneId": zone.zone_id,
            "ZoneType": zone.zone_type,
            "State": zone.state,
            "RegionName": zone.region_name,
            "Messages": [],
            "GroupName": f"{zone.region_name}-zg-1",
            "NetworkBorderGroup": zone.region_name,
            "OptInStatus": "opt-in-not-required",
        }
        if isinstance(zone, WavelengthZone):
            row |= {
                "GroupName": zone.group,
                "NetworkBorderGroup": zone.network_border_group,
                "ParentZoneName": zone.parent.name,
                "ParentZoneId": zone.parent.zone_id,
                "OptInStatus": "opted-in" if zone.group in self.opted_in else "not-opted-in",
            }
        return row

    def usable_zone_rows(self) -> list[dict[str, Any]]:
        """The zones that the account can use."""
        return [row for row in self.zone_rows() if row["OptInStatus"] != "not-opted-in"]

    def describe_availability_zones(
        self,
        filters: Any = None,
        zone_names: Optional[list[str]] = None,
        zone_ids: Optional[list[str]] = None,
    ) -> list[Zone]:
        """What moto's own callers see (default subnets, a zone at random): never a Wavelength Zone."""
        found = super().describe_availability_zones(filters, zone_names, zone_ids)
        return [zone for zone in found if not isinstance(zone, WavelengthZone)]

    def get_zone_by_name(self, name: str) -> Optional[Zone]:
        """A zone of the Region by its name, opted in or not."""
        return next((zone for zone in self.zones.get(self.region_name, []) if zone.name == name), None)

    def wavelength_zone(self, name: Optional[str]) -> Optional[WavelengthZone]:
        """The Wavelength Zone of this name, or None when it is another kind of zone."""
        zone = self.get_zone_by_name(name) if name else None
        return zone if isinstance(zone, WavelengthZone) else None

    def wavelength_zone_of_subnet(self, subnet_id: str) -> Optional[WavelengthZone]:
        """The Wavelength Zone that a subnet is in, or None."""
        return self.wavelength_zone(self.get_subnet(subnet_id).availability_zone)

    def border_group(self, zone_name: str) -> str:
        """The network border group whose addresses a zone's interfaces take."""
        zone = self.wavelength_zone(zone_name)
        return zone.network_border_group if zone else self.region_name


class ZonesResponses(CoreResponses):
    """DescribeAvailabilityZones and ModifyAvailabilityZoneGroup."""

    sandbox: ZonesBackend

    def describe_availability_zones(self) -> ActionResult:
        self.error_on_dryrun()
        everything = self._get_bool_param("AllAvailabilityZones", False)
        rows = self.sandbox.zone_rows() if everything else self.sandbox.usable_zone_rows()
        for key in ("ZoneName", "ZoneId"):
            wanted: list[str] = self._get_param(f"{key}s", [])
            if missing := sorted(set(wanted) - {row[key] for row in rows}):
                raise refusal("InvalidParameterValue", f"Invalid availability zones: [{', '.join(missing)}]")
            rows = [row for row in rows if not wanted or row[key] in wanted]
        for name, globs in self._filters_from_querystring().items():
            if name not in _FILTERS:
                raise refusal("InvalidParameterValue", f"The filter '{name}' is invalid")
            rows = [row for row in rows if any(fnmatchcase(row.get(_FILTERS[name], ""), glob) for glob in globs)]
        return ActionResult({"AvailabilityZones": rows})

    def modify_availability_zone_group(self) -> ActionResult:
        self.error_on_dryrun()
        group, status = self._get_param("GroupName"), self._get_param("OptInStatus")
        if group not in {row["GroupName"] for row in self.sandbox.zone_rows()}:
            raise refusal("InvalidParameterValue", f"Invalid Availability Zone Group: [{group}]")
        if status != "opted-in":
            raise refusal("InvalidParameterValue", "The only valid value is opted-in; AWS Support can opt out.")
        self.sandbox.opted_in.add(group)
        return ActionResult({"Return": True})
