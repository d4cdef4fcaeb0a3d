"""ISO 8601 weeks, keyed by ISO year and number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from uptake.calendar.days import Period, day_at

_ISO_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")


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
        return cls.of(day_at(now, zone)).shift(-1)

    def monday(self) -> date:
        return date.fromisocalendar(self.year, self.week, 1)

    def shift(self, weeks: int) -> Self:
        return self.of(self.monday() + timedelta(weeks=weeks))

    def period(self, zone: str) -> Period:
        monday = self.monday()
        return Period(monday, monday + timedelta(days=7), zone)

    def __str__(self) -> str:
        return f"{self.year:04d}-W{self.week:02d}"
