"""The sandbox's own endpoints, what it refuses to be, and what it does not implement."""

import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.sandbox.aws.support import Server, refused


def raw(aws: Server, request: str) -> str:
    """What the server says to a request as sent on the wire."""
    url = urlsplit(aws.url)
    with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
        connection.sendall(request.encode())
        answer = b""
        while data := connection.recv(65536):
            answer += data
    return answer.decode()


def test_health_tells_whose_it_is(aws: Server) -> None:
    health = aws.control("health")
    assert (health["ok"], health["pid"], health["moto"]) == (True, aws.process.pid, "5.2.5")
    assert health["directory"] == str(aws.directory)


@pytest.mark.parametrize(
    "line", ["CONNECT ec2.us-east-1.amazonaws.com:443 HTTP/1.1", "POST http://ec2.us-east-1.amazonaws.com/ HTTP/1.1"]
)
def test_it_is_no_proxy(aws: Server, line: str) -> None:
    answer = raw(aws, f"{line}\r\nHost: ec2.us-east-1.amazonaws.com\r\nContent-Length: 0\r\n\r\n")
    status = answer.splitlines()[0]
    assert status.startswith("HTTP/1.1 403 the sandbox is on, it never talks to AWS; host ec2.us-east-1.amazonaws.com")
    assert status.endswith("refused")


def test_it_is_its_own_host(aws: Server) -> None:
    answer = raw(aws, f"GET {aws.url}/sandbox/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith("HTTP/1.1 200")


def test_it_listens_on_loopback_only(aws: Server) -> None:
    assert urlsplit(aws.url).hostname == "127.0.0.1"
    with Path(f"/proc/{aws.process.pid}/net/tcp").open() as table:
        port = f":{urlsplit(aws.url).port:04X}"
        listening = [line.split()[1] for line in table if line.split()[3] == "0A" and line.split()[1].endswith(port)]
    assert listening == [f"0100007F{port}"]


def test_calls_are_counted_in_the_order_of_their_first_appearance(aws: Server) -> None:
    ec2 = aws.client()
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    ec2.describe_vpcs()
    ec2.create_vpc(CidrBlock="10.1.0.0/16")
    refused("InvalidVpcID.NotFound", ec2.delete_vpc, VpcId="vpc-0")
    aws.client("ssm", "us-west-2").describe_parameters()
    rows = [
        (r["service"], r["action"], r["region"], r["mutating"], r["count"], r["errors"]) for r in aws.control("calls")
    ]
    assert rows == [
        ("ec2", "CreateVpc", "us-east-1", True, 2, 0),
        ("ec2", "DescribeVpcs", "us-east-1", False, 1, 0),
        ("ec2", "DeleteVpc", "us-east-1", True, 1, 1),
        ("ssm", "DescribeParameters", "us-west-2", False, 1, 0),
    ]
    assert aws.control("calls", "DELETE") == []


@pytest.mark.parametrize("path", ["/sandbox/nothing", "/moto-api/reset", "/latest/meta-data/"])
def test_other_paths_are_not_served(aws: Server, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(aws.url + path, timeout=30)
    with caught.value as answer:
        assert answer.code == 404


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("ec2", "create_placement_group", {"GroupName": "g", "Strategy": "cluster"}),
        ("ssm", "describe_instance_information", {}),
        ("service-quotas", "list_services", {}),
        ("braket", "search_devices", {"filters": []}),
    ],
)
def test_what_is_not_implemented_is_a_clean_refusal(aws: Server, service: str, call: str, arguments: dict) -> None:
    client = aws.client(service, attempts=5)
    with pytest.raises(Exception, match="does not implement") as caught:  # botocore has a class an operation
        getattr(client, call)(**arguments)
    metadata = caught.value.response["ResponseMetadata"]
    assert (metadata["HTTPStatusCode"], metadata["RetryAttempts"]) == (400, 0)


def test_an_emulator_bug_is_told_apart(aws: Server) -> None:
    """A request that moto chokes on is answered once, not as a 500 that SDKs retry for minutes."""
    body = b"Action=DescribeVpcs&Version=2016-11-15&Filter.1.Value.1=x"
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=sandbox/20260101/us-east-1/ec2/aws4_request, SignedHeaders=h",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(aws.url, body, headers), timeout=30)
    with caught.value as answer:
        assert answer.code == 400


def test_endpoint_file(aws: Server) -> None:
    document = json.loads((aws.directory / "endpoint.json").read_text())
    assert document == {"url": aws.url, "pid": aws.process.pid}
