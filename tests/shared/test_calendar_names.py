"""Months, fiscal quarters and days: what they are called, where they begin, and which is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.calendar import Closed, FiscalQuarter, IsoWeek, Month, Period, day_at, month_of, weeks_in

DAYS = st.dates(date(2, 1, 1), date(9998, 1, 1))
STARTS = st.integers(1, 12)
INSTANT = timedelta(microseconds=1)


@given(day=DAYS, starts=STARTS)
def test_names_read_back_as_they_are_written(day: date, starts: int) -> None:
    month, quarter = Month.of(day), FiscalQuarter.of(day, starts)
    assert Month.parse(str(month)) == month
    assert FiscalQuarter.parse(str(quarter), starts) == quarter


@given(day=DAYS, starts=STARTS, count=st.integers(-5, 5))
def test_a_day_is_in_its_month_and_quarter_and_shifting_goes_there_and_back(
    day: date, starts: int, count: int
) -> None:
    names: list[Closed] = [IsoWeek.of(day), Month.of(day), FiscalQuarter.of(day, starts)]
    for named in names:
        period = named.period("UTC")
        assert period.first <= day < period.after
        assert named.shift(0) == named
        assert named.shift(1).period("UTC").first == period.after
        if 20 < day.year < 9900:
            assert named.shift(count).shift(-count) == named


@pytest.mark.parametrize(
    ("name", "starts", "first", "last"),
    [
        ("FY2026-Q1", 1, date(2026, 1, 1), date(2026, 3, 31)),
        ("FY2026-Q4", 1, date(2026, 10, 1), date(2026, 12, 31)),
        # As the US government counts: fiscal year 2026 starts in October 2025.
        ("FY2026-Q1", 10, date(2025, 10, 1), date(2025, 12, 31)),
        ("FY2026-Q2", 10, date(2026, 1, 1), date(2026, 3, 31)),
        ("FY2026-Q4", 10, date(2026, 7, 1), date(2026, 9, 30)),
        # As Japan and India do: the year that ends in March 2026.
        ("FY2026-Q4", 4, date(2026, 1, 1), date(2026, 3, 31)),
        ("FY2024-Q3", 8, date(2024, 2, 1), date(2024, 4, 30)),
        ("FY2026-Q1", 12, date(2025, 12, 1), date(2026, 2, 28)),
    ],
)
def test_a_fiscal_year_bears_the_year_in_which_it_ends(
    name: str, starts: int, first: date, last: date
) -> None:
    period = FiscalQuarter.parse(name, starts).period("Europe/Paris")
    assert (period.first, period.last) == (first, last)
    assert str(FiscalQuarter.of(first, starts)) == str(FiscalQuarter.of(last, starts)) == name


def test_a_month_is_its_days_and_an_hour_less_or_more() -> None:
    march, october = [Month.parse(name).period("Europe/Paris") for name in ("2026-03", "2026-10")]
    assert march.end - march.start == timedelta(days=31, hours=-1)
    assert october.end - october.start == timedelta(days=31, hours=1)
    assert month_of(date(2028, 2, 29), "UTC") == Month.parse("2028-02").period("UTC")
    assert month_of(date(2028, 2, 29), "UTC").days()[-1] == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("name", "zone"), [("2026-11", "Europe/Paris"), ("2026-03", "Africa/Cairo"), ("2025-12", "Pacific/Apia")]
)
def test_a_month_is_over_exactly_at_the_first_of_the_next(name: str, zone: str) -> None:
    month = Month.parse(name)
    edge = month.period(zone).end
    assert Month.last_closed(edge, zone) == month
    assert Month.last_closed(edge - INSTANT, zone) == month.shift(-1)


@given(starts=STARTS, day=st.dates(date(2020, 1, 1), date(2035, 1, 1)))
def test_a_quarter_is_over_exactly_at_the_start_of_the_next(starts: int, day: date) -> None:
    quarter = FiscalQuarter.of(day, starts)
    edge = quarter.period("America/Havana").end
    assert FiscalQuarter.last_closed(edge, "America/Havana", starts) == quarter
    assert FiscalQuarter.last_closed(edge - INSTANT, "America/Havana", starts) == quarter.shift(-1)


@pytest.mark.parametrize("text", ["2026-00", "2026-13", "0000-01"])
def test_a_month_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="there is no month"):
        Month.parse(text)


@pytest.mark.parametrize(
    "text", ["2026-1", "2026-W11", "26-11", "2026-11 ", "2026-11\n", "2026/11", "٢٠٢٦-١١", ""]
)
def test_what_is_not_written_like_a_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 2026-11"):
        Month.parse(text)


@pytest.mark.parametrize("text", ["FY2026", "2026-Q2", "FY26-Q2", "FY2026-Q0", "FY2026-Q5", "fy2026-q2", ""])
def test_what_is_not_written_like_a_quarter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it like FY2026-Q2"):
        FiscalQuarter.parse(text)


@pytest.mark.parametrize(("text", "starts"), [("FY0000-Q1", 1), ("FY0001-Q1", 2), ("FY9999-Q4", 1)])
def test_a_quarter_outside_the_calendar_is_refused(text: str, starts: int) -> None:
    with pytest.raises(ValueError, match="outside the calendar"):
        FiscalQuarter.parse(text, starts)


@pytest.mark.parametrize("starts", [0, 13])
def test_a_fiscal_year_starts_in_a_month(starts: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 12"):
        FiscalQuarter(2026, 1, starts)


def test_a_day_does_not_come_back_when_the_clock_does() -> None:
    # In 2010 clocks of St John's went from 00:01 back to 23:01: Sunday began, and for an hour it was Saturday again.
    began = datetime(2010, 11, 7, 2, 30, tzinfo=UTC)
    zone = "America/St_Johns"
    assert day_at(began - INSTANT, zone) == date(2010, 11, 6)
    for minutes in (0, 1, 30, 60, 61, 600):
        assert day_at(began + timedelta(minutes=minutes), zone) == date(2010, 11, 7)


def test_a_day_is_the_one_of_the_zone() -> None:
    now = datetime(2026, 11, 15, 12, tzinfo=UTC)
    assert day_at(now, "Pacific/Kiritimati") == date(2026, 11, 16)
    assert day_at(now, "Europe/Paris") == date(2026, 11, 15)


@pytest.mark.parametrize("last_closed", [IsoWeek.last_closed, Month.last_closed, FiscalQuarter.last_closed])
def test_a_moment_without_a_zone_is_refused(last_closed: object) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        last_closed(datetime(2026, 11, 15), "Europe/Paris")  # type: ignore[operator]  # noqa: DTZ001


@given(day=st.dates(date(2000, 1, 1), date(2050, 1, 1)), length=st.integers(1, 400))
def test_weeks_of_a_period_are_those_with_most_of_their_days_in_it(day: date, length: int) -> None:
    period = Period(day, day + timedelta(days=length), "UTC")
    week, expected = IsoWeek.of(day).shift(-1), []
    while week.monday() < period.after:
        inside = [one for one in week.period("UTC").days() if period.first <= one < period.after]
        # A period that is shorter than a week need not have four days of any: there Thursday alone decides.
        if week.monday() + timedelta(days=3) in inside:
            expected.append(week)
            assert len(inside) >= 4 or length < 7
        week = week.shift(1)
    assert weeks_in(period) == expected


def test_the_weeks_of_a_month() -> None:
    assert [str(week) for week in weeks_in(Month.parse("2026-11").period("Europe/Paris"))] == [
        "2026-W45",
        "2026-W46",
        "2026-W47",
        "2026-W48",
    ]
    assert len(weeks_in(FiscalQuarter.parse("FY2026-Q4").period("Europe/Paris"))) == 14
