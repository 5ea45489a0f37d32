"""The rules that every component obeys, checked over all of them.

A new component is found by itself (everything in `edgelib` that is a ComponentResource); it needs an example below, a page in
docs/components, and a new schema snapshot: UPDATE_GOLDEN=1 pytest tests/test_conformance.py
"""

import ast
import dataclasses
import functools
import importlib
import inspect
import json
import os
import re
import sys
import typing
from collections.abc import Callable, Mapping
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.provider.experimental.component import ComponentProvider

import edgelib
from edgelib import (
    BastionHost,
    BastionHostArgs,
    K3sCluster,
    K3sClusterArgs,
    Network,
    NodePool,
    NodePoolArgs,
    WavelengthVpc,
    WavelengthVpcArgs,
)
from edgelib.components.network import NetworkPlace, NetworkSubnet, SubnetEgress
from edgelib.testing import Recorded, Recording, deploy

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "tests" / "golden" / "schema.json"
BOSTON = "us-east-1-wl1-bos-wlz-1"
SECRET = re.compile(r"kubeconfig|token|ssh_config|private_key|password")
OUTSIDE = "outside"
"""How the names of resources start that an example needs around the component."""

PHYSICAL_NAMES = (
    "name",
    "keyName",
    "bucket",
    "roleName",
    "functionName",
    "dashboardName",
    "clusterName",
    "logGroupName",
)
"""Inputs that name a thing account-wide. Left out, Pulumi makes up a name that nothing else has."""

NAMED_WITHIN_A_PARENT = {"aws:iam/rolePolicy:RolePolicy"}
"""Types whose name needs to be unique within another resource only."""


def network(name: str) -> Network:
    """A network of plain resources beside the component, so that its ids are unknown in a preview."""
    vpc = aws.ec2.Vpc(f"{OUTSIDE}-{name}", cidr_block="10.0.0.0/16")

    def subnet(key: str, zone: str, block: str, egress: SubnetEgress) -> NetworkSubnet:
        made = aws.ec2.Subnet(f"{OUTSIDE}-{name}-{key}", vpc_id=vpc.id, cidr_block=block, availability_zone=zone)
        return NetworkSubnet(id=made.id, availability_zone=zone, cidr_block=block, egress=egress)

    carrier = subnet("carrier", BOSTON, "10.0.1.0/24", SubnetEgress.CARRIER_GATEWAY)
    public = subnet("public", "us-east-1a", "10.0.2.0/24", SubnetEgress.INTERNET_GATEWAY)
    private = subnet("private", "us-east-1a", "10.0.3.0/24", SubnetEgress.NAT_GATEWAY)
    return Network(
        vpc_id=vpc.id,
        cidr_block="10.0.0.0/16",
        region="us-east-1",
        zones={BOSTON: NetworkPlace(public=carrier, network_border_group=BOSTON)},
        availability_zones={"parent": NetworkPlace(public=public, private=private)},
    )


EXAMPLES: dict[type, Callable[[str], object]] = {
    BastionHost: lambda name: BastionHostArgs(network=network(name)),
    K3sCluster: lambda name: K3sClusterArgs(network=network(name), agents={"edge": NodePoolArgs(zone=BOSTON)}),
    NodePool: lambda name: NodePoolArgs(network=network(name), zone=BOSTON, count=2),
    WavelengthVpc: lambda _: WavelengthVpcArgs(zones=[BOSTON]),
}
"""The least that each component can be made from; called inside the program, with the name that the component gets."""


COMPONENTS: list[type[pulumi.ComponentResource]] = [
    value for value in vars(edgelib).values() if inspect.isclass(value) and issubclass(value, pulumi.ComponentResource)
]
every_component = pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)


def example(component: type, name: str) -> object:
    if component not in EXAMPLES:
        pytest.fail(f"{component.__name__} has no example: add its least arguments to EXAMPLES in {__file__}")
    return EXAMPLES[component](name)


def make(
    component: type,
    name: str = "site",
    opts: pulumi.ResourceOptions | None = None,
    **changes: object,
) -> pulumi.ComponentResource:
    return component(name, dataclasses.replace(example(component, name), **changes), opts)


@functools.cache
def recorded(component: type, *, preview: bool = False) -> Recording:
    """The component on its own, called ``site``, with every output exported."""

    def program() -> None:
        made = make(component)
        for name in output_names(component):
            pulumi.export(name, getattr(made, name))

    return deploy(program, preview=preview)


def args_class(component: type) -> type:
    return inspect.signature(component.__init__).parameters["args"].annotation


def output_names(component: type) -> dict[str, object]:
    """Annotated outputs of the class and its own bases: name to the type of the value."""
    own = [base for base in component.__mro__ if not base.__module__.startswith("pulumi")]
    return {
        name: typing.get_args(hint)[0]
        for base in own
        for name, hint in inspect.get_annotations(base).items()
        if typing.get_origin(hint) is pulumi.Output
    }


