# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# Why: moto types its internals in part; ours are typed where they meet the rest of the sandbox.
"""The emulated EC2 put together, and its place in moto."""

from moto.ec2 import urls as ec2_urls
from moto.ec2.models import (
    ec2_backends,
)
from moto.ec2.models import (
    instances as moto_instances,
)
from moto.ec2.models import (
    nat_gateways as moto_nat_gateways,
)
from moto.ec2.models import (
    route_tables as moto_route_tables,
)
from moto.ec2.models import (
    subnets as moto_subnets,
)
from moto.ec2.models import (
    vpcs as moto_vpcs,
)

from edgelib.sandbox.aws.instances import InstancesBackend, InstancesResponses, SandboxInstance
from edgelib.sandbox.aws.parameters import install_parameters
from edgelib.sandbox.aws.policies import install_policies
from edgelib.sandbox.aws.routes import SandboxRoute
from edgelib.sandbox.aws.subnets import SandboxSubnet
from edgelib.sandbox.aws.zones import install_zones


class SandboxEc2(InstancesBackend):
    """EC2 of a Region, every noun of it."""


class SandboxEc2Responses(InstancesResponses):
    """EC2's calls."""


def _no_address() -> None:
    """moto would draw an address at random, outside the subnet; None lets the subnet draw one."""


def install() -> None:
    """Make moto's EC2, SSM and IAM these. To be called once, before moto answers anything."""
    if ec2_backends.backend is SandboxEc2:
        return
    install_zones()
    SandboxEc2.__module__ = "moto.ec2.models"  # moto finds the service's URLs by the backend's module
    ec2_backends.backend = SandboxEc2
    ec2_urls.url_paths["{0}/"] = SandboxEc2Responses.dispatch
    moto_instances.Instance = SandboxInstance
    moto_subnets.Subnet = SandboxSubnet
    moto_route_tables.Route = SandboxRoute
    for module in (moto_nat_gateways, moto_vpcs):
        module.__dict__["random_private_ip"] = _no_address
    install_parameters()
    install_policies()
