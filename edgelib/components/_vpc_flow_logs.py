"""Flow logs of a `WavelengthVpc`."""

import json

import pulumi
import pulumi_aws as aws

from edgelib.components._family import Family
from edgelib.components._roles import trust_policy

_ROLE = "flow-logs"


def flow_logs(family: Family, retention_days: int, vpc_id: pulumi.Input[str]) -> None:
    """All traffic of the VPC to a log group of its own, through a role that may write there and nowhere else."""
    group = aws.cloudwatch.LogGroup(**family.tagged(_ROLE), retention_in_days=retention_days)
    role = aws.iam.Role(**family.regionless(_ROLE), assume_role_policy=trust_policy("vpc-flow-logs.amazonaws.com"))
    document = group.arn.apply(flow_log_policy)
    policy = aws.iam.RolePolicy(f"{family.name}-{_ROLE}", role=role.name, policy=document, opts=family.opts())
    aws.ec2.FlowLog(
        **family.tagged(_ROLE, depends_on=[policy]),
        vpc_id=vpc_id,
        traffic_type="ALL",
        log_destination=group.arn,
        iam_role_arn=role.arn,
    )


def flow_log_policy(log_group_arn: str) -> str:
    """What VPC flow logs need to write into one log group (Amazon VPC user guide, IAM role for flow logs)."""
    actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams"]
    arn = log_group_arn.removesuffix(":*")
    statement = {"Effect": "Allow", "Action": actions, "Resource": [arn, f"{arn}:*"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
