"""Merging of cloud-configs, against the cases of cloud-init's documentation and its own rules."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgelib.sandbox.machines.merging import DEFAULT, merge, parse_merge_how

APPEND = "list(append)+dict(recurse_array)+str()"
OURS = "list(append)+dict(no_replace,recurse_list)+str()"
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
CONFIGS = st.dictionaries(st.sampled_from("abcd"), VALUES)


@given(CONFIGS, CONFIGS)
def test_by_default_a_later_parts_keys_replace_an_earlier_ones_whole(old, new):
    before = copy.deepcopy((old, new))
    assert merge(old, new, DEFAULT) == {**old, **new}
    assert (old, new) == before


@given(st.lists(st.integers()), st.lists(st.integers()))
def test_with_append_no_part_loses_its_list(old, new):
    merged = merge({"runcmd": old}, {"runcmd": new}, parse_merge_how(OURS))
    assert merged == {"runcmd": [*old, *new]}


@pytest.mark.parametrize(
    ("how", "old", "new", "merged"),
    [
        (APPEND, {"a": [1]}, {"a": [2], "b": 3}, {"a": [1, 2], "b": 3}),
        ("list(prepend)+dict(recurse_list)", {"a": [1]}, {"a": [2]}, {"a": [2, 1]}),
        ("list(no_replace)+dict(recurse_list)", {"a": [1]}, {"a": [2]}, {"a": [1]}),
        ("list()+dict(recurse_list)", {"a": [1, 2, 3]}, {"a": [9]}, {"a": [9, 2, 3]}),
        ("list()+dict(recurse_list)", {"a": [1]}, {"a": [8, 9]}, {"a": [8]}),
        ("list(recurse_list)+dict(recurse_list)", {"a": [[1, 2]]}, {"a": [[9]]}, {"a": [[9, 2]]}),
        ("list()+dict(recurse_list)", {"a": [1]}, {"a": "text"}, {"a": [1]}),
        ("dict(recurse_str)+str(append)", {"a": "x"}, {"a": "y"}, {"a": "xy"}),
        ("dict(recurse_str)+str()", {"a": "x"}, {"a": "y"}, {"a": "y"}),
        ("dict()", {"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, {"a": {"b": 1, "c": 3}}),
        ("dict(allow_delete)", {"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ("list(append)", {"a": 1}, {"a": 2, "b": 3}, {"a": 1}),
        ([{"name": "list", "settings": ["append"]}, {"name": "dict", "settings": ["recurse_list"]}], {"a": [1]}, {"a": [2]}, {"a": [1, 2]}),
        ([["list", "append"], ["dict", "recurse_list"]], {"a": [1]}, {"a": [2]}, {"a": [1, 2]}),
    ],
)  # fmt: skip
def test_a_merge_type_says_how(how, old, new, merged):
    assert merge(old, new, parse_merge_how(how)) == merged


@pytest.mark.parametrize("how", ["list", "list(append", "set()", [["tuple"]]])
def test_what_cloud_init_cannot_read_is_refused(how):
    with pytest.raises(ValueError, match=r"not in the right format|merger module"):
        parse_merge_how(how)
