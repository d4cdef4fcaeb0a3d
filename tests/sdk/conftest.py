"""A small gateway on a loopback socket that does what a test tells it, and clients that do not wait for long."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from uptake import Client, Retry
from uptake.testing import capture_uptake as capture_uptake

BOUND = 10.0


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes
    events: list[dict[str, Any]]

    @property
    def ids(self) -> list[str]:
        return [event["event_id"] for event in self.events]


Behaviour = Callable[["Handler", Request], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        events = json.loads(gzip.decompress(body))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, gzip.decompress(body), events)
        self.gateway.behave(request)(self, request)

    do_GET = do_POST  # noqa: N815 - http.server's name

    def reply(self, status: int, body: object = None, **headers: str) -> None:
        told = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(told)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: object) -> None:
        """The tests look at what was asked, not at a log."""


@dataclass
class Gateway:
    """Takes every batch unless `script` holds behaviours, which are used up first, or `always` is set."""

    script: deque[Behaviour] = field(default_factory=deque)
    always: Behaviour | None = None
    requests: list[Request] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def start(self) -> None:
        handler = type("BoundHandler", (Handler,), {"gateway": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self.thread.start()

    def stop(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(BOUND)

    def behave(self, request: Request) -> Behaviour:
        with self.changed:
            self.requests.append(request)
            self.changed.notify_all()
            if self.script:
                return self.script.popleft()
        return self.always or self.take

    def wait_for_requests(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= count, BOUND), "no request came"

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for request in self.requests for event in request.events]

    # Behaviours

    @staticmethod
    def take(handler: Handler, request: Request) -> None:
        handler.reply(
            200, {"accepted": len(request.events), "duplicates": 0, "rejected": [], "unknown_fields": {}}
        )

    @staticmethod
    def say(status: int, body: object = None, **headers: str) -> Behaviour:
        return lambda handler, request: handler.reply(status, body, **headers)

    @staticmethod
    def reject(*indexes: int, reason: str = "future", status: int = 200) -> Behaviour:
        def behave(handler: Handler, request: Request) -> None:
            rejected = [
                {"index": i, "event_id": "", "reason": reason, "path": "occurred_at", "detail": ""}
                for i in indexes
            ]
            kept = len(request.events) - len(rejected)
            handler.reply(
                status, {"accepted": kept, "duplicates": 0, "rejected": rejected, "unknown_fields": {}}
            )

        return behave

    def hang(self, handler: Handler, request: Request) -> None:
        """Silence until the test ends, then a closed connection."""
        self.released.wait(BOUND * 3)
        handler.close_connection = True

    @staticmethod
    def reset(handler: Handler, request: Request) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def silence() -> Iterator[str]:
    """The address of somebody who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENDPOINT", "API_KEY", "APP", "ENVIRONMENT", "PSEUDONYM_KEY", "TENANT"):
        monkeypatch.delenv(f"UPTAKE_{name}", raising=False)


@pytest.fixture
def make_client(no_environment: None) -> Iterator[Callable[..., Client]]:
    """Makes clients that retry at once; they are closed, without waiting, when the test ends."""
    made: list[Client] = []

    def make(endpoint: str | None, **options: Any) -> Client:
        defaults: dict[str, Any] = {
            "api_key": "upt_key_secret",
            "app": "letters",
            "pseudonym_key": "a key of sixteen or more",
            "retry": Retry(attempts=3, base=0.0),
        }
        client = Client(endpoint, **(defaults | options))
        made.append(client)
        return client

    yield make
    for client in made:
        client.close(0)
