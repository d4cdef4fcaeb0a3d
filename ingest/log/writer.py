"""The gateway's `process` where there is a log: an answer means that Kafka has acknowledged (`acks=all`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from uptake.ingest.gateway.sink import Outcome
from uptake.ingest.log.appender import APPEND_SECONDS, Appender, Observe, Producer
from uptake.ingest.log.assemble import assemble
from uptake.schemas.batch import Batch, LogPosition, MalformedBatch, StoreUnavailable
from uptake.schemas.records import Record


class LogWriter:
    """`process` is for `GroupCommit`, `append` for whoever has records. Both from any number of threads.

    `new_producer` makes a `kafka.KafkaProducer` that is idempotent and has `acks=all`
    (`uptake.kafka.producer(settings, **PRODUCER_TIMES)`); `prefix` is what the topics' names begin with.
    """

    def __init__(
        self,
        new_producer: Callable[[], Producer],
        prefix: str,
        seconds: float = APPEND_SECONDS,
        observe: Observe = lambda appended: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._appender = Appender(new_producer, prefix, seconds, observe, monotonic)

    def process(self, batches: Sequence[Batch]) -> list[Outcome]:
        """One outcome a batch, in order: a receipt once all its records are acknowledged, MalformedBatch, or
        StoreUnavailable for exactly the batches of which something was not. Sending those again is safe."""
        outcomes: list[Outcome | None] = [None] * len(batches)
        assembled = {}
        for position, batch in enumerate(batches):
            try:
                assembled[position] = assemble(batch)
            except MalformedBatch as refused:
                outcomes[position] = refused
        appended = self._appender.append([one.records for one in assembled.values()])
        for (position, one), told in zip(assembled.items(), appended, strict=True):
            outcomes[position] = told if isinstance(told, StoreUnavailable) else one.receipt
        return [outcome for outcome in outcomes if outcome is not None]

    def append(self, records: Sequence[Record]) -> list[LogPosition]:
        """Where the records are, once all of them are acknowledged. Raises StoreUnavailable."""
        [told] = self._appender.append([records])
        if isinstance(told, StoreUnavailable):
            raise told
        return told

    def close(self, timeout: float = 5.0) -> None:
        self._appender.close(timeout)
