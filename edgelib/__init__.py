"""5G edge sites on AWS Wavelength as Pulumi components."""

from edgelib.components.bastion_host import BastionHost, BastionHostArgs
from edgelib.components.network import ExistingSubnets, Network
from edgelib.components.node_pool import DiskArgs, DiskType, Egress, IngressArgs, NodePool, NodePoolArgs, Protocol
from edgelib.components.wavelength_vpc import (
    NODE_ENDPOINTS,
    FlowLogsArgs,
    NatStrategy,
    WavelengthVpc,
    WavelengthVpcArgs,
    ZoneGroupOptIn,
)
from edgelib.errors import ArgsError

__all__ = [
    "NODE_ENDPOINTS",
    "ArgsError",
    "BastionHost",
    "BastionHostArgs",
    "DiskArgs",
    "DiskType",
    "Egress",
    "ExistingSubnets",
    "FlowLogsArgs",
    "IngressArgs",
    "NatStrategy",
    "Network",
    "NodePool",
    "NodePoolArgs",
    "Protocol",
    "WavelengthVpc",
    "WavelengthVpcArgs",
    "ZoneGroupOptIn",
]
