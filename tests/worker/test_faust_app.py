"""Faust as the worker holds it: safe settings, and guards on the places that tests/worker/test_upstream.py pins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from aiokafka.errors import CommitFailedError, GroupAuthorizationFailedError, KafkaTimeoutError
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from uptake.processors.worker.acks import Acks
from uptake.processors.worker.faust_app import METADATA_MS, Link, LogApp, LogConsumerThread, create_app

P0, P1 = TP("t", 0), TP("t", 1)


class Rig:
    """The app's own consumer, with what stands for aiokafka's thread."""

    def __init__(self) -> None:
        self.acks = Acks()
        self.calls: list[str] = []
        self.room = True
        self.app: LogApp = create_app("g", {"broker": "kafka://127.0.0.1:1"})
        self.app.link = Link(
            self.acks,
            room=lambda topic: self.room,
            settle=self._settle,
            released=lambda: self.calls.append("released"),
            revoked=lambda: self.calls.append("revoked"),
            committed=lambda offsets: self.calls.append(f"committed {dict(offsets)}"),
        )
        self.consumer: Any = self.app.consumer
        self.thread = Thread()
        self.consumer._thread = self.thread

    async def _settle(self, seconds: float) -> None:
        self.calls.append(f"settle {seconds:.0f}")


class Thread:
    def __init__(self) -> None:
        self.held = {P0, P1}
        self.begin: dict[TP, int] = {P0: 0, P1: 7}
        self.commits: list[dict[TP, int]] = []
        self.sought: list[dict[TP, int]] = []
        self.accepts = True
        self.fetched: list[set[TP]] = []

    def assignment(self) -> set[TP]:
        return self.held

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        self.commits.append(dict(offsets))
        return self.accepts

    async def starts(self, places: Any) -> dict[TP, int]:
        return {place: self.begin[place] for place in places}

    async def go_to(self, positions: Mapping[TP, int]) -> None:
        self.sought.append(dict(positions))

    async def getmany(self, places: set[TP], timeout: float) -> dict[TP, Any]:  # noqa: ASYNC109
        self.fetched.append(places)
        return {}


def play(script: Callable[[Rig], Awaitable[None]]) -> Rig:
    async def scene() -> Rig:
        rig = Rig()
        await script(rig)
        return rig

    return asyncio.run(scene())


def test_settings_that_faust_would_choose_otherwise() -> None:
    conf = create_app("g", {"broker": "kafka://127.0.0.1:1"}).conf
    assert not conf.web_enabled
    assert str(conf.store) == "memory:"
    assert (conf.topic_allow_declare, conf.topic_disable_leader) == (False, True)
    assert conf.processing_guarantee.value == "at_least_once"
    assert conf.consumer_auto_offset_reset == "earliest"
    assert (conf.key_serializer, conf.value_serializer) == ("raw", "raw")
    assert conf.broker_max_poll_interval * 1_000 < 2**31
    assert not conf.stream_wait_empty
    assert conf.consumer_metadata_max_age_ms == METADATA_MS


def test_what_is_committed_is_what_the_ledger_says_and_fausts_own_acknowledgement_changes_nothing() -> None:
    async def script(rig: Rig) -> None:
        rig.acks.assign({P0: 0})
        rig.acks.arrive(P0, 0)
        rig.acks.arrive(P0, 1)
        for offset in (0, 1, 2):
            said = ConsumerMessage("t", 0, offset, 1.0, 1, [], b"k", b"v", None, tp=P0)
            rig.consumer.ack(said)
        assert not await rig.consumer.commit()
        rig.acks.done(rig.acks.epoch, P0, [1])
        assert not await rig.consumer.commit()
        rig.acks.done(rig.acks.epoch, P0, [0])
        assert await rig.consumer.commit()
        assert not await rig.consumer.commit(), "there is no news"

    rig = play(script)
    assert rig.thread.commits == [{P0: 2}]
    assert rig.calls == [f"committed {{{P0!r}: 2}}"]


def test_a_commit_that_failed_is_made_again() -> None:
    async def script(rig: Rig) -> None:
        rig.acks.assign({P0: 0})
        rig.acks.arrive(P0, 0)
        rig.acks.done(rig.acks.epoch, P0, [0])
        rig.thread.accepts = False
        assert not await rig.consumer.commit()
        rig.thread.accepts = True
        assert await rig.consumer.commit()

    assert play(script).thread.commits == [{P0: 1}, {P0: 1}]


def test_a_partition_that_is_gone_is_not_committed() -> None:
    async def script(rig: Rig) -> None:
        rig.acks.assign({P0: 0})
        rig.acks.arrive(P0, 0)
        rig.acks.done(rig.acks.epoch, P0, [0])
        rig.thread.held = {P1}
        assert not await rig.consumer.commit()

    assert play(script).thread.commits == []


def test_new_partitions_begin_at_what_is_committed_and_held_ones_at_what_must_be_taken_next() -> None:
    async def script(rig: Rig) -> None:
        rig.thread.held = {P0}
        await rig.consumer.perform_seek()
        rig.acks.arrive(P0, 0)
        rig.thread.held = {P0, P1}
        await rig.consumer.perform_seek()

    rig = play(script)
    assert rig.thread.sought == [{P0: 0}, {P0: 1, P1: 7}]
    assert rig.consumer._read_offset[P1] == 7


def test_a_rebalance_finishes_what_is_in_hand_commits_and_only_then_forgets() -> None:
    async def script(rig: Rig) -> None:
        rig.acks.assign({P0: 0})
        rig.acks.arrive(P0, 0)
        rig.acks.done(rig.acks.epoch, P0, [0])
        rig.app._assignment = {P0}
        before = rig.acks.epoch
        await rig.consumer.on_partitions_revoked({P0})
        assert rig.acks.epoch == before + 1
        assert P0 not in rig.acks

    rig = play(script)
    assert [call.split()[0] for call in rig.calls] == ["settle", "committed", "revoked"]


def test_nothing_is_fetched_while_there_is_no_room() -> None:
    async def script(rig: Rig) -> None:
        assert await rig.consumer._getmany({P0}, 0.1) == {}
        rig.room = False
        assert await rig.consumer._getmany({P0}, 0.01) == {}

    assert play(script).thread.fetched == [{P0}]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, True),
        (CommitFailedError(), False),
        (KafkaTimeoutError(), False),
        (GroupAuthorizationFailedError("g"), False),
    ],
)
def test_a_commit_that_the_broker_does_not_take_now_crashes_nothing(
    error: Exception | None, outcome: bool
) -> None:
    assert committing(error) is outcome


def committing(error: Exception | None) -> bool:
    class Consumer:
        async def commit(self, offsets: Mapping[Any, Any]) -> None:
            assert list(offsets.values()) == [5]
            if error is not None:
                raise error

    class Stub:
        def _ensure_consumer(self) -> Consumer:
            return Consumer()

    stub: Any = Stub()
    return asyncio.run(LogConsumerThread._commit(stub, {P0: 5}))
