"""What only shows on a socket: slow, cut off, endless and pipelined requests."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol

from uptake.ingest.gateway.limits import Limits
from uptake.ingest.gateway.serve import PatientProtocol, Server

PATIENCE = 20.0


class Wire:
    """One connection, spoken to in bytes."""

    def __init__(self, server: Server, token: str = "") -> None:
        host, port = server.base_url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=PATIENCE)
        self.file = self.socket.makefile("rb")
        self.token = token

    def head(self, *headers: str, path: str = "/v1/events") -> bytes:
        lines = [f"POST {path} HTTP/1.1", "Host: g", "Content-Type: application/json", *headers]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer: status, headers, body."""
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.file.read(int(headers.get("content-length", 0)))

    def ended(self) -> bool:
        """Whether the other side has closed; waits for it within the socket's patience."""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture
def wire(server: Server, token: str) -> Iterator[Wire]:
    one = Wire(server, token)
    yield one
    one.close()


def test_a_chunked_body_is_read(wire: Wire) -> None:
    wire.send(wire.head("Transfer-Encoding: chunked"))
    for chunk in (b"2\r\n[1\r\n", b"3\r\n,2]\r\n", b"0\r\n\r\n"):
        wire.send(chunk)
    status, _, body = wire.answer()
    assert (status, json.loads(body)["accepted"]) == (200, 2)


def test_two_requests_on_one_connection_get_their_own_answers_in_order(wire: Wire) -> None:
    wire.send(wire.head("Content-Length: 3") + b"[1]" + wire.head("Content-Length: 5") + b"[1,2]")
    assert [json.loads(wire.answer()[2])["accepted"] for _ in range(2)] == [1, 2]


def test_a_client_that_goes_away_mid_body_leaves_nothing_behind(
    wire: Wire, gateway: Any, process: Any, server: Server
) -> None:
    wire.send(wire.head("Content-Length: 100") + b"[1,2")
    wire.close()
    until(lambda: gateway.metric("uptake_gateway_abandoned_requests_total") == 1)
    assert process.calls == []
    assert gateway.metric("uptake_gateway_waiting_bytes") == 0
    assert httpx.get(server.base_url + "/healthz").status_code == 200


def test_a_client_that_goes_away_after_handing_over_still_has_its_events_kept(
    wire: Wire, gateway: Any, process: Any
) -> None:
    process.gate.clear()
    wire.send(wire.head("Content-Length: 3") + b"[1]")
    assert process.entered.wait(PATIENCE)
    wire.close()
    process.gate.set()
    until(lambda: gateway.metric("uptake_gateway_events_accepted_total") == 1)


def test_a_body_that_comes_too_slowly_is_a_408_that_says_how_much_came(make: Any) -> None:
    gateway = make(Limits(body_seconds=0.05))
    with Server(gateway.app) as server:
        wire = Wire(server, gateway.token)
        wire.send(wire.head("Content-Length: 100") + b"[1,2")
        status, headers, body = wire.answer()
        wire.close()
    assert status == 408
    assert headers["content-type"] == "application/problem+json"
    assert "4 bytes came" in json.loads(body)["detail"]
    assert gateway.metric("uptake_gateway_waiting_bytes") == 0


def test_a_declared_length_over_the_limit_is_refused_before_it_comes(make: Any) -> None:
    gateway = make(Limits(compressed_bytes=1_000))
    with Server(gateway.app) as server:
        wire = Wire(server, gateway.token)
        wire.send(wire.head("Content-Length: 100000000"))
        status, _, _ = wire.answer()
        wire.close()
    assert status == 413


def test_an_endless_chunked_body_is_refused_at_the_limit(make: Any) -> None:
    gateway = make(Limits(compressed_bytes=10_000))
    with Server(gateway.app) as server:
        wire = Wire(server, gateway.token)
        wire.send(wire.head("Transfer-Encoding: chunked"))
        answered = threading.Thread(target=lambda: statuses.append(wire.answer()[0]))
        statuses: list[int] = []
        answered.start()
        sent = 0
        while answered.is_alive() and sent < 100_000_000:
            wire.send(b"400\r\n" + b" " * 1024 + b"\r\n")
            sent += 1024
        answered.join(PATIENCE)
        wire.close()
    assert statuses == [413]


