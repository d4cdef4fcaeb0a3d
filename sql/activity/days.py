"""What is known of a local day in the cache, and what follows from it. Pure; times are the database server's.

A row is visible at most `MARGIN` after its `inserted_at`. So a build that began to read at `snapshot_at` holds every
row inserted until `snapshot_at - MARGIN`; a day whose newest row is not newer than that is exact, and any other is
not relied upon, although it may be.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from uptake.calendar import Period

MARGIN = timedelta(seconds=60)
"""Longer than an insert takes from the moment its block is formed (`inserted_at`) until its rows can be read, and
longer than the server's clock may step back."""

REBUILD_AFTER = timedelta(minutes=10)
"""A day that was built and has changed again is built at most so often: stragglers come one by one."""

NEVER = datetime(1970, 1, 1, tzinfo=UTC)

Standing = Literal["empty", "missing", "dirty", "published"]


@dataclass(frozen=True, slots=True)
class Build:
    """A published generation of one day, of the moments [starts, ends)."""

    generation: int
    ends: datetime
    snapshot_at: datetime
    calls: int
    cells: int


@dataclass(frozen=True, slots=True)
class Day:
    """A local day [starts, ends). `newest`: when the newest known row of it was inserted, None where it has none."""

    day: date
    starts: datetime
    ends: datetime
    newest: datetime | None = None
    build: Build | None = None

    @property
    def standing(self) -> Standing:
        """ "published" is exact; "dirty" has changed, or may have, since it was built; "empty" has no event and needs
        no build. A build of other edges (a zone's rules changed) is none."""
        if self.build is None or self.build.ends != self.ends:
            return "missing" if self.newest is not None else "empty"
        if self.newest is not None and self.newest > self.build.snapshot_at - MARGIN:
            return "dirty"
        return "published"

    @property
    def is_exact(self) -> bool:
        return self.standing in ("published", "empty")

    def is_due(self, now: datetime, server_now: datetime, *, at_once: bool = False) -> bool:
        """Whether to build it now. Open days are not: nothing reads them, and they would not stay exact for a second.
        Nor is a day that changed just now, because the build could not be exact; nor, unless `at_once`, one that was
        built within REBUILD_AFTER."""
        if now < self.ends or self.is_exact or self.newest is None or self.newest > server_now - MARGIN:
            return False
        waited = self.build is None or self.build.snapshot_at <= server_now - REBUILD_AFTER
        return at_once or waited or self.standing == "missing"

    def seen(self, newest: datetime) -> Day:
        """The same day after a further row was noticed."""
        return self if self.newest is not None and self.newest >= newest else replace(self, newest=newest)


def edges(period: Period) -> list[datetime]:
    """The first moments of the period's days and its end."""
    starts = [Period(day, day + timedelta(days=1), period.zone).start for day in period.days()]
    return [*starts, period.end]


def days_of(period: Period, rows: Iterable[Mapping[str, Any]]) -> list[Day]:
    """The period's days from rows of days.sql. A day that the zone skipped has no moment and is left out."""
    moments = edges(period)
    found = {int(row["start"]): row for row in rows}
    days = []
    for day, (starts, ends) in zip(period.days(), pairwise(moments), strict=True):
        if starts < ends:
            days.append(_day(day, starts, ends, found.get(int(starts.timestamp()))))
    return days


def generation_at(snapshot_at: datetime) -> int:
    """A number for a build: later snapshots have higher ones, and two at the same moment differ all the same."""
    micros = (snapshot_at - NEVER) // timedelta(microseconds=1)
    return micros << 12 | random.getrandbits(12)


def _day(day: date, starts: datetime, ends: datetime, row: Mapping[str, Any] | None) -> Day:
    if row is None:
        return Day(day, starts, ends)
    build = None
    if row["generation"]:
        built_until = datetime.fromtimestamp(int(row["ends"]), UTC)
        build = Build(
            int(row["generation"]), built_until, row["snapshot_at"], int(row["calls"]), int(row["cells"])
        )
    newest = row["newest"] if row["newest"] > NEVER else None
    return Day(day, starts, ends, newest, build)
