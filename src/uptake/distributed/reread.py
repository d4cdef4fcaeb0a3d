"""Reading stretches of the log again: outside of any group, exactly the offsets that were asked for, once.

Nothing is committed, so the workers do not notice. What is read goes through the same pipeline as the first time; ids
and the broker's time of a record make that exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

from uptake.distributed.audit_log import Place
from uptake.errors import UnavailableError
from uptake.kafka import consumer, unavailable
from uptake.processors.audit import Span
from uptake.schemas.batch import Batch, LogPosition
from uptake.schemas.records import read_record
from uptake.settings import Settings

if TYPE_CHECKING:
    from kafka import KafkaConsumer

POLL_SECONDS = 1.0
PATIENCE = 30  # polls in a row that bring nothing and move nothing
MAX_RECORDS = 500


class Reader:
    """Reads the log by offsets. Use it in one thread, and close it."""

    def __init__(
        self, settings: Settings, connect: Callable[..., KafkaConsumer] = consumer, patience: int = PATIENCE
    ) -> None:
        """Raises UnavailableError when Kafka does not answer."""
        self._settings = settings
        self._consumer = connect(settings, max_poll_records=MAX_RECORDS)
        self._patience = patience

    def read(self, place: Place, spans: Sequence[Span]) -> Iterator[list[Batch]]:
        """The records at these offsets of a partition, in order, as batches; those that are none are
        UnreadableRecord. Offsets at which the log holds nothing are passed over, also those that retention has
        deleted meanwhile: who must know compares what came. Raises UnavailableError.
        """
        from kafka import TopicPartition
        from kafka.errors import KafkaError

        there = TopicPartition(*place)
        try:
            self._consumer.assign([there])
            for span in spans:
                yield from self._stretch(there, span)
        except (KafkaError, OSError) as error:
            raise unavailable(self._settings) from error

    def _stretch(self, there: Any, span: Span) -> Iterator[list[Batch]]:
        from kafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

        [start] = self._consumer.beginning_offsets([there]).values()
        [end] = self._consumer.end_offsets([there]).values()
        at, after, idle = max(span.first, start), min(span.after, end), 0
        if at < after:
            self._consumer.seek(there, at)
        while at < after:
            try:
                records = self._consumer.poll(timeout_ms=int(POLL_SECONDS * 1000)).get(there, [])
                position = self._consumer.position(there)
            except (OffsetOutOfRangeError, NoOffsetForPartitionError):
                # Retention was faster.
                [start] = self._consumer.beginning_offsets([there]).values()
                if start <= at:
                    raise
                at, records, position = start, [], start
                self._consumer.seek(there, at)
            wanted = [batch_at(record) for record in records if at <= record.offset < after]
            idle = 0 if records or position > at else idle + 1
            at = max(at, position)
            if wanted:
                yield wanted
            if idle >= self._patience:
                raise UnavailableError(
                    f"Kafka has not sent offset {at} of {there.topic}, partition {there.partition}, "
                    f"for {idle * POLL_SECONDS:.0f} s",
                    "are all brokers up? Trying again is safe",
                )

    def close(self) -> None:
        self._consumer.close(timeout_ms=5_000)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def batch_at(record: Any) -> Batch:
    """A record of kafka-python or aiokafka as a batch with its place in the log."""
    position = LogPosition(record.topic, record.partition, record.offset)
    return read_record(record.value, record.headers, position, record.timestamp)
