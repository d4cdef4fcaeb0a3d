"""The days and weeks of a window: every moment of it is on the day that the clock shows, in weeks that end with it."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from uptake.calendar import Period
from uptake.sql.windows import window_of, window_parameters


@pytest.mark.parametrize(
    ("zone", "after"),
    [
        ("Europe/Paris", date(2026, 11, 2)),  # over the clock going back
        ("America/Sao_Paulo", date(2018, 11, 12)),  # a day that begins at one o'clock
        ("Pacific/Apia", date(2012, 1, 9)),  # a day that there never was: 30 December 2011
        ("Asia/Kathmandu", date(2026, 11, 2)),
    ],
)
def test_every_hour_falls_on_the_day_of_the_clock_and_in_the_week_counted_from_the_end(
    zone: str, after: date
) -> None:
    window = window_of(Period(after - timedelta(days=7), after, zone), 4)
    given = window_parameters(window)
    moment = window.start
    while moment < window.end:
        shown = moment.astimezone(ZoneInfo(zone)).date()
        nth = bisect_right(given["day_edges"], moment.timestamp()) - 1
        assert given["days"][nth] == shown
        weeks_ago = len(given["week_edges"]) - bisect_right(given["week_edges"], moment.timestamp())
        assert weeks_ago == (after - timedelta(days=1) - shown).days // 7
        moment += timedelta(minutes=30)
    assert len(given["week_edges"]) == 4
    assert given["day_edges"][0] == given["week_edges"][0] == window.start.timestamp()


def test_the_first_week_is_shorter_where_the_window_is_no_whole_number_of_weeks() -> None:
    october = Period(date(2026, 10, 1), date(2026, 11, 1), "UTC")
    given = window_parameters(window_of(october, 4))
    starts = [datetime.fromtimestamp(edge, UTC).day for edge in given["week_edges"]]
    assert starts == [1, 4, 11, 18, 25]
    assert len(given["days"]) == 31


def test_a_window_is_never_less_than_the_period() -> None:
    week = Period(date(2026, 11, 9), date(2026, 11, 16), "UTC")
    assert window_of(week, 0) == week
    assert window_of(week, 2) == Period(date(2026, 11, 2), date(2026, 11, 16), "UTC")
    year = Period(date(2026, 1, 1), date(2027, 1, 1), "UTC")
    assert window_of(year, 52) == year
    assert window_of(year, 53) == Period(date(2025, 12, 26), date(2027, 1, 1), "UTC")
