"""What Faust and aiokafka do that the worker guards against, on their own classes. When one of these fails after an
upgrade, look whether its guard in processors/worker/faust_app.py is still needed, and still enough."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import KafkaTimeoutError
from aiokafka.structs import TopicPartition
from faust.events import Event
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from uptake.local.kafka import KafkaNode
from uptake.processors.worker.faust_app import METADATA_MS

PLACE = TP("t", 0)


def plain_app() -> faust.App:
    return faust.App("upstream", broker="kafka://127.0.0.1:1", autodiscover=False, store="memory://")


def message(offset: int, generation: int = 0) -> ConsumerMessage:
    said = ConsumerMessage("t", 0, offset, 1.0, 1, [], b"k", b"v", None, tp=PLACE, generation_id=generation)
    said.incref()
    return said


def committed_by_faust(committed: int | None, *acknowledged: int) -> dict[TP, int]:
    """What Faust would commit next."""

    async def ask() -> dict[TP, int]:
        app = plain_app()
        app.topics._acking_topics.add("t")  # type: ignore[attr-defined]
        consumer: Any = app.consumer
        consumer._committed_offset[PLACE] = committed
        for offset in acknowledged:
            consumer.ack(message(offset))
        found: dict[TP, int] = consumer._filter_committable_offsets([PLACE])
        return found

    return asyncio.run(ask())


def test_where_nothing_was_committed_faust_commits_past_all_that_is_in_flight() -> None:
    assert committed_by_faust(None, 5) == {PLACE: 6}, "0 to 4 may be in flight"


def test_where_something_was_committed_faust_still_passes_one_record_in_flight() -> None:
    assert committed_by_faust(31, 32) == {PLACE: 33}, "31 is the next one to read"
    assert committed_by_faust(31, 33) == {}


def test_faust_forgets_what_a_failed_commit_should_have_committed() -> None:
    async def fail() -> tuple[bool, Any, dict[TP, int]]:
        app = plain_app()
        app.topics._acking_topics.add("t")  # type: ignore[attr-defined]
        consumer: Any = app.consumer
        consumer._committed_offset[PLACE] = 31
        consumer.ack(message(31))
        consumer.assignment = lambda: {PLACE}

        async def refused(offsets: object) -> bool:
            return False

        consumer._commit = refused
        did = await consumer.force_commit()
        return did, consumer._committed_offset[PLACE], consumer._filter_committable_offsets([PLACE])

    assert asyncio.run(fail()) == (False, 32, {})


def test_a_commit_that_finds_another_under_way_does_nothing() -> None:
    async def twice() -> tuple[bool, list[int]]:
        consumer: Any = plain_app().consumer
        calls: list[int] = []
        consumer._commit_fut = asyncio.get_running_loop().create_future()

        async def commit(*_: object, **__: object) -> bool:
            calls.append(1)
            return True

        consumer.force_commit = commit
        second = asyncio.create_task(consumer.commit())
        asyncio.get_running_loop().call_soon(consumer._commit_fut.set_result, None)
        return await second, calls

    assert asyncio.run(twice()) == (False, [])


def test_a_broker_that_is_away_at_a_commit_crashes_the_app() -> None:
    crashes: list[BaseException] = []

    async def commit(offsets: object) -> None:
        raise KafkaTimeoutError

    async def crash(error: BaseException) -> None:
        crashes.append(error)

    thread: Any = SimpleNamespace(
        _ensure_consumer=lambda: SimpleNamespace(commit=commit),
        assignment=lambda: {PLACE},
        tp_last_committed_at={},
        log=SimpleNamespace(exception=lambda *_: None),
        crash=crash,
    )
    assert asyncio.run(AIOKafkaConsumerThread._commit(thread, {PLACE: 1})) is False
    assert [type(error) for error in crashes] == [KafkaTimeoutError]


def stream_of(app: faust.App, *events: Event) -> Any:
    app.flow_control.resume()
    channel = app.channel()
    stream = app.stream(channel)
    for event in events:
        stream.channel.queue.put_nowait(event)  # type: ignore[attr-defined]
    return stream


def event(app: faust.App, said: ConsumerMessage) -> Event:
    return Event(app, None, b"v", None, said)


def test_take_acknowledges_a_batch_that_raised() -> None:
    async def raising() -> bool:
        app = plain_app()
        app.consumer_generation_id = 0
        said = message(0)
        stream = stream_of(app, event(app, said))
        taking = stream.take(1, within=5)
        assert len(await anext(taking)) == 1
        with pytest.raises(RuntimeError):
            await taking.athrow(RuntimeError("the insert failed"))
        await stream.stop()
        return said.acked

    assert asyncio.run(raising()) is True


def test_a_stream_in_python_acknowledges_what_it_skips_after_a_rebalance() -> None:
    async def skipping() -> tuple[bool, bool]:
        app = plain_app()
        app.consumer_generation_id = 2
        old, new = message(0, generation=1), message(1, generation=2)
        stream = stream_of(app, event(app, old), event(app, new))
        stream.enable_acks = False
        reading = stream._py_aiter()
        assert await anext(reading) == b"v"
        acknowledged = old.acked, new.acked
        await reading.aclose()
        return acknowledged

    assert asyncio.run(skipping()) == (True, False)


@pytest.mark.parametrize(("committed", "sought"), [(None, []), (0, []), (7, [7])])
def test_seeking_to_what_is_committed_leaves_a_partition_without_a_commit_where_it_is(
    committed: int | None, sought: list[int]
) -> None:
    place = TopicPartition("t", 0)
    moved: list[int] = []

    async def ask(_: object) -> int | None:
        return committed

    consumer: Any = SimpleNamespace(
        _subscription=SimpleNamespace(assigned_partitions=lambda: {place}),
        committed=ask,
        _fetcher=SimpleNamespace(seek_to=lambda _, offset: moved.append(offset)),
    )
    assert asyncio.run(AIOKafkaConsumer.seek_to_committed(consumer)) == {place: committed}
    assert moved == sought


def test_without_an_active_partition_faust_pauses_for_a_second() -> None:
    async def waiting() -> list[float]:
        consumer: Any = plain_app().consumer
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        consumer.sleep = sleep
        await consumer._wait_next_records(0.1)
        return slept

    assert asyncio.run(waiting()) == [1]


class Enough(Exception):  # noqa: N818 - not an error
    """The test has seen enough."""


def test_faust_waits_for_records_in_flight_without_end() -> None:
    rounds: list[float] = []

    async def waiting() -> None:
        consumer: Any = plain_app().consumer
        in_flight = message(0)
        consumer._unacked_messages.add(in_flight)

        async def again(**wait: float) -> None:
            rounds.append(wait["timeout"])
            if len(rounds) == 60:
                raise Enough

        async def commit(*_: object, **__: object) -> bool:
            return False

        consumer._wait_for_ack, consumer.commit = again, commit
        await consumer.wait_empty()

    with pytest.raises(Enough):
        asyncio.run(waiting())
    assert sum(rounds) == 60, "seconds, and no end in sight"


@pytest.mark.parametrize(
    ("ages_in_ms", "patience", "is_assigned"),
    [(METADATA_MS, 60, True), (300_000, 2 * METADATA_MS // 1_000, False)],
    ids=["ours", "fausts"],
)
def test_topics_that_were_not_known_when_the_group_was_assigned_are_found_with_the_next_metadata(
    broker: KafkaNode, ages_in_ms: int, patience: int, is_assigned: bool
) -> None:
    topic = f"late-{ages_in_ms}"

    async def play() -> bool:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=f"127.0.0.1:{broker.port}", group_id=topic, metadata_max_age_ms=ages_in_ms
        )
        assigned = asyncio.Event()

        class Told(ConsumerRebalanceListener):  # type: ignore[misc]
            async def on_partitions_revoked(self, revoked: Any) -> None:
                pass

            async def on_partitions_assigned(self, given: Any) -> None:
                nothing.set()
                if given:
                    assigned.set()

        nothing = asyncio.Event()
        await consumer.start()
        try:
            consumer.subscribe([topic], listener=Told())
            await asyncio.wait_for(nothing.wait(), 30)
            assert consumer.assignment() == frozenset()
            admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{broker.port}")
            admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
            admin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(assigned.wait(), patience)
            return assigned.is_set()
        finally:
            await consumer.stop()

    assert asyncio.run(play()) is is_assigned


def test_fausts_web_server_is_on_and_listens_everywhere_unless_told_otherwise() -> None:
    conf = plain_app().conf
    assert conf.web_enabled
    assert str(conf.web_bind) == "0.0.0.0"


def test_the_names_that_are_overridden_exist() -> None:
    overridden: list[tuple[Any, str]] = [
        (Consumer, "commit"),
        (Consumer, "force_commit"),
        (Consumer, "perform_seek"),
        (Consumer, "resume_flow"),
        (Consumer, "on_partitions_revoked"),
        (Consumer, "_getmany"),
        (Consumer, "_drain_messages"),
        (Consumer, "_new_consumer_thread"),
        (Consumer, "verify_all_partitions_active"),
        (AIOKafkaConsumerThread, "_commit"),
        (faust.App, "_new_transport"),
        (faust.App, "_consumer_wait_empty"),
        (faust.App, "_create_directories"),
    ]
    missing = [name for owner, name in overridden if not isinstance(getattr(owner, name, None), Callable)]  # type: ignore[arg-type]
    assert missing == []
