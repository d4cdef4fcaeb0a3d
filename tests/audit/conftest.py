"""A small installation with a real log: topics, what is appended, a worker of one's own, an audit, a replay."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewTopic, OffsetSpec
from kafka.errors import RetriableError
from kafka.structs import OffsetAndMetadata
from sqlalchemy import Engine

from uptake import kafka as clients
from uptake.clickhouse import Database
from uptake.clock import ManualClock
from uptake.distributed.audit import Audit
from uptake.distributed.audit_heal import Healer
from uptake.distributed.audit_log import Log, Place, event_topics
from uptake.distributed.audit_store import AuditStore
from uptake.distributed.feed import Feeder
from uptake.distributed.reread import Reader
from uptake.local.kafka import KafkaNode
from uptake.processors.audit import Span
from uptake.processors.pipeline import Pipeline
from uptake.schemas.batch import Batch
from uptake.schemas.identity import derive
from uptake.schemas.records import Topic, event_records, topic_name
from uptake.settings import Settings
from uptake.state.store import open_state
from uptake.workspace.models import Workspace

PARTITIONS = 2

EventDict = dict[str, Any]


def usage(key: object, at: datetime, **fields: Any) -> EventDict:
    """A usage event by a key of its own; the same key and time give the same id."""
    return {
        "event_id": str(derive("audit", str(key), at)),
        "type": "usage",
        "occurred_at": at.isoformat(),
        "app": "helper",
        "provider": "openai",
        "request_model": "gpt-4o",
        "input_tokens": 1000,
        "output_tokens": 100,
        **fields,
    }


@dataclass
class World:
    """One tenant, one prefix of topics, and hands to do what gateway and workers do."""

    settings: Settings
    tenant: str
    database: Database
    state: Engine
    admin: KafkaAdminClient
    producer: KafkaProducer
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.clock = ManualClock(self.now)
        content = {"tenant": self.tenant, "name": "Audited"}
        self.workspaces = {
            self.tenant: Workspace.model_validate(
                {"organisation": content, "apps": [{"app": "helper", "owner": "o"}]}
            )
        }
        self.usage = topic_name(Topic.USAGE, self.settings.topic_prefix)
        self.log = Log(self.settings)
        self.audit = self.an_audit()

    def event(self, key: object, **fields: Any) -> EventDict:
        return usage(f"{self.tenant}/{key}", self.now, **fields)

    def events(self, count: int, name: str = "e") -> list[EventDict]:
        return [self.event(f"{name}{number}") for number in range(count)]

    def append(self, events: Sequence[EventDict], partition: int = 0, tenant: str = "") -> int:
        """One record; returns its offset."""
        texts = [(event["type"], event["event_id"], json.dumps(event).encode()) for event in events]
        [record] = event_records(tenant or self.tenant, texts, self.now, "http")
        name = topic_name(record.topic, self.settings.topic_prefix)
        sent = self.producer.send(name, record.value, record.key, list(record.headers), partition=partition)
        return int(sent.get(20).offset)

    def append_raw(self, value: bytes, partition: int = 0) -> int:
        return int(self.producer.send(self.usage, value, b"k", [], partition=partition).get(20).offset)

    def read(self, first: int, after: int, partition: int = 0) -> list[Batch]:
        with Reader(self.settings) as reader:
            found = list(reader.read(Place(self.usage, partition), [Span(first, after)]))
        return [batch for group in found for batch in group]

    def pipeline(self, database: Any = None) -> Pipeline:
        return Pipeline(self.workspaces.get, database or self.database, self.clock)

    def work(self, first: int, after: int, partition: int = 0) -> list[Any]:
        """What a worker does with records: rows, `log_records`, then the committed offset."""
        outcomes = self.pipeline().process(self.read(first, after, partition))
        self.commit(after, partition)
        return outcomes

    def commit(self, offset: int, partition: int = 0) -> None:
        place = TopicPartition(self.usage, partition)
        group = self.settings.consumer_group
        self.admin.alter_group_offsets(group, {place: OffsetAndMetadata(offset, "", -1)})

    def forget_below(self, offset: int, partition: int = 0) -> None:
        """What retention does."""
        self.admin.delete_records({TopicPartition(self.usage, partition): offset})
        there = TopicPartition(self.usage, partition)
        assert self.admin.list_partition_offsets({there: OffsetSpec.EARLIEST})[there].offset == offset

    def delete_record_row(self, offset: int, partition: int = 0) -> None:
        where = "topic = {topic:String} AND partition = {partition:Int32} AND offset = {offset:Int64}"
        bound = {"topic": self.usage, "partition": partition, "offset": offset}
        self.database.command(f"DELETE FROM log_records WHERE {where}", bound)  # noqa: S608

    def delete_events(self, offset: int, count: int, partition: int = 0) -> None:
        rows = [
            row for row in self.rows() if (row["log_partition"], row["log_offset"]) == (partition, offset)
        ]
        ids = [row["event_id"] for row in rows[:count]]
        assert len(ids) == count
        where = "tenant = {tenant:String} AND event_id IN {ids:Array(UInt128)}"
        self.database.command(f"DELETE FROM usage WHERE {where}", {"tenant": self.tenant, "ids": ids})  # noqa: S608

    def rows(self, table: str = "usage") -> list[EventDict]:
        sql = f"SELECT * FROM {table} FINAL WHERE tenant = {{tenant:String}}"  # noqa: S608
        return self.database.tenant(self.tenant).query(sql)

    def records(self) -> dict[int, EventDict]:
        """`log_records` of partition 0 by offset."""
        sql = "SELECT * FROM log_records FINAL WHERE topic = {topic:String} AND partition = 0"
        return {row["offset"]: row for row in self.database.query(sql, {"topic": self.usage})}

    def an_audit(self, database: Database | None = None, **over: Any) -> Audit:
        store = AuditStore(database or self.database)
        feeder = Feeder(self.pipeline(), 10_000, waits=())
        reader = over.get("reader", lambda: Reader(self.settings))
        healer = Healer(self.log, store, reader, feeder, self.workspaces.__contains__)
        return Audit(self.state, self.log, store, event_topics(self.settings), healer)


def await_coordinator(admin: KafkaAdminClient, group: str) -> None:
    """A new broker makes the topic of the groups' offsets when it is first asked for one."""
    for _ in range(200):
        try:
            admin.list_group_offsets({group: None})
        except RetriableError:
            threading.Event().wait(0.1)
        else:
            return
    raise AssertionError("the broker has no coordinator")


