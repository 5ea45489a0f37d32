import pytest

from edgelib import ArgsError
from edgelib.tags import check_tags, named


def test_name_then_common_then_own_tags():
    assert named("site-vpc") == {"Name": "site-vpc"}
    assert named("site-vpc", {"team": "edge", "stage": "lab"}, {"stage": "live"}) == {
        "Name": "site-vpc",
        "team": "edge",
        "stage": "live",
    }
    assert named("site-vpc", None, {"Name": "mine"}) == {"Name": "mine"}


def test_no_layer_is_changed():
    common = {"team": "edge"}
    named("a", common)["team"] = "other"
    check_tags("X.tags", common)["team"] = "other"
    assert common == {"team": "edge"}


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"aws:x": "1"}, r"X\.tags: 'aws:x' starts with aws:.*; rename it"),
        ({"AWS:x": "1"}, r"X\.tags: 'AWS:x' starts with aws:"),
        ({"": "1"}, r"X\.tags: '' is not between 1 and 128 characters"),
        ({"k" * 129: "1"}, r"is not between 1 and 128 characters"),
        ({"k": "v" * 257}, r"X\.tags\['k'\]: 257 characters are more than 256; shorten it"),
        ({str(n): "" for n in range(50)}, r"X\.tags: 50 tags, with Name, are more than 50; leave some out"),
        ({**{str(n): "" for n in range(50)}, "Name": "x"}, r"X\.tags: 51 tags"),
    ],
)
def test_tags_that_aws_does_not_take_are_refused(tags, message):
    with pytest.raises(ArgsError, match=message):
        check_tags("X.tags", tags)


@pytest.mark.parametrize(
    "tags",
    [
        None,
        {},
        {"k" * 128: "v" * 256},
        {"awsome": ""},
        {str(n): "" for n in range(49)},
        {**{str(n): "" for n in range(49)}, "Name": "x"},
    ],
)
def test_tags_within_the_limits_are_taken_as_they_are(tags):
    assert check_tags("X.tags", tags) == (tags or {})
