"""Serving an ASGI app from a thread of this process: bounded start, bounded graceful stop, no signal handlers."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from uptake.errors import UptakeError

HEAD_SECONDS = 10.0
"""How long a connection may take to send a request's head, or to finish a body that was refused already."""
KEEP_ALIVE_SECONDS = 30
MAX_CONNECTIONS = 1_000
MAX_HEAD_BYTES = 16 * 1024
START_SECONDS = 10.0


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 with an end to its patience.

    uvicorn bounds the time between requests and nothing else: a connection that sends its head one byte at a time,
    or never, or goes on with a body that was answered already, would stay for ever.
    """

    head_seconds = HEAD_SECONDS
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """While a request is being handled the app has its own limits; at any other time the clock ticks."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._disarm()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.head_seconds, self._give_up)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()


class Server:
    """Runs an app on `host:port` (0 = a free port) in a thread. `start` once, `stop` any number of times."""

    def __init__(
        self,
        app: ASGIApp,
        host: str = "127.0.0.1",
        port: int = 0,
        stop_seconds: float = 10.0,
        protocol: type[H11Protocol] = PatientProtocol,
        name: str = "gateway",
        variables: str = "UPTAKE",
    ) -> None:
        """`stop_seconds` bounds how long requests in flight may take to finish when the server stops. Errors call it
        `name`, and its address `variables`_HOST and `variables`_PORT."""
        self._name, self._variables = name, variables
        self._host = host
        self._port = port
        self._stop_seconds = stop_seconds
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=max(1, int(stop_seconds)),
                limit_concurrency=MAX_CONNECTIONS,
                h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            )
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"uptake-{name}", daemon=True)
        self._socket: socket.socket | None = None

    @property
    def base_url(self) -> str:
        """``http://host:port``, once started."""
        if self._socket is None:
            raise RuntimeError("the server was not started")
        return self._url

    def start(self) -> str:
        """Returns the base URL once requests are accepted. Raises UptakeError when the address cannot be used."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host, self._port))
        except OSError as error:
            listener.close()
            port, host = f"{self._variables}_PORT", f"{self._variables}_HOST"
            raise UptakeError(
                f"the {self._name} cannot listen on {self._host} port {self._port}: {error.strerror}",
                f"stop what listens there, or set {port} (0 picks a free one) and {host}",
            ) from error
        host = f"[{self._host}]" if family is socket.AF_INET6 else self._host
        self._url = f"http://{host}:{listener.getsockname()[1]}"
        self._socket = listener
        self._thread.start()
        waited = 0.0
        while not self._server.started:
            if self._ended.wait(0.01) or waited > START_SECONDS:
                raise UptakeError(f"the {self._name} did not start", "its log says why")
            waited += 0.01
        return self._url

    def stop(self) -> bool:
        """Accept nothing more, finish what is in flight (for `stop_seconds`), then end. Returns whether it ended."""
        self._server.should_exit = True
        if self._socket is None:
            return True
        if not self._ended.wait(self._stop_seconds + 2.0):
            self._server.force_exit = True
            self._ended.wait(2.0)
        return self._ended.is_set()

    def run_until_signal(self, announce: Callable[[], object] = lambda: None) -> int:
        """Waits in the main thread for SIGINT or SIGTERM (or the server's own end); returns the signal, or 0.

        `announce` is called once a signal would be caught: say there that the service is up. The caller stops
        everything afterwards, in its order. Handlers that were there before are put back.
        """
        caught: list[int] = []

        def catch(number: int, _: FrameType | None) -> None:
            caught.append(number)

        before: dict[int, Any] = {n: signal.signal(n, catch) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            announce()
            while not caught and not self._ended.wait(0.2):
                pass
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return caught[0] if caught else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            assert self._socket is not None
            self._server.run(sockets=[self._socket])
        finally:
            self._ended.set()
