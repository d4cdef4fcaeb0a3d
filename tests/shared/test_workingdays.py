"""Working days are those of the country, and Monday to Friday where none is given."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.calendar import IsoWeek, Month, Period
from uptake.workingdays import check_country, working_days

YEAR = Period(date(2026, 1, 1), date(2027, 1, 1), "Europe/Paris")


def test_a_year_in_france_has_the_working_days_that_the_law_leaves() -> None:
    # Code du travail, article L3133-1: eleven holidays, of which 15 August and 1 November 2026 are on a weekend.
    days = working_days(YEAR, "FR")
    assert len(days) == 252
    off = {day for day in YEAR.days() if day.weekday() < 5} - set(days)
    assert sorted(f"{day:%d.%m.}" for day in off) == sorted(
        ["01.01.", "06.04.", "01.05.", "08.05.", "14.05.", "25.05.", "14.07.", "11.11.", "25.12."]
    )


def test_without_a_country_they_are_monday_to_friday() -> None:
    week = IsoWeek.parse("2026-W46").period("Europe/Paris")
    assert working_days(week) == week.days()[:5]
    assert working_days(week, "FR") == [day for day in week.days()[:5] if day != date(2026, 11, 11)]


def test_a_part_of_a_country_has_its_own_holidays() -> None:
    fast = date(2026, 9, 10)
    september = Month.parse("2026-09").period("Europe/Zurich")
    assert fast in working_days(september, "CH")
    assert fast not in working_days(september, "CH-GE")


def test_weekends_are_the_countrys() -> None:
    week = IsoWeek.parse("2026-W46").period("Asia/Riyadh")
    assert [f"{day:%a}" for day in working_days(week, "SA")] == ["Mon", "Tue", "Wed", "Thu", "Sun"]


def test_a_day_worked_in_exchange_for_a_bridge_day_is_a_working_day() -> None:
    # Decree of the State Council of 25 October 2023: off from 1 to 7 October 2024, in exchange for two days.
    days = working_days(Period(date(2024, 9, 29), date(2024, 10, 14), "Asia/Shanghai"), "CN")
    assert {date(2024, 9, 29), date(2024, 10, 12)} <= set(days)
    assert not {date(2024, 10, day) for day in range(1, 8)} & set(days)


@given(
    country=st.sampled_from([None, "FR", "DE-BY", "US", "GB", "JP", "IL"]),
    first=st.dates(date(2020, 1, 1), date(2034, 1, 1)),
    lengths=st.tuples(st.integers(1, 400), st.integers(1, 400)),
)
def test_the_days_of_a_period_are_those_of_its_parts(
    country: str | None, first: date, lengths: tuple[int, int]
) -> None:
    middle, after = first + timedelta(lengths[0]), first + timedelta(sum(lengths))
    parts = working_days(Period(first, middle, "UTC"), country) + working_days(
        Period(middle, after, "UTC"), country
    )
    assert working_days(Period(first, after, "UTC"), country) == parts
    assert len(parts) <= sum(lengths)


@pytest.mark.parametrize("country", ["FR", "CH-GE", "DE-BY", "US-CA", "GB-ENG", "NO"])
def test_a_country_is_written_by_its_code_and_that_of_its_part(country: str) -> None:
    assert check_country(country) == country


@pytest.mark.parametrize("country", ["XX", "fr", "FRA", "France", "", "-GE", "ch-GE"])
def test_what_is_no_country_is_refused_with_what_would_be_one(country: str) -> None:
    with pytest.raises(ValueError, match="such as FR, or with its part, such as CH-GE"):
        check_country(country)


@pytest.mark.parametrize(
    ("country", "message"),
    [
        ("CH-ZZ", "CH has no part 'ZZ'; known: AG, AI, AR"),
        ("CH-ge", "CH has no part 'ge'; did you mean GE?"),
        ("CH-", "CH has no part ''; known"),
        ("DK-84", "DK has no part '84'; write DK alone"),
    ],
)
def test_a_part_that_does_not_exist_is_refused_with_those_that_do(country: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        check_country(country)
