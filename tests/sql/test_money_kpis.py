"""Spend, unauthorised and unpriced use, tokens and calls: sums are exact and what is not known is not zero."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uptake.calendar import IsoWeek, Period
from uptake.sql.queries import budget_spend
from uptake.workspace.models import Scope

EURO = 1_000_000_000


def test_the_example_of_the_definition(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, cost_nano=1_100 * EURO)
    rows.cost(date(2026, 11, 1), date(2026, 12, 1), cost_nano=600 * EURO)
    rows.cost(date(2026, 11, 1), date(2026, 12, 1), cost_nano=-60 * EURO, category="credit")
    result = rows.runner().run("spend", week)
    assert result.value == 1_226 * EURO
    assert (result.unit, result.currency, result.denominator, result.interval) == ("money", "EUR", None, None)
    assert result.extras["usage_nano"] == 1_100 * EURO
    assert result.extras["billed_nano"] == 140 * EURO
    assert result.extras["credit_nano"] == -14 * EURO
    assert result.extras["unpriced_upper_nano"] == 0


def test_an_unknown_price_is_counted_and_bounded_and_never_zero(
    rows: Any, week: Period, monday: datetime
) -> None:
    rows.usage(monday, cost_nano=3 * EURO)
    rows.usage(
        monday,
        cost_nano=None,
        cost_upper_nano=7 * EURO,
        input_uncached_tokens=100,
        input_cache_read_tokens=40,
        output_visible_tokens=None,
    )
    result = rows.runner().run("spend", week)
    assert result.value == 3 * EURO
    assert result.excluded == {
        "unpriced_calls": 1,
        "unpriced_tokens": 140,
        "cost_events_without_rate": 0,
        "provider_bills_nano": 0,
    }
    assert result.extras["unpriced_upper_nano"] == 7 * EURO


def test_only_unpriced_calls_leave_spend_at_what_is_known(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, cost_nano=None, cost_upper_nano=EURO)
    result = rows.runner().run("spend", week)
    assert (result.value, result.excluded["unpriced_calls"]) == (0, 1)
    assert rows.runner().run("unauthorised_share", week).value is None
    assert rows.runner().run("unpriced_share", week).value == 1.0


def test_a_cost_event_without_a_rate_is_excluded_and_counted(rows: Any, week: Period) -> None:
    rows.cost(week.first, week.after, cost_nano=None, cost_upper_nano=5 * EURO, billed_currency="CHF")
    result = rows.runner().run("spend", week)
    assert (result.value, result.excluded["cost_events_without_rate"]) == (0, 1)
    assert result.extras["unpriced_upper_nano"] == 5 * EURO


def test_a_cost_event_counts_for_the_days_it_bills_whenever_it_was_sent(rows: Any, week: Period) -> None:
    later = datetime.combine(date(2027, 3, 1), datetime.min.time(), tzinfo=week.start.tzinfo)
    rows.cost(date(2026, 11, 15), date(2026, 11, 17), cost_nano=10 * EURO, at=later)
    rows.cost(date(2026, 11, 2), date(2026, 11, 9), cost_nano=10 * EURO)  # the week before
    rows.cost(date(2026, 11, 16), date(2026, 11, 17), cost_nano=10 * EURO)  # the week after
    assert rows.runner().run("spend", week).value == 5 * EURO


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    amount=st.integers(-(10**18), 10**18),
    days=st.integers(1, 40),
    offset=st.integers(-7, 10),  # from the first day of the first week
)
def test_the_parts_of_adjacent_weeks_add_up_to_the_amount(
    rows_of: Any, amount: int, days: int, offset: int
) -> None:
    rows = rows_of(f"alloc-{amount}-{days}-{offset}")
    first = date(2026, 11, 9) + timedelta(days=offset)
    rows.cost(first, first + timedelta(days=days), cost_nano=amount)
    weeks = [IsoWeek(2026, 45).shift(i).period("Europe/Paris") for i in range(9)]
    runner = rows.runner()
    parts = [result.numerator for result in runner.series("spend", weeks)]
    assert sum(parts) == amount
    exact = [
        amount * len(set(w.days()) & {first + timedelta(days=i) for i in range(days)}) / days for w in weeks
    ]
    assert all(abs(part - share) <= 1 + abs(share) * 1e-12 for part, share in zip(parts, exact, strict=True))


def test_sums_of_money_do_not_overflow_64_bits(rows: Any, week: Period, monday: datetime) -> None:
    for i in range(3):
        rows.usage(monday + timedelta(seconds=i), cost_nano=(1 << 63) - 1)
    rows.cost(week.first, week.after, cost_nano=(1 << 63) - 1)
    runner = rows.runner()
    assert runner.run("spend", week).value == 4 * ((1 << 63) - 1)
    assert runner.run("unauthorised_share", week).denominator == 3 * ((1 << 63) - 1)
    spent = budget_spend(rows.database.tenant(rows.tenant), Scope(), week, week.end)
    assert spent.known_nano == spent.upper_nano == 4 * ((1 << 63) - 1)


def test_unauthorised_share_is_money_with_calls_beside_it(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, cost_nano=97 * EURO)
    rows.usage(monday, cost_nano=2 * EURO, authorisation="unregistered_app")
    rows.usage(monday, cost_nano=1 * EURO, authorisation="model_not_allowed")
    rows.usage(monday, cost_nano=None, cost_upper_nano=50 * EURO, authorisation="unregistered_app")
    rows.usage(monday, cost_nano=None, cost_upper_nano=9 * EURO)
    rows.cost(week.first, week.after, cost_nano=1_000 * EURO)
    result = rows.runner().run("unauthorised_share", week)
    assert (result.numerator, result.denominator, result.value) == (3 * EURO, 100 * EURO, 0.03)
    assert result.interval is None
    assert result.excluded == {"unpriced_calls": 2, "unpriced_unauthorised_calls": 1}
    assert result.extras == {
        "unauthorised_calls": 3,
        "calls": 5,
        "unpriced_unauthorised_upper_nano": 50 * EURO,
    }


def test_unpriced_share_is_of_tokens(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, cost_nano=1, input_uncached_tokens=800, output_visible_tokens=160)
    rows.usage(monday, cost_nano=None, input_uncached_tokens=30, output_visible_tokens=10)
    rows.usage(monday, cost_nano=None, input_uncached_tokens=None, output_visible_tokens=None)
    result = rows.runner().run("unpriced_share", week)
    assert (result.numerator, result.denominator, result.value) == (40, 1000, 0.04)
    assert result.excluded == {"unpriced_calls_without_counts": 1}
    assert result.extras == {"unpriced_calls": 2, "calls": 3}


def test_unpriced_tokens_are_all_five_parts(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(
        monday,
        cost_nano=None,
        input_uncached_tokens=1,
        input_cache_read_tokens=20,
        input_cache_write_tokens=300,
        output_visible_tokens=4_000,
        output_reasoning_tokens=50_000,
    )
    runner = rows.runner()
    assert runner.run("unpriced_share", week).numerator == 54_321
    assert runner.run("spend", week).excluded["unpriced_tokens"] == 54_321


def test_cached_and_reasoning_tokens_are_counted_once(rows: Any, week: Period, monday: datetime) -> None:
    # As an app says it: 1,000 in (600 read from and 50 written to the cache), 300 out (100 of them reasoning).
    rows.usage(
        monday,
        input_uncached_tokens=350,
        input_cache_read_tokens=600,
        input_cache_write_tokens=50,
        output_visible_tokens=200,
        output_reasoning_tokens=100,
    )
    rows.usage(monday, input_uncached_tokens=None, output_visible_tokens=7)
    result = rows.runner().run("tokens", week)
    assert result.value == 1_307
    assert result.extras == {
        "input": 1_000,
        "output": 307,
        "input_uncached": 350,
        "input_cache_read": 600,
        "input_cache_write": 50,
        "output_visible": 207,
        "output_reasoning": 100,
    }
    assert result.excluded == {"calls_without_input": 1, "calls_without_output": 0}


def test_token_sums_do_not_overflow_32_bits(rows: Any, week: Period, monday: datetime) -> None:
    for i in range(5):
        rows.usage(monday + timedelta(seconds=i), cost_nano=None, input_uncached_tokens=4_000_000_000)
    assert rows.runner().run("tokens", week).value == 20_000_000_025
    assert rows.runner().run("unpriced_share", week).numerator == 20_000_000_025
    assert rows.runner().run("spend", week).excluded["unpriced_tokens"] == 20_000_000_025


def test_calls_are_told_apart(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday)
    rows.usage(monday, intent="automatic", cache_hit=True)
    rows.usage(monday, status="error")
    result = rows.runner().run("calls", week)
    assert result.value == 3
    assert result.extras == {"deliberate": 2, "automatic": 1, "errors": 1, "cache_hits": 1}


def test_an_audience_is_the_sum_of_its_teams(rows: Any, week: Period, monday: datetime) -> None:
    for team, cost in (("claims", 1), ("sales", 2), ("", 4)):
        rows.usage(monday, team=team, cost_nano=cost * EURO)
    runner = rows.runner()
    assert runner.run("spend", week).value == 7 * EURO
    assert runner.run("spend", week, ["claims", "sales"]).value == 3 * EURO
    assert runner.run("spend", week, ["nobody"]).value == 0
    assert {t: r.value for t, r in runner.by_team("spend", week).items()} == {
        "": 4 * EURO,
        "claims": EURO,
        "sales": 2 * EURO,
    }