@pytest.fixture
def make_world(
    broker: KafkaNode, database: Database, prefix: str, tmp_path: Path
) -> Iterator[Callable[[str], World]]:
    settings = Settings(
        _env_file=None, kafka=broker.bootstrap, topic_prefix=prefix, consumer_group=f"{prefix}workers",
        data=tmp_path / "data", workspace=tmp_path / "workspace",
    )  # fmt: skip
    admin, producer = clients.admin(settings), clients.producer(settings)
    config = {"message.timestamp.type": "LogAppendTime"}
    topics = [NewTopic(topic_name(topic, prefix), PARTITIONS, 1, topic_configs=config) for topic in Topic]
    admin.create_topics(topics)
    await_coordinator(admin, settings.consumer_group)
    state = open_state(f"sqlite:///{tmp_path / 'state.db'}")
    worlds: list[World] = []

    def make(tenant: str) -> World:
        worlds.append(World(settings, tenant, database, state, admin, producer))
        return worlds[-1]

    yield make
    for world in worlds:
        world.log.close()
    producer.close(timeout=5)
    admin.close()
    state.dispose()


@pytest.fixture
def world(make_world: Callable[[str], World], tenant: str) -> World:
    return make_world(tenant)


@pytest.fixture
def apart(database: Database) -> Iterator[None]:
    """Rows of one id stay apart, as they do until ClickHouse merges them, which is when it likes."""
    database.command("SYSTEM STOP MERGES usage")
    yield
    database.command("SYSTEM START MERGES usage")
