"""Calendar months."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from uptake.calendar.days import Period, day_at

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, written 2026-11."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``2026-11``. Raises ValueError with what is wrong, also for a month that does not exist."""
        match = _MONTH.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a month; write it like 2026-11")
        try:
            return cls.of(date(int(match[1]), int(match[2]), 1))
        except ValueError:
            raise ValueError(f"there is no month {match[2]} in {match[1]}") from None

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day.year, day.month)

    @classmethod
    def last_closed(cls, now: datetime, zone: str) -> Self:
        """The newest month that is over in `zone` at `now` (zone-aware)."""
        return cls.of(day_at(now, zone)).shift(-1)

    def shift(self, months: int) -> Self:
        return self.of(first_day(self.year * 12 + self.month - 1 + months))

    def period(self, zone: str) -> Period:
        return months_from(self.year * 12 + self.month - 1, 1, zone)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def month_of(day: date, zone: str) -> Period:
    """The calendar month that holds `day`."""
    return Month.of(day).period(zone)


def first_day(index: int) -> date:
    """The first day of a month by its number since January of the year 0."""
    return date(index // 12, index % 12 + 1, 1)


def months_from(index: int, count: int, zone: str) -> Period:
    """`count` months from the one with that number on."""
    return Period(first_day(index), first_day(index + count), zone)
