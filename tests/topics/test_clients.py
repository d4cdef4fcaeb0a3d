"""Settings become clients: with security said once, bounded waits, and errors that name the remedy."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from faust.auth import SASLCredentials, SSLCredentials

from uptake import kafka
from uptake.errors import UnavailableError, UsageError
from uptake.settings import Settings

NOBODY = "127.0.0.1:1"
SASL = {
    "kafka": NOBODY,
    "kafka_security": "SASL_SSL",
    "kafka_username": "uptake",
    "kafka_password": "s3cret-word",
}
OPENERS = [kafka.producer, kafka.consumer, kafka.admin]


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg]


@pytest.mark.parametrize("opener", OPENERS)
def test_brokers_that_do_not_answer_are_named_with_the_remedy(opener: Any) -> None:
    with pytest.raises(UnavailableError) as refused:
        opener(settings(kafka=NOBODY), bootstrap_timeout_ms=300)
    assert NOBODY in refused.value.message
    assert "UPTAKE_KAFKA" in refused.value.hint


@pytest.mark.parametrize("opener", OPENERS)
def test_a_client_that_reached_nobody_leaves_no_thread_behind(opener: Any) -> None:
    before = set(threading.enumerate())
    with pytest.raises(UnavailableError):
        opener(settings(kafka=NOBODY), bootstrap_timeout_ms=300)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("opener", [*OPENERS, kafka.faust_broker])
def test_without_kafka_it_is_said_which_setting_lacks(opener: Any) -> None:
    with pytest.raises(UsageError) as refused:
        opener(settings())
    assert "UPTAKE_KAFKA" in refused.value.hint


@pytest.mark.parametrize("opener", [*OPENERS, kafka.faust_broker])
def test_security_without_a_password_is_refused_before_anything_is_sent(opener: Any) -> None:
    with pytest.raises(UsageError) as refused:
        opener(settings(kafka=NOBODY, kafka_security="SASL_PLAINTEXT", kafka_username="uptake"))
    assert "UPTAKE_KAFKA_PASSWORD" in refused.value.hint


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ca\.pem"):
        kafka.admin(settings(kafka=NOBODY, kafka_security="SSL", kafka_ca_file=tmp_path / "ca.pem"))


def test_a_certificate_file_that_holds_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(UsageError, match=r"ca\.pem"):
        kafka.admin(settings(kafka=NOBODY, kafka_security="SSL", kafka_ca_file=tmp_path / "ca.pem"))


@pytest.mark.parametrize("opener", OPENERS)
def test_the_password_is_in_no_error(opener: Any) -> None:
    with pytest.raises(UnavailableError) as refused:
        opener(settings(**SASL), bootstrap_timeout_ms=300)
    assert "s3cret-word" not in f"{refused.value!r} {refused.value.hint}"


def test_faust_reads_the_same_brokers() -> None:
    said = kafka.faust_broker(settings(kafka="a:9092, b:9093"))
    assert said == {"broker": "kafka://a:9092;kafka://b:9093", "broker_credentials": None}


def test_faust_proves_itself_in_the_same_way() -> None:
    credentials = kafka.faust_broker(settings(**SASL))["broker_credentials"]
    assert isinstance(credentials, SASLCredentials)
    assert (credentials.username, credentials.password) == ("uptake", "s3cret-word")
    assert (credentials.protocol.value, credentials.mechanism.value) == ("SASL_SSL", "SCRAM-SHA-512")
    assert credentials.ssl_context is not None
    assert credentials.ssl_context.verify_mode is ssl.CERT_REQUIRED
    plain = kafka.faust_broker(settings(**(SASL | {"kafka_security": "SASL_PLAINTEXT"})))[
        "broker_credentials"
    ]
    assert (plain.protocol.value, plain.ssl_context) == ("SASL_PLAINTEXT", None)


def test_faust_knows_the_brokers_by_their_certificates() -> None:
    credentials = kafka.faust_broker(settings(kafka=NOBODY, kafka_security="SSL"))["broker_credentials"]
    assert isinstance(credentials, SSLCredentials)
    assert credentials.context.check_hostname
