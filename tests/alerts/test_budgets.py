"""Budgets by their rules: thresholds, periods, bounds, and why one did not fire."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from uptake.alerts import budgets
from uptake.alerts.message import Buttons, Footer, Message, Text
from uptake.calendar import Period, month_of
from uptake.sql.results import Driver, SpendSoFar
from uptake.workspace.models import Budget, Organisation, Scope

NANO = 10**9
ZONE = "Europe/Paris"
NOVEMBER = month_of(date(2026, 11, 15), ZONE)
NOW = datetime(2026, 11, 22, 13, 2, tzinfo=UTC)
ORGANISATION = Organisation(tenant="acme", name="Acme", zone=ZONE)


def _budget(**changes: Any) -> Budget:
    given = {"budget": "claims", "name": "Claims", "scope": Scope(team="Claims"), "amount": Decimal(2000)}
    return Budget(**{**given, "contact": "@oncall-ai", **changes})


def _spend(known: float, upper: float | None = None, unpriced: int = 0) -> SpendSoFar:
    most = known if upper is None else upper
    return SpendSoFar(int(known * NANO), int(most * NANO), unpriced, None)


@pytest.mark.parametrize(
    ("spent", "state", "reached"),
    [
        (999.99, "ok", ()),
        (1000, "watch", (50,)),
        (1600, "warn", (50, 80)),
        (2000, "breach", (50, 80, 100)),
        (9000, "breach", (50, 80, 100)),
    ],
)
def test_a_threshold_is_crossed_when_it_is_reached(
    spent: float, state: str, reached: tuple[int, ...]
) -> None:
    evaluation = budgets.evaluate(_budget(), _spend(spent), NOVEMBER, NOW)
    assert (evaluation.state, evaluation.reached, evaluation.new) == (state, reached, reached)


def test_the_second_threshold_is_not_swallowed_by_the_first() -> None:
    evaluation = budgets.evaluate(_budget(), _spend(1600), NOVEMBER, NOW, said={50})
    assert evaluation.new == (80,)
    assert evaluation.why == "fired"


def test_what_was_said_is_not_said_again_and_says_why() -> None:
    evaluation = budgets.evaluate(_budget(), _spend(1700), NOVEMBER, NOW, said={50, 80})
    assert evaluation.new == ()
    assert (
        budgets.explain(evaluation, "en") == "85% used; 50% and 80% said before, the next threshold is 100%"
    )
    quiet = budgets.evaluate(_budget(), _spend(100), NOVEMBER, NOW)
    assert budgets.explain(quiet, "en") == "5% used; the next threshold is 50%"


def test_a_call_without_a_price_cannot_hide_from_a_budget() -> None:
    evaluation = budgets.evaluate(_budget(), _spend(900, 2100, unpriced=14), NOVEMBER, NOW)
    assert evaluation.state == "breach"
    message = budgets.compose(evaluation, ORGANISATION)
    assert "may be over budget" in message.title
    assert "14 calls have no price: known are €900, at most it is €2,100" in _text(message)


def test_a_cost_in_a_currency_without_a_rate_is_not_said_to_have_a_most() -> None:
    message = budgets.compose(budgets.evaluate(_budget(), _spend(900, 1100), NOVEMBER, NOW), ORGANISATION)
    assert "Some costs have no rate in fx.yaml" in _text(message)
    assert "at most" not in _text(message)


def test_a_budget_over_its_amount_is_in_breach_even_if_its_thresholds_are_higher() -> None:
    evaluation = budgets.evaluate(_budget(thresholds=(150,)), _spend(2100), NOVEMBER, NOW)
    assert (evaluation.state, evaluation.reached) == ("breach", ())


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "state"),
    [
        (date(2026, 11, 23), None, "inactive"),
        (date(2026, 11, 22), None, "breach"),
        (None, date(2026, 11, 22), "inactive"),
        (None, date(2026, 11, 23), "breach"),
    ],
)
def test_a_budget_counts_while_it_is_in_force(
    valid_from: date | None, valid_to: date | None, state: str
) -> None:
    budget = _budget(valid_from=valid_from, valid_to=valid_to)
    evaluation = budgets.evaluate(budget, _spend(2100), NOVEMBER, NOW)
    assert evaluation.state == state
    assert bool(evaluation.new) == (state == "breach")


def test_a_period_starts_on_the_tenants_wall_clock() -> None:
    last_utc_hour = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert budgets.current_period(_budget(), last_utc_hour, ZONE).first == date(2026, 12, 1)
    assert budgets.current_period(_budget(), last_utc_hour, "UTC").first == date(2026, 11, 1)
    weekly = budgets.current_period(_budget(period="week"), NOW, ZONE)
    assert (weekly.first, weekly.after) == (date(2026, 11, 16), date(2026, 11, 23))


def test_the_period_before_is_the_one_before() -> None:
    assert budgets.previous_period(_budget(), NOVEMBER) == month_of(date(2026, 10, 1), ZONE)
    weekly = _budget(period="week")
    this = budgets.current_period(weekly, NOW, ZONE)
    assert budgets.previous_period(weekly, this).after == this.first


def test_each_period_threshold_and_amount_is_a_fact_of_its_own() -> None:
    names = {
        budgets.identity("acme", _budget(amount=amount), day, threshold)
        for day in (date(2026, 11, 1), date(2026, 12, 1))
        for threshold in (50, 80)
        for amount in (2000, "2000.00", Decimal("2E3"), "2000.5")
    }
    assert len(names) == 8, "2000 is the same amount however it is written"


def _text(message: Message) -> str:
    return "\n".join(block.text for block in message.blocks if isinstance(block, Text | Footer))


def test_the_message_names_amount_time_cause_and_contact() -> None:
    evaluation = budgets.evaluate(_budget(), _spend(2004), NOVEMBER, NOW, said={50, 80})
    trail = [
        (50, datetime(2026, 11, 14, 8, 12, tzinfo=UTC)),
        (80, datetime(2026, 11, 19, 16, 40, tzinfo=UTC)),
    ]
    drivers = [
        Driver("case-summary", "batch", 32 * NANO, 15 * NANO, 28, 3, 0),
        Driver("claims-letter", "gpt-5.6-sol", 180 * NANO, 49 * NANO, 28, 100, 0),
        Driver("quiet", "gpt-5.6-sol", 0, 5 * NANO, 28, 0, 0),
    ]
    message = budgets.compose(evaluation, ORGANISATION, trail, drivers)
    assert message.identity == "budget/acme/claims/2026-11-01/2000/100"
    assert message.title == "🔴 Claims, November: over budget · €2,004 of €2,000 with 22 of 30 days gone"
    assert _text(message).split("\n") == [
        "Resets Tue 1 Dec 00:00 (Europe/Paris) · contact: @oncall-ai",
        "Last 24 h: €212 against a usual €69.00 a day. "
        "claims-letter on gpt-5.6-sol +€131, case-summary on batch +€17.00",
        "↳ Sat 14 Nov 09:12  watch 50%",
        "↳ Thu 19 Nov 17:40  warn 80%",
        "↳ Sun 22 Nov 14:02  breach 100%",
    ]
    assert any(isinstance(block, Buttons) for block in message.blocks)


def test_thresholds_crossed_together_are_one_message_that_names_them() -> None:
    evaluation = budgets.evaluate(_budget(), _spend(2100), NOVEMBER, NOW)
    message = budgets.compose(evaluation, ORGANISATION)
    assert message.identity.endswith("/100")
    assert "Crossed at once: 50%, 80% and 100%." in _text(message)


def test_a_period_that_is_over_says_so_instead_of_when_it_resets() -> None:
    after = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
    evaluation = budgets.evaluate(_budget(), _spend(2100), NOVEMBER, after, said={50, 80})
    drivers = [Driver("claims-letter", "gpt", 180 * NANO, 49 * NANO, 28, 100, 0)]
    message = budgets.compose(evaluation, ORGANISATION, drivers=drivers)
    assert "the period is over" in message.title
    assert "resets" not in _text(message).lower()
    assert "Last 24 h" not in _text(message), "the last day of December is not what moved November"


def test_too_little_history_is_said_instead_of_a_usual_day() -> None:
    evaluation = budgets.evaluate(_budget(), _spend(2100), NOVEMBER, NOW)
    message = budgets.compose(evaluation, ORGANISATION, drivers=[Driver("a", "m", 5 * NANO, 0, 0, 1, 0)])
    assert "too little history" in _text(message)


def test_the_french_message_is_french() -> None:
    evaluation = budgets.evaluate(_budget(), _spend(2004), NOVEMBER, NOW, said={50, 80})
    message = budgets.compose(evaluation, ORGANISATION, locale="fr")
    assert message.title == (
        "🔴 Claims, novembre\xa0: budget dépassé · 2\u202f004\xa0€ sur 2\u202f000\xa0€, 22 jours sur 30 écoulés"
    )


def test_what_is_kept_of_an_evaluation_says_when_on_what_and_why() -> None:
    detail = budgets.evaluate(_budget(), _spend(1240), NOVEMBER, NOW, said={50}).detail()
    assert detail["why"] == "said"
    assert detail["upper_nano"] == 1240 * NANO
    assert detail["share_used"] == pytest.approx(0.62)
    assert 0.71 < detail["share_gone"] < 0.73
    assert detail["next_threshold"] == 80


def test_a_week_of_169_hours_is_gone_by_its_own_length() -> None:
    weekly = _budget(period="week")
    long = Period(date(2026, 10, 19), date(2026, 10, 26), ZONE)
    half = long.start + (long.end - long.start) / 2
    assert budgets.evaluate(weekly, _spend(1), long, half).share_gone == pytest.approx(0.5)