def inside(recording: Recording, name: str = "site") -> list[Recorded]:
    return recording.descendants(name)


def taggable(resource: Recorded) -> bool:
    """Whether the pulumi_aws class of this resource takes tags."""
    package, module, last = resource.type.split(":")
    if package != "aws" or not resource.custom:
        return False
    module = module.split("/")[0]
    home = importlib.import_module("pulumi_aws" if module == "index" else f"pulumi_aws.{module}")
    return "tags" in inspect.signature(getattr(home, last)._internal_init).parameters


def test_there_are_components_and_examples_for_no_others() -> None:
    assert COMPONENTS
    assert set(EXAMPLES) <= set(COMPONENTS)


@every_component
def test_the_constructor_takes_name_args_and_options(component: type) -> None:
    parameters = inspect.signature(component.__init__).parameters
    assert list(parameters) == ["self", "name", "args", "opts"]
    assert parameters["name"].annotation is str
    assert parameters["args"].default is inspect.Parameter.empty
    assert parameters["opts"].annotation == typing.Optional[pulumi.ResourceOptions]
    assert parameters["opts"].default is None


@every_component
def test_the_args_class_is_an_exported_keyword_only_dataclass(component: type) -> None:
    args = args_class(component)
    assert args.__name__ == f"{component.__name__}Args"
    assert getattr(edgelib, args.__name__, None) is args
    assert component.__name__ in edgelib.__all__
    assert args.__name__ in edgelib.__all__
    assert dataclasses.is_dataclass(args)
    assert [field.name for field in dataclasses.fields(args) if not field.kw_only] == []


@every_component
def test_a_plain_mapping_makes_the_same_component(component: type) -> None:
    def fields(args: object) -> dict[str, object]:
        return {
            field.name: getattr(args, field.name)
            for field in dataclasses.fields(args)
            if getattr(args, field.name) is not None
        }

    def program() -> None:
        args = example(component, "site")
        assert type(args).of(args) is args
        assert type(args).of(fields(args)) == args
        component("site", fields(args))

    assert everything(deploy(program)) == everything(recorded(component))


@every_component
def test_an_argument_that_does_not_exist_is_refused_by_name(component: type) -> None:
    with pytest.raises(ValueError, match=rf"{args_class(component).__name__}\.no_such_field"):
        args_class(component).of({"no_such_field": 1})


@every_component
def test_the_token_is_the_packages_index_and_the_class(component: type) -> None:
    assert recorded(component).named("site").type == f"edgelib:index:{component.__name__}"


