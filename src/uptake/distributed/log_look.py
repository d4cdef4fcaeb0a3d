"""A second look at the log, outside of the group: where partitions end, and what stands from an offset on.

What the worker's own consumer says is not asked, because it is what these answers are held against.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from kafka.structs import TopicPartition

from uptake.processors.worker.acks import Place

if TYPE_CHECKING:
    from kafka import KafkaConsumer

POLL_MS = 5_000
LOOK_TIMES = {"request_timeout_ms": 5_000, "bootstrap_timeout_ms": 3_000}


class LogLook:
    """Keeps one consumer for its questions, made when it is first needed and again after an error. Safe to use from
    several threads; one question at a time."""

    def __init__(self, new_consumer: Callable[[], KafkaConsumer]) -> None:
        """`new_consumer` is `uptake.kafka.consumer(settings, **LOOK_TIMES)`."""
        self._new_consumer = new_consumer
        self._consumer: KafkaConsumer | None = None
        self._lock = threading.Lock()

    def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """The offset behind the last record of each partition. Raises what kafka-python raises, UptakeError."""
        asked = [TopicPartition(*place) for place in places]
        if not asked:
            return {}
        found = self._ask(lambda consumer: consumer.end_offsets(asked))
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    def first_from(self, place: Place, offset: int) -> int | None:
        """The first offset at or after `offset` that the log holds, None where there is none. Raises as `ends`."""
        tp = TopicPartition(*place)

        def look(consumer: KafkaConsumer) -> int | None:
            start = max(offset, consumer.beginning_offsets([tp])[tp])
            if start >= consumer.end_offsets([tp])[tp]:
                return None
            consumer.assign([tp])
            try:
                consumer.seek(tp, start)
                records = consumer.poll(timeout_ms=POLL_MS, max_records=1).get(tp, [])
            finally:
                consumer.unsubscribe()
            return records[0].offset if records else None

        found: int | None = self._ask(look)
        return found

    def close(self) -> None:
        with self._lock:
            self._let_go()

    def _ask(self, question: Callable[[KafkaConsumer], object]) -> Any:
        with self._lock:
            try:
                if self._consumer is None:
                    self._consumer = self._new_consumer()
                return question(self._consumer)
            except Exception:
                self._let_go()
                raise

    def _let_go(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()
