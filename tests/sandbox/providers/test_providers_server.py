"""The generic server, with a package of one type that keeps its things in a dict."""
# ruff: noqa: A002 - `id` is the engine's word

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from edgelib.sandbox.providers.properties import Failure, Kind, Property, outputs
from edgelib.sandbox.providers.resource import Created, Function, Package, ProviderError, Resource
from edgelib.sandbox.providers.values import UNKNOWN, encode, secret_keys
from tests.sandbox.providers.provider_client import Client, UnfinishedError

BOX = "t:m:Box"


class World(dict):
    broken = ""
    default = "d"


class Box(Resource):
    token = BOX
    properties = (
        Property(name="name", autoname=True, replaces=True),
        Property(name="size", kind=Kind.INTEGER, required=True),
        Property(name="shape", replaces=True),
        Property(name="password", secret=True),
        Property(name="zone", computed=True),
        *outputs("arn", "label"),
        *outputs("weight", unsettled_by=("size",)),
    )

    def check(self, session, inputs):
        if inputs.get("size") == 13:
            yield Failure("size", "13 is bad luck")

    def known_outputs(self, session, inputs):
        return {"label": session.default}

    def create(self, request, inputs):
        if request.session.broken == "create":
            raise ProviderError("no room")
        request.session[inputs["name"]] = {"size": 0}
        return Created(inputs["name"])

    def settle(self, request, id, inputs):
        if request.session.broken == "settle":
            raise ProviderError("the lid is stuck")
        request.session[id] |= {
            **inputs,
            "arn": f"arn:{id}",
            "weight": inputs["size"] * 2,
            "label": request.session.default,
            "zone": "z",
        }
        request.session[id]["first"] = request.first

    def read(self, session, id, state):
        found = session.get(id)
        return (
            None if found is None else {key: value for key, value in found.items() if key not in {"first", "changed"}}
        )

    def update(self, request, id, old, new, changed):
        request.session[id]["changed"] = changed
        return {}

    def delete(self, request, id, state):
        request.session.pop(id, None)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def client(world, tmp_path):
    double = Function(
        "t:m:double", (Property(name="n", kind=Kind.INTEGER, required=True),), lambda _, given: {"n": 2 * given["n"]}
    )
    package = Package(
        "t",
        "1.2.3",
        (Property(name="region"),),
        lambda _: world,
        {BOX: Box()},
        {double.token: double},
        frozenset({"region"}),
    )
    client = Client(package, tmp_path / "notes")
    yield client
    client.close()


def refusal(call, *arguments, **more):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **more)
    return caught.value.details()


def test_a_life(client, world):
    made = client.create(BOX, {"size": 1, "password": "hush"})
    assert made.id.startswith("one-")
    assert made.outputs["arn"] == f"arn:{made.id}"
    assert client.diff(made, {"size": 1, "password": "hush"}) == ({}, set(), False)
    assert client.diff(made, {"size": 2, "password": "hush"}) == ({"size": "UPDATE"}, set(), False)
    made = client.update(made, {"size": 2, "password": "hush"})
    assert made.outputs["weight"] == 4
    world[made.id]["size"] = 9
    drifted = client.refresh(made)
    assert drifted.inputs["size"] == 9
    assert client.diff(drifted, {"size": 2, "password": "hush"})[0] == {"size": "UPDATE"}
    assert client.imported(BOX, made.id).outputs["size"] == 9
    client.delete(made)
    client.delete(made)
    assert client.refresh(made) is None
    assert world == {}


def test_a_preview_knows_what_is_given_and_nothing_more(client):
    found = client.preview_create(BOX, {"size": UNKNOWN, "shape": "round"})
    assert found["shape"] == "round"
    assert found["label"] == "d"
    assert {found["size"], found["arn"], found["weight"], found["zone"]} == {UNKNOWN}


def test_a_preview_of_an_update_keeps_what_the_change_does_not_touch(client, world):
    made = client.create(BOX, {"size": 1})
    after = client.update(made, {"size": 2}, preview=True).outputs
    assert after["arn"] == made.outputs["arn"]
    assert after["weight"] is UNKNOWN
    assert after["size"] == 2
    assert world[made.id]["size"] == 1


def test_a_replacement_goes_last_unless_its_name_is_taken(client):
    made = client.create(BOX, {"size": 1, "shape": "round"})
    assert client.diff(made, {"size": 1, "shape": UNKNOWN}) == ({"shape": "UPDATE_REPLACE"}, {"shape"}, False)
    named = client.create(BOX, {"name": "mine", "size": 1, "shape": "round"})
    assert client.diff(named, {"name": "mine", "size": 1}) == ({"shape": "DELETE_REPLACE"}, {"shape"}, True)


def test_a_changed_default_of_the_provider_is_a_change(client, world):
    made = client.create(BOX, {"size": 1})
    world.default = "e"
    assert client.diff(made, {"size": 1})[0] == {"label": "UPDATE"}


def test_what_cannot_be_is_refused_by_name(client, world):
    assert client.check(BOX, {"size": 13})[1] == {"size": "13 is bad luck"}
    assert "t:m:Bax is not implemented by edgelib's stand-in for the t provider" in refusal(client.check, "t:m:Bax", {})
    assert "function t:m:triple is not implemented" in refusal(client.invoke, "t:m:triple")
    assert client.invoke("t:m:double", n=4) == {"n": 8}
    world.broken = "create"
    assert refusal(client.create, BOX, {"size": 1}) == f"creating one ({BOX}): no room"
    answer = client.stub.CheckConfig(pb.CheckRequest(news=encode({"region": "r", "regoin": "r", "version": "1"})))
    assert [failure.property for failure in answer.failures] == ["regoin"]


def test_a_creation_that_fails_halfway_is_kept_and_finished_by_the_next_update(client, world):
    world.broken = "settle"
    with pytest.raises(UnfinishedError, match="the lid is stuck") as caught:
        client.create(BOX, {"name": "b", "size": 1})
    made = caught.value.made
    assert (made.id, made.inputs["size"]) == ("b", 1)
    world.broken = ""
    made = client.update(made, {"name": "b", "size": 1})
    assert world["b"]["first"]
    assert made.outputs["weight"] == 2
    client.update(made, {"name": "b", "size": 2})
    assert not world["b"]["first"]


def test_an_update_starts_from_the_actual_state(client, world):
    made = client.create(BOX, {"size": 1})
    world[made.id]["size"] = 7
    client.update(made, {"size": 1})
    assert world[made.id]["changed"] == {"size"}


def test_a_region_replaces_everything(client):
    request = pb.DiffRequest(old_inputs=encode({"region": "a"}), news=encode({"region": "b"}))
    assert list(client.stub.DiffConfig(request).replaces) == ["region"]


def test_nothing_begins_after_a_cancellation(client, world):
    client.provider.cancelled.set()
    assert "cancelled" in refusal(client.create, BOX, {"size": 1})
    assert world == {}


def test_secret_properties_are_marked_in_the_answer(client):
    inputs = encode(client.checked(BOX, {"size": 1, "password": "hush"}))
    answer = client.stub.Create(pb.CreateRequest(urn=client.urn(BOX, "one"), properties=inputs))
    assert secret_keys(answer.properties) == {"password"}
