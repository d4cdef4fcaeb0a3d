"""Listening to the control topic: what workers have just written is looked at now and not a minute later.

Outside of any group and from the end: a notice that was missed costs time, never a fact. After a gap everybody counts
as noticed, because nobody knows what was said meanwhile.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from uptake.errors import UptakeError
from uptake.kafka import consumer
from uptake.schemas.records import Topic, topic_name
from uptake.settings import Settings

if TYPE_CHECKING:
    from kafka import KafkaConsumer

POLL_SECONDS = 0.5
BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0)
WRITTEN = "written"

_log = structlog.get_logger(__name__)


class Listener:
    """`notice` gets the tenant of each notice that something was written, `missed` is called whenever it listens
    anew. `start` once, `stop` any number of times."""

    def __init__(
        self,
        settings: Settings,
        notice: Callable[[str], None],
        missed: Callable[[], None],
        connect: Callable[[Settings], KafkaConsumer] = consumer,
    ) -> None:
        self._settings = settings
        self._topic = topic_name(Topic.CONTROL, settings.topic_prefix)
        self._notice = notice
        self._missed = missed
        self._connect = connect
        self._stopping = threading.Event()
        self.listening = threading.Event()
        """Set while notices are heard."""
        self._thread = threading.Thread(target=self._run, name="uptake-control", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 15.0) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        from kafka.errors import KafkaError

        attempt = 0
        while not self._stopping.is_set():
            try:
                client = self._open()
                try:
                    attempt = 0
                    self._hear(client)
                finally:
                    self.listening.clear()
                    client.close(timeout_ms=2_000)
            except (KafkaError, UptakeError, OSError) as error:
                reason = error.message if isinstance(error, UptakeError) else type(error).__name__
                _log.warning("control_not_heard", reason=reason)
                self._stopping.wait(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)])
                attempt += 1

    def _open(self) -> Any:
        from kafka import TopicPartition

        client = self._connect(self._settings)
        try:
            numbers = client.partitions_for_topic(self._topic)
            if not numbers:
                raise UptakeError(f"Kafka has no topic {self._topic}", "run `uptake topics apply`")
            client.assign([TopicPartition(self._topic, number) for number in numbers])
            client.seek_to_end()
            for place in client.assignment():
                client.position(place)  # the end is where it is now, not where it will be at the first poll
        except BaseException:
            client.close(timeout_ms=2_000)
            raise
        return client

    def _hear(self, client: Any) -> None:
        self._missed()
        self.listening.set()
        while not self._stopping.is_set():
            for records in client.poll(timeout_ms=int(POLL_SECONDS * 1000)).values():
                for tenant in dict.fromkeys(filter(None, (written(record.value) for record in records))):
                    self._notice(tenant)


def written(value: bytes | None) -> str:
    """Whose rows a notice says were written; '' for any other notice, also one that cannot be read."""
    try:
        notice = json.loads(value or b"")
    except (ValueError, RecursionError):
        return ""
    if not isinstance(notice, dict) or notice.get("kind") != WRITTEN:
        return ""
    tenant = notice.get("tenant")
    return tenant if isinstance(tenant, str) else ""
