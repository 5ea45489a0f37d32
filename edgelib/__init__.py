"""5G edge sites on AWS Wavelength as Pulumi components."""

from edgelib.components.bastion_host import BastionAccess, BastionHost, BastionHostArgs
from edgelib.components.k3s_cluster import (
    ControlPlane,
    EtcdSnapshotsArgs,
    K3sCluster,
    K3sClusterArgs,
    RegistryMirrorArgs,
    WaitFor,
)
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
    "BastionAccess",
    "BastionHost",
    "BastionHostArgs",
    "ControlPlane",
    "DiskArgs",
    "DiskType",
    "Egress",
    "EtcdSnapshotsArgs",
    "ExistingSubnets",
    "FlowLogsArgs",
    "IngressArgs",
    "K3sCluster",
    "K3sClusterArgs",
    "NatStrategy",
    "Network",
    "NodePool",
    "NodePoolArgs",
    "Protocol",
    "RegistryMirrorArgs",
    "WaitFor",
    "WavelengthVpc",
    "WavelengthVpcArgs",
    "ZoneGroupOptIn",
]
