"""The days and weeks of a KPI's window, as queries take them. Pure.

Their first moments are computed here, as those of a period are, and never by the database: it may know other rules of
a zone, and a call at the edge of a day would then be on one day here and on another there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from uptake.calendar import Period, midnight
from uptake.sql.activity.days import edges


def window_of(period: Period, look_back_weeks: int) -> Period:
    """The weeks that a KPI looks back on: so many that end with the period, never less than the period."""
    first = period.after - timedelta(weeks=look_back_weeks)
    return replace(period, first=min(first, period.first))


@lru_cache(maxsize=64)
def window_parameters(window: Period) -> Mapping[str, Any]:
    """`days` of a window with `day_edges`, their first moments (Unix seconds), and `week_edges`, those of its weeks.

    The weeks end with the window, so the first one is shorter where the window is no whole number of weeks. All ascend.

    For `roundDown`, which finds the day or the week of a moment. A day that the zone skipped has no moment and is left
    out.
    """
    moments = [int(moment.timestamp()) for moment in edges(window)]
    days = {
        start: day for day, (start, end) in zip(window.days(), pairwise(moments), strict=True) if start < end
    }
    zone = ZoneInfo(window.zone)
    weeks = -(-len(window.days()) // 7)
    firsts = [max(window.after - timedelta(weeks=nth), window.first) for nth in range(weeks, 0, -1)]
    return {
        "days": list(days.values()),
        "day_edges": list(days),
        "week_edges": [int(midnight(day, zone).timestamp()) for day in firsts],
    }
