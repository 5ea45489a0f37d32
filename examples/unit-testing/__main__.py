"""A factory's edge site in Boston: machines on the carrier's network report to a K3s cluster in the Wavelength Zone."""

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
MQTT_OVER_TLS = 8883

config = pulumi.Config()
machines = config.get_object("machineCidrs") or []
admins = config.get_object("adminCidrs") or []
keys = config.get_object("adminKeys") or []

vpc = WavelengthVpc("factory", WavelengthVpcArgs(zones=[BOSTON]))
bastion = BastionHost(
    "bastion", BastionHostArgs(network=vpc.network, ssh_allowed_cidrs=admins, ssh_authorized_keys=keys)
)
reports = IngressArgs(port=MQTT_OVER_TLS, cidr_blocks=machines)
cluster = K3sCluster(
    "k3s",
    K3sClusterArgs(
        network=vpc.network,
        servers=config.get_int("servers"),
        agents={
            "edge": NodePoolArgs(
                zone=BOSTON,
                count=config.get_int("agents"),
                instance_type="t3.xlarge",
                ingress={"reports": reports} if machines else {},
            )
        },
        bastion=bastion.access,
        ssh_authorized_keys=keys,
        api_allowed_cidrs=admins,
    ),
)

pulumi.export("apiEndpoint", cluster.api_endpoint)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("sshConfig", cluster.ssh_config)
pulumi.export(
    "reportTo",
    cluster.nodes.apply(lambda nodes: {name: node["carrier_ip"] for name, node in nodes["edge"].items()}),
)
