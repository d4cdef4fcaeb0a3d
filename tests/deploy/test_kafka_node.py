"""deploy/kafka with the real broker: what start.sh formats and runs, on ports and in a directory of the test's own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from uptake.errors import UptakeError
from uptake.local.kafka import STARTED, resolve_jars
from uptake.local.process import ChildProcess, accepts, free_port

WRAPPER = (
    '#!/bin/sh\nexec java -Xmx384m -Dorg.slf4j.simpleLogger.defaultLogLevel=info -cp "{jars}/*" {name} "$@"\n'
)
LONG_AGO_MS = 1_000_000_000_000


def properties(root: Path) -> str:
    return (root / "deploy" / "kafka" / "server.properties").read_text("utf-8")


@dataclass
class Node:
    process: ChildProcess
    port: int
    data: Path

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process.launch()
        self.process.await_ready(
            lambda: STARTED.search(self.process.said()) is not None and accepts(self.port), 90
        )


@pytest.fixture(scope="module")
def node(
    root: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Node]:
    """The broker of the compose file, its home made of the jars that the tests use."""
    try:
        jars = resolve_jars()
    except UptakeError:
        request.getfixturevalue("broker")  # skips, or fails where services are required, and says why
        raise
    home = tmp_path_factory.mktemp("kafka-deploy")
    (home / "bin").mkdir()
    for script, name in (("kafka-storage", "kafka.tools.StorageTool"), ("kafka-server-start", "kafka.Kafka")):
        wrapper = home / "bin" / f"{script}.sh"
        wrapper.write_text(WRAPPER.format(jars=jars, name=name))
        wrapper.chmod(0o755)
    port, controller = free_port(), free_port()
    text = properties(root)
    for theirs, ours in (
        ("//0.0.0.0:9092", f"//127.0.0.1:{port}"),
        ("//kafka:9092", f"//127.0.0.1:{port}"),
        ("localhost:9093", f"127.0.0.1:{controller}"),
        ("/var/lib/kafka/data", str(home / "data")),
    ):
        assert theirs in text
        text = text.replace(theirs, ours)
    (home / "server.properties").write_text(text)
    command = ["sh", str(root / "deploy" / "kafka" / "start.sh"), str(home / "server.properties")]
    process = ChildProcess(
        "Kafka of the compose file", command, home / "broker.log", {"KAFKA_HOME": str(home)}
    )
    made = Node(process, port, home / "data")
    made.start()
    yield made
    process.kill()


def test_it_starts_and_keeps_its_cluster_and_its_records_when_started_again(node: Node) -> None:
    identity = (node.data / "meta.properties").read_text()
    admin = KafkaAdminClient(bootstrap_servers=node.bootstrap)
    admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=node.bootstrap, acks="all", enable_idempotence=True)
    producer.send("kept", b"x", timestamp_ms=LONG_AGO_MS).get(30)
    producer.close()
    node.process.kill()
    node.start()
    assert (node.data / "meta.properties").read_text() == identity
    consumer = KafkaConsumer(bootstrap_servers=node.bootstrap, consumer_timeout_ms=20_000)
    consumer.assign([TopicPartition("kept", 0)])
    consumer.seek_to_beginning()
    record = next(consumer)
    consumer.close()
    assert record.value == b"x"
    assert record.timestamp > LONG_AGO_MS, "the broker's time counts, not the producer's"
    assert record.timestamp_type == 1


def test_no_topic_is_made_by_a_misspelt_name(node: Node) -> None:
    consumer = KafkaConsumer("misspelt", bootstrap_servers=node.bootstrap, consumer_timeout_ms=2_000)
    assert list(consumer) == []
    consumer.close()
    admin = KafkaAdminClient(bootstrap_servers=node.bootstrap)
    try:
        assert "misspelt" not in admin.list_topics()
    finally:
        admin.close()


def test_start_says_which_file_it_wants(root: Path) -> None:
    done = subprocess.run(
        ["sh", str(root / "deploy" / "kafka" / "start.sh")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "properties" in done.stderr
