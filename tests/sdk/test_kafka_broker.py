"""The SDK and a real Kafka: what arrives, and that the app stays as free as with a gateway."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from kafka import TopicPartition

from uptake import Client, Retry, kafka
from uptake.local.kafka import KafkaNode
from uptake.schemas.batch import Batch, LogPosition
from uptake.schemas.records import EVENT_TOPICS, Topic, batch_of
from uptake.settings import Settings

BOUND = 30.0
PROGRAM_SECONDS = 60


@pytest.fixture
def settings(broker: KafkaNode, prefix: str) -> Iterator[Settings]:
    """Topics nobody else has, on a broker that is up before and after."""
    if not broker.alive():
        broker.start()
    made = Settings(kafka=broker.bootstrap, topic_prefix=prefix, _env_file=None)
    admin = kafka.admin(made)
    admin.create_topics(
        {f"{prefix}{topic}": {"num_partitions": 3, "replication_factor": 1} for topic in EVENT_TOPICS},
        wait_for_metadata=True,
    )
    admin.close()
    yield made
    if not broker.alive():
        broker.start()


@pytest.fixture
def connect(
    settings: Settings, make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Client]:
    """Clients of the tenant acme whose endpoint is the broker."""
    monkeypatch.setenv("UPTAKE_TOPIC_PREFIX", settings.topic_prefix)
    return lambda **options: make_client(
        f"kafka://{settings.kafka}",
        **{"tenant": "acme", "linger": 0.0, "retry": Retry(base=0.1, cap=0.5), **options},
    )


def batches(settings: Settings, topic: Topic = Topic.USAGE) -> list[Batch]:
    name = f"{settings.topic_prefix}{topic}"
    consumer = kafka.consumer(settings)
    try:
        partitions = [TopicPartition(name, number) for number in range(3)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found: list[Batch] = []
        for _ in range(100):
            if all(consumer.position(one) >= ends[one] for one in partitions):
                return found
            for records in consumer.poll(timeout_ms=500).values():
                for one in records:
                    where = LogPosition(one.topic, one.partition, one.offset)
                    at = datetime.fromtimestamp(one.timestamp / 1000, UTC)
                    found.append(batch_of(one.value, one.headers, where, at))
        raise AssertionError(f"{name} could not be read to its end")
    finally:
        consumer.close()


def models(settings: Settings) -> list[str]:
    return sorted(event["request_model"] for batch in batches(settings) for event in json.loads(batch.body))


def test_what_an_app_reports_is_in_the_log_as_a_gateway_would_write_it(
    connect: Any, settings: Settings
) -> None:
    client = connect(linger=3600)
    for number in range(20):
        client.usage(request_model=f"m{number:02}", user="jane")
    client.thumb("up", response_id="r1")
    assert client.flush(BOUND)
    assert client.stats().sent == 21
    (usage,) = batches(settings)
    assert (usage.tenant, usage.source) == ("acme", "sdk")
    assert usage.client is not None
    assert (usage.client.client_id, usage.client.accepted) == (client.stats().client_id, 21)
    assert models(settings) == [f"m{number:02}" for number in range(20)]
    assert b"jane" not in usage.body
    (thumb,) = batches(settings, Topic.FEEDBACK)
    assert [event["thumb"] for event in json.loads(thumb.body)] == ["up"]


def test_an_outage_costs_nothing_and_holds_no_caller_up(
    connect: Any, settings: Settings, broker: KafkaNode
) -> None:
    client = connect(timeout=2.0)
    client.usage(request_model="before")
    assert client.flush(BOUND)
    broker.kill()
    slowest = 0.0
    for number in range(200):
        began = time.perf_counter()
        client.usage(request_model=f"during-{number:03}")
        slowest = max(slowest, time.perf_counter() - began)
    assert slowest < 0.2
    assert not client.flush(1.0)
    assert client.stats().sent == 1
    broker.start()
    client.usage(request_model="after")
    assert client.flush(BOUND)
    assert client.stats().sent == 202
    assert client.stats().lost == 0
    # Sent again, an event may be there twice: its id makes it one. None is missing.
    assert set(models(settings)) == {"after", "before", *(f"during-{number:03}" for number in range(200))}


def test_an_app_that_logs_everything_finds_no_events_in_its_log(
    connect: Any, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    # Also kafka-python, which the service silences altogether: an app has never heard of the service.
    caplog.set_level(logging.DEBUG, "kafka")
    client = connect()
    client.usage(request_model="SECRET-MODEL", team="SECRET-TEAM")
    assert client.flush(BOUND)
    client.close()
    assert any(record.name.startswith("kafka.producer") for record in caplog.records)
    assert "SECRET" not in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_has_its_own_producer_and_leaves_the_parents_alone(
    connect: Any, settings: Settings
) -> None:
    client = connect()
    client.usage(request_model="parent-1")
    assert client.flush(BOUND)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            import gc

            gc.collect()
            client.usage(request_model="child")
            code = 0 if client.flush(BOUND) and client.stats().sent == 1 else 2
            client.close()
            gc.collect()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    client.usage(request_model="parent-2")
    assert client.flush(BOUND)
    assert models(settings) == ["child", "parent-1", "parent-2"]


def run(program: str, endpoint: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """An app of its own, and how long it took from the word "done" to its end."""
    values = {**os.environ, "UPTAKE_ENDPOINT": endpoint, "UPTAKE_TENANT": "acme", "UPTAKE_APP": "letters"}
    timed = f"import time\n{program}\nprint(time.time(), flush=True)"
    done = subprocess.run(
        [sys.executable, "-c", timed],
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        env=values | environment,
    )
    return done, time.time() - float(done.stdout.split()[-1])


def test_a_process_that_ends_sends_what_it_has(settings: Settings) -> None:
    program = "import uptake\nfor n in range(700): uptake.usage(request_model='gpt')"
    done, _ = run(program, f"kafka://{settings.kafka}", UPTAKE_TOPIC_PREFIX=settings.topic_prefix)
    assert (done.returncode, done.stderr) == (0, "")
    assert models(settings) == ["gpt"] * 700


@pytest.mark.parametrize("connected", [False, True])
def test_a_process_ends_in_time_when_kafka_does_not_answer(
    connected: bool, silence: str, settings: Settings, broker: KafkaNode
) -> None:
    """Silent from the start, or killed with a batch in the producer: nothing waits, and no trace is printed."""
    if connected:
        endpoint = f"kafka://{settings.kafka}"
        kill = f"import os, signal; os.kill({broker.process.pid}, signal.SIGKILL)"
    else:
        endpoint, kill = silence.replace("http:", "kafka:"), ""
    program = (
        "import uptake\nuptake.init(linger=0.0, exit_timeout=0.5)\nuptake.usage(request_model='gpt')\n"
        f"uptake.flush(3)\n{kill}\n"
        "for n in range(100): uptake.usage(request_model='gpt')\nuptake.flush(0.5)"
    )
    done, seconds = run(program, endpoint, UPTAKE_TOPIC_PREFIX=settings.topic_prefix)
    assert done.returncode == 0
    assert seconds < 2.0
    assert "Traceback" not in done.stderr


def test_kafka_python_is_imported_by_the_sender_and_by_nobody_else(settings: Settings) -> None:
    program = """
import sys, threading
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "kafka.producer":
            print("imported by", threading.current_thread().name)
sys.meta_path.insert(0, Watch())
import uptake
uptake.usage(request_model="gpt")
assert "kafka" not in sys.modules or threading.active_count() > 1
assert uptake.flush(20)
print(uptake.default_client().stats().sent)
"""
    program = program.replace("uptake.default_client()", "uptake.ingest.sdk.default.default_client()")
    done, _ = run(program, f"kafka://{settings.kafka}", UPTAKE_TOPIC_PREFIX=settings.topic_prefix)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == ["imported by uptake-sender", "1"]
