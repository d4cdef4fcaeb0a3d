"""Kafka as the endpoint: what is read from the environment, and what becomes of a batch however Kafka answers."""

from __future__ import annotations

import gzip
import json
import logging
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import (
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    OutOfOrderSequenceNumberError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
)

import uptake
from uptake.ingest.sdk import kafka_target, options
from uptake.ingest.sdk.kafka_quiet import CLIENT_ID, hush
from uptake.ingest.sdk.kafka_target import KafkaTarget
from uptake.ingest.sdk.kafka_transport import KafkaTransport
from uptake.ingest.sdk.transport import Unreached

EVENT = {"event_id": "01936b1e-6a3e-7b55-9a3f-5d2c1e0b7a66", "type": "usage", "app": "letters"}
HEADERS = {"Uptake-Client-Id": "c1", "Uptake-Client-Accepted": "5", "Uptake-Client-Dropped": "1"}
TARGET = KafkaTarget(("127.0.0.1:1",), "acme", "p.")


class Producer:
    """Stands where the guest's producer stands."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.sent: list[tuple[str, bytes, bytes, list[tuple[str, bytes]]]] = []
        self.left = 0

    def send(self, *record: Any) -> Any:
        self.sent.append(record)
        return SimpleNamespace(get=self.get)

    def get(self, timeout: float) -> None:
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error

    def leave(self, seconds: float) -> None:
        self.left += 1


@pytest.fixture
def producers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Producers that transports are given, in this order; what they raise is raised instead."""
    waiting: list[Any] = []

    def new(target: KafkaTarget, seconds: float) -> Any:
        if isinstance(waiting[0], Exception):
            raise waiting.pop(0)
        return waiting.pop(0)

    monkeypatch.setattr("uptake.ingest.sdk.kafka_producer.GuestProducer", new)
    return waiting


def post(transport: KafkaTransport, *events: dict[str, Any]) -> Any:
    return transport.post(gzip.compress(json.dumps(events).encode()), HEADERS, 5.0)


def test_a_batch_becomes_records_of_the_tenants_topics_and_is_answered_like_the_gateways(
    producers: list[Any],
) -> None:
    producer = Producer()
    producers.append(producer)
    cost = EVENT | {"type": "cost", "event_id": "01936b1e-6a3e-7b55-9a3f-5d2c1e0b7a67"}
    answer = post(KafkaTransport(TARGET, 10.0), EVENT, cost)
    assert (answer.status, json.loads(answer.body)) == (200, {"accepted": 2})
    (usage, other) = producer.sent
    assert (usage[0], other[0]) == ("p.usage", "p.cost")
    assert (json.loads(usage[1]), json.loads(other[1])) == ([EVENT], [cost])
    headers = dict(usage[3])
    assert headers["ce_tenant"] == b"acme"
    assert headers["ce_via"] == b"sdk"
    assert (headers["ce_clientid"], headers["ce_accepted"], headers["ce_dropped"]) == (b"c1", b"5", b"1")


@pytest.mark.parametrize("error", [TopicAuthorizationFailedError("x"), SaslAuthenticationFailedError("x")])
def test_a_kafka_that_refuses_the_app_is_like_a_gateway_that_refuses_its_key(
    error: Exception, producers: list[Any]
) -> None:
    producers.append(Producer(error))
    assert post(KafkaTransport(TARGET, 10.0), EVENT).status == 403


def test_a_batch_that_is_too_large_for_the_brokers_is_split(producers: list[Any]) -> None:
    producers.append(Producer(MessageSizeTooLargeError("x")))
    assert post(KafkaTransport(TARGET, 10.0), EVENT).status == 413


def test_what_passes_is_tried_again_with_the_same_producer_and_three_times_in_a_row_with_another(
    producers: list[Any],
) -> None:
    first, second = Producer(*[NotLeaderForPartitionError("x")] * 3), Producer()
    producers.extend([first, second])
    transport = KafkaTransport(TARGET, 10.0)
    for left in (0, 0, 1):
        with pytest.raises(Unreached, match="Kafka: NotLeaderForPartitionError"):
            post(transport, EVENT)
        assert first.left == left
    assert post(transport, EVENT).status == 200
    assert (len(first.sent), len(second.sent)) == (3, 1)


@pytest.mark.parametrize("error", [OutOfOrderSequenceNumberError, KafkaTimeoutError])
def test_a_producer_that_is_dead_for_good_is_replaced(producers: list[Any], error: type[Exception]) -> None:
    first, second = Producer(error("x")), Producer()
    producers.extend([first, second])
    transport = KafkaTransport(TARGET, 10.0)
    with pytest.raises(Unreached):
        post(transport, EVENT)
    assert first.left == 1
    assert post(transport, EVENT).status == 200


def test_a_kafka_python_that_cannot_be_used_is_told_and_loses_nothing(producers: list[Any]) -> None:
    producers.extend([ImportError("too old"), Producer()])
    transport = KafkaTransport(TARGET, 10.0)
    with pytest.raises(Unreached, match="Kafka: ImportError"):
        post(transport, EVENT)
    assert post(transport, EVENT).status == 200


