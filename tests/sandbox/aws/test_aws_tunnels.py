"""CONNECT to private addresses: where it leads, and what is refused in which words."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
import pytest

from edgelib.sandbox.aws.tunnels import Host, TunnelRefusedError, Tunnels, choose, parse_target
from edgelib.sandbox.machines.memory import MachineFolder, Memory
from tests.sandbox.aws.support import BOSTON, Server, Site

ADDRESS = "10.0.0.5"


def host(**how) -> Host:
    return Host(**{"id": "i-1", "vpc_id": "vpc-1", "state": "running", "loopback": "127.16.1.1", "serves": True, **how})


def test_a_target_is_an_ipv4_address_and_a_port() -> None:
    assert parse_target("10.0.0.5:6443") == ("10.0.0.5", 6443)
    others = ("10.0.0.5", "10.0.0.5:", "10.0.0.5:x", "10.0.0.5:-1", "10.0.5:1", "010.0.0.5:1", "[::1]:1", "a.b:1", "")
    assert {parse_target(each) for each in others} == {None}


def test_a_tunnel_leads_to_the_one_running_host() -> None:
    old = host(id="i-0", state="terminated")
    assert choose(ADDRESS, 6443, [old, host()]) == host()


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "0.0.0.0", "172.32.0.1", "8.8.8.8", "100.128.0.1"])
@pytest.mark.parametrize("port", [6443, 22])
def test_an_address_that_no_vpc_has_is_none_of_its_business(address: str, port: int) -> None:
    assert choose(address, port, []) is None


@pytest.mark.parametrize(
    ("port", "hosts", "status", "words"),
    [
        (6443, [], 502, ["no running instance has the private address 10.0.0.5"]),
        (6443, [host(state="stopped")], 502, ["no running instance", "i-1 has it and is stopped"]),
        (22, [host()], 403, ["port 6443 alone", "10.0.0.5:22 refused"]),
        (6443, [host(serves=False)], 502, ["i-1", "serves no Kubernetes API", "edgelib sandbox status"]),
        (6443, [host(loopback="")], 502, ["i-1", "serves no Kubernetes API"]),
        (
            6443,
            [host(), host(id="i-2", vpc_id="vpc-2", loopback="", serves=False)],
            403,
            ["several", "i-1 in vpc-1 (127.16.1.1)", "i-2 in vpc-2 (no other address)", "--tls-server-name 10.0.0.5"],
        ),
    ],
)
def test_a_refusal_says_why(port: int, hosts: list[Host], status: int, words: list[str]) -> None:
    with pytest.raises(TunnelRefusedError) as caught:
        choose(ADDRESS, port, hosts)
    assert caught.value.status == status
    assert [word for word in words if word not in str(caught.value)] == []


@contextmanager
def echo(address: str) -> Iterator[socket.socket]:
    """What acts for an instance: sends back what it is sent, and ends when that ends."""
    with socket.create_server((address, 6443)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)

        threading.Thread(target=serve, daemon=True).start()
        yield listener
        listener.shutdown(socket.SHUT_RDWR)


def dial(aws: Server, target: str, early: bytes = b"") -> tuple[socket.socket, str]:
    """Ask for a tunnel: the connection, and the answer as far as its body or the tunnel begins."""
    url = urlsplit(aws.url)
    connection = socket.create_connection((url.hostname, url.port), timeout=30)
    connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode() + early)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte, head
        head += byte
    return connection, head.decode()


def rest(connection: socket.socket) -> bytes:
    found = b""
    while data := connection.recv(65536):
        found += data
    return found


def refusal(aws: Server, target: str) -> tuple[int, str]:
    """Status and reason; the body says the same."""
    connection, head = dial(aws, target)
    with connection:
        _, status, reason = head.splitlines()[0].split(" ", 2)
        assert rest(connection).decode() == f"{reason}\n"
    return int(status), reason


def launch(site: Site, *, carrier: bool, **memory) -> tuple[str, str, str]:
    """A machine whose API server, says the director, is up: instance id, private address, and what stands for it."""
    interface, loopback = site.interface(site.boston), memory.get("loopback", "")
    if carrier:
        site.carrier_gateway()
        address = site.address(BOSTON)
        site.ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)
        loopback = address["CarrierIp"]
    instance = site.running(NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": interface}])
    remembered = Memory(**{"boot": 1, "stage": "up", "serves": True, **memory})
    MachineFolder(site.aws.consoles / instance).save(remembered)
    return instance, site.look(instance)["PrivateIpAddress"], loopback


def own_address(aws: Server) -> str:
    """An address out of the range that the director takes them from."""
    return aws.control("machines")["private_range"].replace("0/24", "7")


@pytest.mark.parametrize("carrier", [True, False], ids=["a carrier address", "the director's address"])
def test_a_tunnel_carries_both_ways_until_both_ends_end(site: Site, aws: Server, carrier: bool) -> None:
    _, private, loopback = launch(site, carrier=carrier, loopback=own_address(aws))
    with echo(loopback):
        connection, head = dial(aws, f"{private}:6443", early=b"early, ")
        with connection:
            assert head.startswith("HTTP/1.1 200 Connection established\r\n")
            assert "Content-Length" not in head
            connection.sendall(b"late")
            connection.shutdown(socket.SHUT_WR)
            assert rest(connection) == b"early, late"


def test_refusals_as_they_go_over_the_wire(site: Site, aws: Server) -> None:
    instance, private, loopback = launch(site, carrier=True)
    plain = site.running(SubnetId=site.boston)
    idle = site.look(plain)["PrivateIpAddress"]
    assert refusal(aws, f"{private}:6443") == (
        502,
        f"{instance} ({private}:6443) does not answer at {loopback}:6443: Connection refused",
    )
    with echo(loopback):
        assert refusal(aws, f"{private}:22")[0] == 403
        assert refusal(aws, f"{idle}:6443")[1].startswith(f"{plain}, which has the private address {idle}, serves no")
        assert refusal(aws, "10.9.9.9:6443") == (502, "no running instance has the private address 10.9.9.9")
        proxy = "the sandbox is on, it never talks to AWS; host {} refused"
        for target in (f"{loopback}:6443", "127.0.0.1:22", "169.254.169.254:80", "1.2.3.4:6443"):
            assert refusal(aws, target) == (403, proxy.format(target))


def test_a_plain_request_to_a_private_address_is_refused_as_any(site: Site, aws: Server) -> None:
    _, private, loopback = launch(site, carrier=True)
    url = urlsplit(aws.url)
    with echo(loopback), socket.create_connection((url.hostname, url.port), timeout=30) as connection:
        connection.sendall(f"GET http://{private}:6443/ HTTP/1.1\r\nHost: {private}\r\n\r\n".encode())
        assert rest(connection).startswith(b"HTTP/1.1 403 the sandbox is on, it never talks to AWS")


def test_two_vpcs_with_the_same_address_are_told_apart_by_nobody(site: Site, aws: Server) -> None:
    first, private, loopback = launch(site, carrier=True)
    site.vpc = site.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = site.subnet("10.0.1.0/24", BOSTON)
    second = site.running(SubnetId=subnet, PrivateIpAddress=private)
    with echo(loopback):
        status, reason = refusal(aws, f"{private}:6443")
    assert status == 403
    assert f"{first} in " in reason
    assert f"({loopback})" in reason
    assert f"{second} in {site.vpc} (no other address)" in reason


def test_a_stopped_machine_and_one_that_boots_again_have_no_tunnel(site: Site, aws: Server) -> None:
    instance, private, loopback = launch(site, carrier=True)
    with echo(loopback):
        site.ec2.reboot_instances(InstanceIds=[instance])
        assert "serves no Kubernetes API" in refusal(aws, f"{private}:6443")[1]
        site.ec2.stop_instances(InstanceIds=[instance])
        site.wait(instance)
        assert f"{instance} has it and is stopped" in refusal(aws, f"{private}:6443")[1]


def test_closed_tunnels_leave_neither_threads_nor_descriptors(site: Site, aws: Server) -> None:
    _, private, loopback = launch(site, carrier=True)
    process = psutil.Process(aws.process.pid)
    with echo(loopback):
        before = process.num_threads(), process.num_fds()
        tunnels = [dial(aws, f"{private}:6443")[0] for _ in range(5)]
        assert process.num_threads() >= before[0] + 5
        for each in tunnels:
            each.close()
        for _ in range(4):
            refusal(aws, "10.9.9.9:6443")
        until = time.monotonic() + 20
        while (process.num_threads(), process.num_fds()) > before and time.monotonic() < until:
            time.sleep(0.02)
        assert (process.num_threads(), process.num_fds()) <= before


def test_stopping_the_emulator_waits_for_no_tunnel(site: Site, aws: Server) -> None:
    _, private, loopback = launch(site, carrier=True)
    with echo(loopback):
        connection, _ = dial(aws, f"{private}:6443")
        with connection:
            connection.sendall(b"hold")
            assert connection.recv(4) == b"hold"
            assert aws.stop() == 0
            assert rest(connection) == b""
    aws.start()


def test_closing_ends_the_tunnels_of_now_and_of_later() -> None:
    tunnels = Tunnels(dict, None)
    for when in ("now", "later"):
        (client, near), (far, server) = socket.socketpair(), socket.socketpair()
        with client, near, far, server:
            carrier = threading.Thread(target=tunnels.carry, args=(near, far, b"held"), daemon=True)
            carrier.start()
            if when == "now":
                assert server.recv(4) == b"held"
                tunnels.close()
            carrier.join(20)
            assert not carrier.is_alive(), when
