"""Whether the log can take events now: its topics are there, and each partition has a broker that leads it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from kafka.errors import KafkaError

from uptake.errors import UptakeError
from uptake.schemas.records import EVENT_TOPICS, Topic, topic_name

TOPICS = (*EVENT_TOPICS, Topic.DEAD_LETTERS)
"""Those that a gateway writes to."""

PROBE_TIMES: dict[str, Any] = {"bootstrap_timeout_ms": 3_000, "request_timeout_ms": 3_000}
_UNKNOWN_TOPIC = 3


class Admin(Protocol):
    """What is needed of `kafka.KafkaAdminClient`."""

    def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]: ...
    def close(self) -> None: ...


class LogProbe:
    """Keeps one connection for its questions, and makes another after a failure. Safe to use from several threads."""

    def __init__(self, new_admin: Callable[[], Admin], prefix: str) -> None:
        """`new_admin` is `uptake.kafka.admin(settings, **PROBE_TIMES)`: its times bound an answer."""
        self._new_admin = new_admin
        self._topics = [topic_name(topic, prefix) for topic in TOPICS]
        self._admin: Admin | None = None
        self._lock = threading.Lock()

    def state(self) -> str:
        """ "ok", or why events cannot be taken. Names topics, and nothing of what is in them."""
        with self._lock:
            try:
                if self._admin is None:
                    self._admin = self._new_admin()
                return state_of(self._topics, self._admin.describe_topics(self._topics))
            except (KafkaError, UptakeError, OSError) as error:
                self._let_go()
                return f"does not answer ({type(error).__name__})"

    def close(self) -> None:
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._admin is not None:
            self._admin.close()
            self._admin = None


def state_of(wanted: Iterable[str], described: Iterable[Mapping[str, Any]]) -> str:
    """What the brokers' description of the topics means."""
    found = {topic["name"]: topic for topic in described}
    for name in wanted:
        topic = found.get(name, {"error_code": _UNKNOWN_TOPIC})
        if topic["error_code"] == _UNKNOWN_TOPIC:
            return f"topic {name} is missing: uptake topics apply"
        if topic["error_code"]:
            return f"topic {name} cannot be used (Kafka's error {topic['error_code']})"
        leaderless = sum(partition["leader_id"] < 0 for partition in topic["partitions"])
        if leaderless:
            return f"topic {name} has {leaderless} partitions without a leader"
    return "ok"