def test_modules_of_components_keep_their_annotations() -> None:
    modules = (ROOT / "edgelib" / "components").glob("*.py")
    lazy = [
        path.name
        for path in modules
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    assert lazy == [], "Pulumi's schema analyzer needs real annotations, not strings"


def test_the_schema_is_the_reviewed_one() -> None:
    schema = json.loads(ComponentProvider(COMPONENTS, "edgelib").schema)
    for dependency in schema["dependencies"]:
        dependency.pop("version", None)  # that of the installed package
    text = json.dumps(schema, indent=2, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        SCHEMA.write_text(text, encoding="utf-8")
    known = SCHEMA.read_text(encoding="utf-8") if SCHEMA.exists() else ""
    assert text == known, (
        f"the schema that other languages see has changed; if it should, run "
        f"UPDATE_GOLDEN=1 pytest tests/test_conformance.py and review the diff of {SCHEMA.relative_to(ROOT)}"
    )


@every_component
def test_every_resource_is_inside_the_component_and_named_after_it(component: type) -> None:
    recording = recorded(component)
    own = inside(recording)
    assert own
    others = {each.name for each in recording.resources if each not in own} - {"site"}
    assert [name for name in others if not name.startswith(f"{OUTSIDE}-")] == []
    assert [each.name for each in own if not each.name.startswith("site-")] == []


@every_component
@pytest.mark.parametrize("preview", [False, True])
def test_the_registered_outputs_are_the_annotated_ones(component: type, preview: bool) -> None:
    recording = recorded(component, preview=preview)
    site = recording.named("site")
    annotated = output_names(component)
    optional = {name for name, kind in annotated.items() if type(None) in typing.get_args(kind)}
    assert annotated
    assert site.outputs.keys() <= annotated.keys()
    assert annotated.keys() - optional <= site.outputs.keys()
    assert annotated.keys() - optional <= recording.exports.keys()


@every_component
def test_outputs_are_registered_once_by_every_component_inside(component: type) -> None:
    recording = recorded(component)
    made = [each for each in recording.resources if not each.custom and not each.remote]
    assert {each.name: each.output_registrations for each in made} == {each.name: 1 for each in made}


@every_component
@pytest.mark.parametrize("preview", [False, True])
def test_secret_outputs_are_secret_as_attributes_and_as_registered(component: type, preview: bool) -> None:
    secret = {name for name in output_names(component) if SECRET.search(name)}
    recording = recorded(component, preview=preview)
    assert secret <= recording.named("site").secret_outputs
    assert secret <= recording.secret_exports


@every_component
def test_the_callers_options_reach_the_component_only(component: type) -> None:
    class Shell(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("test:index:Shell", "shell", {}, None)
            options = pulumi.ResourceOptions(
                parent=self, protect=True, aliases=[pulumi.Alias(name="before")], ignore_changes=["tags"]
            )
            make(component, opts=options)
            self.register_outputs({})

    recording = deploy(Shell)
    site = recording.named("site")
    own = inside(recording)
    assert site.parent_name == "shell"
    assert [alias["name"] for alias in site.options.aliases] == ["before"]
    assert site.options.protect is True
    assert site.options.ignore_changes == ("tags",)
    assert [(each.name, each.parent_name) for each in recording.children("shell")] == [("site", "shell")]
    assert {each.name for each in own} == {each.name for each in inside(recorded(component))}
    direct = recording.children(site)
    assert [each.name for each in direct if each.options.aliases] == [
        each.name for each in recorded(component).children("site") if each.options.aliases
    ]
    assert [str(each) for each in own if each.options.protect is not True] == []


@every_component
def test_every_taggable_resource_is_named_and_carries_the_common_tags(component: type) -> None:
    resources = [each for each in inside(deploy(lambda: make(component, tags={"team": "edge"}))) if taggable(each)]
    assert [str(each) for each in resources if each.inputs.get("tags", {}).get("team") != "edge"] == []
    unnamed = [each for each in resources if not each.inputs["tags"].get("Name", "").startswith("site")]
    assert [str(each) for each in unnamed] == []
    names = deploy(lambda: make(component, tags={"Name": "shared"}))
    renamed = {each.inputs["tags"]["Name"] for each in inside(names) if taggable(each)}
    assert renamed <= {"shared"}, "common tags go over {Name}"


@every_component
def test_two_of_them_live_side_by_side(component: type) -> None:
    def program() -> None:
        make(component, "north")
        make(component, "south")

    recording = deploy(program)
    north, south = (physical_names(inside(recording, name)) for name in ("north", "south"))
    assert north & south == set()
    assert len(inside(recording, "north")) == len(inside(recording, "south")) == len(inside(recorded(component)))


def physical_names(resources: list[Recorded]) -> set[tuple[str, str, str]]:
    return {
        (each.type, key, each.inputs[key])
        for each in resources
        for key in PHYSICAL_NAMES
        if each.inputs.get(key) and each.type not in NAMED_WITHIN_A_PARENT
    }


@every_component
def test_a_preview_shows_every_resource(component: type) -> None:
    assert {each.urn for each in recorded(component, preview=True).resources} == {
        each.urn for each in recorded(component).resources
    }


@every_component
def test_the_same_program_asks_for_the_same_again(component: type) -> None:
    assert everything(deploy(lambda: make(component))) == everything(recorded(component))


def everything(recording: Recording) -> dict[str, Mapping[str, object]]:
    return {each.urn: each.inputs for each in recording.resources}


def page(component: type) -> Path:
    return ROOT / "docs" / "components" / f"{component.__module__.rpartition('.')[2]}.md"


@every_component
def test_the_component_has_a_page_that_names_it(component: type) -> None:
    assert page(component).is_file(), f"write {page(component).relative_to(ROOT)}"
    text = page(component).read_text(encoding="utf-8")
    missing = [name for name in (component.__name__, args_class(component).__name__) if name not in text]
    assert missing == []


@every_component
def test_names_on_the_page_exist(component: type) -> None:
    text = page(component).read_text(encoding="utf-8")
    wrong = [
        f"{owner}.{name}"
        for owner, name in re.findall(r"`([A-Z]\w*)\.(\w+)", text)
        if not known(getattr(edgelib, owner, None), name)
    ]
    assert wrong == []
    unknown = [name for name in re.findall(r"`([A-Z]\w*Args)`", text) if not hasattr(edgelib, name)]
    assert unknown == []


def known(owner: object, name: str) -> bool:
    """Whether a class has this field, output, member or method."""
    if not inspect.isclass(owner):
        return False
    return hasattr(owner, name) or any(name in inspect.get_annotations(base) for base in owner.__mro__)


def test_no_component_loads_what_deployments_must_not_need() -> None:
    loaded = {name for name in sys.modules if name.startswith("edgelib.components")}
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for name in loaded
        for node in ast.walk(ast.parse(inspect.getsource(sys.modules[name])))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name for name in imported if name.partition(".")[0] in {"boto3", "botocore", "requests", "urllib"}} == set()
