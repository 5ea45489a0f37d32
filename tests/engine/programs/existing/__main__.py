"""A pool in a VPC that is there already, whose ids come from configuration."""

import pulumi

from edgelib import ExistingSubnets, Network, NodePool, NodePoolArgs

BOSTON = "us-east-1-wl1-bos-wlz-1"
config = pulumi.Config()

network = Network.existing(
    vpc_id=config.require("vpc"),
    region="us-east-1",
    zones={BOSTON: ExistingSubnets(public_subnet_id=config.require("subnet"))},
)
pool = NodePool("edge", NodePoolArgs(network=network, zone=BOSTON))
pulumi.export("carrierIps", pool.carrier_ips)
