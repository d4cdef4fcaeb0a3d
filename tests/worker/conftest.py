"""What the worker's tests share: topics of a test's own on a real broker, and worker processes that can be killed."""

from __future__ import annotations

import json
import re
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from uptake.clickhouse import Database
from uptake.errors import UnavailableError
from uptake.local.clickhouse import ClickHouseFront
from uptake.local.kafka import KafkaNode
from uptake.local.process import ChildProcess
from uptake.schemas.identity import derive
from uptake.schemas.records import Record, Topic, event_records, topic_name
from uptake.sql.migrate import migrate

PATIENCE = 60.0
PARTITIONS = {Topic.USAGE: 4, Topic.FEEDBACK: 1, Topic.COST: 1, Topic.DEAD_LETTERS: 1, Topic.CONTROL: 1}


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What `condition` says once it is something; other processes bring it about."""
    tick = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if said := condition():
            return said
        tick.wait(0.05)
    raise AssertionError(f"it did not come about in {seconds:.0f} s")


@pytest.fixture(name="eventually")
def _eventually() -> Callable[..., Any]:
    return eventually


class Stage:
    """A broker's topics, a database and a workspace of one test, and the workers between them."""

    tenant = "acme"

    def __init__(self, node: KafkaNode, front: ClickHouseFront, prefix: str, directory: Path) -> None:
        self.node, self.front, self.prefix, self.directory = node, front, prefix, directory
        self.workers: list[ChildProcess] = []
        self._made = 0
        (directory / "workspace").mkdir()
        (directory / "workspace" / "organisation.yaml").write_text(
            f"tenant: {self.tenant}\nname: Acme\nzone: Europe/Paris\n"
        )
        admin = KafkaAdminClient(bootstrap_servers=node.bootstrap)
        config = {"message.timestamp.type": "LogAppendTime"}
        admin.create_topics(
            [
                NewTopic(self.name(topic), num_partitions=count, replication_factor=1, topic_configs=config)
                for topic, count in PARTITIONS.items()
            ]
        )
        admin.close()
        self.producer = KafkaProducer(bootstrap_servers=node.bootstrap, acks="all", enable_idempotence=True)
        self._consumer: KafkaConsumer | None = None

    def name(self, topic: Topic) -> str:
        return topic_name(topic, self.prefix)

    def database(self) -> Database:
        return Database.served(self.front.url)

    def worker(self, wait: bool = True, **settings: object) -> ChildProcess:
        """Another worker; `settings` are UPTAKE_… in small letters."""
        environment = {
            "UPTAKE_KAFKA": self.node.bootstrap,
            "UPTAKE_CLICKHOUSE_URL": self.front.url,
            "UPTAKE_WORKSPACE": str(self.directory / "workspace"),
            "UPTAKE_DATA": str(self.directory / "data"),
            "UPTAKE_TOPIC_PREFIX": self.prefix,
            "UPTAKE_CONSUMER_GROUP": f"{self.prefix}workers",
            "UPTAKE_WORKER_PORT": "0",
            "UPTAKE_WORKER_LINGER_SECONDS": "0.1",
            **{f"UPTAKE_{name.upper()}": str(value) for name, value in settings.items()},
        }
        number = len(self.workers)
        program = "import sys; from uptake.cli import main; sys.exit(main())"
        process = ChildProcess(
            f"worker {number}",
            [sys.executable, "-c", program, "worker"],
            self.directory / f"worker-{number}.log",
            environment,
        )
        self.workers.append(process)
        if wait:
            process.start(lambda: "partitions_assigned" in process.said(), PATIENCE)
        else:
            process.launch()
        return process

    def events(self, count: int) -> list[dict[str, Any]]:
        """Usage events that were never made before."""
        now = datetime.now(UTC)
        made = range(self._made, self._made + count)
        self._made += count
        return [
            {
                "event_id": str(derive("worker", f"{self.prefix}{n}", now)),
                "type": "usage",
                "occurred_at": now.isoformat(),
                "app": "helper",
                "user_id": f"p_{n % 50:032x}",
                "provider": "openai",
                "request_model": "gpt-4o",
                "input_tokens": 100,
                "output_tokens": 10,
            }
            for n in made
        ]

    def records(self, events: Sequence[dict[str, Any]], each: int = 20) -> list[Record]:
        now = datetime.now(UTC)
        texts = [(event["type"], str(event["event_id"]), json.dumps(event).encode()) for event in events]
        cut = [texts[at : at + each] for at in range(0, len(texts), each)]
        return [record for part in cut for record in event_records(self.tenant, part, now, "http")]

    def append(self, records: Sequence[Record], partition: int | None = None) -> list[tuple[int, int]]:
        """(partition, offset) of each record, once the broker has it."""
        sent = [
            self.producer.send(
                self.name(record.topic),
                record.value,
                record.key,
                headers=list(record.headers),
                partition=partition,
            )
            for record in records
        ]
        return [(told.partition, told.offset) for told in (one.get(30) for one in sent)]

    def append_events(self, count: int, each: int = 20, partition: int | None = None) -> list[dict[str, Any]]:
        events = self.events(count)
        self.append(self.records(events, each), partition)
        return events

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Nothing while the database does not answer."""
        try:
            database = self.database()
            try:
                return database.query(sql)
            finally:
                database.close()
        except (UnavailableError, OSError):
            return []
        except Exception as error:
            if type(error).__module__.startswith("clickhouse_connect"):
                return []
            raise

    def counted(self) -> int:
        """Events as they count: each id once."""
        rows = self.ask("SELECT count() AS n FROM usage FINAL")
        return int(rows[0]["n"]) if rows else 0

    def letters(self) -> list[dict[str, Any]]:
        return self.ask("SELECT * FROM dead_letters FINAL ORDER BY log_partition, log_offset, path")

    def committed(self) -> dict[int, int]:
        """Of the usage topic, by partition."""
        if self._consumer is None:
            self._consumer = KafkaConsumer(
                bootstrap_servers=self.node.bootstrap,
                group_id=f"{self.prefix}workers",
                enable_auto_commit=False,
            )
        topic = self.name(Topic.USAGE)
        found = {
            n: self._consumer.committed(TopicPartition(topic, n)) for n in range(PARTITIONS[Topic.USAGE])
        }
        return {n: offset or 0 for n, offset in found.items()}

    def ends(self) -> dict[int, int]:
        self.committed()
        assert self._consumer is not None
        topic = self.name(Topic.USAGE)
        asked = [TopicPartition(topic, n) for n in range(PARTITIONS[Topic.USAGE])]
        return {tp.partition: end for tp, end in self._consumer.end_offsets(asked).items()}

    def metric(self, worker: ChildProcess, line: str) -> float:
        """The sum of the series whose names begin with `line`."""
        url = re.findall(r"metrics at (\S+)", worker.said())[-1]
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return sum(float(row.rsplit(" ", 1)[1]) for row in text.splitlines() if row.startswith(line))

    def readiness(self, worker: ChildProcess) -> dict[str, Any]:
        url = re.findall(r"metrics at (\S+)", worker.said())[-1]
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=10) as answer:
                said: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as refused:
            said = json.load(refused)
        return said

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.producer.close(5)
        if self._consumer is not None:
            self._consumer.close()


@pytest.fixture
def stage(
    broker: KafkaNode, prefix: str, clickhouse_front: Callable[..., ClickHouseFront], tmp_path: Path
) -> Iterator[Stage]:
    started = clickhouse_front()
    database = Database.served(started.url)
    migrate(database)
    database.close()
    made = Stage(broker, started, prefix, tmp_path)
    yield made
    made.close()
