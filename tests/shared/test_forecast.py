"""What a forecast of spend owes its reader."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.calendar import Period, month_of
from uptake.stats.forecast import ENOUGH_DAYS, Forecast, forecast

ZONE = "Europe/Paris"
NOVEMBER = month_of(date(2026, 11, 1), ZONE)
START = date(2026, 9, 1)


def _daily(amount: int, first: date = START, days: int = 120, weekend: int | None = None) -> dict[date, int]:
    dates = (first + timedelta(days=n) for n in range(days))
    return {d: amount if weekend is None or d.weekday() < 5 else weekend for d in dates}


def _made(
    daily: dict[date, int], today: date, known_from: date = START, period: Period = NOVEMBER
) -> Forecast:
    made = forecast(daily, known_from, period, today)
    assert made is not None
    return made


@pytest.mark.parametrize("day", range(1, 31))
def test_a_spend_that_never_changes_is_forecast_exactly(day: int) -> None:
    made = _made(_daily(100), date(2026, 11, day))
    assert (made.nano, made.low, made.high, made.error) == (3000, 3000, 3000, 0.0)


@pytest.mark.parametrize("day", range(1, 31))
def test_a_weekend_is_forecast_as_a_weekend(day: int) -> None:
    made = _made(_daily(100, weekend=10), date(2026, 11, day))
    assert made.nano == 21 * 100 + 9 * 10


def test_a_day_that_is_not_over_does_not_count_however_much_of_it_is_known() -> None:
    daily = _daily(100)
    daily[date(2026, 11, 15)] = 10**9
    assert _made(daily, date(2026, 11, 15)).nano == 3000


def test_a_month_that_is_over_is_what_it_was() -> None:
    daily = _daily(100)
    daily[date(2026, 11, 30)] = 7
    made = _made(daily, date(2026, 12, 1))
    assert (made.nano, made.low, made.high) == (2907, 2907, 2907)


@pytest.mark.parametrize("days", [0, 1, ENOUGH_DAYS - 1])
def test_too_little_history_is_no_forecast(days: int) -> None:
    today = date(2026, 11, 20)
    assert forecast(_daily(100), today - timedelta(days=days), NOVEMBER, today) is None
    assert forecast(_daily(100), today - timedelta(days=ENOUGH_DAYS), NOVEMBER, today) is not None


def test_what_is_known_of_no_day_before_the_first_is_not_taken_for_nothing() -> None:
    first = date(2026, 11, 2)
    made = _made(_daily(100, first), date(2026, 11, 16), known_from=first)
    assert made.nano == 14 * 100 + 15 * 100


def test_one_wild_day_does_not_move_what_its_weekday_usually_costs() -> None:
    daily = _daily(100)
    daily[date(2026, 11, 12)] = 10_000
    calm, wild = _made(_daily(100), date(2026, 11, 16)), _made(daily, date(2026, 11, 16))
    assert wild.nano - calm.nano <= 9_900 + 15 * 100  # the day itself, and the trend, which is at most double


@pytest.mark.parametrize(("factor", "scaled"), [(1, 1.0), (100, 2.0), (0, 0.5)])
def test_the_trend_is_never_more_than_double_or_less_than_half(factor: int, scaled: float) -> None:
    today = date(2026, 11, 16)
    daily = _daily(1000)
    for n in range(1, 8):
        daily[today - timedelta(days=n)] = 1000 * factor
    made = _made(daily, today)
    so_far = 8 * 1000 + 7 * 1000 * factor
    assert made.nano == pytest.approx(so_far + 15 * 1000 * scaled)


def test_the_last_forecasts_error_is_what_the_same_forecast_was_off_by() -> None:
    daily = _daily(100)
    for n in range(16, 32):
        daily[date(2026, 10, n)] = 200  # the second half of October cost twice as much
    made = _made(daily, date(2026, 11, 16))
    then = _made(
        {d: v for d, v in daily.items() if d < date(2026, 10, 16)},
        date(2026, 10, 16),
        period=month_of(date(2026, 10, 1), ZONE),
    )
    assert then.nano == 3100
    assert made.error == pytest.approx(3100 / (15 * 100 + 16 * 200) - 1)


def test_a_period_that_began_before_anything_was_known_has_no_error_to_show() -> None:
    assert _made(_daily(100), date(2026, 11, 20), known_from=date(2026, 10, 2)).error is None


@settings(max_examples=40)
@given(st.lists(st.integers(0, 10**12), min_size=20, max_size=90), st.integers(1, 30))
def test_it_lies_in_its_interval_and_never_below_what_is_spent_whatever_the_days(
    amounts: list[int], day: int
) -> None:
    today = date(2026, 11, day)
    first = today - timedelta(days=len(amounts))
    daily = {first + timedelta(days=n): amount for n, amount in enumerate(amounts)}
    made = _made(daily, today, known_from=first)
    spent = sum(amount for d, amount in daily.items() if NOVEMBER.first <= d < today)
    assert spent <= made.low <= made.nano <= made.high
    assert made == forecast(dict(reversed(daily.items())), first, NOVEMBER, today)
