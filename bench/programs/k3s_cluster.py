"""A K3s cluster over Region and zone in a network that is there: one server, two agents, an API that one address may reach."""

import pulumi

from edgelib import K3sCluster, K3sClusterArgs, Network, NodePoolArgs
from edgelib.components.network import NetworkPlace, NetworkSubnet, SubnetEgress

BOSTON = "us-east-1-wl1-bos-wlz-1"


def network() -> Network:
    """The network as plain values, so that the cluster alone is measured."""
    parent = NetworkSubnet(
        id="subnet-0aaaaaaaaaaaaaaa0",
        availability_zone="us-east-1c",
        cidr_block="10.0.0.0/19",
        egress=SubnetEgress.INTERNET_GATEWAY,
    )
    zone = NetworkSubnet(
        id="subnet-0bbbbbbbbbbbbbbb0",
        availability_zone=BOSTON,
        cidr_block="10.0.128.0/19",
        egress=SubnetEgress.CARRIER_GATEWAY,
    )
    return Network(
        vpc_id="vpc-0123456789abcdef0",
        cidr_block="10.0.0.0/16",
        region="us-east-1",
        zones={BOSTON: NetworkPlace(public=zone, network_border_group=BOSTON)},
        availability_zones={"parent": NetworkPlace(public=parent)},
    )


def site(prefix: str = "") -> None:
    """Builds one cluster; ``prefix`` keeps the names of several in one program apart."""
    cluster = K3sCluster(
        f"{prefix}k3s",
        K3sClusterArgs(
            network=network(),
            servers=1,
            agents={"edge": NodePoolArgs(zone=BOSTON, count=2)},
            api_allowed_cidrs=["203.0.113.7/32"],
        ),
    )
    pulumi.export(f"{prefix}apiEndpoint", cluster.api_endpoint)
    pulumi.export(f"{prefix}nodes", cluster.nodes)
    pulumi.export(f"{prefix}kubeconfig", cluster.kubeconfig)
    pulumi.export(f"{prefix}sshConfig", cluster.ssh_config)


if __name__ == "__main__":
    site()
