"""Whether a question can be answered from activity: every day exact, and enough of them to be worth it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from uptake.calendar import Period
from uptake.clickhouse import TenantDatabase
from uptake.sql.activity.days import MARGIN, NEVER, Day, days_of, edges
from uptake.sql.activity.texts import sql_of
from uptake.sql.asking import used_in, window

PAYS_FROM = 500_000
PAYS_FROM_OF_PEOPLE = 200_000
"""Calls in the periods from which on activity is quicker than the events, its check included (benchmarks/activity.py).
Counting people costs the events several times what counting calls does."""


BEFORE, AFTER = timedelta(weeks=66), timedelta(weeks=14)
"""What a reader that remembers asks about at once, around the first period: a year that some KPIs look back on, and a
quarter, whose weeks may be asked about in any order."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Whether activity answers for some periods: its `generations` if so, else `why` not."""

    generations: tuple[int, ...] = ()
    why: str = ""

    @property
    def serves(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True)
class Known:
    """A period's days, with everything that was inserted until MARGIN before `looked_at` (1970: never looked)."""

    period: Period
    looked_at: datetime
    days: tuple[Day, ...]

    def part(self, period: Period) -> Known:
        """Of a period inside this one."""
        inside = (day for day in self.days if period.first <= day.day < period.after)
        return Known(period, self.looked_at, tuple(inside))


class ActivityReader:
    """What activity knows of one tenant, in one zone."""

    def __init__(
        self,
        database: TenantDatabase,
        pays_from: int | None = None,
        of_people: int | None = None,
        *,
        remember: bool = False,
    ) -> None:
        """`pays_from` and `of_people` stand in for PAYS_FROM and PAYS_FROM_OF_PEOPLE. With `remember` the database is
        asked once about all periods of a year: for one digest run, not for longer."""
        self._database = database
        self._remember = remember
        self._around: Known | None = None
        self._newer: dict[Period, dict[int, datetime]] = {}
        self._pays_from = PAYS_FROM if pays_from is None else pays_from
        self._of_people = PAYS_FROM_OF_PEOPLE if of_people is None else of_people

    def serving(self, *periods: Period, people: bool) -> Serving:
        """Whether all days of `periods` can be read from activity, now, and that pays; `people`: to count people.

        A row that becomes visible after this was asked is not in the answer; no query that began now would have
        seen it either.
        """
        # 1. The small tables: when they say no, no event was touched.
        around = [self._known(period) for period in periods]
        known = [each.part(period) for each, period in zip(around, periods, strict=True)]
        if any(each.looked_at == NEVER for each in known):
            return Serving(why="nothing was ever built")
        refused = _refusal(day for each in known for day in each.days)
        if refused:
            return Serving(why=refused)
        calls = sum(day.build.calls for each in known for day in each.days if day.build)
        if calls < (self._of_people if people else self._pays_from):
            return Serving(why=f"{calls:,} calls are quicker to count anew")
        # 2. What came since the last look, of which they know nothing yet.
        known = [_seen(each, self._arrivals(whole)) for each, whole in zip(known, around, strict=True)]
        refused = _refusal(day for each in known for day in each.days)
        if refused:
            return Serving(why=refused)
        return Serving(tuple(day.build.generation for each in known for day in each.days if day.build))

    def known(self, period: Period) -> Known:
        """The period's days as the last look left them."""
        days = {"first_day": period.first, "after_day": period.after, "zone": period.zone}
        rows = self._ask("days", {**_edges(period), **days})
        looked_at = next((row["newest"] for row in rows if not row["start"]), NEVER)
        return Known(period, looked_at, tuple(days_of(period, rows)))

    def _known(self, period: Period) -> Known:
        """What is known of a period, or of one around it."""
        if not self._remember:
            return self.known(period)
        around = self._around
        if around is None or not _holds(around.period, period):
            whole = replace(
                period, first=min(period.first, period.after - BEFORE), after=period.after + AFTER
            )
            if around is not None and around.period.zone == period.zone:
                first, after = min(whole.first, around.period.first), max(whole.after, around.period.after)
                whole = replace(period, first=first, after=after)
            around = self._around = self.known(whole)
        return around

    def _arrivals(self, known: Known) -> dict[int, datetime]:
        """The newest row of each day of a period, by the day's start, of what came since the last look."""
        period = known.period
        if period in self._newer:
            return self._newer[period]
        since = known.looked_at - MARGIN
        bounds = {**window(period.start, period.end), **_edges(period), "since": since}
        newer = {int(row["start"]): row["newest"] for row in self._ask("arrived", bounds)}
        if self._remember:
            self._newer[period] = newer
        return newer

    def _ask(self, name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        sql = sql_of(name)
        return self._database.query(sql, used_in(sql, parameters))


def serving_of(
    database: TenantDatabase, reader: ActivityReader | None, *periods: Period, people: bool
) -> Serving:
    """`ActivityReader.serving` of `reader` (none: a new one), where the database was opened to use activity."""
    if not database.uses_activity:
        return Serving(why="activity is switched off")
    return (reader or ActivityReader(database)).serving(*periods, people=people)


def _holds(whole: Period, part: Period) -> bool:
    return whole.zone == part.zone and whole.first <= part.first and part.after <= whole.after


def _seen(known: Known, newer: dict[int, datetime]) -> Known:
    days = (
        day.seen(newer[start]) if (start := int(day.starts.timestamp())) in newer else day
        for day in known.days
    )
    return replace(known, days=tuple(days))


def _edges(period: Period) -> dict[str, Any]:
    starts = sorted({int(moment.timestamp()) for moment in edges(period)})
    return {"edges": starts, "from_": period.start, "to_": period.end}


def _refusal(days: Iterable[Day]) -> str:
    """Why these days cannot be relied upon, "" if they can."""
    for day in days:
        if day.standing == "dirty":
            return f"{day.day} has changed since it was built"
        if day.standing == "missing":
            return f"{day.day} is not built"
    return ""