def test_a_refusal_reaches_a_client_that_sends_its_whole_body_first(server: Server) -> None:
    """An answer must not be lost in a connection reset because the body was still on its way."""
    body = b"[" + b" " * 3_000_000 + b"]"
    for _ in range(3):
        headers = {"Content-Type": "application/json", "Authorization": "Bearer nobody"}
        assert httpx.post(server.base_url + "/v1/events", content=body, headers=headers).status_code == 401


def test_a_connection_is_used_again_after_a_refusal(server: Server, token: str) -> None:
    wire = Wire(server)
    wire.send(wire.head("Content-Length: 200000"))
    assert wire.answer()[0] == 401
    wire.send(b" " * 200_000)
    wire.token = token
    wire.send(wire.head("Content-Length: 3") + b"[1]")
    assert wire.answer()[0] == 200
    wire.close()


def test_a_refused_client_that_waits_for_100_continue_is_told_so_at_once(server: Server) -> None:
    wire = Wire(server)
    wire.send(wire.head("Content-Length: 3", "Expect: 100-continue"))
    assert wire.answer()[0] == 401
    wire.close()


def test_an_accepted_client_that_waits_for_100_continue_may_go_on(wire: Wire) -> None:
    wire.send(wire.head("Content-Length: 3", "Expect: 100-continue"))
    assert wire.answer()[0] == 100
    wire.send(b"[1]")
    assert wire.answer()[0] == 200


@pytest.mark.parametrize(
    "framing",
    [
        ("Content-Length: 3", "Content-Length: 4"),
        ("Content-Length: -1",),
        ("Content-Length: x",),
        ("Transfer-Encoding: gzip",),
        ("Padding: " + "x" * 40_000,),
    ],
)
def test_framing_that_two_servers_could_read_differently_is_a_4xx(
    wire: Wire, process: Any, framing: tuple[str, ...]
) -> None:
    wire.send(wire.head(*framing))
    assert 400 <= wire.answer()[0] < 505
    assert process.calls == []


def test_gzip_may_come_in_chunks(wire: Wire) -> None:
    sent = gzip.compress(b"[1,2,3]")
    wire.send(wire.head("Transfer-Encoding: chunked", "Content-Encoding: gzip"))
    for byte in sent:
        wire.send(b"1\r\n" + bytes([byte]) + b"\r\n")
    wire.send(b"0\r\n\r\n")
    assert json.loads(wire.answer()[2])["accepted"] == 3


class HastyProtocol(PatientProtocol):
    head_seconds = 0.05


@pytest.fixture
def hasty(gateway: Any) -> Iterator[Server]:
    protocol: type[H11Protocol] = HastyProtocol
    with Server(gateway.app, protocol=protocol) as running:
        yield running


@pytest.mark.parametrize("said", [b"", b"POST /v1/events HTTP/1.1\r\nHost: g\r\nX-Slow: "])
def test_a_head_that_does_not_come_ends_the_connection(hasty: Server, said: bytes) -> None:
    wire = Wire(hasty)
    wire.send(said)
    assert wire.ended()
    wire.close()


def test_a_refused_body_that_does_not_end_ends_the_connection(hasty: Server) -> None:
    wire = Wire(hasty)
    wire.send(wire.head("Transfer-Encoding: chunked"))
    assert wire.answer()[0] == 401
    wire.send(b"1\r\nx\r\n")
    assert wire.ended()
    wire.close()


def test_a_request_that_takes_long_to_write_is_not_cut_off(hasty: Server, token: str, process: Any) -> None:
    process.gate.clear()
    wire = Wire(hasty, token)
    wire.send(wire.head("Content-Length: 3") + b"[1]")
    assert process.entered.wait(PATIENCE)
    silent = Wire(
        hasty
    )  # its patience starts after the other one's, so once it is over that one's would be too
    assert silent.ended()
    silent.close()
    process.gate.set()
    assert wire.answer()[0] == 200
    wire.send(b"POST /v1/events HTTP/1.1\r\nX-Slow: ")
    assert wire.ended(), "the next head is waited for as long as the first one was, and no longer"
    wire.close()


def until(condition: Any) -> None:
    """Wait for something that another thread brings about, without a clock of our own."""
    tick = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if condition():
            return
        tick.wait(0.005)
    raise AssertionError("it never came about")
