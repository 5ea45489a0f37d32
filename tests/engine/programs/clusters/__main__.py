"""Two clusters in one VPC: three servers in the Region with an agent in the zone, and one that stands in the zone as a whole."""

import pulumi

from edgelib import K3sCluster, K3sClusterArgs, NodePoolArgs, WaitFor, WavelengthVpc, WavelengthVpcArgs

BOSTON = "us-east-1-wl1-bos-wlz-1"
LOOPBACK = ["127.0.0.0/8"]  # where the emulated servers answer

vpc = WavelengthVpc("boston", WavelengthVpcArgs(zones=[BOSTON]))
north = K3sCluster(
    "north",
    K3sClusterArgs(
        network=vpc.network,
        servers=3,
        agents={"edge": NodePoolArgs(zone=BOSTON)},
        api_allowed_cidrs=LOOPBACK,
        server_config={"disable": ["traefik"]},
    ),
)
south = K3sCluster(
    "south",
    K3sClusterArgs(
        network=vpc.network,
        control_plane="site",
        agents={"edge": NodePoolArgs(zone=BOSTON)},
        api_allowed_cidrs=LOOPBACK,
        wait_for=WaitFor.NODES_READY,
    ),
)
pulumi.export("north", {"kubeconfig": north.kubeconfig, "nodes": north.nodes})
pulumi.export("south", {"kubeconfig": south.kubeconfig, "nodes": south.nodes})
