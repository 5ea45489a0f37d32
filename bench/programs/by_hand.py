"""The site of examples/boston with its defaults, without edgelib: what one would write in plain Pulumi for the same resources.

tests/test_bench.py holds it to what the example asks for: when that changes, this changes.
"""

import json
from dataclasses import dataclass
from typing import Any, Optional

import pulumi
import pulumi_aws as aws

REGION = "us-east-1"
BOSTON = "us-east-1-wl1-bos-wlz-1"
ZONE_GROUP = "us-east-1-wl1"
VPC_CIDR = "10.0.0.0/16"
ANYWHERE = "0.0.0.0/0"
NODES = 2
NODE_TYPE = "t3.medium"
UBUNTU = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"

EC2_ASSUMES = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)
SESSION_MANAGER = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "ssm:UpdateInstanceInformation",
                    "ssmmessages:CreateControlChannel",
                    "ssmmessages:CreateDataChannel",
                    "ssmmessages:OpenControlChannel",
                    "ssmmessages:OpenDataChannel",
                ],
                "Resource": "*",
            }
        ],
    }
)
BASTION_USER_DATA = """\
#cloud-config
ssh_pwauth: false
disable_root: true
write_files:
- path: /etc/ssh/sshd_config.d/00-edgelib.conf
  permissions: '0600'
  content: |
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    PermitRootLogin no
    AllowUsers ubuntu
    AuthenticationMethods publickey
    MaxAuthTries 3
    LoginGraceTime 20
    AllowAgentForwarding no
    AllowStreamLocalForwarding no
    AllowTcpForwarding local
    PermitOpen *:22
    GatewayPorts no
    PermitTunnel no
    X11Forwarding no
    ClientAliveInterval 60
    ClientAliveCountMax 3
    LogLevel VERBOSE
runcmd:
- - systemctl
  - try-reload-or-restart
  - ssh
"""
NODE_USER_DATA = """\
#cloud-config
package_upgrade: true
"""


@dataclass
class Site:
    """What bastion and nodes need of the network."""

    vpc: "aws.ec2.Vpc"
    carrier_gateway: "aws.ec2.CarrierGateway"
    facts: "pulumi.Output[aws.GetAvailabilityZoneResult]"
    parent_subnet: "aws.ec2.Subnet"
    internet_route: "aws.ec2.Route"
    zone_subnet: "aws.ec2.Subnet"
    carrier_route: "aws.ec2.Route"


def network(name: str) -> Site:
    """The VPC over Region and zone."""
    facts = aws.get_availability_zone_output(name=BOSTON, all_availability_zones=True, region=REGION)
    opt_in = aws.ec2.AvailabilityZoneGroup(
        f"{name}-{ZONE_GROUP}",
        group_name=ZONE_GROUP,
        opt_in_status="opted-in",
        region=REGION,
        opts=pulumi.ResourceOptions(retain_on_delete=True),
    )
    vpc = aws.ec2.Vpc(
        f"{name}-vpc",
        cidr_block=VPC_CIDR,
        enable_dns_support=True,
        enable_dns_hostnames=True,
        region=REGION,
        tags={"Name": f"{name}-vpc"},
    )
    aws.ec2.DefaultSecurityGroup(f"{name}-default", vpc_id=vpc.id, region=REGION, tags={"Name": f"{name}-default"})
    internet_gateway = aws.ec2.InternetGateway(
        f"{name}-igw", vpc_id=vpc.id, region=REGION, tags={"Name": f"{name}-igw"}
    )
    carrier_gateway = aws.ec2.CarrierGateway(
        f"{name}-cagw",
        vpc_id=vpc.id,
        region=REGION,
        tags={"Name": f"{name}-cagw"},
        opts=pulumi.ResourceOptions(depends_on=[opt_in]),
    )

    parent_table = aws.ec2.RouteTable(f"{name}-public", vpc_id=vpc.id, region=REGION, tags={"Name": f"{name}-public"})
    internet_route = aws.ec2.Route(
        f"{name}-public",
        route_table_id=parent_table.id,
        destination_cidr_block=ANYWHERE,
        gateway_id=internet_gateway.id,
        region=REGION,
    )
    parent_subnet = subnet(f"{name}-public-parent", vpc, "10.0.0.0/19", facts.parent_zone_name, parent_table, opt_in)

    private_table = aws.ec2.RouteTable(
        f"{name}-private-parent", vpc_id=vpc.id, region=REGION, tags={"Name": f"{name}-private-parent"}
    )
    subnet(f"{name}-private-parent", vpc, "10.0.32.0/19", facts.parent_zone_name, private_table, opt_in)

    zone_table = aws.ec2.RouteTable(
        f"{name}-public-{BOSTON}", vpc_id=vpc.id, region=REGION, tags={"Name": f"{name}-public-{BOSTON}"}
    )
    carrier_route = aws.ec2.Route(
        f"{name}-public-{BOSTON}",
        route_table_id=zone_table.id,
        destination_cidr_block=ANYWHERE,
        carrier_gateway_id=carrier_gateway.id,
        region=REGION,
    )
    zone_subnet = subnet(f"{name}-public-{BOSTON}", vpc, "10.0.128.0/19", BOSTON, zone_table, opt_in)

    aws.ec2.VpcEndpoint(
        f"{name}-s3",
        vpc_id=vpc.id,
        service_name=f"com.amazonaws.{REGION}.s3",
        vpc_endpoint_type="Gateway",
        route_table_ids=[parent_table.id, private_table.id, zone_table.id],
        region=REGION,
        tags={"Name": f"{name}-s3"},
    )
    return Site(
        vpc=vpc,
        carrier_gateway=carrier_gateway,
        facts=facts,
        parent_subnet=parent_subnet,
        internet_route=internet_route,
        zone_subnet=zone_subnet,
        carrier_route=carrier_route,
    )


