"""Days and weeks begin at the first moment that bears their date, whatever clocks do around midnight."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.calendar import IsoWeek, Period, midnight, month_of

MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)
ODD_ZONES = [
    "Africa/Cairo",  # clocks change at midnight, on a Friday and a Thursday
    "Africa/Casablanca",
    "America/Asuncion",
    "America/Havana",  # midnight is skipped in spring and comes twice in autumn
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Lord_Howe",  # by half an hour
    "Europe/Paris",
    "Europe/Volgograd",
    "Pacific/Apia",
    "Pacific/Chatham",
]


def first_minute_of(day: date, zone: ZoneInfo) -> datetime:
    """By looking at every minute around: the definition itself."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while moment.astimezone(zone).date() != day:
        moment += MINUTE
    return moment


def days_around_changes(zone: ZoneInfo, start: date, end: date) -> Iterator[date]:
    for offset in range((end - start).days):
        day = start + timedelta(days=offset)
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        if (noon - timedelta(hours=36)).astimezone(zone).utcoffset() != (
            noon + timedelta(hours=36)
        ).astimezone(zone).utcoffset():
            yield day


@pytest.mark.parametrize("name", ODD_ZONES)
def test_a_day_begins_at_the_first_moment_that_bears_its_date(name: str) -> None:
    zone = ZoneInfo(name)
    checked = 0
    for day in days_around_changes(zone, date(2018, 1, 1), date(2036, 1, 1)):
        assert midnight(day, zone) == first_minute_of(day, zone), day
        checked += 1
    assert checked or name == "Asia/Kathmandu"


@pytest.mark.parametrize(
    ("name", "day", "begins"),
    [
        ("Europe/Paris", date(2026, 11, 9), "2026-11-08T23:00:00+00:00"),
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00+00:00"),  # 00:00 was skipped: 01:00
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00:00+00:00"),  # 00:00 came twice: the first
        ("America/St_Johns", date(2010, 11, 7), "2010-11-07T02:30:00+00:00"),  # at 00:01 it was 23:01 again
        ("America/Toronto", date(1919, 3, 31), "1919-03-31T04:30:00+00:00"),  # from 23:30 to 00:30
        ("Asia/Kathmandu", date(1986, 1, 1), "1985-12-31T18:30:00+00:00"),  # from 00:00 to 00:15
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00:00+00:00"),  # a day that never was
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00:00+00:00"),
    ],
)
def test_midnights_that_are_special(name: str, day: date, begins: str) -> None:
    assert midnight(day, ZoneInfo(name)).isoformat() == begins


@given(name=st.sampled_from(ODD_ZONES), day=st.dates(date(1990, 1, 1), date(2060, 1, 1)))
def test_days_follow_each_other_without_gap_or_overlap(name: str, day: date) -> None:
    zone = ZoneInfo(name)
    start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    assert start.tzinfo is UTC
    if (name, day) != ("Pacific/Apia", date(2011, 12, 30)):
        assert start < end
        assert start.astimezone(zone).date() == day
    assert (start - INSTANT).astimezone(zone).date() < day


@pytest.mark.parametrize(
    ("week", "hours"),
    [("2026-W13", 167), ("2026-W43", 169), ("2026-W14", 168)],
)
def test_a_week_with_a_clock_change_has_167_or_169_hours(week: str, hours: int) -> None:
    period = IsoWeek.parse(week).period("Europe/Paris")
    assert period.end - period.start == timedelta(hours=hours)
    assert len(period.days()) == 7


def test_a_week_in_lord_howe_changes_by_half_an_hour() -> None:
    period = IsoWeek.parse("2026-W14").period("Australia/Lord_Howe")
    assert period.end - period.start == timedelta(hours=168, minutes=30)


@pytest.mark.parametrize("name", ODD_ZONES)
def test_weeks_follow_each_other_without_gap_or_overlap(name: str) -> None:
    week = IsoWeek(2018, 1)
    while week.year < 2035:
        assert week.period(name).end == week.shift(1).period(name).start
        week = week.shift(1)


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2024, 12, 30), "2025-W01"),
        (date(2021, 1, 3), "2020-W53"),
        (date(2026, 12, 31), "2026-W53"),
        (date(2027, 1, 3), "2026-W53"),
        (date(2027, 1, 4), "2027-W01"),
    ],
)
def test_a_week_is_keyed_by_its_iso_year(day: date, week: str) -> None:
    assert str(IsoWeek.of(day)) == week
    assert IsoWeek.parse(week).period("UTC").first <= day <= IsoWeek.parse(week).period("UTC").last


@given(day=st.dates(date(1, 1, 8), date(9999, 12, 20)))
def test_a_week_reads_back_as_it_is_written(day: date) -> None:
    week = IsoWeek.of(day)
    assert IsoWeek.parse(str(week)) == week
    assert week.monday() <= day < week.shift(1).monday()
    assert week.shift(1).shift(-1) == week


@pytest.mark.parametrize("text", ["2026-W00", "2026-W54", "2025-W53", "0000-W01"])
def test_a_week_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="there is no week"):
        IsoWeek.parse(text)


@pytest.mark.parametrize(
    "text", ["2026-46", "2026W46", "26-W46", "2026-W4", " 2026-W46", "2026-W46\n", "٢٠٢٦-W٤٦", ""]
)
def test_what_is_not_written_like_a_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 2026-W46"):
        IsoWeek.parse(text)


@pytest.mark.parametrize("name", ODD_ZONES)
def test_a_week_is_over_exactly_at_the_next_monday(name: str) -> None:
    week = IsoWeek(2018, 1)
    while week.year < 2035:
        edge = week.period(name).end
        assert IsoWeek.last_closed(edge, name) == week
        assert IsoWeek.last_closed(edge - INSTANT, name) == week.shift(-1)
        assert week.period(name).is_closed(edge)
        assert not week.period(name).is_closed(edge - INSTANT)
        week = week.shift(1)


def test_the_last_closed_week_depends_on_the_zone() -> None:
    now = datetime(2026, 11, 15, 12, tzinfo=UTC)  # Monday already in Kiritimati, Sunday still in Paris
    assert str(IsoWeek.last_closed(now, "Pacific/Kiritimati")) == "2026-W46"
    assert str(IsoWeek.last_closed(now, "Europe/Paris")) == "2026-W45"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        IsoWeek.last_closed(datetime(2026, 11, 15), "Europe/Paris")  # noqa: DTZ001


def test_a_period_does_not_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="ends after it starts"):
        Period(date(2026, 1, 2), date(2026, 1, 2), "UTC")


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
        (date(2024, 2, 1), date(2024, 2, 1), date(2024, 2, 29)),
        (date(2026, 1, 15), date(2026, 1, 1), date(2026, 1, 31)),
    ],
)
def test_a_month_holds_its_first_and_last_day(day: date, first: date, last: date) -> None:
    period = month_of(day, "Europe/Paris")
    assert (period.first, period.last) == (first, last)
    assert len(period.days()) == last.day
