"""The fault plan: throttles, the n-th call, lost answers, delays, want of capacity."""

import json
import time
import urllib.error
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.sandbox.aws.support import BOSTON, Server, Site, refused


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_throttles_are_retried(aws: Server, mode: str) -> None:
    throttle = {"code": "RequestLimitExceeded", "status": 503, "times": 3}
    aws.faults({"service": "ec2", "action": "DescribeVpcs", **throttle})
    refused("RequestLimitExceeded", aws.client(attempts=0, mode="legacy").describe_vpcs)
    answer = aws.client(attempts=5, mode=mode).describe_vpcs()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert aws.control("faults")[0]["hits"] == 3


@pytest.mark.parametrize(
    ("service", "call"),
    [
        ("iam", "list_roles"),
        ("ssm", "describe_parameters"),
        ("s3", "list_buckets"),
        ("kms", "list_keys"),
        ("logs", "describe_log_groups"),
        ("sts", "get_caller_identity"),
    ],
)
def test_every_protocol_reads_the_error(aws: Server, service: str, call: str) -> None:
    aws.faults({"service": service, "times": 1, "code": "AccessDenied", "status": 403, "message": "a <b> & 'c'"})
    client = aws.client(service)
    assert refused("AccessDenied", getattr(client, call)) == "a <b> & 'c'"
    getattr(client, call)()


def test_the_nth_call_fails_before_or_after_the_work(aws: Server) -> None:
    ec2 = aws.client()
    nth = {"action": "CreateVpc", "times": 1, "code": "Broken"}
    aws.faults({**nth, "after": 1}, {**nth, "after": 2, "late": True})

    def make() -> Any:
        return ec2.create_vpc(CidrBlock="10.0.0.0/16")

    make()
    refused("Broken", make)
    assert len(aws.inventory()["ec2:vpc"]) == 1
    make()
    refused("Broken", make)  # the second rule's third call: the first rule took one of the four
    assert len(aws.inventory()["ec2:vpc"]) == 3


def test_a_lost_answer_closes_the_connection_after_the_work(aws: Server) -> None:
    aws.faults({"action": "CreateVpc", "times": 1, "late": True})
    with pytest.raises(ConnectionClosedError):
        aws.client(attempts=0, mode="legacy").create_vpc(CidrBlock="10.0.0.0/16")
    assert len(aws.inventory()["ec2:vpc"]) == 1
    assert [row["errors"] for row in aws.control("calls") if row["action"] == "CreateVpc"] == [1]


def test_a_lost_launch_is_not_made_twice(site: Site) -> None:
    """botocore sends the same client token again."""
    site.aws.faults({"action": "RunInstances", "times": 1, "late": True})
    request = {"ImageId": site.images["22.04"], "InstanceType": "t3.medium", "SubnetId": site.boston}
    site.aws.client(attempts=3).run_instances(**request, MinCount=1, MaxCount=1)
    assert len(site.aws.inventory()["ec2:instance"]) == 1


def test_a_delay_holds_up_one_call_only(aws: Server) -> None:
    aws.faults({"action": "DescribeSubnets", "delay": 0.3, "params": {"SubnetId.1": "subnet-*"}})
    began = time.monotonic()
    refused("InvalidSubnetID.NotFound", aws.client().describe_subnets, SubnetIds=["subnet-0"])
    assert time.monotonic() - began > 0.3
    assert aws.control("faults")[0]["hits"] == 1
    aws.client().describe_subnets()
    assert aws.control("faults")[0]["hits"] == 1


def test_a_rate_lets_so_many_calls_pass(aws: Server) -> None:
    aws.faults({"action": "DescribeVpcs", "rate": 3, "code": "RequestLimitExceeded", "status": 503})
    ec2 = aws.client(attempts=0, mode="legacy")
    calls = (ec2.describe_vpcs() for _ in range(200))
    with pytest.raises(ClientError, match="RequestLimitExceeded"):
        list(calls)


def test_no_capacity_by_zone_and_type(site: Site) -> None:
    site.aws.faults({"zone": BOSTON, "type": "t3.m*", "times": 2})
    request = {"ImageId": site.images["22.04"], "InstanceType": "t3.medium", "MinCount": 1, "MaxCount": 1}
    once = site.aws.client(attempts=0, mode="legacy")
    refused("InsufficientInstanceCapacity", once.run_instances, SubnetId=site.boston, **request)
    once.run_instances(SubnetId=site.new_york, **request)
    once.run_instances(SubnetId=site.boston, **(request | {"InstanceType": "t3.xlarge"}))
    answer = site.aws.client(attempts=3).run_instances(SubnetId=site.boston, **request)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(site.aws.inventory()["ec2:instance"]) == 3


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ({"acton": "RunInstances", "code": "X"}, "unknown key acton"),
        ({"action": "RunInstances"}, "does nothing"),
        ({"code": "X", "times": "3"}, "times is '3'"),
        ({"code": "X", "late": 1}, "late is 1"),
        ({"code": "X", "params": {"a": 1}}, "params is"),
        ("RunInstances", "JSON object"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_the_keys(aws: Server, rule: Any, what: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        aws.control("faults", "POST", [{"code": "Fine"}, rule])
    with caught.value as answer:
        assert answer.code == 400
        text = json.load(answer)["error"]
    assert what in text
    if "unknown" in what:
        assert "the keys are service, action, region, params, after, times, rate" in text
    assert aws.control("faults") == []  # all or nothing


def test_rules_are_dropped_at_once(aws: Server) -> None:
    aws.faults({"code": "Broken"})
    refused("Broken", aws.client().describe_vpcs)
    assert aws.control("faults", "DELETE") == []
    aws.client().describe_vpcs()
