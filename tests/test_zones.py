import json
import subprocess
import sys
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgelib import zones
from edgelib.zones import Listing, UnknownZoneError, ZoneQueryError, catalogue, find, nearest, offers

BOSTON = "us-east-1-wl1-bos-wlz-1"


def test_every_entry_agrees_with_its_own_name():
    assert len(catalogue()) == len({zone.name for zone in catalogue()}) == 33
    for zone in catalogue():
        region, carrier_number, city, _, number = zone.name.rsplit("-", 4)
        assert zone.region == region
        assert zone.group == f"{region}-{carrier_number}"
        assert zone.network_border_group == zone.name
        assert zone.zone_id.split("-", 1)[1] == f"{carrier_number}-{city}-wlz{number}"
        assert zone.zone_id.split("-")[0] == _short(region)
        assert zone.catalogued
        assert zone.carrier
        assert zone.city
        assert len(zone.country) == 2


def test_catalogue_knows_which_entries_are_doubtful():
    """What is inferred has a note; what AWS's page does not show any more is marked and noted."""
    absent = {zone.city for zone in catalogue() if zone.listing is Listing.ABSENT}
    assert absent == {"Berlin", "Dortmund", "Munich", "Daejeon", "Seoul"}
    assert {zone.city for zone in catalogue() if zone.listing is Listing.LISTED} == {
        "Atlanta", "Boston", "Charlotte", "Chicago", "Dallas", "Detroit",
    }  # fmt: skip
    for zone in catalogue():
        assert (zone.listing is Listing.LISTED) == ("AWS's page of available" in zone.evidence)
        if zone.listing is Listing.ABSENT:
            assert "probably gone" in zone.note
        if zone.evidence == "its code is in AWS's price list of 2025-09-11":
            assert "inferred" in zone.note


def test_data_explains_its_codes_and_uses_them_all():
    data = json.loads(resources.files("edgelib").joinpath("zones.json").read_text(encoding="utf-8"))
    used = {code for row in data["zones"] for code in row["evidence"]}
    assert used == set(data["evidence"])
    assert all(code in zones.__doc__ for code in used)


def test_only_african_zones_are_reachable_from_the_internet():
    assert {zone.city for zone in catalogue() if zone.internet_inbound} == {"Casablanca", "Dakar"}
    assert find("eu-west-3-wl1-cmn-wlz-1").group == "eu-west-3-wl1"
    assert find("eu-west-3-wl2-xyz-wlz-1").internet_inbound
    assert not find("us-east-1-wl2-xyz-wlz-1").internet_inbound


def test_two_carriers_in_one_city_are_two_groups():
    manchester = {zone.group: zone.carrier for zone in catalogue(region="eu-west-2") if zone.city == "Manchester"}
    assert manchester == {"eu-west-2-wl1": "Vodafone", "eu-west-2-wl2": "BT"}


def test_find_returns_the_catalogued_zone():
    zone = find(BOSTON)
    assert (zone.city, zone.carrier, zone.country, zone.zone_id) == ("Boston", "Verizon", "US", "use1-wl1-bos-wlz1")
    assert zone.note is None


def test_zone_of_the_right_form_is_accepted_with_a_note():
    zone = find("us-east-1-wl1-bso-wlz-1")
    assert not zone.catalogued
    assert (zone.region, zone.group) == ("us-east-1", "us-east-1-wl1")
    assert zone.network_border_group == zone.name
    assert zone.city is zone.carrier is zone.zone_id is zone.listing is None
    assert "the EC2 API decides" in zone.note
    assert "Did you mean us-east-1-wl1-bos-wlz-1" in zone.note


@pytest.mark.parametrize("name", ["us-gov-west-1-wl1-xyz-wlz-1", "ap-southeast-2-wl12-qqq-wlz-3"])
def test_new_zone_is_not_taken_for_a_typing_error(name):
    assert "Did you mean" not in find(name).note
    assert name.startswith(f"{find(name).region}-wl")


@pytest.mark.parametrize(
    ("name", "says", "suggests"),
    [
        ("us-east-1-wl1", "zone group", BOSTON),
        ("eu-west-2-wl2", "zone group", "eu-west-2-wl2-man-wlz-1"),
        ("us-east-1-wl9", "none with group us-east-1-wl9", BOSTON),
        ("use1-wl1-bos-wlz1", "id of a zone", BOSTON),
        ("use1-wl1-zzz-wlz1", "zone id", "DescribeAvailabilityZones"),
        ("boston", "is a city", BOSTON),
        ("Kansas City", "is a city", "us-east-1-wl1-foe-wlz-1"),
        ("Manchester", "is a city", "eu-west-2-wl1-man-wlz-1 or eu-west-2-wl2-man-wlz-1"),
        ("us-east-1a", "an Availability Zone of a Region; give a Wavelength Zone", BOSTON),
        ("use1-az4", "id of an Availability Zone; give a Wavelength Zone", BOSTON),
        ("us-west-2", "is a Region", "us-west-2-wl1-den-wlz-1"),
        ("ap-south-1b", "none with region ap-south-1", BOSTON),
        ("us-east-1-bos-1a", "is a Local Zone", BOSTON),
        ("US-EAST-1-WL1-BOS-WLZ-1", "written as AWS does", BOSTON),
        (f" {BOSTON}\n", "written as AWS does", BOSTON),
        ("us-east-1-wl1-bos1", "not the name of a Wavelength Zone", f"Did you mean {BOSTON}"),
        ("us-east-1-wl1-bos-wlz", "not the name of a Wavelength Zone", f"Did you mean {BOSTON}"),
        ("us-east-1-wl\u0661-bos-wlz-1", "not the name of a Wavelength Zone", f"Did you mean {BOSTON}"),
        ("us-east-1-wl1-bos-wlz-1a", "not the name of a Wavelength Zone", f"Did you mean {BOSTON}"),
        ("Bostn", "not the name of a Wavelength Zone", f"Did you mean {BOSTON}"),
        ("somewhere", "not the name of a Wavelength Zone", "`edgelib zones` lists them"),
        ("", "empty", BOSTON),
    ],
)
def test_other_names_are_refused_with_the_way_out(name, says, suggests):
    with pytest.raises(UnknownZoneError) as error:
        find(name)
    assert str(error.value).startswith("zone: ")
    assert says in str(error.value)
    assert suggests in str(error.value)


