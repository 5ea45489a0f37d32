"""What AWS computes for the resource types that edgelib, and most programs, use."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from edgelib.testing.world import ACCOUNT, NewResource, World, digest, mac_address, made_up

# The benchmark range of RFC 2544: addresses that are nobody's.
_PUBLIC: Final = "198.18.0.0/16"
_CARRIER: Final = "198.19.0.0/16"

_ID_PREFIXES: Final = {
    "CarrierGateway": "cagw",
    "DefaultSecurityGroup": "sg",
    "Eip": "eipalloc",
    "EipAssociation": "eipassoc",
    "FlowLog": "fl",
    "Instance": "i",
    "InternetGateway": "igw",
    "LaunchTemplate": "lt",
    "NatGateway": "nat",
    "NetworkAcl": "acl",
    "NetworkInterface": "eni",
    "Route": "r",
    "RouteTable": "rtb",
    "RouteTableAssociation": "rtbassoc",
    "SecurityGroup": "sg",
    "SecurityGroupEgressRule": "sgr",
    "SecurityGroupIngressRule": "sgr",
    "Snapshot": "snap",
    "Volume": "vol",
    "VolumeAttachment": "vai",
    "VpcEndpoint": "vpce",
}
_SERVICES: Final = {"vpc": "ec2", "lb": "elasticloadbalancing", "alb": "elasticloadbalancing", "cloudwatch": "logs"}
_GLOBAL: Final = {"iam", "route53", "cloudfront"}


def computed(world: World, new: NewResource) -> dict[str, Any]:
    """Return the computed properties of an ``aws`` resource; of a type that is not in the table only what all have."""
    module, _, last = new.type.partition(":")[2].partition("/")
    specific = _BY_TYPE.get(f"{module}:{last.partition(':')[2]}")
    return {**_common(new), **(specific(world, new) if specific else {})}


def id_prefix(kind: str) -> str:
    """Return what ids of this type start with: AWS's prefix where it has one, else the type's name."""
    last = kind.rpartition(":")[2]
    return _ID_PREFIXES.get(last, _kebab(last))


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _common(new: NewResource) -> dict[str, Any]:
    module, _, last = new.type.partition(":")[2].partition("/")
    service = _SERVICES.get(module, module)
    region = "" if service in _GLOBAL else new.region
    kind = _kebab(last.partition(":")[2])
    arn = f"arn:aws:{service}:{region}:{ACCOUNT}:{kind}/{new.id}"
    return {"arn": arn, "tagsAll": new.inputs.get("tags") or {}, **({"region": region} if region else {})}


def _autoname(new: NewResource) -> str:
    given = new.inputs.get("name")
    return given if isinstance(given, str) else f"{new.name}-{digest(new.name, 7)}"


def _owned(_: World, __: NewResource) -> dict[str, Any]:
    return {"ownerId": ACCOUNT}


def _vpc(_: World, new: NewResource) -> dict[str, Any]:
    main = made_up("rtb", new.name)
    return {
        "ownerId": ACCOUNT,
        "mainRouteTableId": main,
        "defaultRouteTableId": main,
        "defaultSecurityGroupId": made_up("sg", new.name),
        "defaultNetworkAclId": made_up("acl", new.name),
        "enableDnsSupport": True,
        "instanceTenancy": "default",
    }


def _named(_: World, new: NewResource) -> dict[str, Any]:
    return {"name": _autoname(new)}


def _iam(kind: str) -> Callable[[World, NewResource], dict[str, Any]]:
    def computed(_: World, new: NewResource) -> dict[str, Any]:
        name = _autoname(new)
        path = new.inputs.get("path") or "/"
        arn = f"arn:aws:iam::{ACCOUNT}:{kind}{path}{name}"
        return {
            "id": arn if kind == "policy" else name,
            "name": name,
            "uniqueId": f"AROA{digest(name, 17).upper()}",
            "arn": arn,
        }

    return computed


def _key_pair(_: World, new: NewResource) -> dict[str, Any]:
    name = new.inputs.get("keyName") or f"{new.name}-{digest(new.name, 7)}"
    return {"id": name, "keyName": name, "keyPairId": made_up("key", new.name), "fingerprint": mac_address(new.name)}


def _bucket(_: World, new: NewResource) -> dict[str, Any]:
    name = new.inputs.get("bucket") or f"{new.name}-{digest(new.name, 7)}"
    return {
        "id": name,
        "bucket": name,
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{new.region}.amazonaws.com",
    }


def _parameter(_: World, new: NewResource) -> dict[str, Any]:
    name = _autoname(new)
    return {
        "id": name,
        "name": name,
        "arn": f"arn:aws:ssm:{new.region}:{ACCOUNT}:parameter/{name.removeprefix('/')}",
        "version": 1,
    }


def _log_group(_: World, new: NewResource) -> dict[str, Any]:
    name = _autoname(new)
    return {"id": name, "name": name, "arn": f"arn:aws:logs:{new.region}:{ACCOUNT}:log-group:{name}"}


def _load_balancer(_: World, new: NewResource) -> dict[str, Any]:
    name = _autoname(new)
    return {
        "name": name,
        "dnsName": f"{name}-{digest(name, 10)}.elb.{new.region}.amazonaws.com",
        "zoneId": "Z35SXDOTRQ7X7K",
        "arnSuffix": f"app/{name}/{digest(name, 16)}",
    }


def _launch_template(_: World, new: NewResource) -> dict[str, Any]:
    return {"name": _autoname(new), "latestVersion": 1, "defaultVersion": 1}


def _rule(_: World, new: NewResource) -> dict[str, Any]:
    return {"securityGroupRuleId": made_up("sgr", new.name)}


def _kms_key(_: World, new: NewResource) -> dict[str, Any]:
    return {"keyId": new.id, "arn": f"arn:aws:kms:{new.region}:{ACCOUNT}:key/{new.id}"}


def _network_interface(world: World, new: NewResource) -> dict[str, Any]:
    fixed: list[Any] = new.inputs.get("privateIps") or [new.inputs.get("privateIp")]
    address = str(fixed[0] or _private_ip(world, new))
    return {
        "privateIp": address,
        "privateIps": [address],
        "privateDnsName": _private_dns(address, new.region),
        "macAddress": mac_address(new.name),
        "ownerId": ACCOUNT,
        "sourceDestCheck": True,
    }


def _instance(world: World, new: NewResource) -> dict[str, Any]:
    attached: list[dict[str, Any]] = new.inputs.get("networkInterfaces") or [{}]
    interface_id = new.inputs.get("primaryNetworkInterface", attached[0]).get("networkInterfaceId")
    interface = world.find(interface_id)
    address = new.inputs.get("privateIp") or interface.get("privateIp") or _private_ip(world, new)
    subnet = world.find(new.inputs.get("subnetId") or interface.get("subnetId"))
    state = {
        "instanceState": "running",
        "availabilityZone": subnet.get("availabilityZone", f"{new.region}a"),
        "primaryNetworkInterfaceId": interface_id or made_up("eni", new.name),
        "privateIp": address,
        "privateDns": _private_dns(str(address), new.region),
    }
    if new.inputs.get("associatePublicIpAddress") or subnet.get("mapPublicIpOnLaunch"):
        state["publicIp"] = world.address(_PUBLIC, f"public {new.name}")
    return state


def _eip(world: World, new: NewResource) -> dict[str, Any]:
    group = new.inputs.get("networkBorderGroup") or new.region
    common = {"allocationId": new.id, "domain": "vpc", "networkBorderGroup": group}
    if group != new.region:
        return {**common, "carrierIp": world.address(_CARRIER, f"carrier {new.name}"), "publicIp": ""}
    return {**common, "publicIp": world.address(_PUBLIC, f"public {new.name}")}


def _nat_gateway(world: World, new: NewResource) -> dict[str, Any]:
    return {
        "publicIp": world.find(new.inputs.get("allocationId")).get("publicIp", ""),
        "privateIp": _private_ip(world, new),
        "networkInterfaceId": made_up("eni", new.name),
    }


def _private_ip(world: World, new: NewResource) -> str:
    block = world.find(new.inputs.get("subnetId")).get("cidrBlock")
    return world.address(block if isinstance(block, str) else "10.255.0.0/16", f"private {new.name}")


def _private_dns(address: str, region: str) -> str:
    suffix = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{suffix}"


_BY_TYPE: Final[Mapping[str, Callable[[World, NewResource], dict[str, Any]]]] = {
    "ec2:CarrierGateway": _owned,
    "ec2:Eip": _eip,
    "ec2:Instance": _instance,
    "ec2:InternetGateway": _owned,
    "ec2:KeyPair": _key_pair,
    "ec2:LaunchTemplate": _launch_template,
    "ec2:NatGateway": _nat_gateway,
    "ec2:NetworkInterface": _network_interface,
    "ec2:RouteTable": _owned,
    "ec2:SecurityGroup": lambda state, new: {**_owned(state, new), **_named(state, new)},
    "ec2:Subnet": _owned,
    "ec2:Vpc": _vpc,
    "cloudwatch:LogGroup": _log_group,
    "iam:InstanceProfile": _iam("instance-profile"),
    "iam:Policy": _iam("policy"),
    "iam:Role": _iam("role"),
    "iam:RolePolicy": _named,
    "iam:User": _iam("user"),
    "kms:Key": _kms_key,
    "lb:LoadBalancer": _load_balancer,
    "lb:TargetGroup": _named,
    "s3:Bucket": _bucket,
    "s3:BucketV2": _bucket,
    "ssm:Parameter": _parameter,
    "vpc:SecurityGroupEgressRule": _rule,
    "vpc:SecurityGroupIngressRule": _rule,
}
