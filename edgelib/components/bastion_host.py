"""The way into a site: one host in the Region."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional, cast, overload

import pulumi

from edgelib.addressing import ANYWHERE
from edgelib.cloudinit.bastion import render_bastion
from edgelib.components._args import Args
from edgelib.components._family import Family, publish
from edgelib.components._host import (
    HostPlan,
    address_host,
    boot_host,
    check_ami,
    check_instance_type,
    check_root_disk,
    check_user_data,
    ubuntu_ami,
)
from edgelib.components._ingress import (
    IngressRule,
    administrative_blocks,
    allow_in,
    allow_out,
    security_group,
)
from edgelib.components._placement import Egress, place
from edgelib.components._roles import instance_profile
from edgelib.components.network import Network
from edgelib.errors import ArgsError
from edgelib.ssh_config import BastionEndpoint, render_ssh_config
from edgelib.tags import Tags, check_tags

_PUBLIC_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]+=*( .*)?")


@dataclass(kw_only=True)
class BastionHostArgs(Args):
    """What a `BastionHost` is made from."""

    network: Network
    """The network it gives access to."""
    availability_zone: Optional[str] = None
    """Availability Zone of the network to stand in (default ``parent``)."""
    ssh_allowed_cidrs: Optional[list[str]] = None
    """IPv4 blocks that may reach SSH, /8 or longer (default none: Session Manager needs no inbound rule)."""
    ssh_authorized_keys: Optional[list[str]] = None
    """Public keys, one line each, that log in as ``ubuntu`` (default none; required with ``ssh_allowed_cidrs``)."""
    instance_type: Optional[str] = None
    """EC2 instance type (default ``t3.micro``)."""
    ami: Optional[str] = None
    """AMI id of an Ubuntu image to stay on (default: Ubuntu 24.04 of the day of creation). Changing it replaces the instance."""
    root_disk_gib: Optional[int] = None
    """Root disk in GiB (default 8)."""
    tags: Optional[dict[str, pulumi.Input[str]]] = None
    """Tags of every resource (default none but ``Name``)."""


@dataclass(kw_only=True)
class BastionAccess(Args):
    """A bastion as those behind it see it: ``BastionHost(...).access``."""

    alias: str
    """What it is called in an ``ssh_config``."""
    region: str
    """Its Region, such as ``us-east-1``."""
    instance_id: pulumi.Input[str]
    """EC2 instance id."""
    security_group_id: pulumi.Input[str]
    """Its security group."""
    public_ip: Optional[pulumi.Input[str]] = None
    """Where SSH is open to somebody; else one connects by Session Manager."""

    def ssh_config(self, hosts: pulumi.Input[Mapping[str, pulumi.Input[str]]]) -> "pulumi.Output[str]":
        """An ``ssh_config(5)`` file, as a secret: the bastion under its alias, and ``hosts`` (alias to private address) behind it."""

        def render(found: list[Any]) -> str:
            instance_id, public_ip, addresses = found
            endpoint = BastionEndpoint(
                alias=self.alias, region=self.region, instance_id=instance_id, public_ip=public_ip
            )
            return render_ssh_config(endpoint, addresses)

        return pulumi.Output.secret(pulumi.Output.all(self.instance_id, self.public_ip, hosts).apply(render))


@dataclass(frozen=True, kw_only=True)
class BastionHostPlan:
    """Every decision about a `BastionHost`."""

    host: HostPlan
    ingress: tuple[IngressRule, ...]
    user_data: str
    tags: Tags


def plan_bastion_host(args: BastionHostArgs) -> BastionHostPlan:
    """Decides everything about a `BastionHost`; needs no engine, no network and no clock.

    Raises:
        ArgsError: SSH open to the internet or to nobody with a key, a key that is private or no key, no such Availability Zone in
            the network or no public subnet there, an instance type, AMI id or disk size that cannot work.
    """
    keys = [check_public_key("BastionHostArgs.ssh_authorized_keys", key) for key in args.ssh_authorized_keys or []]
    if args.ssh_allowed_cidrs and not keys:
        way_out = "pass ssh_authorized_keys=[...], or leave ssh_allowed_cidrs out and use Session Manager"
        raise ArgsError(
            "BastionHostArgs.ssh_allowed_cidrs", args.ssh_allowed_cidrs, "lets nobody in without a key", way_out
        )
    placement = place("BastionHostArgs", args.network, None, args.availability_zone, Egress.PUBLIC_IP)
    way_out = "name the blocks that you connect from, or use Session Manager"
    rules = [
        IngressRule(key=f"ssh-{block}", protocol="tcp", from_port=22, to_port=22, cidr_block=block)
        for block in administrative_blocks("BastionHostArgs.ssh_allowed_cidrs", args.ssh_allowed_cidrs or [], way_out)
    ]
    host = HostPlan(
        placement=placement,
        instance_type=check_instance_type("BastionHostArgs.instance_type", args.instance_type or "t3.micro", None),
        ami=check_ami("BastionHostArgs.ami", args.ami),
        root_disk_gib=check_root_disk(
            "BastionHostArgs.root_disk_gib", 8 if args.root_disk_gib is None else args.root_disk_gib
        ),
    )
    user_data = check_user_data("BastionHostArgs.ssh_authorized_keys", render_bastion(ssh_authorized_keys=keys))
    tags = check_tags("BastionHostArgs.tags", args.tags)
    return BastionHostPlan(host=host, ingress=tuple(rules), user_data=user_data, tags=tags)


class BastionHost(pulumi.ComponentResource):
    """One Ubuntu host in the Region's public subnet that gives access to the hosts behind it.

    It is reached by SSM Session Manager, which needs no inbound rule; SSH can be opened to named blocks. It may open connections to
    the internet on TCP 80 and 443 and to the VPC on TCP 22, and nothing else. Its addresses outlive the instance.
    """

    instance_id: pulumi.Output[str]
    """EC2 instance id, also the target of ``aws ssm start-session``."""
    private_ip: pulumi.Output[str]
    """Private IPv4 address."""
    public_ip: pulumi.Output[str]
    """Elastic IP address."""
    security_group_id: pulumi.Output[str]
    """Its security group: the source to name in rules that let it reach other hosts."""

    @overload
    def __init__(self, name: str, args: BastionHostArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None: ...
    @overload
    def __init__(self, name: str, args: Mapping[str, Any], opts: Optional[pulumi.ResourceOptions] = None) -> None: ...
    def __init__(  # pyright: ignore[reportInconsistentOverload]  # the component schema reads this annotation
        self, name: str, args: BastionHostArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Builds the bastion.

        Raises:
            ArgsError: see `plan_bastion_host`.
        """
        args = BastionHostArgs.of(args)
        plan = plan_bastion_host(args)
        super().__init__("edgelib:index:BastionHost", name, {}, opts)
        family = Family(self, name, args.network.region, plan.tags)
        group = security_group(family, "access", "Bastion", args.network.vpc_id)
        allow_in(family, group, plan.ingress)
        allow_out(family, group, {"http": 80, "https": 443}, ANYWHERE)
        allow_out(family, group, {"ssh": 22}, args.network.cidr_block)
        base = address_host(family, "host", plan.host, [group.id])
        host = boot_host(
            family,
            base,
            ami=plan.host.ami or ubuntu_ami(family),
            user_data=plan.user_data,
            profile=instance_profile(family, "host"),
            wait_for=[],
        )
        publish(
            self,
            {
                "instance_id": host.instance.id,
                "private_ip": base.private_ip,
                "public_ip": cast("pulumi.Output[str]", base.public_ip),  # the plan asks for one
                "security_group_id": group.id,
            },
        )
        self._access = BastionAccess(
            alias=name,
            region=family.region,
            instance_id=self.instance_id,
            security_group_id=self.security_group_id,
            public_ip=self.public_ip if plan.ingress else None,
        )

    @property
    def access(self) -> BastionAccess:
        """This bastion as a cluster takes it."""
        return self._access

    def ssh_config(self, hosts: pulumi.Input[Mapping[str, pulumi.Input[str]]]) -> "pulumi.Output[str]":
        """An ``ssh_config(5)`` file, as a secret: this bastion under its own name, and ``hosts`` (alias to private address) behind it.

        Save it and use it: ``pulumi stack output --show-secrets sshConfig > site.conf; ssh -F site.conf NODE``.
        """
        return self._access.ssh_config(hosts)


def check_public_key(field: str, key: str) -> str:
    """Returns the key without white space around it.

    Raises:
        ArgsError: it is a private key, or no OpenSSH public key.
    """
    line = key.strip()
    if "PRIVATE KEY" in line:
        raise ArgsError(
            field,
            "(a private key)",
            "would be readable in the user data",
            "pass the .pub file's line, and keep the key",
        )
    if not _PUBLIC_KEY.fullmatch(line):
        raise ArgsError(
            field, repr(line[:40]), "is no OpenSSH public key", "pass a line such as 'ssh-ed25519 AAAA... you@host'"
        )
    return line
