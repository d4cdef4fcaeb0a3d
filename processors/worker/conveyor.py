"""Takes from the log to the database: one is decided while the one before it is written.

Both steps run in threads of their own, so the event loop goes on serving Kafka whatever they do. Per take:

  1. gather   records, until the take is full or its oldest has waited long enough
  2. decide   in one thread
  3. write    in the other, after the take before it; while the store is unavailable, again and again
  4. done     the take's records are acknowledged, never before

A take of an earlier epoch (there was a rebalance) is finished if it is being written, and acknowledged by nobody.
What raises anything but StoreUnavailable is a bug: it is handed to `failed`, which ends the process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import structlog

from uptake.processors.worker.acks import Acks, Place
from uptake.processors.worker.gather import Fetched, Gather, TakeLimits
from uptake.processors.worker.work import Decided, Done, Work
from uptake.schemas.batch import StoreUnavailable

FIRST_RETRY_SECONDS = 0.2
LAST_RETRY_SECONDS = 5.0

A = TypeVar("A")
R = TypeVar("R")

_log = structlog.get_logger(__name__)


class Observer(Protocol):
    """Hears of each take."""

    def written(self, name: str, decided: Decided, done: Done, seconds: float) -> None: ...

    def retried(self, name: str) -> None: ...


class Conveyor:
    """Belongs to one event loop; `add`, `hold`, `release`, `settle` are called from it."""

    def __init__(
        self,
        name: str,
        work: Work,
        acks: Acks,
        limits: TakeLimits,
        observer: Observer,
        progressed: Callable[[], None],
        stopped: Callable[[Place, int], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """`progressed` is called when records were acknowledged, `stopped` with a partition that must stand still, and
        `failed` with a bug."""
        self.name = name
        self._work, self._acks, self._limits, self._observer = work, acks, limits, observer
        self._progressed, self._stopped, self._failed = progressed, stopped, failed
        self._gather = Gather(limits)
        self._changed = asyncio.Event()
        self._held = False
        self._closed = False
        self._deciding = False
        self._writing: asyncio.Task[None] | None = None
        self._decider = ThreadPoolExecutor(1, f"uptake-decide-{name}")
        self._writer = ThreadPoolExecutor(1, f"uptake-write-{name}")
        self._waits: dict[ThreadPoolExecutor, float] = {}

    @property
    def waited(self) -> float | None:
        """When the store last made us wait (monotonic seconds), while it does."""
        return max(self._waits.values(), default=None)

    @property
    def room(self) -> bool:
        return self._gather.room

    @property
    def busy(self) -> bool:
        """Whether a take is in hand."""
        return self._deciding or (self._writing is not None and not self._writing.done())

    def add(self, record: Fetched) -> None:
        if self._held:
            return
        now = time.monotonic()
        first = not len(self._gather)
        self._gather.add(record, now)
        # Otherwise the time that is waited for is still the right one.
        if first or self._gather.due_in(now) == 0.0:
            self._changed.set()

    def drop(self, place: Place) -> None:
        """Forget what waits of a partition."""
        self._gather.drop(place)

    def hold(self) -> None:
        """Begin no further take, and forget what waits for one: it was not acknowledged and will come again."""
        self._held = True
        self._gather.drop()
        self._changed.set()

    def release(self) -> None:
        self._held = False

    async def settle(self, seconds: float) -> bool:
        """Wait until nothing is in hand; not longer than `seconds`, and not at all for a store that does not answer.
        Returns whether nothing is."""
        until = time.monotonic() + seconds
        while self.busy and self.waited is None and time.monotonic() < until:
            await self._pause(0.05)
        return not self.busy

    async def run(self) -> None:
        """Until `close`."""
        try:
            while not self._closed:
                records = await self._next()
                if not records:
                    continue
                self._deciding = True
                epoch = self._acks.epoch  # what waits is always of the current one: see hold
                decided = await self._until_taken(epoch, self._decider, self._work.decide, records)
                if decided is not None and epoch == self._acks.epoch:
                    # Before the next take, so that it holds nothing from there on.
                    for place, offset in decided.stops.items():
                        self._stopped(place, offset)
                if self._writing is not None:
                    await self._writing
                if decided is not None:
                    self._writing = asyncio.create_task(self._write(epoch, decided))
                self._deciding = False
        except Exception as error:  # noqa: BLE001 - handed on: a bug must end the process, not only this task
            self._failed(error)

    def close(self) -> None:
        """Begin no further take. What runs in a thread is not waited for."""
        self._closed = True
        self.hold()
        self._decider.shutdown(wait=False, cancel_futures=True)
        self._writer.shutdown(wait=False, cancel_futures=True)

    async def _next(self) -> list[Fetched]:
        """1. A take, or nothing when there is reason to look around."""
        due = None if self._held else self._gather.due_in(time.monotonic())
        if due == 0.0:
            return self._gather.take()
        await self._pause(due)
        return []

    async def _write(self, epoch: int, decided: Decided) -> None:
        started = time.perf_counter()
        try:
            done = await self._until_taken(epoch, self._writer, self._work.write, decided)
        except Exception as error:  # noqa: BLE001 - see run
            self._failed(error)
            return
        finally:
            self._changed.set()
        if done is None or epoch != self._acks.epoch:
            _log.info("take_abandoned", conveyor=self.name, records=len(decided.records))
            return
        offsets: dict[Place, list[int]] = {}
        for record in decided.records:
            offsets.setdefault(record.place, []).append(record.offset)
        for place, of_place in offsets.items():
            self._acks.done(epoch, place, of_place)  # 4
        self._observer.written(self.name, decided, done, time.perf_counter() - started)
        self._progressed()

    async def _until_taken(
        self, epoch: int, executor: ThreadPoolExecutor, step: Callable[[A], R], argument: A
    ) -> R | None:
        """A step, as often as the store does not take it. None when the partitions are no longer ours, or the process
        stops, before it did."""
        delay = FIRST_RETRY_SECONDS
        try:
            while epoch == self._acks.epoch and not self._closed:
                try:
                    return await asyncio.get_running_loop().run_in_executor(executor, step, argument)
                except StoreUnavailable as failure:
                    if executor not in self._waits:
                        _log.warning("take_waits", conveyor=self.name, failure=str(failure))
                    self._observer.retried(self.name)
                self._waits[executor] = time.monotonic()
                until = self._waits[executor] + delay
                while (
                    epoch == self._acks.epoch and not self._closed and (left := until - time.monotonic()) > 0
                ):
                    await self._pause(left)
                delay = min(2 * delay, LAST_RETRY_SECONDS)
        finally:
            self._waits.pop(executor, None)
        return None

    async def _pause(self, seconds: float | None) -> None:
        """Until something changed, or so long."""
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass
