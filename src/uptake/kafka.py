"""From settings to Kafka's clients: the one place that says how brokers are talked to, and how long is waited.

Whoever asks for a client gets one that has reached a broker, or UnavailableError. None of them lets a topic come into
being by being named: such a topic would have the broker's own settings and not those of `schemas/topics`.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from uptake.errors import UnavailableError, UsageError
from uptake.schemas.records import MAX_RECORD_BYTES
from uptake.settings import Settings

if TYPE_CHECKING:
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

Client = TypeVar("Client")

BOOTSTRAP_MS = 10_000
PRODUCER: dict[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "allow_auto_create_topics": False,
    # A caller waits for the answer, and its own patience ends at about half a minute.
    "max_block_ms": 5_000,
    "request_timeout_ms": 8_000,
    "delivery_timeout_ms": 20_000,
    "max_request_size": MAX_RECORD_BYTES + 100 * 1024,
    "batch_size": 256 * 1024,
    # The brokers compress (schemas/topics): here it would cost more than the rest of a record's way together.
    "compression_type": None,
}
CONSUMER: dict[str, Any] = {
    "group_id": None,
    "enable_auto_commit": False,
    "allow_auto_create_topics": False,
    # An offset that retention has deleted is an error to be told, never a place to jump from in silence.
    "auto_offset_reset": "none",
    "request_timeout_ms": 15_000,
    "max_partition_fetch_bytes": 8 * 1024 * 1024,
}
ADMIN: dict[str, Any] = {"request_timeout_ms": 15_000}
RECONNECT: dict[str, Any] = {"reconnect_backoff_ms": 50, "reconnect_backoff_max_ms": 2_000}


def check(settings: Settings) -> None:
    """Raises UsageError where the settings cannot lead to Kafka, whether or not it answers."""
    _brokers(settings)
    _security(settings)


def producer(settings: Settings, **over: Any) -> KafkaProducer:
    """A producer that is acknowledged by all in-sync replicas and never writes a retry twice. `over` overrides
    its arguments. One a process: it has a thread of its own. Raises UnavailableError, UsageError."""
    from kafka import KafkaProducer

    _checksums_in_c()
    return _reached(KafkaProducer, settings, PRODUCER | over)


def consumer(settings: Settings, **over: Any) -> KafkaConsumer:
    """A consumer outside of any group: whoever uses it assigns partitions and seeks. It commits nothing.
    Raises UnavailableError, UsageError."""
    from kafka import KafkaConsumer

    _checksums_in_c()
    return _reached(KafkaConsumer, settings, CONSUMER | over)


def admin(settings: Settings, **over: Any) -> KafkaAdminClient:
    """What creates and describes topics and reads groups' offsets. Raises UnavailableError, UsageError."""
    from kafka import KafkaAdminClient

    return _reached(KafkaAdminClient, settings, ADMIN | over)


def faust_broker(settings: Settings) -> dict[str, Any]:
    """The arguments of `faust.App` that lead to the same brokers: `broker` and `broker_credentials`."""
    from faust.auth import SASLCredentials, SSLCredentials

    brokers = ";".join(f"kafka://{broker}" for broker in _brokers(settings).split(","))
    context = _tls(settings)
    if settings.kafka_security.startswith("SASL"):
        credentials: Any = SASLCredentials(
            username=settings.kafka_username,
            password=_password(settings),
            mechanism=settings.kafka_sasl_mechanism,
            ssl_context=context,
        )
    else:
        credentials = SSLCredentials(context) if context else None
    return {"broker": brokers, "broker_credentials": credentials}


def unavailable(settings: Settings) -> UnavailableError:
    """What to say when the brokers do not answer."""
    return UnavailableError(
        f"Kafka does not answer at {settings.kafka}",
        "is it running, and is UPTAKE_KAFKA right? With security, look at UPTAKE_KAFKA_SECURITY and the password too",
    )


def _reached(client: Callable[..., Client], settings: Settings, arguments: dict[str, Any]) -> Client:
    from kafka.errors import KafkaError, SaslAuthenticationFailedError
    from kafka.net.compat import KafkaNetClient

    # At DEBUG kafka-python tells whole requests and answers: people's events, and the password.
    logging.getLogger("kafka").setLevel(max(logging.INFO, logging.getLogger("kafka").level))
    opened: list[Any] = []

    def connections(**configured: Any) -> Any:
        opened.append(KafkaNetClient(**configured))
        return opened[-1]

    said = {"bootstrap_servers": _brokers(settings).split(","), **_security(settings), **RECONNECT}
    try:
        return client(**{"bootstrap_timeout_ms": BOOTSTRAP_MS, **said, **arguments}, kafka_client=connections)
    except KafkaError as error:
        for connection in opened:
            connection.close()  # it has a thread, which otherwise goes on trying for as long as the process lives
        if isinstance(error, SaslAuthenticationFailedError):
            raise UsageError(
                "Kafka refuses Uptake's name or password",
                "set UPTAKE_KAFKA_USERNAME, UPTAKE_KAFKA_PASSWORD and UPTAKE_KAFKA_SASL_MECHANISM",
            ) from None
        raise unavailable(settings) from error


def _checksums_in_c() -> None:
    """kafka-python adds up CRC-32C in Python, at 2 MB/s: most of what a record costs. aiokafka brings it in C."""
    from aiokafka.record.util import calc_crc32c  # type: ignore[import-untyped]
    from kafka.record import default_records

    default_records.calc_crc32c = calc_crc32c


def _brokers(settings: Settings) -> str:
    if not settings.kafka:
        raise UsageError("no Kafka is set", "set UPTAKE_KAFKA to host:port of its brokers")
    return settings.kafka


def _security(settings: Settings) -> dict[str, Any]:
    """How kafka-python's clients prove who they are, and who the brokers are."""
    said: dict[str, Any] = {"security_protocol": settings.kafka_security}
    if context := _tls(settings):
        said["ssl_context"] = context
    if settings.kafka_security.startswith("SASL"):
        said["sasl_mechanism"] = settings.kafka_sasl_mechanism
        said["sasl_plain_username"] = settings.kafka_username
        said["sasl_plain_password"] = _password(settings)
    return said


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.kafka_security.endswith("SSL"):
        return None
    try:
        return ssl.create_default_context(cafile=settings.kafka_ca_file)
    except OSError:
        raise UsageError(
            f"the certificates in {settings.kafka_ca_file} cannot be read",
            "set UPTAKE_KAFKA_CA_FILE to a PEM file",
        ) from None


def _password(settings: Settings) -> str:
    if not settings.kafka_username or settings.kafka_password is None:
        raise UsageError(
            f"{settings.kafka_security} needs a name and a password",
            "set UPTAKE_KAFKA_USERNAME and UPTAKE_KAFKA_PASSWORD",
        )
    return settings.kafka_password.get_secret_value()
