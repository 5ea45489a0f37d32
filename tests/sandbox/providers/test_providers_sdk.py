"""The tables against the SDKs that programs use: names, types of property, and what is required."""

import importlib
import inspect
import re

import pytest

from edgelib.sandbox.providers import NAMES, packages
from edgelib.sandbox.providers.properties import Kind

EVERY_TYPE = [(package, token) for package in NAMES for token in packages.load(package).resources]
WITHOUT_FUNCTION = {"kubernetes:yaml:decode"}  # the SDK's classes call it by its token
EVERY_FUNCTION = [
    (package, token) for package in NAMES for token in packages.load(package).invokes if token not in WITHOUT_FUNCTION
]
# Left out by the SDK's type, but there is nothing sensible to do without it.
STRICTER = {
    "cidrBlock", "allocationId", "subnetId", "ami", "instanceType", "serviceName", "trafficType", "logDestination", "privateKeyPem",
    "caPrivateKeyPem",
}  # fmt: skip


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(part.upper() if part == "crd" else part.capitalize() for part in rest)


def module_of(package, token):
    _, module, name = token.split(":")
    if package == "kubernetes":  # its modules are API groups: helm.sh/v3 is pulumi_kubernetes.helm.v3
        return importlib.import_module(f"pulumi_kubernetes.{module.replace('.sh/', '.')}"), name
    folder = module.split("/")[0]
    return importlib.import_module(f"pulumi_{package}" + ("" if folder == "index" else f".{folder}")), name


def arguments(function):
    return {
        camel(name): parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in {"__self__", "opts"}
    }


@pytest.mark.parametrize(("package", "token"), EVERY_TYPE)
def test_a_type_takes_what_the_sdk_sends(package, token):
    module, name = module_of(package, token)
    given = arguments(getattr(module, f"{name}Args").__init__)
    readable = {camel(each) for each, value in vars(getattr(module, name)).items() if isinstance(value, property)}
    for row in packages.load(package).resources[token].properties:
        if row.output:
            assert row.name in readable, row.name
            continue
        assert row.name in given, row.name
        text = str(given[row.name].annotation)
        listed, mapped = "Sequence[" in text, bool(re.search(r"Mapping\[str, [^\]]*str", text))
        if row.kind in {Kind.LIST, Kind.SET, Kind.OBJECTS}:
            assert listed, row.name
        elif row.kind is Kind.MAP:
            assert mapped, row.name
        elif row.kind in {Kind.INTEGER, Kind.BOOLEAN}:
            assert {Kind.INTEGER: "int", Kind.BOOLEAN: "bool"}[row.kind] in text, row.name
    needed = {each for each, parameter in given.items() if parameter.default is inspect.Parameter.empty}
    required = {row.name for row in packages.load(package).resources[token].properties if row.required}
    assert needed <= required
    assert required - needed <= STRICTER


@pytest.mark.parametrize(("package", "token"), EVERY_FUNCTION)
def test_a_function_takes_what_the_sdk_sends(package, token):
    module, name = module_of(package, token)
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    given = arguments(getattr(module, snake))
    assert {row.name for row in packages.load(package).invokes[token].arguments} <= set(given)


def test_an_unknown_package_is_refused_by_name():
    with pytest.raises(
        ValueError, match="no stand-in for the provider 'gcp': there are aws, command, kubernetes, random, tls"
    ):
        packages.load("gcp")
