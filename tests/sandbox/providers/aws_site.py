"""One of every AWS type, with a change in place where there is one: what the life of a whole site goes through."""
# ruff: noqa: E501 - a table is read by its rows

TRUST = '{"Version":"2012-10-17", "Statement":[{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com"]},"Action":"sts:AssumeRole"}]}'
ALLOW = '{"Version":"2012-10-17", "Statement":[{"Effect":"Allow","Action":["ssm:GetParameter"],"Resource":"*"}]}'
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@laptop"
BOSTON = "us-east-1-wl1-bos-wlz-1"
IMAGE = "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id"
ANYWHERE = "0.0.0.0/0"

TRUST_BY_TWO = TRUST.replace('["ec2.amazonaws.com"]', '["ec2.amazonaws.com","ssm.amazonaws.com"]')
BASE = {
    "instanceType": "t3.medium",
    "metadataOptions": {"httpTokens": "required", "httpEndpoint": "enabled", "httpPutResponseHopLimit": 1},
    "rootBlockDevice": {"volumeSize": 20, "volumeType": "gp2", "encrypted": True},
    "userData": "#!/bin/sh\ntrue\n",
    "volumeTags": {"Name": "disk"},
}


def site(image):
    """(name, type, inputs, what an update changes): "@name" stands for the id of an earlier one, "@name.x" for its output x."""
    return (
        ("group", "ec2/availabilityZoneGroup:AvailabilityZoneGroup", {"groupName": "us-east-1-wl1", "optInStatus": "opted-in"}, None),
        ("vpc", "ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "a"}}, {"enableDnsHostnames": True, "tags": {"Name": "b"}}),
        ("subnet", "ec2/subnet:Subnet", {"vpcId": "@vpc", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-east-1a"}, {"mapPublicIpOnLaunch": True}),
        ("edge", "ec2/subnet:Subnet", {"vpcId": "@vpc", "cidrBlock": "10.0.2.0/24", "availabilityZone": BOSTON}, None),
        ("internet", "ec2/internetGateway:InternetGateway", {"vpcId": "@vpc"}, None),
        ("carrier", "ec2/carrierGateway:CarrierGateway", {"vpcId": "@vpc"}, {"tags": {"Name": "c"}}),
        ("public", "ec2/routeTable:RouteTable", {"vpcId": "@vpc", "tags": {"Name": "public"}}, None),
        ("wave", "ec2/routeTable:RouteTable", {"vpcId": "@vpc", "tags": {"Name": "edge"}}, None),
        ("private", "ec2/routeTable:RouteTable", {"vpcId": "@vpc", "tags": {"Name": "private"}}, None),
        ("in", "ec2/routeTableAssociation:RouteTableAssociation", {"routeTableId": "@private", "subnetId": "@subnet"}, {"routeTableId": "@public"}),
        ("at", "ec2/routeTableAssociation:RouteTableAssociation", {"routeTableId": "@wave", "subnetId": "@edge"}, None),
        ("out", "ec2/route:Route", {"routeTableId": "@public", "destinationCidrBlock": ANYWHERE, "gatewayId": "@internet"}, None),
        ("air", "ec2/route:Route", {"routeTableId": "@wave", "destinationCidrBlock": ANYWHERE, "carrierGatewayId": "@carrier"}, None),
        ("address", "ec2/eip:Eip", {"domain": "vpc"}, None),
        ("nat", "ec2/natGateway:NatGateway", {"subnetId": "@subnet", "allocationId": "@address"}, {"tags": {"Name": "n"}}),
        ("via", "ec2/route:Route", {"routeTableId": "@private", "destinationCidrBlock": ANYWHERE, "natGatewayId": "@nat"}, {"natGatewayId": None, "gatewayId": "@internet"}),
        ("default", "ec2/defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": "@vpc", "tags": {"Name": "closed"}}, None),
        ("sg", "ec2/securityGroup:SecurityGroup", {"vpcId": "@vpc"}, {"tags": {"Name": "nodes"}}),
        ("ssh", "vpc/securityGroupIngressRule:SecurityGroupIngressRule", {"securityGroupId": "@sg", "ipProtocol": "6", "fromPort": 22, "toPort": 22, "cidrIpv4": "10.0.0.0/8"}, {"cidrIpv4": "10.1.0.0/16", "description": "narrow"}),
        ("self", "vpc/securityGroupIngressRule:SecurityGroupIngressRule", {"securityGroupId": "@sg", "ipProtocol": "-1", "referencedSecurityGroupId": "@sg"}, None),
        ("all", "vpc/securityGroupEgressRule:SecurityGroupEgressRule", {"securityGroupId": "@sg", "ipProtocol": "-1", "cidrIpv4": ANYWHERE}, None),
        ("key", "ec2/keyPair:KeyPair", {"publicKey": KEY}, {"tags": {"a": "b"}}),
        ("role", "iam/role:Role", {"assumeRolePolicy": TRUST}, {"description": "d", "maxSessionDuration": 7200, "assumeRolePolicy": TRUST_BY_TWO}),
        ("inline", "iam/rolePolicy:RolePolicy", {"role": "@role", "policy": ALLOW}, {"policy": ALLOW.replace("ssm:", "s3:")}),
        ("policy", "iam/policy:Policy", {"policy": ALLOW, "description": "d"}, {"policy": ALLOW.replace("ssm:", "s3:")}),
        ("attached", "iam/rolePolicyAttachment:RolePolicyAttachment", {"role": "@role", "policyArn": "@policy.arn"}, None),
        ("profile", "iam/instanceProfile:InstanceProfile", {"role": "@role"}, {"tags": {"a": "b"}}),
        ("token", "ssm/parameter:Parameter", {"type": "SecureString", "value": "hush"}, {"value": "hush hush"}),
        ("open", "ssm/parameter:Parameter", {"type": "String", "insecureValue": "1", "name": "/site/open"}, {"insecureValue": "2"}),
        ("logs", "cloudwatch/logGroup:LogGroup", {"retentionInDays": 7}, {"retentionInDays": 14, "tags": {"a": "b"}}),
        ("flow", "ec2/flowLog:FlowLog", {"vpcId": "@vpc", "trafficType": "ALL", "logDestination": "@logs.arn", "iamRoleArn": "@role.arn"}, None),
        ("s3", "ec2/vpcEndpoint:VpcEndpoint", {"vpcId": "@vpc", "serviceName": "com.amazonaws.us-east-1.s3", "routeTableIds": ["@public"]}, {"routeTableIds": ["@public", "@private"]}),
        ("ssm", "ec2/vpcEndpoint:VpcEndpoint", {"vpcId": "@vpc", "serviceName": "com.amazonaws.us-east-1.ssm", "vpcEndpointType": "Interface", "subnetIds": ["@subnet"], "securityGroupIds": ["@sg"]}, None),
        ("crypt", "ebs/encryptionByDefault:EncryptionByDefault", {}, {"enabled": False}),
        ("disk", "ebs/volume:Volume", {"availabilityZone": "us-east-1a", "size": 10, "type": "gp2"}, {"size": 20, "tags": {"Name": "d"}}),
        ("nic", "ec2/networkInterface:NetworkInterface", {"subnetId": "@edge", "securityGroups": ["@sg"], "sourceDestCheck": False}, {"description": "edge", "sourceDestCheck": True}),
        ("wireless", "ec2/eip:Eip", {"domain": "vpc", "networkBorderGroup": BOSTON}, {"tags": {"Name": "e"}}),
        ("carried", "ec2/eipAssociation:EipAssociation", {"allocationId": "@wireless", "networkInterfaceId": "@nic"}, None),
        (
            "node", "ec2/instance:Instance",
            {
                **BASE, "ami": image, "subnetId": "@subnet", "vpcSecurityGroupIds": ["@sg"], "keyName": "@key", "monitoring": True,
                "iamInstanceProfile": "@profile", "creditSpecification": {"cpuCredits": "standard"}, "associatePublicIpAddress": True,
            },
            {
                "instanceType": "t3.xlarge", "userData": "#!/bin/sh\nfalse\n", "tags": {"Name": "big"}, "volumeTags": {"Name": "other"}, "sourceDestCheck": False,
                "rootBlockDevice": {"volumeSize": 30, "volumeType": "gp2", "encrypted": True},
                "metadataOptions": {"httpTokens": "required", "httpEndpoint": "enabled", "httpPutResponseHopLimit": 2},
            },
        ),
        ("far", "ec2/instance:Instance", {**BASE, "ami": image, "primaryNetworkInterface": {"networkInterfaceId": "@nic"}}, None),
        ("plugged", "ec2/volumeAttachment:VolumeAttachment", {"deviceName": "/dev/sdf", "volumeId": "@disk", "instanceId": "@node"}, None),
    )  # fmt: skip


IMPORT_IDS = {
    "ec2/route:Route": "{routeTableId}_{destinationCidrBlock}",
    "ec2/routeTableAssociation:RouteTableAssociation": "{subnetId}/{routeTableId}",
    "ec2/volumeAttachment:VolumeAttachment": "{deviceName}:{volumeId}:{instanceId}",
}
KEPT = {"group", "default", "crypt"}  # what a deletion leaves where it is


def filled(value, made):
    """The value with the ids and outputs that it stands for."""
    if isinstance(value, dict):
        return {key: filled(item, made) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, made) for item in value]
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    name, _, output = value[1:].partition(".")
    return made[name].outputs[output] if output else made[name].id
