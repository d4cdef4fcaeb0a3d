"""The two works: events through the pipeline, and dead letters into their table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import structlog

from uptake.processors.guard import RefusalGuard
from uptake.processors.pipeline import Pipeline
from uptake.processors.prepared import Prepared
from uptake.processors.store import Store
from uptake.processors.worker.acks import Place
from uptake.processors.worker.gather import Fetched
from uptake.processors.worker.work import Decided, Done
from uptake.schemas.batch import Batch, LogPosition, MalformedBatch, Receipt, RejectionReason
from uptake.schemas.letters import by_log_time, is_letter
from uptake.schemas.records import read_record
from uptake.schemas.split import elements

MAX_LETTERS = 10_000
_log = structlog.get_logger(__name__)


Begin = Callable[[Mapping[Place, int]], None]
"""Told of the offsets at which partitions that are new to this process begin. Raises StoreUnavailable. See `Stops`."""


class Events:
    """Records of events -> Pipeline."""

    def __init__(self, pipeline: Pipeline, guard: RefusalGuard, begin: Begin) -> None:
        self._pipeline, self._guard, self._begin = pipeline, guard, begin
        self._met: set[Place] = set()

    def anew(self) -> None:
        """Partitions may have changed hands: what the next owner counted is not known here."""
        self._met = set()

    def decide(self, records: Sequence[Fetched]) -> Decided:
        new: dict[Place, int] = {}
        for record in records:
            if record.place not in self._met:
                new.setdefault(record.place, record.offset)
        if new:
            met = self._met
            self._begin(new)
            met.update(new)
        batches = [_batch(record) for record in records]
        prepared = self._pipeline.prepare(batches)
        stops = self._judge(records, prepared)
        if stops:
            # Rare: what is left is decided once more, so that a plan never holds more than may be written.
            kept = [
                at
                for at, record in enumerate(records)
                if record.place not in stops or record.offset < stops[record.place]
            ]
            records = [records[at] for at in kept]
            prepared = self._pipeline.prepare([batches[at] for at in kept])
        return Decided(prepared, records, prepared.events, stops)

    def write(self, decided: Decided) -> Done:
        accepted = duplicates = 0
        rejected: Counter[str] = Counter()
        for outcome in self._pipeline.commit(decided.plan):
            if isinstance(outcome, Receipt):
                accepted += outcome.accepted
                duplicates += outcome.duplicates
                rejected.update(rejection.reason.value for rejection in outcome.rejections)
            elif isinstance(outcome, MalformedBatch):
                rejected[RejectionReason.MALFORMED.value] += 1
            else:
                raise RuntimeError(
                    "a record of the log has an outcome that cannot be acknowledged"
                ) from outcome
        return Done(accepted, duplicates, rejected)

    def _judge(self, records: Sequence[Fetched], prepared: Prepared) -> dict[Place, int]:
        judged: dict[Place, list[tuple[int, int, int]]] = {}
        for record, (good, refused) in zip(records, prepared.judged, strict=True):
            judged.setdefault(record.place, []).append((record.offset, good, refused))
        found = {place: self._guard.judge(*place, of_place) for place, of_place in judged.items()}
        return {place: offset for place, offset in found.items() if offset is not None}


class Letters:
    """Records of dead letters -> their table. A letter's id is a hash of its content, so writing it twice is once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def decide(self, records: Sequence[Fetched]) -> Decided:
        lines: list[bytes] = []
        for record in records:
            try:
                found = elements(record.value or b"", MAX_LETTERS)
            except MalformedBatch as error:
                _unreadable(record, str(error))
                continue
            at = record.appended_ms
            letters = [by_log_time(value, text, at) for value, text in found if is_letter(value)]
            if len(letters) < len(found):
                _unreadable(record, f"{len(found) - len(letters)} of its items are no letters")
            lines += letters
        return Decided(lines, records, len(lines))

    def write(self, decided: Decided) -> Done:
        if decided.plan:
            self._store.write_lines("dead_letters", decided.plan)
        return Done(accepted=len(decided.plan))


def _unreadable(record: Fetched, why: str) -> None:
    """Nobody but a worker or a gateway writes letters, and a letter about a letter would have no end. The table would
    refuse it for ever, and with it all that come after."""
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    _log.error("letters_unreadable", **place, why=why)


def _batch(record: Fetched) -> Batch:
    position = LogPosition(record.topic, record.partition, record.offset)
    return read_record(record.value, record.headers, position, record.appended_ms)
