"""Which records are written together. Pure.

Inserts cost the same whatever their size, so a take should hold about as many events as the settings say, however
the producers cut their records; and an event should not wait for company longer than the settings say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from uptake.processors.worker.acks import Place
from uptake.schemas.batch import MAX_BATCH_EVENTS


class Fetched(NamedTuple):
    """A record as it came from the log; `appended_ms` is the broker's time, `events` about how many it holds."""

    topic: str
    partition: int
    offset: int
    appended_ms: int
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None
    events: int

    @property
    def place(self) -> Place:
        return self.topic, self.partition


_SAMPLE = 16 * 1024


def weigh(body: bytes) -> int:
    """About how many events a record holds, without decoding it: each one names its event_id, and the rest of a long
    record is like its beginning. At least 1."""
    named = body.count(b'"event_id"', 0, _SAMPLE)
    if len(body) > _SAMPLE:
        named = named * len(body) // _SAMPLE
    return min(MAX_BATCH_EVENTS, max(1, named))


def _size(record: Fetched) -> int:
    return len(record.value or b"")


@dataclass(frozen=True, slots=True)
class TakeLimits:
    """A take is full at `events` or `size` bytes, and does not wait longer than `linger` seconds for it."""

    events: int
    linger: float
    size: int = 32 * 1024 * 1024


class Gather:
    """Records in the order in which they came. `now` is any clock that only goes forward, in seconds."""

    def __init__(self, limits: TakeLimits) -> None:
        self._limits = limits
        self._records: deque[tuple[float, Fetched]] = deque()
        self.events = 0
        self.size = 0

    def __len__(self) -> int:
        return len(self._records)

    @property
    def room(self) -> bool:
        """Whether more should be fetched: until the next take is full as well."""
        return self.events < 2 * self._limits.events and self.size < 2 * self._limits.size

    def add(self, record: Fetched, now: float) -> None:
        self._records.append((now, record))
        self.events += record.events
        self.size += _size(record)

    def due_in(self, now: float) -> float | None:
        """Seconds until there is a take: 0 when it is full or old enough, None when nothing waits."""
        if not self._records:
            return None
        if self.events >= self._limits.events or self.size >= self._limits.size:
            return 0.0
        return max(0.0, self._records[0][0] + self._limits.linger - now)

    def take(self) -> list[Fetched]:
        """The oldest records, as many as a take may hold, and at least one of those that are there."""
        taken: list[Fetched] = []
        events = size = 0
        while self._records:
            record = self._records[0][1]
            events += record.events
            size += _size(record)
            if taken and (events > self._limits.events or size > self._limits.size):
                break
            taken.append(record)
            self._records.popleft()
            self.events -= record.events
            self.size -= _size(record)
        return taken

    def drop(self, place: Place | None = None) -> int:
        """Forget what waits, of one partition or of all; returns how many records that were."""
        kept = [] if place is None else [(at, r) for at, r in self._records if r.place != place]
        dropped = len(self._records) - len(kept)
        self._records = deque(kept)
        self.events = sum(record.events for _, record in kept)
        self.size = sum(_size(record) for _, record in kept)
        return dropped
