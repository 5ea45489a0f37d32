"""What a role's policies allow."""

import json

import pytest

from edgelib.sandbox.machines.permissions import allows

ACTION = "ssm:GetParameters"
ARN = "arn:aws:ssm:us-east-1:123456789012:parameter/k3s/token"


def policy(**statement):
    return json.dumps({"Statement": {"Effect": "Allow", "Action": ACTION, "Resource": "*", **statement}})


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ({}, True),
        ({"Resource": ARN}, True),
        ({"Resource": ["arn:aws:s3:::x", "arn:aws:ssm:*:*:parameter/k3s/*"]}, True),
        ({"Resource": "arn:aws:ssm:us-east-1:123456789012:parameter/k3s"}, False),
        ({"Resource": "arn:aws:ssm:us-east-1:123456789012:parameter/k3s/toke?"}, True),
        ({"Resource": "arn:aws:ssm:us-east-1:123456789012:parameter/k3s/toke[n]"}, False),
        ({"Resource": "arn:aws:ssm:eu-west-2:123456789012:parameter/k3s/*"}, False),
        ({"Action": "ssm:*"}, True),
        ({"Action": ["SSM:getparameters"]}, True),
        ({"Action": "ssm:GetParameter"}, False),
        ({"Effect": "Deny"}, False),
    ],
)
def test_a_policy_allows_what_it_names(statement, allowed):
    assert allows([policy(**statement)], ACTION, ARN) is allowed


def test_without_policies_nothing_is_allowed():
    assert not allows([], ACTION, ARN)


def test_a_denial_anywhere_wins():
    assert not allows([policy(), policy(Effect="Deny", Resource="*/token")], ACTION, ARN)


def test_everything_but_what_is_named():
    statement = {"Effect": "Allow", "NotAction": "ssm:GetParameters", "NotResource": "*/other"}
    text = json.dumps({"Statement": [statement]})
    assert not allows([text], ACTION, ARN)
    assert allows([text], "ssm:PutParameter", ARN)
    assert not allows([text], "ssm:PutParameter", "x/other")
