"""The whole of it as separate processes: topics, two schedulers, doctor, audit and replay as one types them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from uptake import kafka as clients
from uptake.clickhouse import Database
from uptake.local.clickhouse import ClickHouseFront
from uptake.local.kafka import KafkaNode
from uptake.local.process import ChildProcess
from uptake.schemas.identity import derive
from uptake.schemas.records import Topic, event_records, topic_name
from uptake.settings import Settings
from uptake.workspace.starter import init

UPTAKE = [sys.executable, "-c", "from uptake.cli import main; main()"]
TENANT = "acme"


class Installation:
    def __init__(self, directory: Path, broker: KafkaNode, url: str, prefix: str) -> None:
        self.directory = directory
        init(directory / "workspace")
        said = {
            "UPTAKE_WORKSPACE": str(directory / "workspace"),
            "UPTAKE_DATA": str(directory / "data"),
            "UPTAKE_KAFKA": broker.bootstrap,
            "UPTAKE_TOPIC_PREFIX": prefix,
            "UPTAKE_CONSUMER_GROUP": f"{prefix}workers",
            "UPTAKE_CLICKHOUSE_URL": url,
            "UPTAKE_PSEUDONYM_KEY": "a key of the tests",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("UPTAKE_")}
        self.environment = {**kept, **said}
        self.settings = Settings(
            _env_file=None, kafka=broker.bootstrap, topic_prefix=prefix, consumer_group=f"{prefix}workers"
        )
        self.database = Database.served(url)
        self._schedulers: list[ChildProcess] = []

    def uptake(self, *arguments: str) -> tuple[int, Any]:
        done = subprocess.run(
            [*UPTAKE, *arguments], env=self.environment, cwd=self.directory, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip
        return done.returncode, json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stderr

    def scheduler(self, name: str) -> ChildProcess:
        process = ChildProcess(
            name, [*UPTAKE, "scheduler", "--port", "0"], self.directory / f"{name}.log", self.environment
        )
        self._schedulers.append(process)
        process.start(lambda: self.url(process) is not None, 60)
        return process

    def url(self, process: ChildProcess) -> str | None:
        found = re.search(r"metrics at (http://\S+)", process.said())
        return found[1] if found else None

    def metric(self, process: ChildProcess, name: str) -> float:
        with urllib.request.urlopen(f"{self.url(process)}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)[1])  # type: ignore[index]

    def append(self, count: int, name: str) -> int:
        now = datetime.now(UTC)
        events = []
        for number in range(count):
            event_id = str(derive("processes", f"{name}{number}", now))
            event = {"event_id": event_id, "type": "feedback", "occurred_at": now.isoformat(),
                     "app": "claims-letter", "kind": "thumb", "thumb": "up"}  # fmt: skip
            events.append(("feedback", event_id, json.dumps(event).encode()))
        [record] = event_records(TENANT, events, now, "http")
        producer = clients.producer(self.settings)
        try:
            sent = producer.send(self.topic, record.value, record.key, list(record.headers), partition=0)
            return int(sent.get(20).offset)
        finally:
            producer.close(timeout=5)

    @property
    def topic(self) -> str:
        return topic_name(Topic.FEEDBACK, self.settings.topic_prefix)

    def commit(self, offset: int) -> None:
        admin = clients.admin(self.settings)
        try:
            place = TopicPartition(self.topic, 0)
            group = self.settings.consumer_group
            admin.alter_group_offsets(group, {place: OffsetAndMetadata(offset, "", -1)})
        finally:
            admin.close()

    def rows(self) -> int:
        sql = "SELECT count() AS rows FROM feedback FINAL WHERE tenant = {tenant:String}"
        return int(self.database.tenant(TENANT).query(sql)[0]["rows"])

    def close(self) -> None:
        for process in self._schedulers:
            process.kill()
        self.database.close()


@pytest.fixture
def installation(
    tmp_path: Path, broker: KafkaNode, prefix: str, clickhouse_front: Callable[[], ClickHouseFront]
) -> Iterator[Installation]:
    made = Installation(tmp_path, broker, clickhouse_front().url, prefix)
    yield made
    made.close()


def await_(what: Callable[[], bool], seconds: float) -> float:
    """Seconds until it was so."""
    started = time.monotonic()
    while not what():
        assert time.monotonic() - started < seconds
        threading.Event().wait(0.1)
    return time.monotonic() - started


def test_holes_are_healed_within_a_minute_and_a_second_scheduler_takes_over(
    installation: Installation,
) -> None:
    uptake = installation.uptake
    assert uptake("topics", "apply", "--json")[0] == 0
    code, said = uptake("doctor", "--json")
    found = {finding["what"]: finding for finding in said}
    assert found["topics"]["level"] == "ok"
    assert (found["audit"]["level"], found["workers"]["level"]) == ("warning", "warning")

    # 1. A commit ran ahead, and the active scheduler heals it.
    installation.append(3, "first")
    installation.commit(1)
    one = installation.scheduler("one")
    await_(lambda: installation.rows() == 3, 60)
    await_(lambda: installation.metric(one, "uptake_audit_restored_events_total") == 3, 10)
    assert installation.metric(one, "uptake_scheduler_active") == 1

    # 2. A second one waits, and takes over when the first is killed.
    two = installation.scheduler("two")
    assert installation.metric(two, "uptake_scheduler_active") == 0
    one.kill()
    assert await_(lambda: installation.metric(two, "uptake_scheduler_active") == 1, 30) < 30
    assert installation.metric(two, "uptake_scheduler_failing_jobs") == 0

    # 3. Asked to stop, it does so at once and in order.
    assert two.stop() == 0

    # 4. What one types finds, heals and shows the same.
    installation.append(2, "second")
    installation.commit(2)
    code, said = uptake("audit", "--no-heal", "--json")
    assert (code, said["unhealed"]) == (1, 1)
    found = {finding["what"]: finding for finding in uptake("doctor", "--json")[1]}
    assert found["audit"]["level"] == "error"
    code, said = uptake("audit", "--json")
    assert (code, said["unhealed"], said["restored"]) == (1, 0, 2)
    code, said = uptake("audit", "--json")
    assert (code, said["ok"], said["lag"][installation.topic]) == (0, True, 0)
    found = {finding["what"]: finding for finding in uptake("doctor", "--json")[1]}
    assert found["audit"]["level"] == "ok"

    # 5. Reading all of it again changes nothing.
    window = [
        "--from", (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "--to", (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    ]  # fmt: skip
    code, said = uptake("replay", "--topic", "feedback", *window, "--dry-run", "--json")
    assert (code, said["records"], said["events"]) == (0, 2, 5)
    code, said = uptake("replay", "--topic", installation.topic, *window, "--json")
    assert (code, said["records"], said["written"], said["duplicates"]) == (0, 2, 0, 5)
    assert installation.rows() == 5
