"""Every option of the network and the pools that builds something of its own; two zones, two Availability Zones."""

import pulumi

from edgelib import (
    NODE_ENDPOINTS,
    BastionHost,
    BastionHostArgs,
    DiskArgs,
    Egress,
    FlowLogsArgs,
    IngressArgs,
    NatStrategy,
    NodePool,
    NodePoolArgs,
    WavelengthVpc,
    WavelengthVpcArgs,
)

BOSTON, NEW_YORK = "us-east-1-wl1-bos-wlz-1", "us-east-1-wl1-nyc-wlz-1"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGExampleExampleExampleExampleExample me@example"

vpc = WavelengthVpc(
    "site",
    WavelengthVpcArgs(
        zones=[BOSTON, NEW_YORK],
        cidr_block="172.16.0.0/20",
        availability_zones=["us-east-1f"],
        nat=NatStrategy.PER_AZ,
        interface_endpoints=list(NODE_ENDPOINTS),
        flow_logs=FlowLogsArgs(retention_days=7),
        tags={"site": "east"},
    ),
)
bastion = BastionHost(
    "bastion",
    BastionHostArgs(network=vpc.network, ssh_allowed_cidrs=["203.0.113.0/24"], ssh_authorized_keys=[KEY]),
)
private = NodePool("private", NodePoolArgs(network=vpc.network, zone=BOSTON, egress=Egress.NAT, count=1))
gpu = NodePool(
    "gpu",
    NodePoolArgs(
        network=vpc.network,
        zone=NEW_YORK,
        instance_type="g4dn.2xlarge",
        count=3,
        max_unavailable=2,
        disks={"/dev/sdf": DiskArgs(size_gib=100), "/dev/sdg": DiskArgs(size_gib=50)},
        labels={"edgelib.io/role": "inference"},
        ingress={"game": IngressArgs(port=7777, cidr_blocks=["0.0.0.0/0"])},
    ),
)
region = NodePool("region", NodePoolArgs(network=vpc.network, availability_zone="us-east-1f", instance_type="t3.large"))

pulumi.export("blocks", vpc.blocks)
pulumi.export("natPublicIps", vpc.nat_public_ips)
pulumi.export("publicIps", region.public_ips)
pulumi.export("carrierIps", gpu.carrier_ips)
pulumi.export("privateCarrierIps", private.carrier_ips)
