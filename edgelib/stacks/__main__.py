"""The stack that the repository's own Pulumi project runs: one site, from configuration."""

import pulumi

from edgelib import BastionHost, BastionHostArgs, NodePool, NodePoolArgs, WavelengthVpc, WavelengthVpcArgs

config = pulumi.Config()
zone = config.require("zone")

vpc = WavelengthVpc("site", WavelengthVpcArgs(zones=[zone], cidr_block=config.get("cidrBlock")))
bastion = BastionHost("bastion", BastionHostArgs(network=vpc.network))
nodes = NodePool(
    "edge",
    NodePoolArgs(
        network=vpc.network, zone=zone, count=config.get_int("nodes"), instance_type=config.get("instanceType")
    ),
)

pulumi.export("vpcId", vpc.vpc_id)
pulumi.export("carrierGatewayId", vpc.carrier_gateway_id)
pulumi.export("bastionInstanceId", bastion.instance_id)
pulumi.export("nodeCarrierIps", nodes.carrier_ips)
