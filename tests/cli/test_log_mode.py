"""What commands do where UPTAKE_KAFKA names a log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kafka import TopicPartition

from uptake import kafka
from uptake.local.kafka import KafkaNode
from uptake.settings import Settings

ROWS = "when,model,input,output\n2026-11-20T09:30:00Z,gpt-5,10,20\n2026-11-20T09:31:00Z,gpt-5,30,-1\n"
MAP = """\
columns:
  occurred_at: when
  request_model: model
  input_tokens: input
  output_tokens: output
constants:
  app: letters
  provider: openai
source: test
"""


@pytest.fixture
def topics(broker: KafkaNode, prefix: str, monkeypatch: pytest.MonkeyPatch, here: Path) -> str:
    monkeypatch.setenv("UPTAKE_KAFKA", broker.bootstrap)
    monkeypatch.setenv("UPTAKE_TOPIC_PREFIX", prefix)
    admin = kafka.admin(Settings(_env_file=None))
    admin.create_topics(
        {
            f"{prefix}{name}": {"num_partitions": 1, "replication_factor": 1}
            for name in ("usage", "dead-letters")
        },
        wait_for_metadata=True,
    )
    admin.close()
    return prefix


def records(topic: str) -> list[Any]:
    consumer = kafka.consumer(Settings(_env_file=None))
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        end = consumer.end_offsets([partition])[partition]
        found: list[Any] = []
        for _ in range(50):
            if consumer.position(partition) >= end:
                return found
            for some in consumer.poll(timeout_ms=500).values():
                found += some
        raise AssertionError("the topic could not be read to its end")
    finally:
        consumer.close()


def test_up_is_refused_and_the_hint_names_the_three_commands(
    uptake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPTAKE_KAFKA", "127.0.0.1:9092")
    done = uptake("up")
    assert done.returncode == 2
    for command in ("uptake gateway", "uptake worker", "uptake scheduler"):
        assert command in done.stderr


def test_a_gateway_needs_a_log(uptake: Any) -> None:
    done = uptake("gateway")
    assert done.returncode == 2
    assert "UPTAKE_KAFKA" in done.stderr


def test_an_import_goes_through_the_log_and_claims_no_duplicates(
    uptake: Any, workspace: Path, here: Path, topics: str
) -> None:
    (here / "rows.csv").write_text(ROWS)
    (here / "map.yaml").write_text(MAP)
    done = uptake("import", "rows.csv", "--as", "usage", "--map", "map.yaml", "--json")
    told = json.loads(done.stdout)
    assert (told["rows"], told["accepted"], told["duplicates"]) == (2, 1, None)
    assert [row["line"] for row in told["rejected"]] == [3]
    (record,) = records(f"{topics}usage")
    assert [event["request_model"] for event in json.loads(record.value)] == ["gpt-5"]
    assert dict(record.headers)["ce_via"] == b"import"
    spoken = uptake("import", "rows.csv", "--as", "usage", "--map", "map.yaml")
    assert "known already." in spoken.stdout
    assert "0 known" not in spoken.stdout
    first, second = records(f"{topics}usage")
    assert first.value == second.value
