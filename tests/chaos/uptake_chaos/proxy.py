"""A TCP proxy of our own that breaks connections on purpose: one port a link, one fault at a time on each.

Runs its own event loop in a thread. Faults are those of real networks between two processes that are both well:
slow, narrow, reset in the middle of an answer, silent for good, or torn down as soon as they were accepted.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

CHUNK = 64 * 1024
SILENT_SECONDS = 45.0
"""A connection that fell silent is cut after so long: peers have given up on it by then."""


class Fault(StrEnum):
    NONE = "none"
    LATENCY = "latency"  # each piece comes 20 to 400 ms late, in order
    BANDWIDTH = "bandwidth"  # 96 KiB/s, both directions together
    RESET = "reset"  # every few pieces the connection is reset, also after a request and before its answer
    HALF_OPEN = (
        "half-open"  # connections are accepted and nothing is ever read or said; open ones fall silent
    )
    ACCEPT_RESET = "accept-then-reset"  # connections are accepted and reset at once


BYTES_PER_SECOND = 96 * 1024
RESET_CHANCE = 0.2


class Link:
    """One way from somebody to somebody. `port` is where the first connects, `target` where the second listens."""

    def __init__(self, name: str, target: int, seed: int) -> None:
        self.name, self.target = name, target
        self.port = 0
        self.fault = Fault.NONE
        self.injected: Counter[str] = Counter()
        self.connections = 0
        self._chance = random.Random(f"{seed}/{name}")
        self._open: dict[asyncio.StreamWriter, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def change(self, fault: Fault) -> None:
        """From now on. Open connections suffer as well: half of them fall silent for good, or are reset."""
        self.fault = fault
        if fault in (Fault.RESET, Fault.ACCEPT_RESET, Fault.HALF_OPEN):
            for writer, silent in list(self._open.items()):
                if self._chance.random() < 0.5:
                    if fault is Fault.HALF_OPEN:
                        self._count(fault)
                        silent.set()
                    else:
                        self._reset(writer)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        silent = self._open[writer] = asyncio.Event()
        try:
            # Cancelled by `close` only, and asyncio's streams report a task that ends cancelled as a failure.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, writer, silent)
        finally:
            self._tasks.discard(task)
            self._open.pop(writer, None)
            writer.transport.abort()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silent: asyncio.Event
    ) -> None:
        if self.fault is Fault.ACCEPT_RESET:
            self._reset(writer)
            return
        if self.fault is Fault.HALF_OPEN:
            self._count(Fault.HALF_OPEN)
            await later(SILENT_SECONDS)
            return
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            ways = [
                asyncio.ensure_future(self._pump(reader, onward, writer, silent)),
                asyncio.ensure_future(self._pump(onward_reader, writer, writer, silent)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            onward.transport.abort()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        onward: asyncio.StreamWriter,
        accepted: asyncio.StreamWriter,
        silent: asyncio.Event,
    ) -> None:
        """One direction. Returns at its end; `accepted` is what a reset tears down."""
        while data := await reader.read(CHUNK):
            if silent.is_set():
                await later(SILENT_SECONDS)
                return
            if self.fault is Fault.LATENCY:
                self._count(Fault.LATENCY)
                await later(self._chance.uniform(0.02, 0.4))
            elif self.fault is Fault.BANDWIDTH:
                self._count(Fault.BANDWIDTH)
                await later(len(data) / BYTES_PER_SECOND)
            elif self.fault is Fault.RESET and self._chance.random() < RESET_CHANCE:
                if self._chance.random() < 0.5:  # the other side has got it, and nobody hears so
                    onward.write(data)
                    await onward.drain()
                self._reset(accepted)
                return
            onward.write(data)
            await onward.drain()

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        """RST instead of FIN."""
        self._count(Fault.RESET if self.fault is not Fault.ACCEPT_RESET else Fault.ACCEPT_RESET)
        raw = writer.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def _count(self, fault: Fault) -> None:
        self.injected[fault.value] += 1


class FaultProxy:
    """All links of a run. Use as a context manager; `change` from any thread."""

    def __init__(self, targets: Iterable[tuple[str, int]], seed: int) -> None:
        self.links = {name: Link(name, target, seed) for name, target in targets}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos-proxy", daemon=True)

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        for link in self.links.values():
            asyncio.run_coroutine_threadsafe(link.listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        for link in self.links.values():
            asyncio.run_coroutine_threadsafe(link.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def port(self, name: str) -> int:
        return self.links[name].port

    def change(self, name: str, fault: Fault) -> None:
        self._loop.call_soon_threadsafe(self.links[name].change, fault)

    def heal(self) -> None:
        for name in self.links:
            self.change(name, Fault.NONE)

    def injected(self) -> dict[str, dict[str, int]]:
        return {name: dict(sorted(link.injected.items())) for name, link in self.links.items()}


async def later(seconds: float) -> None:
    """Returns after so long; a wait that nothing ends earlier."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)
