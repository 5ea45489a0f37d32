"""The relay between two connections, on socket pairs."""

import socket
import threading
from contextlib import ExitStack

import pytest

from edgelib.sandbox.aws.relay import relay


class Line:
    """A relay under way between a client and a server; both ends here are blocking, with a bound."""

    def __init__(self, early=b"", idle_seconds=30.0):
        self.client, self.near = socket.socketpair()
        self.far, self.server = socket.socketpair()
        for end in (self.client, self.server):
            end.settimeout(20)
        self.error = None
        self.thread = threading.Thread(target=self.run, args=(early, idle_seconds))
        self.thread.start()

    def run(self, early, idle_seconds):
        try:
            relay(self.near, self.far, early=early, idle_seconds=idle_seconds)
        except OSError as error:
            self.error = error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with ExitStack() as stack:
            for each in (self.client, self.near, self.far, self.server):
                stack.callback(each.close)
            self.client.close()
            self.server.close()
            self.thread.join(20)
        assert not self.thread.is_alive()

    def over(self):
        self.thread.join(20)
        return not self.thread.is_alive()


def everything(end):
    found = b""
    while data := end.recv(65536):
        found += data
    return found


def test_what_was_read_early_goes_first():
    with Line(early=b"one ") as line:
        line.client.sendall(b"two")
        line.client.shutdown(socket.SHUT_WR)
        assert everything(line.server) == b"one two"


@pytest.mark.parametrize("first", ["client", "server"])
def test_an_end_is_passed_on_and_the_other_way_stays_open(first):
    with Line() as line:
        ending, other = (line.client, line.server) if first == "client" else (line.server, line.client)
        ending.sendall(b"that is all")
        ending.shutdown(socket.SHUT_WR)
        assert everything(other) == b"that is all"
        other.sendall(b"not from here")
        other.shutdown(socket.SHUT_WR)
        assert everything(ending) == b"not from here"
        assert line.over()
        assert line.error is None


def test_a_server_that_reads_only_once_it_has_sent_all_blocks_nobody():
    """Both send more than all buffers on the way hold."""
    much = bytes(range(256)) * 40_000
    heard = {}

    def serve():
        line.server.sendall(much)
        line.server.shutdown(socket.SHUT_WR)
        heard["server"] = everything(line.server)

    def send():
        line.client.sendall(much)
        line.client.shutdown(socket.SHUT_WR)

    with Line() as line:
        threads = [threading.Thread(target=each) for each in (serve, send)]
        for each in threads:
            each.start()
        heard["client"] = everything(line.client)
        for each in threads:
            each.join(20)
    assert heard == {"server": much, "client": much}


def test_a_slow_reader_slows_its_sender_down():
    def send_much():
        for _ in range(1024):
            line.client.sendall(bytes(65536))

    with Line() as line:
        line.client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            send_much()


def test_silence_is_bounded():
    with Line(idle_seconds=0.05) as line:
        assert line.over()
        assert isinstance(line.error, TimeoutError)


def test_a_side_that_breaks_ends_it():
    with Line() as line:
        line.server.close()
        line.client.sendall(b"to nobody")
        assert line.over()
        assert isinstance(line.error, ConnectionError)
