"""A sandbox with the real emulator and a director, and a VPC in it to launch K3s nodes into."""

import gzip
import json
import os
import time
from pathlib import Path

import boto3
import kubernetes
from botocore.config import Config

from edgelib.sandbox import emulator
from edgelib.sandbox.directory import SandboxDirectory
from edgelib.sandbox.machines import service
from tests.sandbox.machines import k3s_user_data as k3s

WAIT_SECONDS = 60
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def wait_for(what, look, seconds=WAIT_SECONDS):
    """Poll until ``look`` gives something true; it is returned."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s for {what}")


class MachineSite:
    """One sandbox; instances are launched with boto3, as anybody would."""

    def __init__(self, folder):
        self.directory = SandboxDirectory(Path(folder))
        self.directory.prepare()
        self.emulator = emulator.start(self.directory, os.environ)
        service.start(self.directory, os.environ)
        self.ec2, self.ssm, self.iam = (self._client(name) for name in ("ec2", "ssm", "iam"))
        self.set_up()

    def _client(self, service_name):
        return boto3.client(
            service_name,
            region_name="us-east-1",
            endpoint_url=self.emulator.url,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
            config=Config(proxies={}),
        )

    def set_up(self):
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.3.0/24", AvailabilityZone="us-east-1a")
        self.subnet = made["Subnet"]["SubnetId"]
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        name = "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id"
        self.image = self.ssm.get_parameter(Name=name)["Parameter"]["Value"]
        self.role("nodes", "arn:aws:ssm:us-east-1:*:parameter/k3s/*")
        self.parameters(k3s.parameter_values())

    def role(self, name, *resources):
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        statement = {"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": list(resources)}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        if resources:
            self.iam.put_role_policy(RoleName=name, PolicyName="parameters", PolicyDocument=document)
        self.iam.create_instance_profile(InstanceProfileName=name)
        self.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)

    def parameters(self, values):
        for name, value in values.items():
            self.ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)

    def volume(self):
        return self.ec2.create_volume(AvailabilityZone="us-east-1a", Size=8, VolumeType="gp3")["VolumeId"]

    def interface(self, private_ip, *, public=False):
        made = self.ec2.create_network_interface(SubnetId=self.subnet, PrivateIpAddress=private_ip)
        interface = made["NetworkInterface"]["NetworkInterfaceId"]
        if not public:
            return interface, None
        address = self.ec2.allocate_address(Domain="vpc")
        self.ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)
        return interface, address["PublicIp"]

    def launch(self, name, interface, user_data, *, volume=None, profile="nodes", kind="t3.medium"):
        made = self.ec2.run_instances(
            ImageId=self.image,
            InstanceType=kind,
            MinCount=1,
            MaxCount=1,
            NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": interface}],
            UserData=gzip.compress(user_data.encode()),
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}],
            **({"IamInstanceProfile": {"Name": profile}} if profile else {}),
        )
        instance = made["Instances"][0]["InstanceId"]
        self.wait_state(instance, "running")
        if volume:
            self.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
        return instance

    def wait_state(self, instance, state):
        def look():
            found = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
            return found["State"]["Name"] == state

        wait_for(f"{instance} to be {state}", look)

    def console(self, instance):
        return self.ec2.get_console_output(InstanceId=instance)["Output"]

    def wait_console(self, instance, text):
        return wait_for(f"{text!r} on the console of {instance}", lambda: text in self.console(instance))

    def machine(self, instance):
        account = emulator.machines(self.emulator.url)
        return next(each for each in service.machines(self.directory, account) if each.id == instance)

    def core(self, address, authority=None, proxy=None):
        """The official client, with a kubeconfig that was made before the first boot."""
        config = (authority or k3s.pki()).kubeconfig(address)
        settings = kubernetes.client.Configuration()
        settings.proxy = proxy
        api = kubernetes.config.new_client_from_config_dict(config, client_configuration=settings)
        return kubernetes.client.CoreV1Api(api)

    def close(self):
        service.stop(self.directory)
        emulator.stop(self.directory)


def ready_nodes(core):
    """Names of the nodes that are Ready."""
    return {
        node.metadata.name
        for node in core.list_node(_request_timeout=5).items
        if any(each.type == "Ready" and each.status == "True" for each in node.status.conditions or ())
    }
