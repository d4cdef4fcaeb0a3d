"""Appending to Kafka: all of a group of records is acknowledged within a bound, or the group is not done.

kafka-python retries by itself and its idempotent producer writes a retry once. What it cannot do is go on after an
error that is not retriable: the producer is then dead for good, whichever record caused it. Nor after a record that
was sent and then expired: 3.0.12 forgets its producer id and never asks for another one, so that nothing is sent any
more though the broker is back. In both cases it is replaced.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from kafka.errors import KafkaError, KafkaTimeoutError, RetriableError

from uptake.errors import UptakeError
from uptake.schemas.batch import LogPosition, StoreUnavailable
from uptake.schemas.records import Record, topic_name

_log = structlog.get_logger(__name__)

APPEND_SECONDS = 9.0
"""How long one call waits at most (and for as long again as one look-up of a topic that is not known yet)."""

PRODUCER_TIMES: dict[str, Any] = {
    # Within APPEND_SECONDS, so that nothing that was given up is still on its way when it is sent again.
    "delivery_timeout_ms": 8_000,
    "request_timeout_ms": 5_000,
    "max_block_ms": 3_000,
    "bootstrap_timeout_ms": 3_000,
}
PAUSE_SECONDS = 1.0
"""After a producer could not be made, nobody tries again for so long."""
PATIENCE = 3
"""After so many calls in a row in which nothing was acknowledged the producer is replaced: whatever it is stuck in."""

_AWAY = (KafkaError, UptakeError, OSError, ValueError)  # ValueError: no partition, as the topic has just gone


class Acknowledgement(Protocol):
    """kafka-python's promise of one record."""

    def get(self, timeout: float | None = None) -> Any: ...


class Producer(Protocol):
    """What is needed of `kafka.KafkaProducer`."""

    def send(self, topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> Any: ...
    def close(self, timeout: float | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Appended:
    """Told after each call: records acknowledged, records that were not, and whether the producer was replaced."""

    acknowledged: int
    failed: int
    replaced: bool


Observe = Callable[[Appended], None]


class Appender:
    """Safe to use from several threads. `new_producer` is called when one is first needed, and after a failure that
    a producer does not outlive."""

    def __init__(
        self,
        new_producer: Callable[[], Producer],
        prefix: str,
        seconds: float = APPEND_SECONDS,
        observe: Observe = lambda appended: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._new_producer = new_producer
        self._prefix = prefix
        self._seconds = seconds
        self._observe = observe
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._producer: Producer | None = None
        self._not_before = float("-inf")
        self._barren = 0
        self._closed = False

    def append(self, groups: Sequence[Sequence[Record]]) -> list[list[LogPosition] | StoreUnavailable]:
        """For each group the positions of its records, all of them acknowledged, or why it must be sent again; what
        of such a group was written anyway is harmless, as its events have ids. Returns within the bound."""
        if not any(groups):
            return [[] for _ in groups]
        end = self._monotonic() + self._seconds
        try:
            producer = self._current(end)
        except _AWAY as error:
            failure = _refusal(error)
            self._observe(Appended(0, sum(map(len, groups)), False))
            return [failure if group else [] for group in groups]
        # 1. Hand over everything, 2. then wait: so that one wait is about as long as the longest.
        sent = [self._send(producer, group, end) for group in groups]
        told = [[self._await(one, end) for one in group] for group in sent]
        errors = [one for group in told for one in group if not isinstance(one, LogPosition)]
        count = sum(map(len, groups))
        replaced = self._judge(producer, errors, count)
        self._observe(Appended(count - len(errors), len(errors), replaced))
        return [_outcome(group) for group in told]

    def close(self, timeout: float = 5.0) -> None:
        """Finish what was handed over, for `timeout` seconds; nothing is appended afterwards."""
        with self._lock:
            self._closed = True
            producer, self._producer = self._producer, None
        if producer is not None:
            _close(producer, timeout)

    def _current(self, end: float) -> Producer:
        """The producer, made if there is none. Others wait meanwhile, within their own bound."""
        with self._within(end):
            if self._closed:
                raise UptakeError("the log was closed")
            if self._producer is None:
                if self._monotonic() < self._not_before:
                    raise KafkaTimeoutError("Kafka did not answer just now")
                try:
                    self._producer = self._new_producer()
                except _AWAY as error:
                    self._not_before = self._monotonic() + PAUSE_SECONDS
                    _log.warning("log_unreachable", error=type(error).__name__)
                    raise
            return self._producer

    @contextmanager
    def _within(self, end: float) -> Iterator[None]:
        if not self._lock.acquire(timeout=max(0.0, end - self._monotonic())):
            raise KafkaTimeoutError("another thread is still connecting to Kafka")
        try:
            yield
        finally:
            self._lock.release()

    def _send(
        self, producer: Producer, group: Sequence[Record], end: float
    ) -> list[Acknowledgement | Exception]:
        """A promise for each record. One that cannot be handed over ends its group: it is refused as a whole."""
        sent: list[Acknowledgement | Exception] = []
        for record in group:
            if sent and isinstance(sent[-1], Exception):
                sent.append(sent[-1])
            elif self._monotonic() >= end:
                sent.append(KafkaTimeoutError("no time was left"))
            else:
                topic = topic_name(record.topic, self._prefix)
                try:
                    sent.append(producer.send(topic, record.value, record.key, list(record.headers)))
                except _AWAY as error:
                    sent.append(error)
        return sent

    def _await(self, one: Acknowledgement | Exception, end: float) -> LogPosition | Exception:
        if isinstance(one, Exception):
            return one
        try:
            told = one.get(timeout=max(0.0, end - self._monotonic()))
        except _AWAY as error:
            return error
        return LogPosition(told.topic, told.partition, told.offset)

    def _judge(self, producer: Producer, errors: Sequence[Exception], count: int) -> bool:
        """Replaces a producer that will not recover; returns whether it did."""
        if not errors:
            self._barren = 0
            return False
        kinds = sorted({type(error).__name__ for error in errors})
        dead = any(
            isinstance(error, KafkaTimeoutError) or not isinstance(error, RetriableError) for error in errors
        )
        with self._lock:
            self._barren = self._barren + 1 if len(errors) == count else 0
            replaced = (dead or self._barren >= PATIENCE) and self._producer is producer
            if replaced:
                self._producer = None
                self._barren = 0
        _log.warning("log_unavailable", errors=kinds, records=len(errors), of=count, replaced=replaced)
        if replaced:
            threading.Thread(
                target=_close, args=(producer, self._seconds), name="uptake-log-retired", daemon=True
            ).start()
        return replaced


def _outcome(told: Sequence[LogPosition | Exception]) -> list[LogPosition] | StoreUnavailable:
    positions = []
    for one in told:
        if not isinstance(one, LogPosition):
            return _refusal(one)
        positions.append(one)
    return positions


def _refusal(error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"the log did not take the events ({type(error).__name__})")


def _close(producer: Producer, timeout: float) -> None:
    """Ends a producer and its threads. kafka-python gives up in the middle where what it holds is not settled in
    time, so it is asked a second time."""
    for attempt in (1, 2):
        try:
            producer.close(timeout)
        except _AWAY as error:
            _log.warning("log_close", attempt=attempt, error=type(error).__name__)
        else:
            return
