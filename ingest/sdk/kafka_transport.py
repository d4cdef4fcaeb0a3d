"""The way to Kafka without a gateway: the sender's batches as records, answered as the gateway would answer."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from uptake.ingest.sdk.answers import Answer
from uptake.ingest.sdk.kafka_target import KafkaTarget
from uptake.ingest.sdk.transport import Unreached
from uptake.schemas.batch import MAX_BATCH_EVENTS, ClientReport
from uptake.schemas.records import Record, event_records, topic_name
from uptake.schemas.split import elements

if TYPE_CHECKING:
    from uptake.ingest.sdk.kafka_producer import GuestProducer

SOURCE = "sdk"
_PATIENCE = 3
"""After so many failures in a row the producer is made anew, whatever it is stuck in."""


class KafkaTransport:
    """Appends to the topics of one tenant. 200 means that all brokers that must have a record have it."""

    def __init__(self, target: KafkaTarget, timeout: float) -> None:
        """Connects to nobody yet. `timeout` is the longest that `post` will be given, in seconds."""
        self._target = target
        # What `post` gives up must not still be on its way when it is posted again.
        self._seconds = max(1.0, timeout * 0.8)
        self._producer: GuestProducer | None = None
        self._failures = 0

    def post(self, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        end = time.monotonic() + seconds
        texts = [
            (raw["type"], raw["event_id"], text.encode())
            for raw, text in elements(gzip.decompress(body), MAX_BATCH_EVENTS)
        ]
        records = event_records(
            self._target.tenant, texts, datetime.now(UTC), SOURCE, client=_report(headers)
        )
        try:
            self._append(records, end)
        except Exception as problem:  # noqa: BLE001 - whatever kafka-python raises, the events are still here
            return self._failed(problem)
        self._failures = 0
        return Answer(200, {}, json.dumps({"accepted": len(texts)}).encode())

    def close(self) -> None:
        if self._producer is not None:
            self._producer.leave(self._seconds)
            self._producer = None

    def _append(self, records: list[Record], end: float) -> None:
        if self._producer is None:
            from uptake.ingest.sdk.kafka_producer import GuestProducer  # imported late: it costs 200 ms

            self._producer = GuestProducer(self._target, self._seconds)
        promises = [
            self._producer.send(
                topic_name(record.topic, self._target.prefix),
                record.value,
                record.key,
                list(record.headers),
            )
            for record in records
        ]
        for promise in promises:
            promise.get(timeout=max(0.0, end - time.monotonic()))

    def _failed(self, problem: Exception) -> Answer:
        """What the gateway would say. Raises Unreached where it would say nothing."""
        names = {kind.__name__ for kind in type(problem).__mro__}
        self._failures += 1
        # After an error that is not retriable an idempotent producer takes nothing any more; after a record that
        # expired kafka-python's takes everything and sends nothing.
        dead = "RetriableError" not in names or "KafkaTimeoutError" in names
        if dead or self._failures >= _PATIENCE:
            self.close()
            self._failures = 0
        if names & {"AuthorizationError", "SaslAuthenticationFailedError"}:
            return Answer(403, {}, b"")
        if names & {"MessageSizeTooLargeError", "RecordListTooLargeError"}:
            return Answer(413, {}, b"")
        raise Unreached(f"Kafka: {type(problem).__name__}") from problem


def _report(headers: Mapping[str, str]) -> ClientReport:
    return ClientReport(
        headers["Uptake-Client-Id"],
        int(headers["Uptake-Client-Accepted"]),
        int(headers["Uptake-Client-Dropped"]),
    )
