"""Group commit: the requests that wait together are written together.

An insert costs 10 to 18 ms whatever its size, so one insert a request would cap the gateway at about 70 requests a
second. Here one thread makes one call of `process` after the other; what arrives during a call is the next
group. A lone request waits for nobody, and the busier the gateway is the larger the groups become.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Self

import structlog

from uptake.ingest.gateway.quiet import where
from uptake.ingest.gateway.sink import NotTaken, Outcome, Process
from uptake.schemas.batch import MAX_BATCH_EVENTS, Batch, MalformedBatch, StoreUnavailable

_log = structlog.get_logger(__name__)

Observe = Callable[[int, int, float], None]
"""Told after each call of `process`: requests in it, events in it (about), seconds it took."""


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """Bounds of one call and of the waiting room. Events are counted without decoding: see `weigh`."""

    events_per_call: int = 10_000
    bytes_per_call: int = 32 * 1024 * 1024
    waiting_events: int = 50_000
    waiting_bytes: int = 96 * 1024 * 1024


@dataclass(slots=True)
class _Waiting:
    batch: Batch
    events: int
    future: Future[Outcome] = field(default_factory=Future)


def weigh(body: bytes) -> int:
    """About how many events a body holds, without decoding it: each one names its event_id. At least 1."""
    return min(MAX_BATCH_EVENTS, max(1, body.count(b'"event_id"')))


class GroupCommit:
    """A `Sink` around `process`. Use from any number of threads; `process` is called from one."""

    def __init__(
        self,
        process: Process,
        limits: GroupLimits | None = None,
        observe: Observe = lambda requests, events, seconds: None,
    ) -> None:
        self._process = process
        self._limits = limits or GroupLimits()
        self._observe = observe
        self._queue: deque[_Waiting] = deque()
        self._current: list[_Waiting] = []
        self._events = 0  # taken and not yet answered, the group being processed included
        self._bytes = 0
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="uptake-group-commit", daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self, timeout: float = 10.0) -> bool:
        """Take nothing more and finish what was taken.

        What is not written after `timeout` seconds is refused with StoreUnavailable, so that no request waits for
        ever. Returns whether everything was finished.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        with self._changed:
            left = [*self._current, *self._queue]
            self._queue.clear()
        for waiting in left:
            self._settle(waiting, StoreUnavailable("the gateway stopped before it was written"))
        return not left

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def submit(self, batch: Batch) -> Future[Outcome]:
        """Take a batch into the next group. Never waits; raises NotTaken when there is no room or no more time."""
        waiting = _Waiting(batch, weigh(batch.body))
        with self._changed:
            if self._stopping:
                raise NotTaken("the gateway is stopping")
            crowded = self._events + waiting.events > self._limits.waiting_events
            heavy = self._bytes + len(batch.body) > self._limits.waiting_bytes
            if self._events and (crowded or heavy):  # alone, even the largest batch has room
                raise NotTaken("the waiting room is full")
            self._events += waiting.events
            self._bytes += len(batch.body)
            self._queue.append(waiting)
            self._changed.notify_all()
        return waiting.future

    def waiting(self) -> int:
        return self._events

    def _run(self) -> None:
        while self._next_group():
            # From here on a future cannot be cancelled: its events may be written at any moment.
            wanted = [waiting for waiting in self._current if waiting.future.set_running_or_notify_cancel()]
            if wanted:
                self._commit(wanted)
            with self._changed:
                self._events -= sum(waiting.events for waiting in self._current)
                self._bytes -= sum(len(waiting.batch.body) for waiting in self._current)
                self._current = []

    def _next_group(self) -> bool:
        """Waits for work and makes it the current group. False when there is none left and none will come."""
        group: list[_Waiting] = []
        events = size = 0
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stopping)
            while self._queue:
                head = self._queue[0]
                events += head.events
                size += len(head.batch.body)
                over = events > self._limits.events_per_call or size > self._limits.bytes_per_call
                if group and over:
                    break
                group.append(self._queue.popleft())
            self._current = group
        return bool(group)

    def _commit(self, group: Sequence[_Waiting]) -> None:
        started = time.perf_counter()
        try:
            outcomes = self._process([waiting.batch for waiting in group])
            if len(outcomes) != len(group):
                raise RuntimeError(f"process gave {len(outcomes)} outcomes for {len(group)} batches")
        except StoreUnavailable as error:
            for waiting in group:
                self._settle(waiting, error)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it must not end the loop all depend on
            self._find_culprit(group, error)
        else:
            # Before the answers: whoever has one finds it counted.
            self._tell(len(group), sum(waiting.events for waiting in group), time.perf_counter() - started)
            for waiting, outcome in zip(group, outcomes, strict=True):
                self._settle(waiting, outcome)

    def _find_culprit(self, group: Sequence[_Waiting], error: BaseException) -> None:
        """A batch that trips a bug must not take its neighbours down, nor come back with them for ever: halve the
        group until it stands alone. Writing the others twice is harmless, as ids make it idempotent."""
        if len(group) > 1:
            middle = len(group) // 2
            self._commit(group[:middle])
            self._commit(group[middle:])
            return
        _log.error("a batch could not be processed", error=type(error).__name__, where=where(error))
        self._settle(group[0], error)

    def _settle(self, waiting: _Waiting, outcome: Outcome | BaseException) -> None:
        """Answer a request, once: `stop` may have given it up while it was being written."""
        with self._changed:
            future = waiting.future
            if future.done() or not (future.running() or future.set_running_or_notify_cancel()):
                return
            if isinstance(outcome, BaseException) and not isinstance(outcome, MalformedBatch):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def _tell(self, requests: int, events: int, seconds: float) -> None:
        try:
            self._observe(requests, events, seconds)
        except Exception as error:  # noqa: BLE001 - counting must not end the loop either
            _log.error("observing failed", error=type(error).__name__, where=where(error))
