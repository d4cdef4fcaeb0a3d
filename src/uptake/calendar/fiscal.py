"""Quarters of fiscal years that start in any month.

A fiscal year bears the calendar year in which it ends, as most companies and governments call theirs: one that starts
in October 2025 is FY2026. One that starts in January is the calendar year.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from uptake.calendar.days import Period, day_at
from uptake.calendar.months import months_from

_QUARTER = re.compile(r"FY([0-9]{4})-Q([1-4])")


@dataclass(frozen=True, slots=True, order=True)
class FiscalQuarter:
    """A quarter, written FY2026-Q2, of a fiscal year that starts in the month `starts` (1 to 12)."""

    year: int
    quarter: int
    starts: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.starts <= 12:
            raise ValueError(f"a fiscal year starts in a month from 1 to 12, not {self.starts}")

    @classmethod
    def parse(cls, text: str, starts: int = 1) -> Self:
        """Read ``FY2026-Q2``. Raises ValueError with what is wrong, also for a quarter outside the calendar."""
        match = _QUARTER.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a fiscal quarter; write it like FY2026-Q2")
        quarter = cls(int(match[1]), int(match[2]), starts)
        try:
            quarter.period("UTC")
        except ValueError:
            raise ValueError(f"{text} is outside the calendar") from None
        return quarter

    @classmethod
    def of(cls, day: date, starts: int = 1) -> Self:
        quarters = (day.year * 12 + day.month - starts) // 3
        return cls(quarters // 4 + (starts > 1), quarters % 4 + 1, starts)

    @classmethod
    def last_closed(cls, now: datetime, zone: str, starts: int = 1) -> Self:
        """The newest fiscal quarter that is over in `zone` at `now` (zone-aware)."""
        return cls.of(day_at(now, zone), starts).shift(-1)

    def shift(self, quarters: int) -> Self:
        index = self.year * 4 + self.quarter - 1 + quarters
        return type(self)(index // 4, index % 4 + 1, self.starts)

    def period(self, zone: str) -> Period:
        first = (self.year - (self.starts > 1)) * 12 + self.starts - 1
        return months_from(first + (self.quarter - 1) * 3, 3, zone)

    def __str__(self) -> str:
        return f"FY{self.year:04d}-Q{self.quarter}"
