"""OpenSSH client configuration for a site whose hosts are reached through its bastion."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Optional

from edgelib.errors import ArgsError

_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, kw_only=True)
class BastionEndpoint:
    """How one reaches the bastion."""

    alias: str
    region: str
    instance_id: str
    public_ip: Optional[str]
    """Set when SSH is open to somebody; else the connection goes through Session Manager."""
    user: str = "ubuntu"


def render_ssh_config(bastion: BastionEndpoint, hosts: Mapping[str, str]) -> str:
    """Renders an ``ssh_config(5)`` file: the bastion, then each of ``hosts`` (alias to private address) behind it by ``ProxyJump``.

    Without a public address the bastion is reached by ``aws ssm start-session`` (needs the AWS CLI and its Session Manager plugin).

    Raises:
        ArgsError: an alias that is no single word, or is the bastion's own.
    """
    _check_aliases([bastion.alias, *hosts])
    if bastion.alias in hosts:
        raise ArgsError("ssh_config", repr(bastion.alias), "is the bastion's own alias", "give the host another one")
    blocks = [_block(bastion.alias, _reach(bastion), bastion.user)]
    for alias, address in hosts.items():
        blocks.append(_block(alias, [f"HostName {address}", f"ProxyJump {bastion.alias}"], bastion.user))
    return "\n".join(blocks)


def render_session_config(region: str, instance_ids: Mapping[str, str], user: str = "ubuntu") -> str:
    """Renders an ``ssh_config(5)`` file whose hosts (alias to EC2 instance id) are reached by Session Manager, without a bastion.

    Raises:
        ArgsError: an alias that is no single word.
    """
    _check_aliases(instance_ids)
    return "\n".join(_block(alias, _session(region, found), user) for alias, found in instance_ids.items())


def _check_aliases(aliases: Iterable[str]) -> None:
    for alias in aliases:
        if not _ALIAS.fullmatch(alias):
            raise ArgsError(
                "ssh_config", repr(alias), "is no alias", "use letters, digits, dots, dashes and underscores"
            )


def _reach(bastion: BastionEndpoint) -> list[str]:
    return [f"HostName {bastion.public_ip}"] if bastion.public_ip else _session(bastion.region, bastion.instance_id)


def _session(region: str, instance_id: str) -> list[str]:
    session = f"aws ssm start-session --region {region} --target {instance_id}"
    document = "--document-name AWS-StartSSHSession --parameters portNumber=%p"
    return [f"HostName {instance_id}", f"ProxyCommand {session} {document}"]


def _block(alias: str, reach: list[str], user: str) -> str:
    lines = [*reach, f"User {user}", "StrictHostKeyChecking accept-new", "ServerAliveInterval 30"]
    return "".join([f"Host {alias}\n", *(f"    {line}\n" for line in lines)])
