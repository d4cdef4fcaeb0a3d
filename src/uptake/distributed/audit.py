"""The audit: what the log says was acknowledged against what the database holds, and the log heals the difference.

One look, in this order:

  1. ask      the log: where each partition begins, ends, and what is committed
  2. ask      the database: was it started again since the last look? Then the last hour is looked at once more
  3. compare  committed offsets with `log_records` (coverage)
  4. compare  the events of each record with what was new in it (content), for ten minutes after it was verified,
              because a worker that was slow may still write over it
  5. say      what is wrong, before anything is done about it
  6. heal     by reading exactly those offsets again through the pipeline
  7. remember up to where all is well

Rows are written before `log_records`, and `log_records` before the offset is committed, so what is committed at 1 must
be there at 3 and 4. What is processed and not committed is above the committed offset, and no hole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from uptake.distributed.audit_heal import Healer
from uptake.distributed.audit_log import Log, Place
from uptake.distributed.audit_mark import Memory, remembered
from uptake.distributed.audit_report import AuditReport, Cause, Hole
from uptake.distributed.audit_store import AuditStore, oldest
from uptake.errors import UnavailableError
from uptake.processors.audit import (
    Expected,
    LogState,
    Progress,
    Span,
    first_of,
    holes,
    short,
    slices,
    split,
)

HORIZON = timedelta(days=29)
"""`log_records` are kept 30 days: older ones say nothing."""
AGAIN = timedelta(hours=1)
"""How far back is looked again after the database was started again, and at the first look."""
TRAIL = timedelta(minutes=10)
"""For how long a record's content is compared: longer than an insert can be on its way (300 s)."""
STEP = timedelta(minutes=1)
MARGIN = timedelta(minutes=2)
RESTART_SLACK = timedelta(seconds=5)
COMPARED_AT_ONCE = 20_000
HEALED_AT_ONCE = 10_000
"""Most records that one look reads again; the others wait for the next one, reported all the same."""

