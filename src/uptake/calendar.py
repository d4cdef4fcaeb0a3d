"""Closed periods in a tenant's zone. Pure: time and zone are arguments.

A week is `[Monday 00:00, next Monday 00:00)` of the wall clock, keyed by ISO year-week; each edge is converted
to UTC on its own, so a week with a clock change has 167 or 169 hours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

_ISO_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")
_SECOND = timedelta(seconds=1)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a calendar day in `zone`, as UTC.

    Where the clock shows midnight twice it is the first time; where a clock change skips midnight it is the
    change itself, with which the day begins late. A day that the zone skipped as a whole begins when it ended.
    """
    wall = datetime(day.year, day.month, day.day, tzinfo=zone)
    earliest, latest = wall.replace(fold=1).astimezone(UTC), wall.astimezone(UTC)
    if latest <= earliest:
        return latest
    # Midnight was skipped: read with the offset of before and of after, it encloses the change.
    before = (earliest - _SECOND).astimezone(zone).utcoffset()
    while latest - earliest > _SECOND:
        middle = earliest + (latest - earliest) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == before:
            earliest = middle
        else:
            latest = middle
    return latest


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Calendar days `[first, after)` in `zone`; `start` and `end` are the same edges in UTC."""

    first: date
    after: date
    zone: str

    def __post_init__(self) -> None:
        if self.after <= self.first:
            raise ValueError(f"a period ends after it starts: {self.first} to {self.after}")

    @property
    def start(self) -> datetime:
        return midnight(self.first, ZoneInfo(self.zone))

    @property
    def end(self) -> datetime:
        return midnight(self.after, ZoneInfo(self.zone))

    @property
    def last(self) -> date:
        """The last day that belongs to the period."""
        return self.after - timedelta(days=1)

    def is_closed(self, now: datetime) -> bool:
        return now >= self.end

    def days(self) -> list[date]:
        return [self.first + timedelta(days=i) for i in range((self.after - self.first).days)]


@dataclass(frozen=True, slots=True, order=True)
class IsoWeek:
    """An ISO 8601 week by its ISO year (which differs from the calendar year at its edges) and number."""

    year: int
    week: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``2026-W46``. Raises ValueError with what is wrong, also for a week that does not exist."""
        match = _ISO_WEEK.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an ISO week; write it like 2026-W46")
        week = cls(int(match[1]), int(match[2]))
        try:
            week.monday()
        except ValueError:
            raise ValueError(f"there is no week {match[2]} in {match[1]}") from None
        return week

    @classmethod
    def of(cls, day: date) -> Self:
        year, week, _ = day.isocalendar()
        return cls(year, week)

    @classmethod
    def last_closed(cls, now: datetime, zone: str) -> Self:
        """The newest week that is over in `zone` at `now` (zone-aware)."""
        if now.tzinfo is None:
            raise ValueError("a moment without a zone has no place on the time line")
        today = now.astimezone(ZoneInfo(zone)).date()
        return cls.of(today - timedelta(days=7))

    def monday(self) -> date:
        return date.fromisocalendar(self.year, self.week, 1)

    def shift(self, weeks: int) -> Self:
        return self.of(self.monday() + timedelta(weeks=weeks))

    def period(self, zone: str) -> Period:
        monday = self.monday()
        return Period(monday, monday + timedelta(days=7), zone)

    def __str__(self) -> str:
        return f"{self.year:04d}-W{self.week:02d}"


def month_of(day: date, zone: str) -> Period:
    """The calendar month that holds `day`."""
    first = day.replace(day=1)
    return Period(first, (first + timedelta(days=32)).replace(day=1), zone)
