"""Batches of events, a producer that does what a test tells it, and topics on the real broker that can be read back."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition

from uptake import kafka
from uptake.local.kafka import KafkaNode
from uptake.schemas.batch import Batch, LogPosition
from uptake.schemas.identity import mint, unix_ms
from uptake.schemas.records import Topic, batch_of, topic_name
from uptake.settings import Settings

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PARTITIONS = 6


def event(kind: str = "usage", at: datetime = NOW, **said: Any) -> dict[str, Any]:
    base = {"event_id": str(mint(unix_ms(at))), "type": kind, "occurred_at": at.isoformat(), "app": "letters"}
    kinds: dict[str, dict[str, Any]] = {
        "usage": {"provider": "openai", "request_model": "gpt", "input_tokens": 3, "output_tokens": 4},
        "feedback": {"kind": "thumb", "thumb": "up"},
        "cost": {
            "amount": "12.50",
            "currency": "EUR",
            "category": "licence",
            "period_start": "2026-11-01",
            "period_end": "2026-12-01",
        },
    }
    return {**base, **kinds[kind], **said}


def body_of(*events: dict[str, Any]) -> bytes:
    return json.dumps(events).encode()


def batch_with(*events: dict[str, Any], tenant: str = "acme", **more: Any) -> Batch:
    return Batch(tenant, more.pop("body", None) or body_of(*events), more.pop("at", NOW), **more)


@dataclass
class FakeProducer:
    """Acknowledges everything unless `script` holds an error for the next record to be sent or to be awaited."""

    at_send: deque[Exception | None] = field(default_factory=deque)
    at_get: deque[Exception | None] = field(default_factory=deque)
    sent: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    waited: list[float | None] = field(default_factory=list)
    closed: int = 0

    def send(self, topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> FakePromise:
        error = self.at_send.popleft() if self.at_send else None
        if error is not None:
            raise error
        self.sent.append((topic, key, value))
        return FakePromise(self, topic, len(self.sent) - 1)

    def close(self, timeout: float | None = None) -> None:
        self.closed += 1


@dataclass
class FakePromise:
    producer: FakeProducer
    topic: str
    offset: int

    def get(self, timeout: float | None = None) -> Any:
        self.producer.waited.append(timeout)
        error = self.producer.at_get.popleft() if self.producer.at_get else None
        if error is not None:
            raise error
        return SimpleNamespace(topic=self.topic, partition=0, offset=self.offset)


@dataclass
class Log:
    """Topics of one test on the real broker."""

    settings: Settings

    def create(self, partitions: int = PARTITIONS) -> None:
        admin = kafka.admin(self.settings)
        try:
            admin.create_topics(
                {
                    topic_name(topic, self.settings.topic_prefix): {
                        "num_partitions": partitions,
                        "replication_factor": 1,
                        "configs": {"message.timestamp.type": "LogAppendTime"},
                    }
                    for topic in Topic
                },
                wait_for_metadata=True,
            )
        finally:
            admin.close()

    def batches(self, topic: Topic = Topic.USAGE) -> list[Batch]:
        """All records of a topic, as batches, by partition and offset."""
        found = [
            batch_of(
                record.value,
                record.headers,
                LogPosition(record.topic, record.partition, record.offset),
                datetime.fromtimestamp(record.timestamp / 1000, UTC),
            )
            for record in self.records(topic)
        ]
        return sorted(found, key=lambda batch: batch.position or ())

    def records(self, topic: Topic = Topic.USAGE) -> list[Any]:
        name = topic_name(topic, self.settings.topic_prefix)
        consumer = kafka.consumer(self.settings)
        try:
            partitions = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name)]
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            ends = consumer.end_offsets(partitions)
            found: list[Any] = []
            for _ in range(200):
                if all(consumer.position(one) >= ends[one] for one in partitions):
                    return found
                for records in consumer.poll(timeout_ms=500).values():
                    found += records
            raise AssertionError(f"{name} could not be read to its end")
        finally:
            consumer.close()

    def ids(self, topic: Topic = Topic.USAGE) -> list[str]:
        return sorted(one["event_id"] for batch in self.batches(topic) for one in json.loads(batch.body))


@pytest.fixture
def log(broker: KafkaNode, prefix: str) -> Iterator[Log]:
    """Topics nobody else has. A test that ends the broker leaves it to this to bring it back."""
    if not broker.alive():
        broker.start()
    made = Log(Settings(kafka=broker.bootstrap, topic_prefix=prefix, _env_file=None))
    made.create()
    yield made
    if not broker.alive():
        broker.start()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def make_event() -> Callable[..., dict[str, Any]]:
    return event


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    return batch_with


@pytest.fixture
def make_producer() -> Callable[..., FakeProducer]:
    return FakeProducer
