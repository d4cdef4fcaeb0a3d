"""Edges of weeks, months and quarters of every zone of the world against brute force.

The brute force never asks when a day starts. It asks zoneinfo only for the offset at moments of UTC, writes the wall
date beside minutes of sixteen years, and looks for the first minute that bears a date.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest
from numpy.typing import NDArray

from uptake.calendar import Closed, FiscalQuarter, IsoWeek, Month, weeks_in

FIRST, AFTER = date(2020, 1, 1), date(2036, 1, 1)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
A_DAY = DAY // MINUTE
# Two days more on either side, because days of the wall clock start before and after those of UTC.
START = datetime(2019, 12, 30, tzinfo=UTC)
DAYS = (datetime(2036, 1, 3, tzinfo=UTC) - START).days
MIDNIGHTS = [START + DAY * i for i in range(DAYS + 1)]


def zones() -> list[str]:
    """The zones that the tz database gives to places of a country; older names of them are elsewhere."""
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    return sorted({row[2] for row in rows} & available_timezones())


def offset(moment: datetime, zone: ZoneInfo) -> int:
    """Minutes by which the wall clock is ahead of UTC."""
    ahead = moment.astimezone(zone).utcoffset()
    assert ahead is not None
    assert ahead % MINUTE == timedelta(0)
    return ahead // MINUTE


def minute_by_minute(midnight: datetime, zone: ZoneInfo) -> list[int]:
    """The offset at each minute of a day of UTC: asked for each one of a quarter of an hour that it changes in."""
    quarters = [offset(midnight + MINUTE * minute, zone) for minute in range(0, A_DAY + 1, 15)]
    found = []
    for quarter, (before, after) in enumerate(pairwise(quarters)):
        some = (midnight + MINUTE * (quarter * 15 + minute) for minute in range(15))
        found += [before] * 15 if before == after else [offset(moment, zone) for moment in some]
    return found


def minutes(zone: ZoneInfo) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Minutes since START with the wall clock's, in order: all minutes of a day of UTC on which the offset changes; of
    others, on which the wall clock passes midnight once, only the first one and the one of that midnight."""
    ahead = [offset(moment, zone) for moment in MIDNIGHTS]
    moments, wall = [], []
    for day, (before, after) in enumerate(pairwise(ahead)):
        if before == after:
            some = sorted({0, -before % A_DAY})
            offsets = [before] * len(some)
        else:
            some = list(range(A_DAY))
            offsets = minute_by_minute(MIDNIGHTS[day], zone)
        moments += [day * A_DAY + minute for minute in some]
        wall += [day * A_DAY + minute + ahead for minute, ahead in zip(some, offsets, strict=True)]
    return np.array(moments), np.array(wall)


def first_moments(zone: ZoneInfo) -> dict[date, datetime]:
    """The first minute that bears each date."""
    moments, wall = minutes(zone)
    dates, first = np.unique(wall // A_DAY, return_index=True)
    return {
        START.date() + DAY * int(day): START + MINUTE * int(moments[index])
        for day, index in zip(dates, first, strict=True)
    }


def through(period: Closed) -> Iterator[Closed]:
    while period.period("UTC").first < AFTER:
        yield period
        period = period.shift(1)


WEEKS = list(through(IsoWeek.of(FIRST).shift(1)))
MONTHS = list(through(Month.of(FIRST)))
QUARTERS = [
    *through(FiscalQuarter.of(FIRST, starts=4)),
    *through(FiscalQuarter.of(FIRST + 40 * DAY, starts=2)),
]


@pytest.mark.parametrize("part", range(4))
def test_edges_of_all_zones_are_those_of_brute_force(part: int) -> None:
    wrong, checked = [], 0
    for name in zones()[part::4]:
        expected = first_moments(ZoneInfo(name))
        for named in (*WEEKS, *MONTHS, *QUARTERS):
            period = named.period(name)
            if period.start != expected[period.first]:
                wrong.append(f"{name} {named}: {period.start} is not {expected[period.first]}")
            checked += 1
    assert wrong == []
    assert checked >= 100 * (834 + 192 + 2 * 64 - 1)


@pytest.mark.parametrize("names", [WEEKS, MONTHS, QUARTERS[:64]])
def test_each_period_ends_where_the_next_one_starts(names: list[Closed]) -> None:
    for one, other in pairwise(names):
        assert one.period("Africa/Cairo").after == other.period("Africa/Cairo").first
        assert one.period("Africa/Cairo").end == other.period("Africa/Cairo").start


def test_there_are_at_least_400_zones_and_all_days_of_each_are_there() -> None:
    assert len(zones()) >= 400
    assert {"Europe/Paris", "America/Santiago", "Africa/Cairo", "Asia/Gaza", "Pacific/Chatham"} <= set(
        zones()
    )
    every = first_moments(ZoneInfo("Africa/Cairo"))
    assert {FIRST + DAY * i for i in range((AFTER - FIRST).days + 1)} <= set(every)


def test_the_brute_force_sees_a_midnight_that_is_skipped_and_one_that_comes_twice() -> None:
    # Clocks in Cairo go from 00:00 to 01:00 on the last Friday of April, in Havana from 01:00 to 00:00 on the first
    # Sunday of November, and in Casey from 00:01 to 03:01 in October 2020.
    assert first_moments(ZoneInfo("Africa/Cairo"))[date(2026, 4, 24)] == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert first_moments(ZoneInfo("America/Havana"))[date(2026, 11, 1)] == datetime(
        2026, 11, 1, 4, tzinfo=UTC
    )


def test_each_week_belongs_to_exactly_one_month_and_one_quarter() -> None:
    weeks = [week for month in through(Month.of(FIRST)) for week in weeks_in(month.period("Europe/Paris"))]
    assert weeks == [IsoWeek.of(FIRST).shift(i) for i in range(len(weeks))]
    quarters = through(FiscalQuarter.of(FIRST, starts=10))
    assert weeks == [week for quarter in quarters for week in weeks_in(quarter.period("Europe/Paris"))]
