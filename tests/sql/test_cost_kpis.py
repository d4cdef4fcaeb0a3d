"""Unit costs, waste and the gap to what providers bill, each with the example that its kpi.yaml computes by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from uptake.calendar import Period, month_of
from uptake.rates import input_rates
from uptake.sql.cells import InputRates
from uptake.workspace.models import Organisation, Price, Rate, Workspace

EUR = 10**9
NOVEMBER = month_of(date(2026, 11, 1), "Europe/Paris")


def _decided(rows: Any, at: datetime, count: int, decision: str, nano: int, name: str, **given: Any) -> None:
    for n in range(count):
        rows.usage(at, response_id=f"{name}{n}", cost_nano=nano)
        rows.decision(at + timedelta(minutes=1), decision, response_id=f"{name}{n}", **given)


def test_the_example_of_cost_per_call(rows: Any, week: Period, monday: datetime) -> None:
    rows.insert("usage", [rows.event("usage", monday, {"cost_nano": 5_500_000}) for _ in range(200)])
    rows.usage(monday, cost_nano=None, cost_upper_nano=EUR)
    result = rows.runner().run("cost_per_call", week)
    assert result.value == 0.0055 * EUR
    assert (result.denominator, result.excluded) == (200, {"unpriced_calls": 1})
    assert result.currency == "EUR"


def test_the_example_of_cost_per_active_user(rows: Any, week: Period, monday: datetime) -> None:
    people = 22
    rows.roster(*[(f"u{n}", "claims", "2026-01-05") for n in range(people)])
    calls = [{"user_id": f"u{n}", "cost_nano": 4 * EUR} for n in range(people)]
    calls += [{"user_id": "", "intent": "automatic", "cost_nano": 22 * EUR}]
    rows.insert("usage", [rows.event("usage", monday, call) for call in calls])
    result = rows.runner().run("cost_per_active_user", week)
    assert (result.value, result.denominator) == (5 * EUR, people)
    rows.usage(monday, user_id="stranger", cost_nano=22 * EUR)
    result = rows.runner().run("cost_per_active_user", week)
    assert (result.value, result.denominator) == (6 * EUR, people), (
        "what others cost is a cost, and they no people"
    )


def test_the_cost_of_few_people_is_not_shown(rows: Any, week: Period, monday: datetime) -> None:
    rows.roster(*[(f"u{n}", "claims", "2026-01-05") for n in range(4)])
    for n in range(4):
        rows.usage(monday, user_id=f"u{n}", cost_nano=EUR)
    assert rows.runner().run("cost_per_active_user", week).suppressed


def test_the_example_of_cost_per_accepted_answer_and_of_wasted_spend(
    rows: Any, week: Period, monday: datetime
) -> None:
    _decided(rows, monday, 70, "accepted", 19_000_000, "a")  # € 1.33
    _decided(rows, monday, 12, "edited", 20_000_000, "l", severity=0.1)  # € 0.24
    _decided(rows, monday, 8, "edited", 15_000_000, "s", severity=0.5)  # € 0.12
    _decided(rows, monday, 10, "rejected", 31_000_000, "r")  # € 0.31
    runner = rows.runner()
    accepted = runner.run("cost_per_accepted", week)
    assert (accepted.numerator, accepted.denominator) == (2 * EUR, 82)
    assert accepted.value == pytest.approx(24_390_244, abs=1)
    wasted = runner.run("wasted_spend", week)
    assert wasted.value == 310_000_000
    assert wasted.extras == {"decided_nano": 2 * EUR, "rejected": 10, "edited_a_lot": 8}


def test_an_answer_whose_cost_is_not_known_is_counted_and_not_free(
    rows: Any, week: Period, monday: datetime
) -> None:
    _decided(rows, monday, 3, "rejected", 100, "r")
    rows.usage(monday, response_id="u", cost_nano=None, cost_upper_nano=5)
    rows.decision(monday + timedelta(hours=1), "rejected", response_id="u")
    rows.decision(monday + timedelta(hours=1), "rejected", response_id="elsewhere")
    runner = rows.runner()
    assert runner.run("wasted_spend", week).value == 300
    for name in ("wasted_spend", "cost_per_accepted"):
        assert runner.run(name, week).excluded == {"unpriced_answers": 1, "answers_without_call": 1}


def test_an_answer_of_several_calls_costs_all_of_them(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, response_id="r", cost_nano=100)
    rows.usage(monday, response_id="r", cost_nano=11)
    rows.decision(monday + timedelta(hours=1), "accepted", response_id="r")
    assert rows.runner().run("cost_per_accepted", week).value == 111


def _november(rows: Any, **bill: Any) -> None:
    at = datetime.fromisoformat("2026-11-10T12:00+01:00")
    rows.usage(at, provider="OpenAI", cost_nano=940 * EUR)
    rows.usage(at, provider="mistral", cost_nano=7 * EUR)
    given = {
        "category": "inference",
        "invoice_id": "o-11",
        "provider": "openai",
        "cost_nano": 1000 * EUR,
        **bill,
    }
    rows.cost(date(2026, 11, 1), date(2026, 12, 1), **given)


def test_the_example_of_the_shadow_gap(rows: Any) -> None:
    _november(rows)
    result = rows.runner().run("shadow_gap", NOVEMBER)
    assert result.value == pytest.approx(0.06)
    assert (result.numerator, result.denominator) == (60 * EUR, 1000 * EUR)
    assert result.extras["attributed_nano"] == 940 * EUR
    assert result.excluded["unbilled_nano"] == 7 * EUR


def test_without_a_bill_there_is_no_gap_and_not_one_of_zero(rows: Any) -> None:
    _november(rows, category="infrastructure")
    result = rows.runner().run("shadow_gap", NOVEMBER)
    assert result.value is None
    assert result.excluded["unbilled_nano"] == 947 * EUR


def test_a_providers_bill_is_not_spent_a_second_time(rows: Any) -> None:
    _november(rows)
    spend = rows.runner().run("spend", NOVEMBER)
    assert spend.value == 947 * EUR
    assert spend.excluded["provider_bills_nano"] == 1000 * EUR
    rows.cost(date(2026, 11, 1), date(2026, 12, 1), category="inference", cost_nano=5 * EUR)
    assert rows.runner().run("spend", NOVEMBER).value == 952 * EUR  # of no invoice: nothing else counts it


MILLION = 1_000_000


def _rates(provider: str, model: str, tier: str, day: date) -> InputRates | None:
    """€ 2.50 a million, read for € 0.25, written for € 3.125."""
    return InputRates(Fraction(2500), Fraction(250), Fraction(3125)) if model == "gpt" else None


def test_the_example_of_cache_saving(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, input_cache_read_tokens=MILLION, provider="openai")
    rows.usage(monday + timedelta(days=1), input_cache_write_tokens=MILLION // 5, provider="openai")
    rows.usage(monday, cache_hit=True, input_cache_read_tokens=MILLION)
    runner = rows.runner(input_rates=_rates)
    assert runner.run("cache_saving", week).value == 2.125 * EUR


def test_what_a_cache_saved_of_a_model_without_a_price_is_not_known_and_not_nothing(
    rows: Any, week: Period, monday: datetime
) -> None:
    rows.usage(monday, input_cache_read_tokens=MILLION, model="own")
    runner = rows.runner(input_rates=_rates)
    assert runner.run("cache_saving", week).value is None
    rows.usage(monday, input_cache_read_tokens=MILLION)
    known = rows.runner(input_rates=_rates).run("cache_saving", week)
    assert (known.value, known.details) == (2.25 * EUR, {"unpriced_tokens": MILLION})
    assert rows.runner(input_rates=None).run("cache_saving", week).value is None


def test_what_is_saved_is_priced_by_the_list_and_by_what_was_negotiated() -> None:
    price = {
        "provider": "openai",
        "model": "gpt-4o",
        "currency": "EUR",
        "input": "2",
        "output": "9",
        "cache_read": "0.5",
    }
    organisation = Organisation(tenant="t", name="T", currency="EUR")
    shop = Workspace(organisation=organisation, prices=(Price.model_validate(price),))
    found = input_rates(shop)("openai", "gpt-4o", "", date(2026, 11, 9))
    assert found == InputRates(Fraction(2000), Fraction(500), Fraction(2000))
    dollars = (Rate.model_validate({"currency": "USD", "rate": "0.5"}),)
    listed = input_rates(Workspace(organisation=organisation, fx=dollars))(
        "openai", "gpt-4o", "", date(2026, 11, 9)
    )
    assert listed is not None
    assert 0 < listed.read < listed.uncached
    assert input_rates(shop)("openai", "no-such-model", "", date(2026, 11, 9)) is None


def test_the_example_of_the_forecast(rows: Any) -> None:
    days = [date(2026, 9, 1) + timedelta(days=n) for n in range(91)]
    at = [datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in days]
    amounts = [(100 if day.weekday() < 5 else 10) * EUR for day in days]
    rows.insert(
        "usage",
        [rows.event("usage", moment, {"cost_nano": nano}) for moment, nano in zip(at, amounts, strict=True)],
    )
    result = rows.runner().run("forecast", Period(date(2026, 11, 9), date(2026, 11, 16), "Europe/Paris"))
    assert result.value == 2190 * EUR
    assert result.interval == (2190 * EUR, 2190 * EUR)
    assert result.numerator == 1050 * EUR
    assert result.details["last_error"] == 0


def test_too_little_history_is_no_forecast_and_still_a_spend(
    rows: Any, week: Period, monday: datetime
) -> None:
    rows.usage(monday, cost_nano=5 * EUR)
    result = rows.runner().run("forecast", week)
    assert (result.value, result.interval, result.numerator) == (None, None, 5 * EUR)


def test_a_licence_that_is_billed_before_the_first_call_is_no_history_of_calls(
    rows: Any, week: Period, monday: datetime
) -> None:
    rows.cost(date(2026, 9, 1), date(2026, 12, 1), cost_nano=91 * EUR)
    for n in range(7):
        rows.usage(monday + timedelta(days=n), cost_nano=100 * EUR)
    result = rows.runner().run("forecast", week)
    assert (result.value, result.numerator) == (None, 715 * EUR), "seven days of calls are too little history"
    last_week = Period(date(2026, 11, 2), date(2026, 11, 9), week.zone)
    assert rows.runner().run("forecast", last_week).value == 30 * EUR, "and a licence alone is one"


def test_the_cost_of_calls_divides_by_model_and_by_use_case(
    rows: Any, week: Period, monday: datetime
) -> None:
    rows.usage(monday, cost_nano=8 * EUR, model="gpt-5", use_case="draft")
    rows.usage(monday, cost_nano=3 * EUR, model="gpt-5-mini", use_case="draft")
    runner = rows.runner()
    assert runner.run("call_cost", week).value == 11 * EUR
    by_model = runner.breakdown("call_cost", week, "model")
    assert {model: r.value for model, r in by_model.items()} == {"gpt-5": 8 * EUR, "gpt-5-mini": 3 * EUR}
    assert list(runner.breakdown("call_cost", week, "use_case")) == ["draft"]
