"""Records on a real Kafka: what a topic's settings promise is what the broker does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError

from uptake import kafka
from uptake.schemas.batch import ClientReport, LogPosition
from uptake.schemas.identity import mint, unix_ms
from uptake.schemas.records import MAX_RECORD_BYTES, Record, Topic, batch_of, event_records, topic_name
from uptake.settings import Settings
from uptake.topics import topics

OLD = datetime(2001, 1, 1, tzinfo=UTC)
REPORT = ClientReport("sdk-1", 2, 0)


@pytest.fixture
def log(installed: Settings) -> Settings:
    with topics(installed) as made:
        assert made.apply().differences == ()
    return installed


def events(count: int, text: str = "") -> list[tuple[str, str, bytes]]:
    ids = [str(mint(unix_ms(OLD))) for _ in range(count)]
    return [("usage", name, json.dumps({"event_id": name, "text": text}).encode()) for name in ids]


def append(settings: Settings, record: Record, **over: Any) -> LogPosition:
    with kafka.producer(settings, **over) as producer:
        written = producer.send(
            topic_name(record.topic, settings.topic_prefix),
            key=record.key,
            value=record.value,
            headers=list(record.headers),
            timestamp_ms=unix_ms(OLD),
        ).get(20)
    return LogPosition(written.topic, written.partition, written.offset)


def read(settings: Settings, place: LogPosition) -> Any:
    with kafka.consumer(settings) as consumer:
        partition = TopicPartition(place.topic, place.partition)
        consumer.assign([partition])
        consumer.seek(partition, place.offset)
        for _ in range(100):
            for records in consumer.poll(timeout_ms=200).values():
                return records[0]
    raise AssertionError("nothing came")


def test_a_batch_is_read_back_with_the_brokers_time_whatever_the_producer_says(log: Settings) -> None:
    (record,) = event_records("acme", events(3), OLD, "sdk", REPORT)
    before = datetime.now(UTC) - timedelta(seconds=1)
    place = append(log, record)
    found = read(log, place)
    assert found.timestamp_type == 1  # LogAppendTime
    appended = datetime.fromtimestamp(found.timestamp / 1000, UTC)
    batch = batch_of(found.value, found.headers, place, appended)
    assert before <= batch.received_at <= datetime.now(UTC) + timedelta(seconds=1)
    assert (batch.tenant, batch.source, batch.client, batch.position) == ("acme", "sdk", REPORT, place)
    assert batch.body == record.value


def test_the_same_batch_lands_in_the_same_partition_and_others_spread(log: Settings) -> None:
    (record,) = event_records("acme", events(1), OLD, "http")
    assert append(log, record).partition == append(log, record).partition
    others = [event_records("acme", events(1), OLD, "http")[0] for _ in range(40)]
    with kafka.producer(log) as producer:
        name = topic_name(Topic.USAGE, log.topic_prefix)
        sent = [producer.send(name, key=r.key, value=r.value, headers=list(r.headers)) for r in others]
        assert len({future.get(20).partition for future in sent}) > 4


def test_the_largest_record_is_accepted_and_the_brokers_compress_it(log: Settings) -> None:
    records = event_records("acme", events(30, "x" * 31_000), OLD, "http", REPORT)
    largest = max(records, key=lambda record: len(record.value))
    assert len(largest.value) > MAX_RECORD_BYTES - 32 * 1024
    place = append(log, largest)
    assert read(log, place).value == largest.value
    with kafka.admin(log) as admin:
        (node,) = admin.describe_log_dirs({place.topic: [place.partition]})
    (size,) = [
        partition["partition_size"]
        for directory in node["log_dirs"]
        for topic in directory["topics"]
        for partition in topic["partitions"]
    ]
    assert 0 < size < len(largest.value) / 10


def test_clients_never_ask_for_a_topic_to_be_made_by_being_named(log: Settings) -> None:
    """Asked of the clients themselves: this suite's broker would refuse it anyway, others do not."""
    for opened in (kafka.producer(log), kafka.consumer(log)):
        with opened as client:
            assert client.config["allow_auto_create_topics"] is False


def test_a_producer_waits_for_all_in_sync_replicas_and_writes_no_retry_twice(log: Settings) -> None:
    with kafka.producer(log) as producer:
        assert (producer.config["acks"], producer.config["enable_idempotence"]) == (-1, True)


def test_writing_to_a_topic_that_nobody_made_is_an_error_soon(installed: Settings) -> None:
    (record,) = event_records("acme", events(1), OLD, "http")
    with pytest.raises(KafkaError):
        append(installed, record, max_block_ms=1_000)


def test_an_offset_that_is_gone_is_an_error_and_not_a_jump(log: Settings) -> None:
    (record,) = event_records("acme", events(1), OLD, "http")
    place = append(log, record)
    with pytest.raises(OffsetOutOfRangeError):
        read(log, place._replace(offset=place.offset + 1_000))
