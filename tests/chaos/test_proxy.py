"""The fault proxy does what it says: a network test is worth as much as its faults."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest
from uptake_chaos.proxy import Fault, FaultProxy

BOUND = 10.0


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with FaultProxy([("a->b", server.server_address[1])], seed=1) as proxy:
            yield proxy
        server.shutdown()
        thread.join(BOUND)


def connect(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port("a->b")), timeout=BOUND)


def echo(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    got = b""
    while len(got) < len(data):
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionAbortedError
        got += piece
    return got


def change(proxy: FaultProxy, fault: Fault) -> None:
    """Returns once it is in force."""
    proxy.change("a->b", fault)
    deadline = time.monotonic() + BOUND
    wait = threading.Event()
    while proxy.links["a->b"].fault is not fault:
        assert time.monotonic() < deadline
        wait.wait(0.01)


def test_without_a_fault_bytes_pass_as_they_are(proxy: FaultProxy) -> None:
    data = bytes(range(256)) * 4_000
    with connect(proxy) as connection:
        assert echo(connection, data) == data
    assert proxy.injected() == {"a->b": {}}


@pytest.mark.parametrize(
    ("fault", "size", "at_least"), [(Fault.LATENCY, 10, 0.04), (Fault.BANDWIDTH, 20_000, 0.4)]
)
def test_a_slow_link_delivers_everything_late(
    proxy: FaultProxy, fault: Fault, size: int, at_least: float
) -> None:
    with connect(proxy) as connection:
        change(proxy, fault)
        began = time.monotonic()
        assert echo(connection, b"x" * size) == b"x" * size
        assert time.monotonic() - began >= at_least
    assert proxy.injected()["a->b"][fault] >= 2


def test_reset_breaks_connections_in_the_middle(proxy: FaultProxy) -> None:
    change(proxy, Fault.RESET)
    broken = 0
    for _ in range(40):
        try:
            with connect(proxy) as connection:
                for _ in range(5):
                    echo(connection, b"ping")
        except ConnectionError:
            broken += 1
    assert broken > 10
    assert proxy.injected()["a->b"][Fault.RESET] >= broken


def test_accept_then_reset_lets_nothing_pass(proxy: FaultProxy) -> None:
    change(proxy, Fault.ACCEPT_RESET)
    with pytest.raises(ConnectionError), connect(proxy) as connection:
        echo(connection, b"ping")


def test_half_open_accepts_and_says_nothing(proxy: FaultProxy) -> None:
    change(proxy, Fault.HALF_OPEN)
    with connect(proxy) as connection:
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            echo(connection, b"ping")
    assert proxy.injected()["a->b"][Fault.HALF_OPEN] == 1


def test_after_a_fault_new_connections_are_well(proxy: FaultProxy) -> None:
    change(proxy, Fault.HALF_OPEN)
    change(proxy, Fault.NONE)
    with connect(proxy) as connection:
        assert echo(connection, b"ping") == b"ping"
