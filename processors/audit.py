"""What the audit concludes from what the log and the database say: which offsets nobody processed, which records lack
events, and up to where all is well. Pure.

The unit is one partition of a topic. Offsets below the committed one were acknowledged, so each must have its row in
`log_records`; what is above may be in flight and is nobody's fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple


class Span(NamedTuple):
    """Offsets from `first` up to and without `after`."""

    first: int
    after: int

    @property
    def length(self) -> int:
        return self.after - self.first


@dataclass(frozen=True, slots=True)
class LogState:
    """A partition as the broker describes it: its oldest offset, the one after its newest, and the consumer group's
    committed one (None: nothing was ever committed)."""

    start: int
    end: int
    committed: int | None

    @property
    def acknowledged(self) -> int:
        """The offset below which everything should have been processed. What retention deleted before it was
        committed counts too: nobody will ever process it."""
        return max(self.start, self.committed or 0)

    @property
    def lag(self) -> int:
        """How many records wait."""
        return max(0, self.end - self.acknowledged)


class Expected(NamedTuple):
    """What `log_records` says of a record: how many of its events were new, how many were refused, and when the broker
    took it."""

    accepted: int
    rejected: int
    appended_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a partition was verified: all offsets below `verified` were processed or are known to be lost.
    `trail` says where that was at earlier moments, oldest first."""

    verified: int
    trail: tuple[tuple[datetime, int], ...] = ()

    def as_of(self, moment: datetime) -> int:
        """Up to where all was verified at `moment`, or at the first moment known after it."""
        at_or_before = [offset for at, offset in self.trail if at <= moment]
        if at_or_before:
            return at_or_before[-1]
        return self.trail[0][1] if self.trail else self.verified

    def moved(self, verified: int, now: datetime, step: timedelta, keep: timedelta) -> Progress:
        """Progress after another look at `now`. The trail gets a point every `step` and reaches back `keep`: of the
        points older than that the newest stays, so that `as_of(now - keep)` has an answer."""
        trail = [*self.trail]
        if not trail or now - trail[-1][0] >= step:
            trail.append((now, verified))
        while len(trail) > 1 and trail[1][0] <= now - keep:
            trail.pop(0)
        # Where a look found a hole that was verified before (rows were lost since), the past is no better.
        return Progress(verified, tuple((at, min(offset, verified)) for at, offset in trail))


def holes(within: Span, covered: Iterable[Span]) -> list[Span]:
    """The parts of `within` that `covered` leaves out, in order."""
    found, at = [], within.first
    for span in sorted(covered):
        if at >= within.after:
            break
        if span.first > at:
            found.append(Span(at, min(span.first, within.after)))
        at = max(at, span.after)
    if at < within.after:
        found.append(Span(at, within.after))
    return found


def split(spans: Iterable[Span], start: int) -> tuple[list[Span], list[Span]]:
    """Spans below `start`, which the log does not hold any more, and those that can still be read."""
    gone, there = [], []
    for span in spans:
        if span.first < start:
            gone.append(Span(span.first, min(span.after, start)))
        if span.after > start:
            there.append(Span(max(span.first, start), span.after))
    return gone, there


def short(expected: Mapping[int, Expected], found: Mapping[int, int]) -> list[int]:
    """Offsets of records of which fewer events are found than were new, in order."""
    return sorted(offset for offset, record in expected.items() if found.get(offset, 0) < record.accepted)


def spans(offsets: Iterable[int]) -> list[Span]:
    """Offsets as few spans as hold them."""
    found: list[Span] = []
    for offset in sorted(set(offsets)):
        if found and found[-1].after == offset:
            found[-1] = Span(found[-1].first, offset + 1)
        else:
            found.append(Span(offset, offset + 1))
    return found


def slices(span: Span, size: int) -> list[Span]:
    """A span cut into pieces of at most `size` offsets."""
    return [Span(at, min(at + size, span.after)) for at in range(span.first, span.after, size)]


def first_of(wanted: Sequence[Span], limit: int) -> tuple[list[Span], list[Span]]:
    """The first `limit` offsets of some spans, and what is left for another time."""
    now: list[Span] = []
    later: list[Span] = []
    for span in wanted:
        take = min(span.length, max(limit, 0))
        limit -= take
        if take:
            now.append(Span(span.first, span.first + take))
        if take < span.length:
            later.append(Span(span.first + take, span.after))
    return now, later
