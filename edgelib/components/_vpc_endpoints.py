"""The endpoints of a `WavelengthVpc`: AWS services without the internet. They stand in the Region; Wavelength Zones have none."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from edgelib.components._family import Family


def s3_endpoint(family: Family, vpc_id: pulumi.Input[str], route_tables: Sequence[pulumi.Input[str]]) -> None:
    """The S3 gateway endpoint on every route table: it costs nothing and image layers of ECR come from S3."""
    aws.ec2.VpcEndpoint(
        **family.tagged("s3"),
        vpc_id=vpc_id,
        service_name=f"com.amazonaws.{family.region}.s3",
        vpc_endpoint_type="Gateway",
        route_table_ids=route_tables,
    )


def interface_endpoints(
    family: Family,
    services: Sequence[str],
    vpc_id: pulumi.Input[str],
    vpc_cidr: str,
    subnets: Sequence[pulumi.Input[str]],
) -> None:
    """One interface endpoint per service, open to the VPC on TCP 443 and to nobody else."""
    group = aws.ec2.SecurityGroup(**family.tagged("endpoints"), description="VPC endpoints", vpc_id=vpc_id)
    aws.vpc.SecurityGroupIngressRule(
        **family.tagged("endpoints-https"),
        security_group_id=group.id,
        description="AWS API calls from the VPC",
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        cidr_ipv4=vpc_cidr,
    )
    for service in services:
        aws.ec2.VpcEndpoint(
            **family.tagged(service),
            vpc_id=vpc_id,
            service_name=f"com.amazonaws.{family.region}.{service}",
            vpc_endpoint_type="Interface",
            subnet_ids=subnets,
            security_group_ids=[group.id],
            private_dns_enabled=True,
        )
