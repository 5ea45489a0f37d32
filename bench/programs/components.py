"""The site of examples/boston with its defaults, as components."""

import pulumi

from edgelib import BastionHost, BastionHostArgs, IngressArgs, NodePool, NodePoolArgs, WavelengthVpc, WavelengthVpcArgs
from edgelib.cloudinit.cloud_config import render_cloud_config

BOSTON = "us-east-1-wl1-bos-wlz-1"
NODES = 2


def site(prefix: str = "") -> None:
    """Builds one site; ``prefix`` keeps the names of several in one program apart."""
    keys: list[str] = []
    login = {"ssh_authorized_keys": keys} if keys else {}
    vpc = WavelengthVpc(f"{prefix}boston", WavelengthVpcArgs(zones=[BOSTON]))
    bastion = BastionHost(
        f"{prefix}bastion",
        BastionHostArgs(network=vpc.network, ssh_allowed_cidrs=[], ssh_authorized_keys=keys),
    )
    edge = NodePool(
        f"{prefix}edge",
        NodePoolArgs(
            network=vpc.network,
            zone=BOSTON,
            count=NODES,
            instance_type="t3.medium",
            user_data=render_cloud_config({"package_upgrade": True, **login}),
            ingress={"ssh": IngressArgs(port=22, security_group_id=bastion.security_group_id)},
        ),
    )
    pulumi.export(f"{prefix}vpcId", vpc.vpc_id)
    pulumi.export(f"{prefix}carrierGatewayId", vpc.carrier_gateway_id)
    pulumi.export(f"{prefix}parentAvailabilityZone", vpc.parent_availability_zone)
    pulumi.export(f"{prefix}bastionInstanceId", bastion.instance_id)
    pulumi.export(f"{prefix}bastionPublicIp", bastion.public_ip)
    pulumi.export(f"{prefix}nodeInstanceIds", edge.instance_ids)
    pulumi.export(f"{prefix}nodePrivateIps", edge.private_ips)
    pulumi.export(f"{prefix}nodeCarrierIps", edge.carrier_ips)
    pulumi.export(f"{prefix}sshConfig", bastion.ssh_config(edge.private_ips))


if __name__ == "__main__":
    site()