def subnet(
    name: str,
    vpc: "aws.ec2.Vpc",
    cidr_block: str,
    zone: pulumi.Input[str],
    table: "aws.ec2.RouteTable",
    opt_in: "aws.ec2.AvailabilityZoneGroup",
) -> "aws.ec2.Subnet":
    """A subnet and its route table."""
    made = aws.ec2.Subnet(
        name,
        vpc_id=vpc.id,
        cidr_block=cidr_block,
        availability_zone=zone,
        map_public_ip_on_launch=False,
        region=REGION,
        tags={"Name": name},
        opts=pulumi.ResourceOptions(depends_on=[opt_in]),
    )
    aws.ec2.RouteTableAssociation(name, subnet_id=made.id, route_table_id=table.id, region=REGION)
    return made


def egress(name: str, group: "aws.ec2.SecurityGroup", key: str, port: int, to: str) -> None:
    """A rule that lets members of ``group`` connect to one port."""
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-to-{key}",
        security_group_id=group.id,
        description=f"to {key}",
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        cidr_ipv4=to,
        region=REGION,
        tags={"Name": f"{name}-to-{key}"},
    )


def session_manager_profile(name: str) -> "aws.iam.InstanceProfile":
    """An instance profile for Session Manager."""
    role = aws.iam.Role(name, assume_role_policy=EC2_ASSUMES, tags={"Name": name})
    policy = aws.iam.RolePolicy(name, role=role.name, policy=SESSION_MANAGER)
    return aws.iam.InstanceProfile(
        name, role=role.name, tags={"Name": name}, opts=pulumi.ResourceOptions(depends_on=[policy])
    )


@dataclass
class Host:
    """An instance and its addresses."""

    instance: "aws.ec2.Instance"
    nic: "aws.ec2.NetworkInterface"
    address: "aws.ec2.Eip"


def host(
    name: str,
    *,
    subnet_id: pulumi.Input[str],
    route: "aws.ec2.Route",
    group: "aws.ec2.SecurityGroup",
    profile: "aws.iam.InstanceProfile",
    ami: pulumi.Input[str],
    instance_type: str,
    user_data: str,
    disk_gib: int,
    disk_type: str,
    border_group: Optional[pulumi.Input[str]] = None,
    wait_for: tuple[Any, ...] = (),
) -> Host:
    """Network interface, Elastic IP, association, then the instance."""
    nic = aws.ec2.NetworkInterface(
        name, subnet_id=subnet_id, security_groups=[group.id], region=REGION, tags={"Name": name}
    )
    address = aws.ec2.Eip(
        name,
        domain="vpc",
        network_border_group=border_group,
        region=REGION,
        tags={"Name": name},
        opts=pulumi.ResourceOptions(depends_on=[route]),
    )
    association = aws.ec2.EipAssociation(
        name, allocation_id=address.allocation_id, network_interface_id=nic.id, region=REGION
    )
    instance = aws.ec2.Instance(
        name,
        ami=ami,
        instance_type=instance_type,
        primary_network_interface={"network_interface_id": nic.id},
        iam_instance_profile=profile.name,
        user_data=user_data,
        user_data_replace_on_change=True,
        disable_api_termination=False,
        metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
        root_block_device={
            "encrypted": True,
            "volume_size": disk_gib,
            "volume_type": disk_type,
            "delete_on_termination": True,
            "tags": {"Name": name},
        },
        region=REGION,
        tags={"Name": name},
        opts=pulumi.ResourceOptions(
            depends_on=[association, route, *wait_for], delete_before_replace=True, ignore_changes=["ami"]
        ),
    )
    return Host(instance=instance, nic=nic, address=address)


def bastion(name: str, site: Site) -> tuple[Host, "aws.ec2.SecurityGroup"]:
    """The bastion in the parent Availability Zone."""
    group = aws.ec2.SecurityGroup(
        f"{name}-access", description="Bastion", vpc_id=site.vpc.id, region=REGION, tags={"Name": f"{name}-access"}
    )
    egress(name, group, "http", 80, ANYWHERE)
    egress(name, group, "https", 443, ANYWHERE)
    egress(name, group, "ssh", 22, VPC_CIDR)
    built = host(
        f"{name}-host",
        subnet_id=site.parent_subnet.id,
        route=site.internet_route,
        group=group,
        profile=session_manager_profile(f"{name}-host"),
        ami=aws.ssm.get_parameter_output(name=UBUNTU, region=REGION).insecure_value,
        instance_type="t3.micro",
        user_data=BASTION_USER_DATA,
        disk_gib=8,
        disk_type="gp3",
    )
    return built, group