def test_group_lists_its_own_zones_only():
    with pytest.raises(UnknownZoneError) as error:
        find("eu-west-2-wl1")
    assert str(error.value).endswith(": eu-west-2-wl1-lon-wlz-1, eu-west-2-wl1-man-wlz-1")


@given(st.text(max_size=30))
def test_any_text_is_refused_and_not_a_crash(text):
    with pytest.raises(UnknownZoneError, match="zone: "):
        find(text)


def test_catalogue_filters_combine_and_ignore_case():
    assert {zone.city for zone in catalogue(carrier="vodafone", country="de")} == {"Berlin", "Dortmund", "Munich"}
    assert [zone.city for zone in catalogue(region="eu-west-2", carrier="bt", country="gb")] == ["Manchester"]
    assert {zone.city for zone in catalogue(carrier="ORANGE")} == {"Casablanca", "Dakar"}
    assert catalogue(region="us-east-1", country="CA") == ()


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"carrier": "Verizom"}, "carrier: no catalogued zone has 'Verizom'; known are BT, Bell, KDDI"),
        ({"country": "USA"}, "country: no catalogued zone has 'USA'; known are CA, DE, GB"),
        ({"region": "us-east"}, "region: no catalogued zone has 'us-east'; known are ap-northeast-1"),
        ({"carrier": ""}, "carrier: no catalogued zone has ''"),
        ({"region": "us-east-1", "country": "ZZ"}, "country: no catalogued zone has 'ZZ'"),
    ],
)
def test_unknown_filter_value_names_the_known_ones(filters, says):
    with pytest.raises(ZoneQueryError) as error:
        catalogue(**filters)
    assert str(error.value).startswith(says)


def test_nearest_is_sorted_by_great_circle_distance():
    found = nearest(40.7, -74.0, count=3)
    assert [entry.zone.city for entry in found] == ["New York", "Boston", "Washington DC"]
    assert found[0].distance_km < 2
    assert found[1].distance_km == pytest.approx(306, abs=2)  # Boston to New York, city centres
    assert len(nearest(0, 0, count=1000)) == 33


def test_nearest_measures_across_the_date_line():
    """180 degrees west is 180 degrees east: from the middle of the Pacific both give the same answer."""
    west, east = nearest(40, -180), nearest(40, 180)
    assert west[0].zone == east[0].zone
    assert west[0].distance_km == pytest.approx(east[0].distance_km)


@given(
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    count=st.integers(1, 40),
)
def test_nearest_answers_for_every_point(latitude, longitude, count):
    found = nearest(latitude, longitude, count=count)
    distances = [entry.distance_km for entry in found]
    assert distances == sorted(distances)
    assert distances[0] >= 0
    assert distances[-1] <= 20_016  # half the circumference
    assert len(found) == min(count, 33)


@pytest.mark.parametrize(
    ("point", "count", "says"),
    [
        ((91, 0), 1, "latitude: 91"),
        ((float("nan"), 0), 1, "latitude: nan"),
        ((0, 180.5), 1, "longitude: 180.5"),
        ((0, float("inf")), 1, "longitude: inf"),
        ((0, 0), 0, "count: 0"),
    ],
)
def test_nearest_refuses_what_is_not_on_the_globe(point, count, says):
    with pytest.raises(ZoneQueryError, match=says):
        nearest(*point, count=count)


@pytest.mark.parametrize(
    ("zone", "instance_type", "hint"),
    [
        (BOSTON, "t3.medium", True),
        (BOSTON, "g4dn.2xlarge", True),
        (BOSTON, "t3.micro", None),
        (BOSTON, "t4g.medium", False),
        (BOSTON, "m7gd.large", False),
        (BOSTON, "a1.large", False),
        (BOSTON, "m5.metal", False),
        (BOSTON, "m7i.metal-24xl", False),
        (BOSTON, "g5.xlarge", None),
        ("eu-west-3-wl1-cmn-wlz-1", "t3.medium", None),
        ("eu-west-3-wl1-cmn-wlz-1", "t4g.medium", False),
    ],
)
def test_instance_type_hint(zone, instance_type, hint):
    assert offers(find(zone), instance_type) is hint


def test_import_reads_no_file():
    """The catalogue is read at first use, once."""
    program = (
        "import sys; from edgelib import zones; reads = []\n"
        "sys.addaudithook(lambda event, args: event == 'open' and str(args[0]).endswith('zones.json')"
        " and reads.append(args))\n"
        "import importlib; importlib.reload(zones); assert not reads, reads\n"
        "zones.catalogue(); zones.find('us-east-1-wl1-bos-wlz-1'); assert len(reads) == 1, reads\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def _short(region):
    area, *directions, number = region.split("-")
    abbreviation = {"east": "e", "west": "w", "central": "c", "northeast": "ne"}
    return area + "".join(abbreviation[direction] for direction in directions) + number
