"""`uptake worker` says what is wrong, what would help, and ends with a code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from uptake.cli.app import run
from uptake.distributed.log_look import LogLook
from uptake.local.kafka import KafkaNode
from uptake.local.process import free_port


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UPTAKE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("UPTAKE_WORKER_PORT", "0")
    monkeypatch.setenv("UPTAKE_CLICKHOUSE_URL", f"clickhouse://127.0.0.1:{free_port()}/uptake")


def test_without_kafka_the_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["worker"]) == 2
    assert "UPTAKE_KAFKA" in capsys.readouterr().err


def test_without_a_server_every_worker_would_have_a_database_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UPTAKE_KAFKA", f"127.0.0.1:{free_port()}")
    monkeypatch.delenv("UPTAKE_CLICKHOUSE_URL")
    assert run(["worker"]) == 2
    assert "UPTAKE_CLICKHOUSE_URL" in capsys.readouterr().err


def test_topics_that_are_missing_are_said_with_the_command_that_makes_them(
    broker: KafkaNode, prefix: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UPTAKE_KAFKA", broker.bootstrap)
    monkeypatch.setenv("UPTAKE_TOPIC_PREFIX", prefix)
    assert run(["worker"]) == 2
    said = capsys.readouterr().err
    assert f"topic {prefix}usage is missing" in said
    assert "uptake topics apply" in said


def test_a_database_that_is_away_is_said(
    stage: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UPTAKE_KAFKA", stage.node.bootstrap)
    monkeypatch.setenv("UPTAKE_TOPIC_PREFIX", stage.prefix)
    assert run(["worker"]) == 4
    assert "UPTAKE_CLICKHOUSE_URL" in capsys.readouterr().err


def test_the_log_is_asked_outside_of_the_group_where_partitions_end_and_what_comes_first(stage: Any) -> None:
    from kafka import KafkaConsumer

    stage.append_events(30, each=10, partition=2)
    look = LogLook(lambda: KafkaConsumer(bootstrap_servers=stage.node.bootstrap, auto_offset_reset="none"))
    usage = f"{stage.prefix}usage"
    try:
        assert look.ends([(usage, 2), (usage, 0)]) == {(usage, 2): 3, (usage, 0): 0}
        assert look.ends([]) == {}
        assert [look.first_from((usage, 2), offset) for offset in (0, 2, 3)] == [0, 2, None]
        assert look.first_from((usage, 0), 0) is None
    finally:
        look.close()
