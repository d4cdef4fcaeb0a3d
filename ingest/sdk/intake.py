"""The queue between the app's threads and the sender: no lock on the way in, bounded in number and in bytes."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from uptake.ingest.sdk.items import Item, Layer, freeze
from uptake.ingest.sdk.ledger import Ledger
from uptake.ingest.sdk.people import PEOPLE, Mask, name_nobody

LARGE = 2_048
"""Bytes from which an event is weighed against `max_bytes`. Smaller ones are bounded by their number alone, so
the queue holds at most capacity * 2 KiB + max_bytes."""

_NEVER = sys.maxsize


class Intake:
    """Callers append to a deque, which is atomic; the sender says from which length on it wants to be woken.

    Waking goes through a SimpleQueue because its `put` never waits and may be called from a signal handler or a
    finaliser in the middle of itself. Several threads at the edge may overshoot `capacity` by one event each.
    """

    def __init__(self, ledger: Ledger, mask: Mask, start: Callable[[], None], capacity: int, max_bytes: int):
        self.shut = ""
        """Why nothing is accepted (a reason), or nothing."""
        self.running = False
        """Whether a sender thread was started."""
        self._ledger = ledger
        self._mask = mask
        self._start = start
        self._capacity = capacity
        self._room = max_bytes
        self._queue: deque[tuple[str, int, Layer, dict[str, Any], int]] = deque()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._wake_at = 1

    def __len__(self) -> int:
        return len(self._queue)

    def offer(self, kind: str, at_ns: int, layer: Layer, fields: dict[str, Any]) -> None:
        """Queues a call, or counts why not. `fields` belongs to the queue from here on. On the caller's thread."""
        queue = self._queue
        waiting = len(queue)
        if self.shut or waiting >= self._capacity:
            self._ledger.refuse(self.shut or "queue_full")
            return
        if not PEOPLE.isdisjoint(fields):
            name_nobody(fields, self._mask)
        size = freeze(fields)
        if size > LARGE and not self._reserve(size):
            self._ledger.refuse("queue_full")
            return
        queue.append((kind, at_ns, layer, fields, size))
        if waiting + 1 >= self._wake_at:
            self._wake_at = _NEVER
            self._wake.put(None)
        if not self.running:
            self._start()

    def _reserve(self, size: int) -> bool:
        with self._ledger.lock:
            if size > self._room:
                return False
            self._room -= size
        return True

    def take(self, most: int) -> list[Item]:
        """Up to `most` events, oldest first; they count as taken at the same moment."""
        with self._ledger.lock:
            items = [Item(*self._queue.popleft()) for _ in range(min(most, len(self._queue)))]
            self._ledger.taken += len(items)
            self._room += sum(item.size for item in items if item.size > LARGE)
        return items

    def wake(self) -> None:
        """Makes the sender look again now."""
        self._wake.put(None)

    def wait(self, batch: int, linger: float, hurry: Callable[[], bool]) -> None:
        """Until there is a batch, or there are events and `linger` seconds passed, or `hurry()`."""
        while not self._ready(1) and not hurry():
            self._wake.get()
        end = time.monotonic() + linger
        while not self._ready(batch) and not hurry():
            try:
                self._wake.get(timeout=max(0.0, end - time.monotonic()))
            except Empty:
                break
        self._wake_at = _NEVER
        while (
            not self._wake.empty()
        ):  # calls that came while nobody slept; what they were about is looked at anyway
            self._wake.get()

    def _ready(self, enough: int) -> bool:
        # Said before looking: whoever appends after the look sees it, whoever appended before is seen.
        self._wake_at = enough
        return len(self._queue) >= enough

    def pause(self, seconds: float, stop: Callable[[], bool]) -> None:
        """Waits, or until `stop()` is true after somebody woke the sender."""
        end = time.monotonic() + seconds
        while not stop() and (left := end - time.monotonic()) > 0:
            try:
                self._wake.get(timeout=left)
            except Empty:
                return
