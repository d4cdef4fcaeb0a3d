"""What processes of the distributed mode append to the log themselves: through which writer, and refused events how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from uptake import kafka
from uptake.clock import Clock
from uptake.ingest.log.appender import PRODUCER_TIMES, Observe
from uptake.ingest.log.writer import LogWriter
from uptake.schemas.batch import Batch
from uptake.schemas.records import letter_records
from uptake.settings import Settings

if TYPE_CHECKING:
    from uptake.processors.pipeline import LettersSink  # a gateway does without the pipeline


def log_writer(settings: Settings, client_id: str, observe: Observe = lambda appended: None) -> LogWriter:
    """What appends to the log that the settings name; the brokers know it by `client_id`. Connects when it is first
    used."""
    return LogWriter(
        lambda: kafka.producer(settings, client_id=client_id, **PRODUCER_TIMES),
        settings.topic_prefix,
        observe=observe,
    )


def letters_sink(writer: LogWriter, clock: Clock, source: str) -> LettersSink:
    """Refused events to their topic, from which the workers write the table: both hold all."""

    def append(letters: Sequence[tuple[Batch, list[bytes]]]) -> None:
        now = clock.now()
        writer.append(
            [
                record
                for batch, lines in letters
                for record in letter_records(batch.tenant, lines, now, source)
            ]
        )

    return append
