"""Records are taken once and in the order of the log, and where that order is broken the log itself is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from uptake.processors.worker.acks import Acks, Place
from uptake.processors.worker.agents import Intake
from uptake.processors.worker.gather import Fetched
from uptake.processors.worker.metrics import Metrics

PLACE = ("t", 0)


class Belt:
    def __init__(self) -> None:
        self.records: list[Fetched] = []

    def add(self, record: Fetched) -> None:
        self.records.append(record)

    def drop(self, place: Place) -> None:
        self.records = [record for record in self.records if record.place != place]


class Consumer:
    def __init__(self) -> None:
        self.sought: list[dict[TP, int]] = []
        self.paused: set[TP] = set()
        self.held = {TP(*PLACE)}
        self.seeks = 0

    def assignment(self) -> set[TP]:
        return self.held

    async def go_to(self, positions: Mapping[TP, int]) -> None:
        self.sought.append(dict(positions))

    async def perform_seek(self) -> None:
        self.seeks += 1

    def pause_partitions(self, places: Iterable[TP]) -> None:
        self.paused |= set(places)

    def resume_partitions(self, places: Iterable[TP]) -> None:
        self.paused -= set(places)


class Rig:
    def __init__(self, start: int | None, log: list[int]) -> None:
        """`log` are the offsets that the log holds."""
        self.acks, self.belt, self.consumer, self.log = Acks(), Belt(), Consumer(), log
        self.failed: list[BaseException] = []
        self.metrics = Metrics(lambda: 0.0)
        if start is not None:
            self.acks.assign({PLACE: start})
        app: Any = SimpleNamespace(consumer=self.consumer)
        belts: Any = {"t": self.belt}
        self.intake = Intake(app, self.acks, belts, self.first_from, self.metrics, self.failed.append)

    def first_from(self, place: Place, offset: int) -> int | None:
        return next((one for one in self.log if one >= offset), None)

    def bring(self, *offsets: int) -> None:
        for offset in offsets:
            said = SimpleNamespace(
                topic="t",
                partition=0,
                offset=offset,
                timestamp=1_700_000_000.123,
                headers=[("a", b"b")],
                value=b'[{"event_id":1}]',
            )
            event: Any = SimpleNamespace(message=said)
            self.intake.arrive(event)

    async def mended(self) -> None:
        while self.intake._tasks:
            await asyncio.gather(*self.intake._tasks)

    @property
    def taken(self) -> list[int]:
        return [record.offset for record in self.belt.records]


def play(rig: Rig, script: Callable[[Rig], Awaitable[None]]) -> Rig:
    asyncio.run(_play(rig, script))
    return rig


async def _play(rig: Rig, script: Callable[[Rig], Awaitable[None]]) -> None:
    await script(rig)


def test_a_record_keeps_the_brokers_time_to_the_millisecond_and_its_headers() -> None:
    async def script(rig: Rig) -> None:
        rig.bring(0)

    [record] = play(Rig(0, []), script).belt.records
    assert record == Fetched("t", 0, 0, 1_700_000_000_123, [("a", b"b")], b'[{"event_id":1}]', 1)


def test_what_faust_dropped_is_fetched_again_before_anything_behind_it_is_taken() -> None:
    async def script(rig: Rig) -> None:
        rig.bring(0, 3, 4, 5)
        await rig.mended()
        assert rig.consumer.sought == [{TP(*PLACE): 1}]
        rig.bring(1, 2, 3, 3, 2)

    rig = play(Rig(0, [*range(10)]), script)
    assert rig.taken == [0, 1, 2, 3]


def test_what_the_log_itself_no_longer_holds_is_passed() -> None:
    async def script(rig: Rig) -> None:
        rig.bring(0, 7)
        await rig.mended()
        rig.bring(7, 8)

    rig = play(Rig(0, [7, 8]), script)
    assert rig.taken == [0, 7, 8]
    assert rig.acks.next(PLACE) == 9


def test_a_log_that_begins_anew_is_taken_from_its_beginning() -> None:
    async def script(rig: Rig) -> None:
        rig.bring(2)
        await rig.mended()
        assert rig.consumer.sought == [{TP(*PLACE): 0}]
        rig.bring(0, 1, 2)

    assert play(Rig(100, [0, 1, 2]), script).taken == [0, 1, 2]


def test_a_log_that_does_not_answer_is_asked_again_at_the_next_record() -> None:
    async def script(rig: Rig) -> None:
        def away(place: Place, offset: int) -> int | None:
            raise OSError("away")

        answers = rig.first_from
        rig.intake._first_from = away
        rig.bring(3)
        await rig.mended()
        rig.intake._first_from = answers
        rig.bring(4)
        await rig.mended()
        rig.bring(0)

    rig = play(Rig(0, [*range(10)]), script)
    assert (rig.taken, rig.consumer.sought) == ([0], [{TP(*PLACE): 0}])


def test_a_record_of_a_partition_that_is_ours_but_not_known_makes_it_known() -> None:
    async def script(rig: Rig) -> None:
        rig.bring(0, 1)
        await rig.mended()
        assert rig.consumer.seeks == 1
        rig.consumer.held = set()
        rig.bring(0)
        await rig.mended()

    rig = play(Rig(None, []), script)
    assert (rig.consumer.seeks, rig.taken) == (1, [])


def test_a_stopped_partition_is_not_taken_and_goes_on_exactly_where_it_stopped() -> None:
    async def script(rig: Rig) -> None:
        rig.bring(0, 1, 2, 3)
        rig.intake.stop(PLACE, 2)
        assert rig.consumer.paused == {TP(*PLACE)}
        rig.bring(4, 5)
        assert rig.taken == []
        await rig.intake.go_on(PLACE)
        assert rig.consumer.paused == set()
        assert rig.consumer.sought == [{TP(*PLACE): 2}]
        rig.bring(2, 3)

    assert play(Rig(0, [*range(10)]), script).taken == [2, 3]


def test_a_stop_ends_with_the_assignment() -> None:
    async def script(rig: Rig) -> None:
        rig.intake.stop(PLACE, 0)
        rig.acks.revoke()
        rig.intake.revoked()
        await rig.intake.go_on(PLACE)
        rig.intake.stop(PLACE, 0)

    rig = play(Rig(0, []), script)
    assert (rig.intake.stopped, rig.consumer.sought) == ({}, [])
