"""Tables of properties: checks, differences by meaning, and what an actual state says about inputs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgelib.sandbox.providers.differences import canonical_json, diff, inputs_from_state, overlaid, undecided
from edgelib.sandbox.providers.properties import Kind, Property, check, outputs
from edgelib.sandbox.providers.values import UNKNOWN, Secret, decode, encode, is_unknown, secret_keys

DISK = (
    Property(name="size", kind=Kind.INTEGER, computed=True),
    Property(name="locked", kind=Kind.BOOLEAN, replaces=True),
    *outputs("diskId"),
)
TABLE = (
    Property(name="name", required=True, replaces=True),
    Property(name="mode", default="fast", allowed=("fast", "safe")),
    Property(name="zone", computed=True, replaces=True),
    Property(name="count", kind=Kind.INTEGER),
    Property(name="on", kind=Kind.BOOLEAN, default=False),
    Property(name="peers", kind=Kind.SET),
    Property(name="order", kind=Kind.LIST),
    Property(name="tags", kind=Kind.MAP),
    Property(name="policy", kind=Kind.JSON),
    Property(name="disk", kind=Kind.OBJECT, fields=DISK),
    Property(name="disks", kind=Kind.OBJECTS, fields=DISK),
    *outputs("arn"),
)  # fmt: skip


def checked(**props):
    return check(TABLE, props, token="t:m:T")


def changes(old, new):
    return {change.path: (change.action, change.replaces) for change in diff(TABLE, old, new)}


def test_defaults_are_filled_in_and_text_takes_the_type_of_its_property():
    inputs, failures = checked(name=7, count="3", on="true", tags={"a": True})
    assert failures == []
    assert inputs == {"name": "7", "count": 3, "on": True, "tags": {"a": "true"}, "mode": "fast"}


@pytest.mark.parametrize(
    ("props", "path", "words"),
    [
        ({}, "name", "t:m:T.name is required"),
        ({"name": "x", "nam": 1}, "nam", "t:m:T.nam is not an input that edgelib's stand-in provider implements"),
        ({"name": "x", "arn": "y"}, "arn", "t:m:T.arn is not an input"),
        ({"name": "x", "disk": {"sise": 1}}, "disk.sise", "t:m:T.disk.sise is not an input"),
        ({"name": "x", "disks": [{}, {"sise": 1}]}, "disks[1].sise", "t:m:T.disks[1].sise is not an input"),
        ({"name": ["x"]}, "name", "must be a string, not ['x']"),
        ({"name": "x", "count": 1.5}, "count", "must be a whole number, not 1.5"),
        ({"name": "x", "mode": "slow"}, "mode", "'slow' is not one of fast, safe"),
        ({"name": "x", "disk": "big"}, "disk", "must be an object, not 'big'"),
    ],
)
def test_a_refusal_names_the_property_and_says_why(props, path, words):
    found = {failure.property: failure.reason for failure in checked(**props)[1]}
    assert words in found[path]


def test_unknown_values_pass_the_check():
    inputs, failures = checked(name=UNKNOWN, count=UNKNOWN, disk={"size": UNKNOWN}, peers=["a", UNKNOWN])
    assert failures == []
    assert inputs["name"] is UNKNOWN
    assert inputs["disk"] == {"size": UNKNOWN}


def test_differences_have_paths_and_know_what_replaces():
    old = {"name": "a", "tags": {"x": "1", "y": "2"}, "disk": {"size": 1, "locked": True}, "count": 1}
    new = {"name": "b", "tags": {"x": "3", "a/b": "4"}, "disk": {"size": 2, "locked": False}}
    assert changes(old, new) == {
        "name": ("update", True),
        "count": ("delete", False),
        "tags.x": ("update", False),
        "tags.y": ("delete", False),
        'tags["a/b"]': ("add", False),
        "disk.size": ("update", False),
        "disk.locked": ("update", True),
    }


def test_what_means_the_same_is_no_difference():
    old = {"peers": ["a", "b"], "zone": "z", "policy": '{"Action": ["x"], "Effect": "Allow"}', "disks": [{"size": 1}]}
    new = {"peers": ["b", "a"], "policy": '{ "Effect":"Allow","Action":"x" }', "disks": [{}]}
    assert changes(old, new) == {}
    assert changes({"order": ["a", "b"]}, {"order": ["b", "a"]}) == {"order": ("update", False)}


def test_a_change_to_an_unknown_is_a_change():
    assert changes({"name": "a", "count": 1}, {"name": UNKNOWN, "count": 1}) == {"name": ("update", True)}
    assert changes({"peers": ["a"]}, {"peers": ["a", UNKNOWN]}) == {"peers": ("update", False)}


def test_a_refresh_keeps_spelling_and_shows_drift():
    old = {"name": "a", "policy": '{ "A":"x" }', "tags": {"x": "1"}, "disk": {"size": 1}}
    state = {
        "name": "a", "policy": '{"A": ["x"]}', "tags": {"x": "2"}, "disk": {"size": 1, "diskId": "d", "locked": True},
        "zone": "z", "count": 4, "mode": "fast", "arn": "arn",
    }  # fmt: skip
    found = inputs_from_state(TABLE, old, state)
    assert found == {
        "name": "a", "policy": '{ "A":"x" }', "tags": {"x": "2"}, "disk": {"size": 1, "locked": True}, "count": 4, "mode": "fast",
    }  # fmt: skip


def test_an_import_has_every_input_and_no_output():
    state = {"name": "a", "zone": "z", "tags": {}, "disk": {"size": 1, "diskId": "d"}, "arn": "arn"}
    assert inputs_from_state(TABLE, {}, state) == {"name": "a", "zone": "z", "disk": {"size": 1}}


def test_outputs_before_creation_are_unknown_inside_objects_too():
    found = undecided(TABLE, {"name": "a", "disk": {"locked": True}})
    assert found["name"] == "a"
    assert found["arn"] is UNKNOWN
    assert found["zone"] is UNKNOWN
    assert found["disk"] == {"size": UNKNOWN, "locked": True, "diskId": UNKNOWN}
    assert overlaid(TABLE, {"disk": {"size": 1, "diskId": "d"}}, {"disk": {"size": 2}}) == {
        "disk": {"size": 2, "diskId": "d"}
    }


def test_a_policy_that_is_no_json_is_compared_as_it_is():
    assert canonical_json("{") == "{"


PLAIN = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), PLAIN))
def test_values_survive_the_wire(values):
    assert decode(encode(values)) == values


def test_secrets_and_unknowns_are_marked_on_the_wire():
    struct = encode({"a": Secret("hush"), "b": [UNKNOWN], "c": {"d": Secret(1)}, "e": 1, "f": None})
    assert secret_keys(struct) == {"a", "c"}
    assert decode(struct) == {"a": "hush", "b": [UNKNOWN], "c": {"d": 1}, "e": 1}
    assert is_unknown(decode(struct))
