"""Tunnels to the Kubernetes API at instances' private addresses: what a program in the sandbox sees of a VPC from within."""

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Optional

from edgelib.sandbox.aws.relay import relay
from edgelib.sandbox.kubernetes.specs import API_PORT
from edgelib.sandbox.machines.machine import Machine, parse_account
from edgelib.sandbox.machines.memory import MachineFolder, Memory

_LOG = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
IDLE_SECONDS = 600.0
"""More than any client of Kubernetes is silent: they ping, or are sent bookmarks."""

VPC_RANGES = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
"""What can only be meant for a VPC (RFC 1918, RFC 6598), also when nothing has the address."""

FORBIDDEN, BAD_GATEWAY = 403, 502


class TunnelRefusedError(Exception):
    """There is no tunnel; ``status`` and the message are the HTTP answer's."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Host:
    """An instance with the private address that is asked for.

    Attributes:
        loopback: What stands for it on this machine: its public or carrier address, else the one that the director gave it;
            empty with neither.
        serves: Whether it runs a Kubernetes API server in its present boot.
    """

    id: str
    vpc_id: str
    state: str
    loopback: str
    serves: bool


def parse_target(text: str) -> Optional[tuple[str, int]]:
    """Address and port of ``CONNECT``'s target; None unless it is an IPv4 address and a port."""
    address, _, port = text.rpartition(":")
    try:
        return (str(IPv4Address(address)), int(port)) if port.isascii() and port.isdigit() else None
    except AddressValueError:
        return None


def choose(address: str, port: int, hosts: Iterable[Host]) -> Optional[Host]:
    """The host that a tunnel to a private address leads to; None for an address that is none of a VPC.

    Raises:
        TunnelRefusedError: no running host has it, several have it, or the one that has it serves nothing there.
    """
    having = list(hosts)
    if not having and not any(IPv4Address(address) in each for each in VPC_RANGES):
        return None
    running = [each for each in having if each.state == "running"]
    if port != API_PORT:
        reason = f"of private addresses the sandbox serves port {API_PORT} alone; {address}:{port} refused"
        raise TunnelRefusedError(FORBIDDEN, reason)
    if len(running) > 1:
        named = ", ".join(f"{each.id} in {each.vpc_id} ({each.loopback or 'no other address'})" for each in running)
        reason = f"{address} is the private address of several instances: {named}; name one by what is in parentheses"
        how = f"kubectl --server https://127.x.y.z:{API_PORT} --tls-server-name {address}"
        raise TunnelRefusedError(FORBIDDEN, f"{reason}: {how}")
    if not running:
        stopped = "".join(f"; {each.id} has it and is {each.state}" for each in having)
        raise TunnelRefusedError(BAD_GATEWAY, f"no running instance has the private address {address}{stopped}")
    if not running[0].serves or not running[0].loopback:
        reason = f"{running[0].id}, which has the private address {address}, serves no Kubernetes API"
        raise TunnelRefusedError(BAD_GATEWAY, f"{reason}; `edgelib sandbox status` says what it does")
    return running[0]


def host(machine: Machine, memory: Memory) -> Host:
    """A machine as far as tunnels to it matter."""
    return Host(
        id=machine.id,
        vpc_id=machine.vpc_id,
        state=machine.state,
        loopback=machine.public_ip or memory.loopback,
        serves=memory.serves and memory.boot == machine.boot,
    )


class Tunnels:
    """The tunnels of one emulated AWS, each in the thread of its connection."""

    def __init__(self, machines: Callable[[], Mapping[str, Any]], folder: Optional[Path]) -> None:
        """Take what gives ``GET /sandbox/machines``'s answer, and the folder of what the director remembers."""
        self._machines = machines
        self._folder = folder
        self._lock = threading.Lock()
        self._open: set[tuple[socket.socket, socket.socket]] = set()
        self._closed = False

    def connect(self, target: str) -> Optional[socket.socket]:
        """A connection to what stands for the private address in ``target``; None when it is no VPC's address.

        Raises:
            TunnelRefusedError: there is none; the message says why.
        """
        parsed = parse_target(target)
        if parsed is None:
            return None
        address, port = parsed
        found = choose(address, port, self._hosts(address))
        if found is None:
            return None
        try:
            return socket.create_connection((found.loopback, port), CONNECT_SECONDS)
        except OSError as error:
            why = error.strerror or error
            reason = f"{found.id} ({target}) does not answer at {found.loopback}:{port}: {why}"
            raise TunnelRefusedError(BAD_GATEWAY, reason) from error

    def _hosts(self, address: str) -> list[Host]:
        account = parse_account(self._machines())
        return [host(each, self._memory(each)) for each in account.machines.values() if each.private_ip == address]

    def _memory(self, machine: Machine) -> Memory:
        return Memory() if self._folder is None else MachineFolder(self._folder / machine.id).load()

    def carry(self, near: socket.socket, far: socket.socket, early: bytes) -> None:
        """Relay until both sides have ended, one breaks, nothing moves for ten minutes, or :meth:`close`; closes neither."""
        pair = (near, far)
        with self._lock:
            if self._closed:
                return
            self._open.add(pair)
        try:
            relay(near, far, early=early, idle_seconds=IDLE_SECONDS)
        except OSError as error:
            _LOG.info("a tunnel ended: %s", error)
        finally:
            with self._lock:
                self._open.discard(pair)

    def close(self) -> None:
        """End all tunnels, now and later; waits for none."""
        with self._lock:
            self._closed = True
            for each in (each for pair in self._open for each in pair):
                with suppress(OSError):  # the other side has gone already
                    each.shutdown(socket.SHUT_RDWR)
