"""What the children of one component share (parent, name prefix, Region and tags), and what the component itself promises."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import pulumi

from edgelib.tags import Tags, named


class Untagged(TypedDict):
    """How a child without tags is registered."""

    resource_name: str
    region: str
    opts: pulumi.ResourceOptions


class Tagged(Untagged):
    """How a taggable child is registered."""

    tags: dict[str, pulumi.Input[str]]


class Regionless(TypedDict):
    """How a taggable child of a service without Regions (IAM) is registered."""

    resource_name: str
    tags: dict[str, pulumi.Input[str]]
    opts: pulumi.ResourceOptions


@dataclass(frozen=True)
class Family:
    """The children of ``component``, to spread into their constructors: ``aws.ec2.Vpc(**family.tagged("vpc"), cidr_block=...)``."""

    component: pulumi.Resource
    name: str
    region: str
    tags: Tags

    def opts(self, **options: Any) -> pulumi.ResourceOptions:
        """The options of a child, with ``options`` of its own."""
        return pulumi.ResourceOptions(parent=self.component, **options)

    def untagged(self, role: str, **options: Any) -> Untagged:
        """Name, Region and options of the child called by ``role``."""
        return {"resource_name": f"{self.name}-{role}", "region": self.region, "opts": self.opts(**options)}

    def tagged(self, role: str, **options: Any) -> Tagged:
        """Name, Region, tags and options of the child called by ``role``."""
        return {**self.untagged(role, **options), "tags": named(f"{self.name}-{role}", self.tags)}

    def regionless(self, role: str, **options: Any) -> Regionless:
        """Name, tags and options of the child called by ``role``."""
        name = f"{self.name}-{role}"
        return {"resource_name": name, "tags": named(name, self.tags), "opts": self.opts(**options)}

    def invoke(self) -> pulumi.InvokeOutputOptions:
        """Options of a look-up: the providers that the component was given."""
        return pulumi.InvokeOutputOptions(parent=self.component)


def publish(component: pulumi.ComponentResource, outputs: Mapping[str, pulumi.Output[Any]]) -> None:
    """Gives ``component`` its ``outputs``, by the names of its annotations, and registers them."""
    for name, value in outputs.items():
        setattr(component, name, value)
    component.register_outputs(dict(outputs))
