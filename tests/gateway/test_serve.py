"""A server in a thread: up when it says so, and gone when it was told to, with its requests finished."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from uptake.errors import UptakeError
from uptake.ingest.gateway.serve import Server

PATIENCE = 20.0


def test_it_answers_as_soon_as_start_returns(gateway: Any) -> None:
    server = Server(gateway.app)
    url = server.start()
    try:
        assert url == server.base_url
        assert httpx.get(url + "/healthz").status_code == 200
    finally:
        assert server.stop()


def test_two_servers_find_free_ports_of_their_own(gateway: Any) -> None:
    with Server(gateway.app) as one, Server(gateway.app) as other:
        assert one.base_url != other.base_url
        assert httpx.get(one.base_url + "/healthz").status_code == 200
        assert httpx.get(other.base_url + "/healthz").status_code == 200


def test_a_port_that_is_taken_says_so_with_a_remedy(gateway: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UptakeError) as caught:
            Server(gateway.app, port=taken.getsockname()[1]).start()
    assert "UPTAKE_PORT" in caught.value.hint


def test_a_server_of_another_name_is_named_in_its_errors(gateway: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = Server(gateway.app, port=taken.getsockname()[1], name="worker", variables="UPTAKE_WORKER")
        with pytest.raises(UptakeError) as caught:
            server.start()
    assert caught.value.message.startswith("the worker cannot listen")
    assert "UPTAKE_WORKER_PORT" in caught.value.hint


def test_stopping_finishes_the_requests_in_flight(gateway: Any, process: Any, token: str) -> None:
    process.gate.clear()
    server = Server(gateway.app)
    url = server.start()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(
            httpx.post, url + "/v1/events", content=b"[1]", headers=headers, timeout=PATIENCE
        )
        assert process.entered.wait(PATIENCE)
        stopped = pool.submit(server.stop)
        until_refused(url)
        assert not answer.done()
        process.gate.set()
        assert answer.result(PATIENCE).status_code == 200
        assert stopped.result(PATIENCE) is True


def test_stopping_is_bounded_when_a_request_hangs(gateway: Any, process: Any, token: str) -> None:
    process.gate.clear()
    server = Server(gateway.app, stop_seconds=1.0)
    url = server.start()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(
            httpx.post, url + "/v1/events", content=b"[1]", headers=headers, timeout=PATIENCE
        )
        assert process.entered.wait(PATIENCE)
        assert server.stop() is True
        error = answer.exception(PATIENCE)
        assert error is not None or answer.result().status_code >= 500, "never acknowledged"


def test_stopping_twice_or_before_the_start_does_no_harm(gateway: Any) -> None:
    server = Server(gateway.app)
    assert server.stop()
    other = Server(gateway.app)
    other.start()
    assert other.stop()
    assert other.stop()


def test_it_leaves_the_process_s_signal_handlers_alone(gateway: Any) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Server(gateway.app):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


PROGRAM = """
import signal
from starlette.applications import Starlette
from uptake.ingest.gateway.serve import Server

def handlers():
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

before = handlers()
server = Server(Starlette())
url = server.start()
number = server.run_until_signal(lambda: print(url, flush=True))
print(number, server.stop(), handlers() == before, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_in_the_foreground_ends_gracefully_on_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline().startswith("http://127.0.0.1:")
            child.send_signal(number)
            assert child.stdout.readline() == f"{int(number)} True True\n"
            assert child.wait(PATIENCE) == 0
        finally:
            child.kill()


def until_refused(url: str) -> None:
    """Wait until new connections are refused: the server has begun to stop."""
    host, port = url.removeprefix("http://").split(":")
    tick = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except ConnectionRefusedError:
            return
        tick.wait(0.01)
    raise AssertionError("the server went on listening")
