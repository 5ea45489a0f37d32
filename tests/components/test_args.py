import asyncio
import dataclasses
from enum import Enum
from typing import Any, Optional

import pulumi
import pytest
from component_sites import refuse

from edgelib import ArgsError
from edgelib.components._args import Args


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@dataclasses.dataclass(kw_only=True)
class Inner(Args):
    number: int


@dataclasses.dataclass(kw_only=True)
class Outer(Args):
    name: str
    count: Optional[int] = None
    on: Optional[bool] = None
    size: Optional[Size] = None
    inner: Optional[Inner] = None
    listed: Optional[list[Inner]] = None
    mapped: Optional[dict[str, Inner]] = None
    late: Optional[pulumi.Input[str]] = None
    tags: Optional[dict[str, pulumi.Input[str]]] = None
    anything: Any = None
    extra: list[str] = dataclasses.field(default_factory=list)


def test_a_mapping_and_the_class_make_the_same():
    plain = {
        "name": "a",
        "size": "large",
        "inner": {"number": 1},
        "listed": [{"number": 2}],
        "mapped": {"x": {"number": 3}},
        "tags": {"k": "v"},
    }
    made = Outer(
        name="a",
        size=Size.LARGE,
        inner=Inner(number=1),
        listed=[Inner(number=2)],
        mapped={"x": Inner(number=3)},
        tags={"k": "v"},
    )
    assert Outer.of(plain) == Outer(**plain) == made
    assert Outer.of(made) is made


def test_what_is_left_out_has_its_default():
    made = Outer.of({"name": "a"})
    assert (made.count, made.extra, made.anything) == (None, [], None)


def test_whole_numbers_of_other_languages_are_whole_numbers_here():
    count = Outer.of({"name": "a", "count": 3.0}).count
    assert count == 3
    assert type(count) is int


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ({"nam": "a"}, ["Outer.nam: 'a'", "belongs to no field", "did you mean 'name'?"]),
        ({"name": "a", "zzz": 1}, ["Outer.zzz: 1", "belongs to no field", "the fields are name, count"]),
        ({}, ["Outer.name: (missing)", "is required", "name=..."]),
        ([("name", "a")], ["Outer: [('name', 'a')]", "is neither", "Outer(...) or a mapping"]),
        (None, ["Outer: None", "is neither"]),
        ({"name": 1}, ["Outer.name: 1", "not of type str", "a string"]),
        ({"name": None}, ["Outer.name: None", "not of type str"]),
        ({"name": "a", "count": "3"}, ["Outer.count: '3'", "not of type int", "a whole number"]),
        ({"name": "a", "count": 2.5}, ["Outer.count: 2.5", "not of type int"]),
        ({"name": "a", "count": float("inf")}, ["Outer.count: inf", "not of type int"]),
        ({"name": "a", "count": True}, ["Outer.count: True", "not of type int"]),
        ({"name": "a", "on": "yes"}, ["Outer.on: 'yes'", "not of type bool", "True or False"]),
        ({"name": "a", "on": 1}, ["Outer.on: 1", "not of type bool"]),
        ({"name": "a", "size": "medium"}, ["Outer.size: 'medium'", "is unknown", "small, large"]),
        ({"name": "a", "size": ["small"]}, ["Outer.size: ['small']", "is unknown"]),
        ({"name": "a", "inner": {}}, ["Inner.number: (missing)", "is required"]),
        ({"name": "a", "inner": 3}, ["Inner: 3", "is neither"]),
        ({"name": "a", "extra": "one"}, ["Outer.extra: 'one'", "is not a list", "use ['one']"]),
        ({"name": "a", "extra": {"one": 1}}, ["Outer.extra", "is not a list"]),
        ({"name": "a", "extra": ["one", 2]}, ["Outer.extra[1]: 2", "not of type str"]),
        ({"name": "a", "mapped": ["x"]}, ["Outer.mapped: ['x']", "is not a mapping", "{name: value}"]),
        ({"name": "a", "tags": {"k": 1}}, ["Outer.tags['k']: 1", "not of type str"]),
        ({"name": "a", "late": 1}, ["Outer.late: 1", "not of type str"]),
    ],
)
def test_what_does_not_fit_is_refused_by_field(args, parts):
    refuse(lambda: Outer.of(args), *parts)


@pytest.mark.parametrize("field", ["name", "count", "on", "size", "inner", "listed", "mapped", "extra"])
def test_an_output_where_the_value_must_be_known_to_plan_is_refused(field):
    async def check():
        unknown = pulumi.Output.from_input("x")
        for value in (unknown, asyncio.get_running_loop().create_future()):
            with pytest.raises(ArgsError, match=rf"Outer\.{field}: an Output is not known .*; pass a plain value"):
                Outer(**{"name": "a", field: value})
        await unknown.future()

    asyncio.run(check())


def test_outputs_pass_where_inputs_are_taken():
    async def check():
        unknown = pulumi.Output.from_input("x")
        made = Outer(name="a", late=unknown, tags={"k": unknown}, anything=unknown)
        assert made.late is made.tags["k"] is made.anything is unknown
        await unknown.future()

    asyncio.run(check())


def test_a_mapping_that_the_caller_changes_later_changes_nothing():
    tags = {"k": "v"}
    made = Outer.of({"name": "a", "tags": tags})
    tags["k"] = "w"
    assert made.tags == {"k": "v"}