def test_an_app_that_is_refused_by_kafka_drops_with_the_reason_of_a_refused_key(
    producers: list[Any], make_client: Any
) -> None:
    producers.append(Producer(TopicAuthorizationFailedError("x")))
    client = make_client("kafka://127.0.0.1:1", tenant="acme")
    client.usage(request_model="gpt")
    assert client.flush(10.0)
    assert client.stats().dropped == {"unauthorised": 1}


def test_everything_but_the_endpoint_may_come_from_the_environment(
    no_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "ENDPOINT": "kafka://one:9092, [::1]:9093/",
        "TENANT": "acme",
        "TOPIC_PREFIX": "test.",
        "KAFKA_SECURITY": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_USERNAME": "letters",
        "KAFKA_PASSWORD": "hush",
        "KAFKA_CA_FILE": "ca.pem",
    }.items():
        monkeypatch.setenv(f"UPTAKE_{name}", value)
    read = options.read(None, None, "letters", None, None)
    assert read.problem == ""
    assert read.kafka == KafkaTarget(
        ("one:9092", "[::1]:9093"), "acme", "test.", "SASL_SSL", "PLAIN", "letters", "hush", "ca.pem"
    )
    assert "hush" not in repr(read)


@pytest.mark.parametrize(
    ("endpoint", "tenant", "environment", "problem"),
    [
        ("kafka://", "acme", {}, "kafka://broker-1:9092"),
        ("kafka://one", "acme", {}, "kafka://broker-1:9092"),
        ("kafka://one:9092,two:99999", "acme", {}, "kafka://broker-1:9092"),
        ("kafka://user:secret@one:9092", "acme", {}, "kafka://broker-1:9092"),
        ("kafka://one:9092", None, {}, "UPTAKE_TENANT"),
        ("kafka://one:9092", "Not a tenant", {}, "UPTAKE_TENANT"),
        ("kafka://one:9092", "acme", {"TOPIC_PREFIX": "no spaces"}, "UPTAKE_TOPIC_PREFIX"),
        ("kafka://one:9092", "acme", {"KAFKA_SECURITY": "TLS"}, "UPTAKE_KAFKA_SECURITY"),
        ("kafka://one:9092", "acme", {"KAFKA_SECURITY": "SASL_SSL"}, "UPTAKE_KAFKA_PASSWORD"),
    ],
)
def test_what_cannot_be_right_is_told_once_and_counted_without_repeating_it(
    endpoint: str,
    tenant: str | None,
    environment: dict[str, str],
    problem: str,
    no_environment: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("TENANT", "TOPIC_PREFIX", "KAFKA_SECURITY", "KAFKA_USERNAME", "KAFKA_PASSWORD"):
        monkeypatch.delenv(f"UPTAKE_{name}", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(f"UPTAKE_{name}", value)
    client = uptake.Client(endpoint, app="letters", tenant=tenant)
    client.usage(request_model="gpt")
    assert client.stats().refused == {"not_configured": 1}
    assert problem in caplog.text
    assert "secret" not in caplog.text
    assert "Not a tenant" not in caplog.text


def test_without_kafka_python_the_app_is_told_what_to_install(
    no_environment: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kafka_target, "find_spec", lambda name: None)
    client = uptake.Client("kafka://one:9092", app="letters", tenant="acme")
    client.usage(request_model="gpt")
    assert client.stats().refused == {"not_configured": 1}
    assert "pip install 'uptake[kafka]'" in caplog.text


def test_an_http_endpoint_needs_its_key_and_no_tenant(no_environment: None) -> None:
    assert options.read("http://gateway:8088", None, "letters", None, None).problem != ""
    read = options.read("http://gateway:8088", "upt_a_b", "letters", None, None)
    assert (read.problem, read.kafka) == ("", None)


def test_the_apps_own_kafka_clients_may_log_what_they_like(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "kafka")  # the service's own clients, in other tests, leave it at INFO
    hush()
    log = logging.getLogger("kafka.producer.kafka")
    log.debug(
        "%s: Sending (value=%r)", f"<KafkaProducer client_id={CLIENT_ID} transactional_id=None>", "ours"
    )
    log.debug("%s: Sending (value=%r)", "<KafkaProducer client_id=theirs transactional_id=None>", "theirs")
    log.warning("%s: trouble", f"<KafkaProducer client_id={CLIENT_ID} transactional_id=None>")
    thread = threading.Thread(
        target=lambda: logging.getLogger("kafka.net.connection").debug(
            "%s Request %d: %s", "conn", 1, "ours"
        ),
        name=f"{CLIENT_ID}-network-thread",
    )
    thread.start()
    thread.join()
    said = [record.getMessage() for record in caplog.records if record.name.startswith("kafka")]
    assert len(said) == 2
    assert not any("ours" in text for text in said)


def test_the_client_itself_imports_no_kafka() -> None:
    """The guard test of imports asks a fresh interpreter; here, that the names stay where they are imported late."""
    assert not hasattr(sys.modules["uptake.ingest.sdk.client"], "KafkaTransport")
    assert not hasattr(sys.modules["uptake.ingest.sdk.kafka_transport"], "GuestProducer")