def offered(zone: pulumi.Input[str], *, opted_in: bool) -> "pulumi.Output[None]":
    """Fails where the zone does not have the nodes' type; before the opt-in it has none at all."""

    def check(types: Any) -> None:
        if NODE_TYPE not in types and (types or opted_in):
            raise ValueError(f"{NODE_TYPE} is not offered in {BOSTON}")

    found = aws.ec2.get_instance_type_offerings_output(
        location_type="availability-zone",
        filters=pulumi.Output.from_input(zone).apply(lambda name: [{"name": "location", "values": [name]}]),
        region=REGION,
    )
    return found.instance_types.apply(check)


def nodes(name: str, site: Site, bastion_group: "aws.ec2.SecurityGroup") -> dict[str, Host]:
    """The nodes in the zone; each is replaced after the one before it."""
    group = aws.ec2.SecurityGroup(
        f"{name}-nodes",
        description=f"Nodes of {name}",
        vpc_id=site.vpc.id,
        region=REGION,
        tags={"Name": f"{name}-nodes"},
    )
    aws.vpc.SecurityGroupIngressRule(
        f"{name}-ssh",
        security_group_id=group.id,
        description="ssh",
        ip_protocol="tcp",
        from_port=22,
        to_port=22,
        referenced_security_group_id=bastion_group.id,
        region=REGION,
        tags={"Name": f"{name}-ssh"},
    )
    aws.vpc.SecurityGroupIngressRule(
        f"{name}-path-mtu-discovery",
        security_group_id=group.id,
        description="ICMP fragmentation needed",
        ip_protocol="icmp",
        from_port=3,
        to_port=4,
        cidr_ipv4=VPC_CIDR,
        region=REGION,
        tags={"Name": f"{name}-path-mtu-discovery"},
    )
    egress(name, group, "http", 80, ANYWHERE)
    egress(name, group, "https", 443, ANYWHERE)
    profile = session_manager_profile(f"{name}-node")
    checks = (offered(BOSTON, opted_in=False), offered(site.zone_subnet.availability_zone, opted_in=True))
    ami = aws.ssm.get_parameter_output(name=UBUNTU, region=REGION).insecure_value
    built: dict[str, Host] = {}
    before: tuple[Any, ...] = ()
    for number in range(1, NODES + 1):
        node = host(
            f"{name}-{number}",
            subnet_id=site.zone_subnet.id,
            route=site.carrier_route,
            group=group,
            profile=profile,
            ami=ami,
            instance_type=NODE_TYPE,
            user_data=NODE_USER_DATA,
            disk_gib=20,
            disk_type="gp2",
            border_group=site.facts.network_border_group,
            wait_for=(*checks, *before),
        )
        built[f"{name}-{number}"] = node
        before = (node.instance,)
    return built


def ssh_config(name: str, instance_id: str, addresses: dict[str, str]) -> str:
    """An OpenSSH configuration that reaches the nodes through the bastion."""
    common = "    User ubuntu\n    StrictHostKeyChecking accept-new\n    ServerAliveInterval 30\n"
    session = (
        f"aws ssm start-session --region {REGION} --target {instance_id}"
        " --document-name AWS-StartSSHSession --parameters portNumber=%p"
    )
    blocks = [f"Host {name}\n    HostName {instance_id}\n    ProxyCommand {session}\n{common}"]
    for node, address in addresses.items():
        blocks.append(f"Host {node}\n    HostName {address}\n    ProxyJump {name}\n{common}")
    return "\n".join(blocks)


def site(prefix: str = "") -> None:
    """Builds one site; ``prefix`` keeps the names of several in one program apart."""
    net = network(f"{prefix}boston")
    way_in, bastion_group = bastion(f"{prefix}bastion", net)
    edge = nodes(f"{prefix}edge", net, bastion_group)
    private_ips = {name: node.nic.private_ip for name, node in edge.items()}

    pulumi.export(f"{prefix}vpcId", net.vpc.id)
    pulumi.export(f"{prefix}carrierGatewayId", net.carrier_gateway.id)
    pulumi.export(f"{prefix}parentAvailabilityZone", net.facts.parent_zone_name)
    pulumi.export(f"{prefix}bastionInstanceId", way_in.instance.id)
    pulumi.export(f"{prefix}bastionPublicIp", way_in.address.public_ip)
    pulumi.export(f"{prefix}nodeInstanceIds", {name: node.instance.id for name, node in edge.items()})
    pulumi.export(f"{prefix}nodePrivateIps", private_ips)
    pulumi.export(f"{prefix}nodeCarrierIps", {name: node.address.carrier_ip for name, node in edge.items()})
    pulumi.export(
        f"{prefix}sshConfig",
        pulumi.Output.secret(
            pulumi.Output.all(way_in.instance.id, private_ips).apply(
                lambda found: ssh_config(f"{prefix}bastion", found[0], found[1])
            )
        ),
    )


if __name__ == "__main__":
    site()
