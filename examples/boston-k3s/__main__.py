"""K3s over Region and zone: the server in us-east-1, the agents in Boston with carrier IPs, a bastion as the way in."""

import pulumi

from edgelib import (
    BastionHost,
    BastionHostArgs,
    IngressArgs,
    K3sCluster,
    K3sClusterArgs,
    NodePoolArgs,
    WavelengthVpc,
    WavelengthVpcArgs,
)

BOSTON = "us-east-1-wl1-bos-wlz-1"

config = pulumi.Config()
keys = config.get_object("sshAuthorizedKeys") or []

vpc = WavelengthVpc("boston", WavelengthVpcArgs(zones=[BOSTON]))
bastion = BastionHost(
    "bastion",
    BastionHostArgs(
        network=vpc.network,
        ssh_allowed_cidrs=config.get_object("sshAllowedCidrs") or [],
        ssh_authorized_keys=keys,
    ),
)
cluster = K3sCluster(
    "k3s",
    K3sClusterArgs(
        network=vpc.network,
        version="v1.36.2+k3s1",
        servers=config.get_int("servers"),
        agents={
            "edge": NodePoolArgs(
                zone=BOSTON,
                count=config.get_int("agents"),
                instance_type=config.get("instanceType"),
                # the carrier's devices reach what the zone serves; nobody else can open a connection to a carrier IP there
                ingress={"web": IngressArgs(port=443, cidr_blocks=["0.0.0.0/0"])},
            )
        },
        taint_zone_nodes=True,
        bastion=bastion.access,
        ssh_authorized_keys=keys,
        api_allowed_cidrs=config.get_object("apiAllowedCidrs"),
    ),
)

pulumi.export("vpcId", vpc.vpc_id)
pulumi.export("carrierGatewayId", vpc.carrier_gateway_id)
pulumi.export("bastionInstanceId", bastion.instance_id)
pulumi.export("apiEndpoint", cluster.api_endpoint)
pulumi.export("nodes", cluster.nodes)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("sshConfig", cluster.ssh_config)
