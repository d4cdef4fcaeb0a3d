"""The log writer and a real Kafka: what is answered is in the log, and what is not answered may be sent again."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from kafka.admin import ConfigResource
from kafka.record import default_records

from uptake import kafka
from uptake.distributed.appending import log_writer
from uptake.ingest.log.appender import PRODUCER_TIMES, Appended
from uptake.ingest.log.probe import PROBE_TIMES, LogProbe
from uptake.ingest.log.writer import LogWriter
from uptake.local.kafka import KafkaNode
from uptake.schemas.batch import ClientReport, Receipt, StoreUnavailable
from uptake.schemas.records import MAX_RECORD_BYTES, Topic

ATTEMPTS = 20
"""Each of them waits by itself for as long as the log's bound says."""
BOUND = 15.0


@pytest.fixture
def writer(log: Any) -> Iterator[LogWriter]:
    made = log_writer(log.settings, "test")
    yield made
    made.close()


def accepted(writer: LogWriter, batch: Any) -> Receipt:
    """The receipt, once the log takes the batch again."""
    for _ in range(ATTEMPTS):
        [outcome] = writer.process([batch])
        if isinstance(outcome, Receipt):
            return outcome
    raise AssertionError("the log did not take events again")


def test_what_is_accepted_is_in_the_log_once_and_can_be_read_as_the_batch_it_was(
    log: Any, writer: LogWriter, make_batch: Any, make_event: Any
) -> None:
    report = ClientReport("client-1", 9, 1)
    events = [make_event() for _ in range(7)]
    thumb, bad = make_event("feedback"), make_event(input_tokens=-1)
    [first, second] = writer.process(
        [make_batch(*events, thumb, bad, client=report), make_batch(make_event("cost"), tenant="other")]
    )
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert (first.accepted, len(first.rejections), second.accepted) == (8, 1, 1)
    (usage,) = log.batches(Topic.USAGE)
    assert json.loads(usage.body) == events
    assert (usage.tenant, usage.source, usage.client) == ("acme", "http", report)
    assert usage.position.topic == f"{log.settings.topic_prefix}usage"
    # Received when the broker appended it, whatever the gateway's clock says.
    assert abs(usage.received_at.timestamp() - time.time()) < 60
    assert log.ids(Topic.FEEDBACK) == [thumb["event_id"]]
    assert [batch.tenant for batch in log.batches(Topic.COST)] == ["other"]
    (letter,) = (json.loads(record.value) for record in log.records(Topic.DEAD_LETTERS))
    assert [json.loads(one["payload"]) for one in letter] == [bad]


def test_a_batch_with_old_events_is_not_older_than_its_record(
    log: Any, writer: LogWriter, make_batch: Any, make_event: Any, now: Any
) -> None:
    old = now - timedelta(days=400)
    writer.process([make_batch(make_event(at=old), at=old)])
    (record,) = log.records()
    assert abs(record.timestamp / 1000 - time.time()) < 60


def test_a_huge_body_is_in_the_log_in_records_below_the_limit(
    log: Any, writer: LogWriter, make_batch: Any, make_event: Any
) -> None:
    events = [make_event(odd="x" * 30_000) for _ in range(500)]
    [receipt] = writer.process([make_batch(*events)])
    assert isinstance(receipt, Receipt)
    assert receipt.accepted == 500
    records = log.records()
    assert len(records) > 10
    assert max(len(record.value) for record in records) <= MAX_RECORD_BYTES
    assert log.ids() == sorted(event["event_id"] for event in events)


def test_a_hot_app_spreads_over_all_partitions(
    log: Any, writer: LogWriter, make_batch: Any, make_event: Any
) -> None:
    batches = [make_batch(make_event()) for _ in range(120)]
    assert all(isinstance(one, Receipt) for one in writer.process(batches))
    found = [record.partition for record in log.records()]
    assert len(set(found)) == 6
    assert max(found.count(number) for number in range(6)) < 120 / 2


def test_sent_again_a_batch_lands_in_the_same_partition(
    log: Any, writer: LogWriter, make_batch: Any, make_event: Any
) -> None:
    batch = make_batch(make_event(), make_event())
    writer.process([batch])
    writer.process([batch])
    first, second = log.batches()
    assert first.body == second.body
    assert first.position.partition == second.position.partition


def test_many_threads_may_append(log: Any, writer: LogWriter, make_batch: Any, make_event: Any) -> None:
    batches = [make_batch(make_event(), make_event()) for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda batch: writer.process([batch])[0], batches))
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert len(log.ids()) == 80


def test_a_killed_broker_acknowledges_nothing_and_is_used_again_when_it_is_back(
    log: Any, broker: KafkaNode, make_batch: Any, make_event: Any
) -> None:
    told: list[Appended] = []
    writer = LogWriter(
        lambda: kafka.producer(log.settings, **PRODUCER_TIMES), log.settings.topic_prefix, observe=told.append
    )
    before, during, after = make_event(), make_event(), make_event()
    assert isinstance(writer.process([make_batch(before)])[0], Receipt)
    broker.kill()
    began = time.monotonic()
    assert isinstance(writer.process([make_batch(during)])[0], StoreUnavailable)
    assert time.monotonic() - began < BOUND
    broker.start()
    receipt = accepted(writer, make_batch(after))
    assert receipt.accepted == 1
    writer.close()
    assert told[0] == Appended(1, 0, False)
    assert told[1].failed == 1
    # What was acknowledged survived the kill; what was not may be there or not, and at most as often as it was sent.
    ids = log.ids()
    assert before["event_id"] in ids
    assert after["event_id"] in ids
    assert ids.count(during["event_id"]) <= 1


