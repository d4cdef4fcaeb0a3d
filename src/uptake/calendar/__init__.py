"""Closed periods in a tenant's zone. Pure: time and zone are arguments.

A period is `[00:00 of its first day, 00:00 of the day after its last)` of the wall clock; each edge is converted to UTC
on its own, so a week with a clock change has 167 or 169 hours. Weeks, months and fiscal quarters are told apart by
their names (2026-W46, 2026-11, FY2026-Q2), and only one that is over is reported.
"""

from __future__ import annotations

from uptake.calendar.closed import Closed, weeks_in
from uptake.calendar.days import Period, day_at, midnight
from uptake.calendar.fiscal import FiscalQuarter
from uptake.calendar.months import Month, month_of
from uptake.calendar.weeks import IsoWeek

__all__ = [
    "Closed",
    "FiscalQuarter",
    "IsoWeek",
    "Month",
    "Period",
    "day_at",
    "midnight",
    "month_of",
    "weeks_in",
]
