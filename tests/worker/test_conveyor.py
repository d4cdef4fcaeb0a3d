"""Takes are written in order and acknowledged only afterwards, whatever a store, a rebalance or a bug does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from uptake.processors.worker.acks import Acks, Place
from uptake.processors.worker.conveyor import Conveyor
from uptake.processors.worker.gather import Fetched, TakeLimits
from uptake.processors.worker.work import Decided, Done
from uptake.schemas.batch import StoreUnavailable

PLACE = ("t", 0)


class Scripted:
    """Work that waits for `gate` before it writes, and fails as often as it is told to."""

    def __init__(self, failures: Sequence[Exception] = (), stop_at: int | None = None) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.failures = list(failures)
        self.stop_at = stop_at
        self.decided: list[list[int]] = []
        self.began: list[list[int]] = []
        self.written: list[list[int]] = []

    def decide(self, records: Sequence[Fetched]) -> Decided:
        self.decided.append([record.offset for record in records])
        kept = [one for one in records if self.stop_at is None or one.offset < self.stop_at]
        stops = {PLACE: self.stop_at} if self.stop_at is not None and len(kept) < len(records) else {}
        return Decided(None, kept, len(kept), stops)

    def write(self, decided: Decided) -> Done:
        self.began.append([record.offset for record in decided.records])
        assert self.gate.wait(30)
        if self.failures:
            raise self.failures.pop(0)
        self.written.append([record.offset for record in decided.records])
        return Done(accepted=len(decided.records))


class Seen:
    def __init__(self) -> None:
        self.retries = 0
        self.takes: list[int] = []

    def written(self, name: str, decided: Decided, done: Done, seconds: float) -> None:
        self.takes.append(done.accepted)

    def retried(self, name: str) -> None:
        self.retries += 1


class Rig:
    """A conveyor on a partition from offset 0, with takes of two records."""

    def __init__(self, work: Scripted) -> None:
        self.work, self.seen, self.acks = work, Seen(), Acks()
        self.acks.assign({PLACE: 0})
        self.stopped: list[tuple[Place, int]] = []
        self.failed: list[BaseException] = []
        self.conveyor = Conveyor(
            "t",
            work,
            self.acks,
            TakeLimits(events=2, linger=0.01),
            self.seen,
            progressed=lambda: None,
            stopped=self._stop,
            failed=self.failed.append,
        )

    def _stop(self, place: Place, offset: int) -> None:
        self.stopped.append((place, offset))
        self.acks.rebase(place, offset)
        self.conveyor.drop(place)

    def bring(self, *offsets: int) -> None:
        for offset in offsets:
            self.acks.arrive(PLACE, offset)
            self.conveyor.add(Fetched(*PLACE, offset, 0, (), b"[]", 1))

    async def until(self, condition: Callable[[], Any]) -> None:
        for _ in range(3_000):
            if condition():
                return
            await asyncio.wait([asyncio.create_task(asyncio.Event().wait())], timeout=0.005)
        raise AssertionError("it never came about")

    def run(self, script: Callable[[Rig], Awaitable[None]]) -> Rig:
        async def scene() -> None:
            running = asyncio.create_task(self.conveyor.run())
            try:
                await script(self)
            finally:
                self.work.gate.set()
                self.conveyor.close()
                running.cancel()

        asyncio.run(scene())
        return self


def test_takes_are_written_in_order_and_then_acknowledged() -> None:
    async def script(rig: Rig) -> None:
        rig.bring(0, 1, 2, 3, 4)
        await rig.until(lambda: rig.acks.committable() == {PLACE: 5})

    rig = Rig(Scripted()).run(script)
    assert rig.work.written == [[0, 1], [2, 3], [4]]
    assert rig.seen.takes == [2, 2, 1]


def test_the_next_take_is_decided_while_one_is_written_and_nothing_is_acknowledged_before() -> None:
    async def script(rig: Rig) -> None:
        rig.work.gate.clear()
        rig.bring(0, 1, 2, 3)
        await rig.until(lambda: rig.work.decided == [[0, 1], [2, 3]])
        assert rig.work.written == []
        assert rig.acks.committable() == {}
        assert rig.conveyor.busy
        rig.work.gate.set()
        await rig.until(lambda: rig.acks.committable() == {PLACE: 4})

    Rig(Scripted()).run(script)


def test_a_store_that_is_away_is_tried_again_with_the_same_take() -> None:
    async def script(rig: Rig) -> None:
        rig.bring(0, 1)
        await rig.until(lambda: rig.conveyor.waited is not None)
        assert rig.acks.committable() == {}
        await rig.until(lambda: rig.acks.committable() == {PLACE: 2})
        assert rig.conveyor.waited is None

    rig = Rig(Scripted([StoreUnavailable("away"), StoreUnavailable("away")])).run(script)
    assert (rig.seen.retries, rig.work.written, rig.failed) == (2, [[0, 1]], [])


def test_what_is_no_failure_of_the_store_is_a_bug_and_acknowledges_nothing() -> None:
    async def script(rig: Rig) -> None:
        rig.bring(0, 1)
        await rig.until(lambda: rig.failed)
        assert rig.acks.committable() == {}

    rig = Rig(Scripted([KeyError("a bug")])).run(script)
    assert [type(error) for error in rig.failed] == [KeyError]


def test_a_rebalance_waits_for_the_take_in_hand_and_forgets_what_waits() -> None:
    async def script(rig: Rig) -> None:
        rig.work.gate.clear()
        rig.bring(0, 1)
        await rig.until(lambda: rig.work.decided)
        rig.bring(2)
        rig.conveyor.hold()
        rig.bring(3)
        assert not await rig.conveyor.settle(0.05)
        rig.work.gate.set()
        assert await rig.conveyor.settle(30)
        assert rig.acks.committable() == {PLACE: 2}
        rig.acks.revoke()
        rig.acks.assign({PLACE: 2})
        rig.conveyor.release()
        rig.bring(2)
        await rig.until(lambda: rig.acks.committable() == {PLACE: 3})

    assert Rig(Scripted()).run(script).work.written == [[0, 1], [2]]


def test_a_take_that_outlives_its_partitions_is_not_acknowledged_to_their_next_assignment() -> None:
    async def script(rig: Rig) -> None:
        rig.work.gate.clear()
        rig.bring(0, 1)
        await rig.until(lambda: rig.work.began)
        rig.conveyor.hold()
        rig.acks.revoke()
        rig.acks.assign({PLACE: 0})
        rig.conveyor.release()
        rig.bring(0)
        rig.work.gate.set()
        await rig.until(lambda: rig.acks.committable() == {PLACE: 1})

    assert Rig(Scripted()).run(script).work.written == [[0, 1], [0]]


def test_a_rebalance_does_not_wait_for_a_store_that_is_away() -> None:
    async def script(rig: Rig) -> None:
        rig.bring(0, 1)
        await rig.until(lambda: rig.conveyor.waited is not None)
        rig.conveyor.hold()
        assert not await rig.conveyor.settle(3_600)
        rig.acks.revoke()
        await rig.until(lambda: not rig.conveyor.busy)

    rig = Rig(Scripted([StoreUnavailable("away")] * 1_000)).run(script)
    assert rig.work.written == []


def test_a_stopped_partition_is_written_up_to_there_and_nothing_behind_it_is_taken() -> None:
    async def script(rig: Rig) -> None:
        rig.work.gate.clear()
        rig.bring(0, 1, 2, 3, 4, 5)
        await rig.until(lambda: rig.stopped)
        rig.work.gate.set()
        await rig.until(lambda: rig.acks.committable() == {PLACE: 3})

    rig = Rig(Scripted(stop_at=3)).run(script)
    assert rig.stopped == [(PLACE, 3)]
    assert rig.work.written == [[0, 1], [2]]