def test_a_broker_that_is_away_at_the_start_is_found_when_it_comes(
    log: Any, broker: KafkaNode, make_batch: Any, make_event: Any
) -> None:
    broker.stop()
    writer = log_writer(log.settings, "test")
    began = time.monotonic()
    assert isinstance(writer.process([make_batch(make_event())])[0], StoreUnavailable)
    assert time.monotonic() - began < BOUND
    broker.start()
    assert accepted(writer, make_batch(make_event())).accepted == 1
    writer.close()


def test_a_missing_topic_fails_its_own_batches_within_the_bound_and_no_others(
    log: Any, writer: LogWriter, make_batch: Any, make_event: Any
) -> None:
    admin = kafka.admin(log.settings)
    admin.delete_topics([f"{log.settings.topic_prefix}cost"])
    admin.close()
    began = time.monotonic()
    [cost, usage] = writer.process([make_batch(make_event("cost")), make_batch(make_event())])
    assert time.monotonic() - began < BOUND
    assert isinstance(cost, StoreUnavailable)
    assert isinstance(usage, Receipt)


def test_a_record_that_the_brokers_refuse_does_not_end_the_log_for_others(
    log: Any, writer: LogWriter, make_batch: Any, make_event: Any
) -> None:
    """An error that is not retriable kills kafka-python's idempotent producer: for every later record."""
    admin = kafka.admin(log.settings)
    admin.alter_configs(
        [ConfigResource("TOPIC", f"{log.settings.topic_prefix}cost", configs={"max.message.bytes": "600"})]
    )
    admin.close()
    [cost] = writer.process([make_batch(make_event("cost", odd="x" * 2000))])
    assert isinstance(cost, StoreUnavailable)
    assert isinstance(writer.process([make_batch(make_event())])[0], Receipt)


def test_readiness_says_what_is_wrong_with_the_log(log: Any, broker: KafkaNode) -> None:
    probe = LogProbe(lambda: kafka.admin(log.settings, **PROBE_TIMES), log.settings.topic_prefix)
    assert probe.state() == "ok"
    other = LogProbe(lambda: kafka.admin(log.settings, **PROBE_TIMES), "nobodys.")
    assert other.state() == "topic nobodys.usage is missing: uptake topics apply"
    broker.kill()
    began = time.monotonic()
    assert probe.state().startswith("does not answer (")
    assert time.monotonic() - began < BOUND
    broker.start()
    states = (probe.state() for _ in range(ATTEMPTS))
    assert any(state == "ok" for state in states)
    probe.close()
    other.close()


def test_kafka_pythons_own_log_never_holds_what_is_sent(
    log: Any, make_batch: Any, make_event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)  # of everything
    writer = log_writer(log.settings, "test")
    writer.process([make_batch(make_event(team="SECRET-TEAM"))])
    writer.close()
    assert len(log.records()) == 1
    assert "SECRET-TEAM" not in caplog.text
    assert "acme" not in caplog.text


def test_checksums_are_computed_in_c_and_are_kafkas_own(
    writer: LogWriter, make_batch: Any, make_event: Any
) -> None:
    """In Python they would be most of what a record costs. The broker refuses a record whose checksum is wrong."""
    assert isinstance(writer.process([make_batch(make_event())])[0], Receipt)
    checksum = default_records.calc_crc32c
    assert checksum(b"123456789") == 0xE3069283  # the check value of CRC-32C
    megabyte = memoryview(bytes(2**20))
    took = min(_seconds(checksum, megabyte) for _ in range(3))
    assert took < 0.05  # 0.5 in Python, 0.001 in C


def _seconds(work: Callable[[memoryview], object], data: memoryview) -> float:
    began = time.perf_counter()
    work(data)
    return time.perf_counter() - began


def test_nothing_is_answered_before_the_broker_has_acknowledged(
    log: Any, make_batch: Any, make_event: Any
) -> None:
    """The producer's answer is held back: the batch is in the log by then, and is not answered yet."""
    written, let_go = threading.Event(), threading.Event()

    class Held:
        def __init__(self, promise: Any) -> None:
            self.promise = promise

        def get(self, timeout: float | None = None) -> Any:
            told = self.promise.get(timeout)
            written.set()
            assert let_go.wait(BOUND)
            return told

    class Holding:
        def __init__(self) -> None:
            self.real = kafka.producer(log.settings, **PRODUCER_TIMES)
            self.close: Callable[..., None] = self.real.close

        def send(self, *args: Any, **kwargs: Any) -> Held:
            return Held(self.real.send(*args, **kwargs))

    writer = LogWriter(Holding, log.settings.topic_prefix)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(writer.process, [make_batch(make_event())])
        assert written.wait(BOUND)
        assert not answer.done()
        let_go.set()
        assert isinstance(answer.result(BOUND)[0], Receipt)
    writer.close()
    assert len(log.records()) == 1
