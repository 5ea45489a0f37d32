"""`edgelib sandbox` as a user types it, with the real emulator, and with an AWS account that must not be touched."""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

CODE = "from edgelib.sandbox.commands import sandbox; sandbox(prog_name='edgelib sandbox')"

CREDENTIALS = """
[production]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""

CREATE_VPC = """
import boto3
session = boto3.Session(region_name="us-east-1")
print(session.get_credentials().access_key)
print(session.client("ec2").create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"])
"""

RUN_INSTANCE = """
import boto3
ec2, ssm = (boto3.client(name, region_name="us-east-1") for name in ("ec2", "ssm"))
name = "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id"
image = ssm.get_parameter(Name=name)["Parameter"]["Value"]
tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "edge"}]}]
made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=tags)
ids = [each["InstanceId"] for each in made["Instances"]]
ec2.get_waiter("instance_running").wait(InstanceIds=ids, WaiterConfig={"Delay": 1})
print(*ids)
"""

VPC_IDS = """
import boto3
for vpc in boto3.client("ec2", region_name="us-east-1").describe_vpcs()["Vpcs"]:
    print(vpc["VpcId"])
"""

REAL_ENDPOINT = """
import boto3
boto3.client("ec2", region_name="us-east-1", endpoint_url="https://ec2.us-east-1.amazonaws.com").describe_vpcs()
"""

PLAIN_HTTP = """
import urllib.request
urllib.request.urlopen("http://sts.amazonaws.com/", timeout=30)
"""


class CommandLine:
    """A user at a shell: a project, a home with AWS credentials, and an engine that can download nothing."""

    def __init__(self, home, engine=None):
        self.home = home
        self.project = home / "project"
        self.project.mkdir(parents=True)
        (self.project / "Pulumi.yaml").write_text("name: site\nruntime: python\n")
        (home / ".aws").mkdir()
        (home / ".aws" / "credentials").write_text(CREDENTIALS)
        kept = {name: value for name, value in os.environ.items() if name not in ("EDGELIB_SANDBOX", "PULUMI_HOME")}
        self.environ = {
            **kept,
            "HOME": str(home),
            "AWS_PROFILE": "production",
            "AWS_ENDPOINT_URL_EC2": "https://ec2.us-east-1.amazonaws.com",
        }
        if engine is not None:
            self.environ["PATH"] = os.pathsep.join((str(engine), os.environ["PATH"]))

    def __call__(self, *arguments, cwd=None):
        return subprocess.run(
            [sys.executable, "-c", CODE, *arguments],
            cwd=cwd or self.project,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def run(self, *command):
        return self("run", "--", *command)

    def python(self, code):
        return self.run("python", "-c", code)

    def status(self):
        return json.loads(self("status", "--json").stdout)


@pytest.fixture(scope="module")
def edgelib_sandbox(tmp_path_factory, write_engine):
    folder = tmp_path_factory.mktemp("commands")
    line = CommandLine(folder / "home", write_engine(folder / "engine"))
    yield line
    line("stop")


@pytest.fixture(scope="module")
def running(edgelib_sandbox):
    started = edgelib_sandbox("start")
    assert started.returncode == 0, started.stderr
    return edgelib_sandbox


def test_before_the_first_start_there_is_nothing(edgelib_sandbox):
    found = edgelib_sandbox("status")
    assert found.returncode == 3
    assert "stopped" in found.stdout
    assert not (edgelib_sandbox.project / ".sandbox").exists()


def test_a_running_sandbox_tells_what_it_is(running):
    found = running("status", "--json")
    assert found.returncode == 0
    status = json.loads(found.stdout)
    assert status["state"] == "running"
    assert status["directory"] == str(running.project / ".sandbox")
    assert psutil.Process(status["pid"]).is_running()
    assert status["engine"]["version"] == "3.250.0"
    assert status["providers"]["aws"]["kind"] == "stand-in"
    text = running("status").stdout
    assert status["url"] in text
    assert "pulumi 3.250.0" in text


def test_start_again_says_that_it_runs(running):
    assert "already running" in running("start").stdout


def test_from_a_folder_below_it_is_the_same_sandbox(running):
    below = running.project / "modules" / "network"
    below.mkdir(parents=True)
    assert json.loads(running("status", "--json", cwd=below).stdout)["pid"] == running.status()["pid"]


def test_boto3_reaches_the_emulator_and_not_the_users_account(running):
    before = running.status()["resources"].get("ec2:vpc", 0)
    done = running.python(CREATE_VPC)
    assert done.returncode == 0, done.stderr
    key, vpc = done.stdout.split()
    assert key == "sandbox"
    assert vpc.startswith("vpc-")
    assert running.status()["resources"]["ec2:vpc"] == before + 1


def test_a_call_to_a_real_endpoint_fails_at_once(running):
    done = running.python(REAL_ENDPOINT)
    assert done.returncode == 1
    assert "Failed to connect to proxy" in done.stderr


def test_a_refused_call_says_why(running):
    done = running.python(PLAIN_HTTP)
    assert done.returncode == 1
    assert "the sandbox is on, it never talks to AWS; host sts.amazonaws.com refused" in done.stderr


def test_run_is_transparent(running):
    done = running.run("sh", "-c", 'echo "$@"; exit 7', "sh", "--json", "-v", "--directory", "x")
    assert (done.returncode, done.stdout, done.stderr) == (7, "--json -v --directory x\n", "")
    assert running.run("sh", "-c", "kill -TERM $$").returncode == -signal.SIGTERM
    assert running.run("sh", "-c", "yes | head -1").stderr == ""


def test_within_run_the_sandbox_is_the_default(running, tmp_path):
    shown = running.run("sh", "-c", f'cd {tmp_path} && python -c "{CODE}" status --json')
    assert json.loads(shown.stdout)["directory"] == str(running.project / ".sandbox")


@pytest.mark.parametrize(("command", "code"), [("no-such-command", 127), ("/", 126)])
def test_a_command_that_cannot_run_is_named(running, command, code):
    done = running.run(command)
    assert done.returncode == code
    assert command in done.stderr
    assert "Traceback" not in done.stderr


def test_after_a_crash_run_heals_and_the_account_is_as_it_was(running):
    running.python(CREATE_VPC)
    before = running.python(VPC_IDS).stdout
    process = psutil.Process(running.status()["pid"])
    process.kill()
    psutil.wait_procs([process], timeout=10)
    crashed = running("status")
    assert crashed.returncode == 3
    assert "`edgelib sandbox start` heals it" in crashed.stdout
    after = running.python(VPC_IDS)
    assert after.stdout == before
    assert "starting the AWS emulator" in after.stderr


def test_reset_gives_a_new_account(running):
    running.python(CREATE_VPC)
    assert running("reset").returncode == 0
    assert running.status()["resources"].get("ec2:vpc", 0) == 0


def test_a_named_folder_with_other_content_is_refused_plainly(edgelib_sandbox):
    done = edgelib_sandbox("start", "--directory", str(edgelib_sandbox.home))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {edgelib_sandbox.home} is not a sandbox")


def test_a_launched_instance_is_shown_as_a_machine(running):
    done = running.python(RUN_INSTANCE)
    assert done.returncode == 0, done.stderr
    shown = running("status").stdout
    assert f"{done.stdout.strip()} edge (running)" in shown
    assert [each["name"] for each in running.status()["machines"]] == ["edge"]


def test_after_a_stop_no_process_is_left(running):
    assert running("stop").returncode == 0
    root = str(running.project / ".sandbox")
    lines = [" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])]
    assert [line for line in lines if root in line] == []


@pytest.mark.engine
def test_pulumi_works_at_once(tmp_path):
    line = CommandLine(tmp_path / "home")
    try:
        made = line.run("pulumi", "stack", "init", "boston", "--non-interactive")
        assert made.returncode == 0, made.stderr
        assert line.status()["stacks"] == ["site/boston"]
        assert line.run("pulumi", "stack", "--show-name").stdout == "boston\n"
        assert line("reset").returncode == 0
        assert line.status()["stacks"] == []
        assert "no stack selected" in line.run("pulumi", "stack", "--show-name").stderr
    finally:
        line("stop")
    assert line("status").returncode == 3