Say = Callable[[str, int, int], None]
"""Told of the way of a long look: what is done, how much of how much."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Partition:
    """One partition in one look. `again`: what was verified before is looked at once more, content included."""

    place: Place
    state: LogState
    within: Span
    content: Span
    again: bool
    missing: list[Span] = field(default_factory=list)
    lost: list[Span] = field(default_factory=list)
    short: dict[int, Expected] = field(default_factory=dict)


class Audit:
    """Looks, reports, heals. One look at a time; the same state store may be used by several processes."""

    def __init__(
        self, state: Engine, log: Log, store: AuditStore, topics: Sequence[str], healer: Healer
    ) -> None:
        self._state = state
        self._log = log
        self._store = store
        self._topics = topics
        self._healer = healer
        self._looking = threading.Lock()

    def look(
        self,
        now: datetime,
        *,
        heal: bool = True,
        everything: bool = False,
        say: Say = lambda what, done, whole: None,
    ) -> AuditReport:
        """Look once. With `everything`, as far back as log and `log_records` reach, and not only at what is new.
        Raises UnavailableError and the database's errors when nothing can be said."""
        with self._looking:
            report = AuditReport(now)
            found = remembered(self._state)
            memory = found[0] if found else Memory()
            # 1, 2
            states = self._log.states(self._log.partitions(self._topics))
            started = self._store.server_started_at()
            known = memory.server_started_at
            report.restarted = known is not None and started - known > RESTART_SLACK
            stale = found is not None and now - found[1] > HORIZON
            partitions = self._plan(states, memory, now, everything or stale, report)
            # 3
            for at, one in enumerate(partitions):
                say("offsets", at, len(partitions))
                gaps = holes(one.within, self._store.covered(one.place, one.within))
                one.lost, one.missing = split(gaps, one.state.start)
            # 4
            self._compare(partitions, say, report)
            # 5
            wrong = self._holes(partitions)
            report.holes += wrong
            for hole in wrong:
                _log.error("audit_hole", **_named(hole), records=hole.records)
            # 6
            if heal and (report.unhealed or any(one.short for one in partitions)):
                say("healing", 0, report.unhealed)
                self._heal(partitions, report)
            else:
                report.holes += [hole for one in partitions for hole in self._short_holes(one)]
            # 7
            self._remember(partitions, memory, started, now, report)
            return report

    def _plan(
        self,
        states: dict[Place, LogState],
        memory: Memory,
        now: datetime,
        everything: bool,
        report: AuditReport,
    ) -> list[_Partition]:
        """What to look at in each partition."""
        for place, state in states.items():
            progress = memory.partitions.get(place)
            if progress is not None and state.end < progress.verified:
                hole = Hole.at(place, Span(state.end, progress.verified), Cause.REWOUND).turned_out(
                    healed=True
                )
                _log.error("log_rewound", **_named(hole))
                report.holes.append(hole)
                del memory.partitions[place]
        unknown = [place for place in states if everything or place not in memory.partitions]
        floors = self._log.offsets_at(dict.fromkeys(unknown, now - HORIZON))
        recent = self._log.offsets_at(dict.fromkeys(unknown, now - (HORIZON if everything else AGAIN)))
        partitions = []
        for place, state in states.items():
            after = state.acknowledged
            if place in floors:
                again, first, content = True, max(floors[place], state.start), max(recent[place], state.start)
            else:
                progress, again = memory.partitions[place], report.restarted
                first = min(progress.verified, progress.as_of(now - AGAIN)) if again else progress.verified
                content = first if again else min(first, progress.as_of(now - TRAIL))
            within = Span(min(first, after), after)
            partitions.append(_Partition(place, state, within, Span(min(content, after), after), again))
            report.checked += within.length
            report.lag[place.topic] = report.lag.get(place.topic, 0) + state.lag
        report.partitions = len(partitions)
        return partitions

    def _compare(self, partitions: Sequence[_Partition], say: Say, report: AuditReport) -> None:
        recently: dict[Place, dict[int, int]] = {}
        if any(one.content.length and not one.again for one in partitions):
            recently = self._store.found_recently(self._topics, TRAIL + STEP + MARGIN)
        for at, one in enumerate(partitions):
            say("events", at, len(partitions))
            for part in slices(one.content, COMPARED_AT_ONCE):
                expected = self._store.expected(one.place, part)
                report.compared += len(expected)
                suspects = list(expected) if one.again else short(expected, recently.get(one.place, {}))
                if suspects:
                    # Rows of before the window, or of a late commit, are found where they are looked for.
                    stretch = Span(min(suspects), max(suspects) + 1)
                    closer = {offset: expected[offset] for offset in suspects}
                    found = self._store.found(one.place, stretch, oldest(closer.values()))
                    one.short |= {offset: expected[offset] for offset in short(closer, found)}

    def _holes(self, partitions: Sequence[_Partition]) -> list[Hole]:
        """What is certainly wrong. Whether a record that is short lost something is known after reading it again."""
        found = []
        for one in partitions:
            found += [Hole.at(one.place, span, Cause.LOST) for span in one.lost]
            found += [Hole.at(one.place, span, Cause.UNPROCESSED) for span in one.missing]
        return found

    def _short_holes(self, one: _Partition) -> list[Hole]:
        found = [Hole.at(one.place, Span(offset, offset + 1), Cause.SHORT) for offset in one.short]
        for hole in found:
            _log.error("audit_hole", **_named(hole), records=1)
        return found

    def _heal(self, partitions: Sequence[_Partition], report: AuditReport) -> None:
        left = HEALED_AT_ONCE
        for one in partitions:
            now, later = first_of(one.missing, left)
            left -= sum(span.length for span in now)
            chosen = sorted(one.short)[:left]
            left -= len(chosen)
            try:
                mended = self._healer.heal(one.place, now, {offset: one.short[offset] for offset in chosen})
            except UnavailableError as failure:
                report.trouble = failure.message
                _log.error("audit_cannot_heal", **one.place._asdict(), why=failure.message)
                report.holes += self._short_holes(one)
                continue
            for offset in chosen:
                del one.short[offset]
            report.settled += mended.settled
            report.strangers += mended.strangers
            # What was said of them before gives way to what became of them.
            others = [hole for hole in report.holes if not _is(hole, one.place, Cause.UNPROCESSED)]
            waiting = [Hole.at(one.place, span, Cause.UNPROCESSED) for span in later]
            report.holes = [*others, *mended.holes, *waiting, *self._short_holes(one)]
            for hole in mended.holes:
                say = _log.warning if hole.healed else _log.error
                said = {"healed": hole.healed, "restored": hole.restored, "quarantined": hole.quarantined}
                say("audit_healed" if hole.healed else "audit_hole_stays", **_named(hole), **said)

    def _remember(
        self,
        partitions: Sequence[_Partition],
        memory: Memory,
        started: datetime,
        now: datetime,
        report: AuditReport,
    ) -> None:
        for one in partitions:
            wrong = [
                hole.first
                for hole in report.holes
                if (hole.topic, hole.partition) == one.place
                and not hole.healed
                and hole.cause is not Cause.LOST
            ]
            verified = min([one.within.after, *wrong])
            # The first look compared an hour's content, which the next ones have to look after.
            before = memory.partitions.get(one.place) or Progress(
                verified, ((now - AGAIN, one.content.first),)
            )
            memory.partitions[one.place] = before.moved(verified, now, STEP, AGAIN)
        memory.server_started_at = started
        memory.report = report.document()
        if report.lost:
            memory.lost, memory.lost_at = memory.lost + report.lost, now
        memory.save(self._state, now)


def _is(hole: Hole, place: Place, cause: Cause) -> bool:
    return (hole.topic, hole.partition) == place and hole.cause is cause


def _named(hole: Hole) -> dict[str, object]:
    return {
        "topic": hole.topic,
        "partition": hole.partition,
        "first": hole.first,
        "after": hole.after,
        "cause": hole.cause.value,
    }
