"""Where events go when the endpoint is Kafka itself: ``kafka://broker-1:9092,broker-2:9092``, and for which tenant."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec

SCHEME = "kafka:"
_SECURITY = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PREFIX = re.compile(r"[a-zA-Z0-9._-]{0,200}")
_BROKER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@,\[\]]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class KafkaTarget:
    """Brokers, tenant, topics and how the brokers are talked to. The variables are the ones of the service."""

    brokers: tuple[str, ...]
    tenant: str
    prefix: str = "uptake."
    security: str = "PLAINTEXT"
    mechanism: str = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""


def read_target(endpoint: str, tenant: str, said: Callable[[str], str]) -> KafkaTarget:
    """`said` gives the value of an environment variable, "" where there is none. Never raises."""
    return KafkaTarget(
        brokers=tuple(part.strip() for part in endpoint.removeprefix(f"{SCHEME}//").split(",")),
        tenant=tenant,
        prefix=said("UPTAKE_TOPIC_PREFIX") or "uptake.",
        security=said("UPTAKE_KAFKA_SECURITY") or "PLAINTEXT",
        mechanism=said("UPTAKE_KAFKA_SASL_MECHANISM") or "SCRAM-SHA-512",
        username=said("UPTAKE_KAFKA_USERNAME"),
        password=said("UPTAKE_KAFKA_PASSWORD"),
        ca_file=said("UPTAKE_KAFKA_CA_FILE"),
    )


def problem_of(target: KafkaTarget) -> str:
    """Why nothing can be sent there, without repeating a value; "" if it can be tried."""
    for broker in target.brokers:
        parts = _BROKER.fullmatch(broker)
        if parts is None or not 0 < int(parts[2]) < 65_536:
            return "the endpoint is not like kafka://broker-1:9092,broker-2:9092"
    if not target.tenant:
        return "there is no tenant (UPTAKE_TENANT), which events to Kafka need instead of an API key"
    if not _TENANT.fullmatch(target.tenant):
        return "the tenant (UPTAKE_TENANT) is not one: small letters, digits, _ and -"
    if not _PREFIX.fullmatch(target.prefix):
        return "UPTAKE_TOPIC_PREFIX has characters that no topic has"
    if target.security not in _SECURITY:
        return f"UPTAKE_KAFKA_SECURITY must be one of {', '.join(_SECURITY)}"
    if target.security.startswith("SASL"):
        if target.mechanism not in _MECHANISMS:
            return f"UPTAKE_KAFKA_SASL_MECHANISM must be one of {', '.join(_MECHANISMS)}"
        if not target.username or not target.password:
            return "UPTAKE_KAFKA_USERNAME and UPTAKE_KAFKA_PASSWORD must both be set"
    if find_spec("kafka") is None:  # looked for and not imported: that is the sender's business
        return "kafka-python is not installed: pip install 'uptake[kafka]'"
    return ""
