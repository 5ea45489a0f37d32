"""A Wavelength site in Boston: network, bastion in the Region, nodes in the zone with carrier IPs."""

import pulumi

from edgelib import BastionHost, BastionHostArgs, IngressArgs, NodePool, NodePoolArgs, WavelengthVpc, WavelengthVpcArgs
from edgelib.cloudinit.cloud_config import render_cloud_config

BOSTON = "us-east-1-wl1-bos-wlz-1"

config = pulumi.Config()
keys = config.get_object("sshAuthorizedKeys") or []
login = {"ssh_authorized_keys": keys} if keys else {}

vpc = WavelengthVpc("boston", WavelengthVpcArgs(zones=[BOSTON]))
bastion = BastionHost(
    "bastion",
    BastionHostArgs(
        network=vpc.network,
        ssh_allowed_cidrs=config.get_object("sshAllowedCidrs") or [],
        ssh_authorized_keys=keys,
    ),
)
edge = NodePool(
    "edge",
    NodePoolArgs(
        network=vpc.network,
        zone=BOSTON,
        count=config.get_int("nodes"),
        instance_type=config.get("instanceType"),
        user_data=render_cloud_config({"package_upgrade": True, **login}),
        ingress={"ssh": IngressArgs(port=22, security_group_id=bastion.security_group_id)},
    ),
)

pulumi.export("vpcId", vpc.vpc_id)
pulumi.export("carrierGatewayId", vpc.carrier_gateway_id)
pulumi.export("parentAvailabilityZone", vpc.parent_availability_zone)
pulumi.export("bastionInstanceId", bastion.instance_id)
pulumi.export("bastionPublicIp", bastion.public_ip)
pulumi.export("nodeInstanceIds", edge.instance_ids)
pulumi.export("nodePrivateIps", edge.private_ips)
pulumi.export("nodeCarrierIps", edge.carrier_ips)
pulumi.export("sshConfig", bastion.ssh_config(edge.private_ips))
