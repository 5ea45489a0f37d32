"""IAM roles of hosts: what a host may do, and nothing beside it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from edgelib.components._family import Family

# Systems Manager user guide, "Add Session Manager permissions to an existing IAM role". The managed policy
# AmazonSSMManagedInstanceCore would also let a host read every SSM parameter of the account.
SESSION_MANAGER = {
    "Effect": "Allow",
    "Action": [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ],
    "Resource": "*",  # these actions know no resource (Service authorization reference)
}


def trust_policy(service: str) -> str:
    """The policy document that lets ``service`` take a role on."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def instance_profile(
    family: Family, role: str, statements: Sequence[Mapping[str, Any]] = ()
) -> "aws.iam.InstanceProfile":
    """An instance profile called by ``role`` whose IAM role allows Session Manager and ``statements`` (with Inputs), nothing else."""
    iam_role = aws.iam.Role(**family.regionless(role), assume_role_policy=trust_policy("ec2.amazonaws.com"))
    allowed = {"Version": "2012-10-17", "Statement": [SESSION_MANAGER, *statements]}
    document = pulumi.Output.json_dumps(allowed) if statements else json.dumps(allowed)
    policy = aws.iam.RolePolicy(f"{family.name}-{role}", role=iam_role.name, policy=document, opts=family.opts())
    return aws.iam.InstanceProfile(**family.regionless(role, depends_on=[policy]), role=iam_role.name)
