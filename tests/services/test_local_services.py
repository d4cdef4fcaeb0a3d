"""The services that other tests stand on are real ones, and outlive being killed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from uptake.clickhouse import Database
from uptake.errors import UptakeError
from uptake.local.clickhouse import ClickHouseFront
from uptake.local.kafka import KafkaCluster, KafkaNode
from uptake.local.process import ChildProcess


def create(bootstrap: str, topic: str, copies: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=copies)])
    finally:
        admin.close()


def append(bootstrap: str, topic: str, value: bytes) -> int:
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    try:
        return int(producer.send(topic, value).get(30).offset)
    finally:
        producer.close()


def read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, consumer_timeout_ms=20_000)
    try:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek_to_beginning()
        return [record.value for _, record in zip(range(count), consumer, strict=False)]
    finally:
        consumer.close()


def test_what_a_killed_broker_acknowledged_is_there_when_it_is_back(broker: KafkaNode, prefix: str) -> None:
    create(broker.bootstrap, f"{prefix}x", 1)
    assert append(broker.bootstrap, f"{prefix}x", b"before") == 0
    broker.kill()
    assert not broker.alive()
    broker.start()
    assert append(broker.bootstrap, f"{prefix}x", b"after") == 1
    assert read(broker.bootstrap, f"{prefix}x", 2) == [b"before", b"after"]


def test_three_nodes_go_on_with_two(cluster: KafkaCluster, prefix: str) -> None:
    create(cluster.bootstrap, f"{prefix}x", 3)
    assert append(cluster.bootstrap, f"{prefix}x", b"by three") == 0
    lost, *left = cluster.nodes
    lost.kill()
    try:
        rest = ",".join(node.bootstrap for node in left)
        assert append(rest, f"{prefix}x", b"by two") == 1
        assert read(rest, f"{prefix}x", 2) == [b"by three", b"by two"]
    finally:
        lost.start()


def test_what_a_killed_front_acknowledged_is_there_when_it_is_back(
    clickhouse_front: Callable[..., ClickHouseFront],
) -> None:
    front = clickhouse_front()
    database = Database.served(front.url)
    database.command("CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n")
    database.insert_json_lines("t", b'{"n": 7}')
    front.kill()
    front.start()
    assert database.query("SELECT n FROM t") == [{"n": 7}]
    database.close()


def test_a_process_that_ends_before_it_is_ready_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    process = ChildProcess("thing", ["sh", "-c", "echo no room; exit 3"], tmp_path / "log")
    with pytest.raises(UptakeError, match="no room"):
        process.start(lambda: False, 20)
    assert process.exit_code() == 3
