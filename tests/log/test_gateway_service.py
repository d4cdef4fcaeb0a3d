"""`uptake gateway` as it is composed: HTTP in front, Kafka behind, and nothing else that is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from uptake.distributed.gateway import GatewayService
from uptake.errors import UsageError
from uptake.local.kafka import KafkaNode
from uptake.settings import Settings

ATTEMPTS = 20
PATIENCE = 30.0


class Door:
    """A running gateway and a key for the tenant acme."""

    def __init__(self, service: GatewayService) -> None:
        self.url = service.base_url
        self.key = service.home.keys.create("acme", "test").token

    def send(self, *events: dict[str, Any], **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.key}", **headers}
        return httpx.post(f"{self.url}/v1/events", json=events, headers=sent, timeout=PATIENCE)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=PATIENCE)


@pytest.fixture
def door(log: Any, tmp_path: Path) -> Iterator[Door]:
    settings = log.settings.model_copy(update={"data": tmp_path / "data", "port": 0})
    (tmp_path / "data").mkdir()
    with GatewayService(settings) as service:
        yield Door(service)


def test_an_answer_means_that_the_events_are_in_the_log(door: Door, log: Any, make_event: Any) -> None:
    good, bad = make_event(), make_event(input_tokens=-1)
    answer = door.send(good, bad)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["accepted"], told["duplicates"]) == (1, 0)
    assert [one["path"] for one in told["rejected"]] == ["[1].input_tokens"]
    assert log.ids() == [good["event_id"]]
    assert [batch.tenant for batch in log.batches()] == ["acme"]
    metrics = door.get("/metrics").text
    assert "uptake_log_records_total 2.0" in metrics
    assert "uptake_gateway_events_accepted_total 1.0" in metrics


def test_a_batch_that_cannot_be_read_is_refused_as_without_a_log(door: Door) -> None:
    answer = httpx.post(
        f"{door.url}/v1/events",
        content=b'{"a": 1}',
        headers={"Authorization": f"Bearer {door.key}", "Content-Type": "application/json"},
    )
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:uptake:problem:malformed"


def test_without_kafka_events_are_answered_503_and_with_it_again_200(
    door: Door, log: Any, broker: KafkaNode, make_event: Any
) -> None:
    assert door.get("/readyz").json() == {"status": "ok", "components": {"kafka": "ok", "state": "ok"}}
    broker.kill()
    lost = make_event()
    answer = door.send(lost)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert door.get("/readyz").status_code == 503
    assert door.get("/healthz").status_code == 200
    broker.start()
    statuses = (door.send(lost).status_code for _ in range(ATTEMPTS))
    assert any(status == 200 for status in statuses)
    assert any(door.get("/readyz").status_code == 200 for _ in range(ATTEMPTS))
    assert set(log.ids()) == {lost["event_id"]}


def test_a_gateway_without_a_log_to_write_to_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Kafka"):
        GatewayService(Settings(data=tmp_path, port=0, kafka="", _env_file=None)).start()


def test_settings_that_cannot_lead_to_kafka_are_told_at_the_start_and_not_by_503(tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path, port=0, kafka="127.0.0.1:1", kafka_security="SASL_PLAINTEXT", _env_file=None
    )
    with pytest.raises(UsageError, match="password"):
        GatewayService(settings).start()
