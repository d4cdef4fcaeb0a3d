"""What weeks, months and fiscal quarters have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol, Self

from uptake.calendar.days import Period
from uptake.calendar.weeks import IsoWeek


class Closed(Protocol):
    """A named period that is reported once it is over; its text is its key."""

    def period(self, zone: str) -> Period: ...

    def shift(self, count: int, /) -> Self:
        """The one that comes `count` later, or earlier if negative."""
        ...

    def __str__(self) -> str: ...


def weeks_in(period: Period) -> list[IsoWeek]:
    """The ISO weeks that have most of their days in `period`, in order.

    That is the rule by which ISO 8601 gives a week to a year (its Thursday decides), so each week belongs to exactly
    one month and one quarter, and a month has four or five.
    """
    ahead = (3 - period.first.weekday()) % 7
    thursdays = range(ahead, (period.after - period.first).days, 7)
    return [IsoWeek.of(period.first + timedelta(days=days)) for days in thursdays]
