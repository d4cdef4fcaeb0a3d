"""What a digest says to do next: each rule by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from uptake.alerts import budgets, findings
from uptake.alerts.digest.actions import Known, do_next
from uptake.alerts.digest.noticing import Idle, PromptJump, idle_teams, prompt_jumps
from uptake.calendar import IsoWeek
from uptake.sql.results import KpiResult, PromptOverrides, ReasonCount, SpendSoFar, UnauthorisedGroup
from uptake.workspace.models import Budget, Scope

NANO = 10**9
ZONE = "Europe/Paris"
PERIOD = IsoWeek(2026, 46).period(ZONE)
BUDGET = Budget(budget="claims", name="Claims", scope=Scope(team="Claims"), amount=Decimal(2000))


def _at(day: int) -> datetime:
    return datetime(2026, 11, day, 9, tzinfo=UTC)


def _adoption(k: int | None, n: int | None) -> KpiResult:
    return KpiResult("adoption", PERIOD, (), "share", None, k, n, None, 1, suppressed=n is None)


def _app(known: int, unpriced: int = 0) -> findings.Finding:
    money = (known * NANO, 96 * NANO, unpriced)
    group = UnauthorisedGroup(
        "unregistered_app", "tender-bot", "", "Sales", _at(10), _at(15), 5, 7, *money, (), ()
    )
    return findings.merge([group])[0]


def _budget(spent: int, **changes: Any) -> budgets.Evaluation:
    budget, spend = BUDGET.model_copy(update=changes), SpendSoFar(spent * NANO, spent * NANO, 0, None)
    period = budgets.current_period(budget, _at(15), ZONE)
    return budgets.evaluate(budget, spend, period, PERIOD.end)


def _next(**given: Any) -> Sequence[str]:
    parts: dict[str, Any] = {"jumps": [], "findings": [], "idle": [], "currency": "EUR", "locale": "en"}
    return do_next(**{**parts, **given})


@pytest.mark.parametrize(
    ("known", "unpriced", "says"),
    [
        (0, 5, "5 calls this week in Sales, cost not known, at most €96.00. Register"),
        (3, 2, "5 calls and at least €3.00 this week in Sales. Register"),
        (3, 0, "5 calls and €3.00 this week in Sales. Register"),
        (0, 0, "5 calls and €0.00 this week in Sales. Register"),
    ],
)
def test_a_cost_that_is_not_known_is_not_zero(known: int, unpriced: int, says: str) -> None:
    (item,) = _next(findings=[_app(known, unpriced)])
    assert says in item


def test_an_app_that_was_registered_since_needs_nothing_done() -> None:
    assert len(_next(findings=[_app(96)])) == 1
    assert _next(findings=[_app(96)], registered={"tender-bot"}) == []


def test_a_breached_budget_is_something_to_do_after_what_causes_it() -> None:
    over = _budget(2100)
    assert _next(budgets=[_budget(1240), over, _budget(2600, name="Letters")]) == [
        "Budget Letters: 130% of €2,000 used with 15 days of November left. "
        "Cut the dearest calls, or raise it in budgets.yaml.",
    ]
    jump = PromptJump("letters", "v2", 0.3, "v1", 0.1, 20.0)
    idle = Idle("Recovery", 9, 18, 12, has_champion=True)
    full = _next(jumps=[jump, jump], findings=[_app(96)], idle=[idle], budgets=[over])
    assert [item.split()[0] for item in full] == ["letters,", "tender-bot", "9"]
    room = _next(jumps=[jump, jump], findings=[_app(96)], budgets=[over])
    assert [item.split()[0] for item in room] == ["letters,", "tender-bot", "Budget"]


def test_a_breach_that_is_not_certain_asks_for_the_prices_that_are_missing() -> None:
    maybe = replace(_budget(2100), spend=SpendSoFar(500 * NANO, 2100 * NANO, 7, None))
    (item,) = _next(budgets=[maybe])
    assert item.startswith("Budget Claims: at least 25% of €2,000 used with 15 days of November left")
    assert "prices.yaml" in item


def test_a_budget_whose_period_is_over_has_no_days_left() -> None:
    (item,) = _next(budgets=[_budget(2100, period="week")])
    assert "105% of €2,000 used, and week 2026-W46 is over." in item


def test_a_difference_that_chance_would_make_is_no_action() -> None:
    rows = [
        PromptOverrides("app", "", "v1", 40, 6, _at(9)),
        PromptOverrides("app", "", "v2", 40, 10, _at(11)),
    ]
    assert prompt_jumps(rows, []) == []


def test_a_few_decisions_are_no_comparison() -> None:
    rows = [
        PromptOverrides("app", "", "v1", 19, 0, _at(9)),
        PromptOverrides("app", "", "v2", 200, 100, _at(11)),
    ]
    assert prompt_jumps(rows, []) == []


def test_a_version_that_filled_the_week_is_compared_with_the_week_before() -> None:
    now = [PromptOverrides("app", "", "v2", 200, 100, _at(9))]
    before = [
        PromptOverrides("app", "", "v1", 200, 20, _at(2)),
        PromptOverrides("app", "", "v2", 30, 15, _at(8)),
        PromptOverrides("other", "", "v0", 900, 0, _at(2)),
    ]
    (jump,) = prompt_jumps(now, before)
    assert (jump.prompt, jump.other, jump.other_share) == ("v2", "v1", 0.1)


def test_a_version_of_the_week_before_did_not_begin_this_week() -> None:
    now = [
        PromptOverrides("app", "", "v1", 200, 20, _at(9)),
        PromptOverrides("app", "", "v2", 200, 100, _at(12)),
    ]
    (new,) = prompt_jumps(now, [PromptOverrides("app", "", "v1", 200, 20, _at(2))])
    assert (new.first_at, new.risen) == (_at(12), True)
    few = PromptOverrides("app", "", "v2", 5, 3, _at(8))
    (known,) = prompt_jumps(now, [few])
    assert (known.first_at, known.risen) == (None, False), "as bad as it was"
    better = PromptOverrides("app", "", "v2", 100, 10, _at(2))
    (worse,) = prompt_jumps(now, [better])
    assert (worse.first_at, worse.risen) == (None, True)


def test_an_improvement_is_no_action() -> None:
    rows = [
        PromptOverrides("app", "", "v1", 200, 100, _at(9)),
        PromptOverrides("app", "", "v2", 200, 10, _at(11)),
    ]
    assert prompt_jumps(rows, []) == []


def test_a_reason_that_few_gave_is_not_called_the_reason() -> None:
    rows = [
        PromptOverrides("app", "", "v1", 200, 20, _at(9)),
        PromptOverrides("app", "", "v2", 200, 100, _at(12)),
    ]
    (jump,) = prompt_jumps(rows, [], [ReasonCount("app", "", "v2", "unclear", 20, 100)])
    assert jump.reason == ""


def test_idle_people_are_said_only_in_groups_of_five_or_more() -> None:
    assert idle_teams({"Small": _adoption(8, 12), "Hidden": _adoption(None, None)}, frozenset(), 12) == []


def _champions(low: float, high: float) -> KpiResult:
    sides = {"with_champion": 0.8, "without_champion": 0.4}
    return KpiResult("champions", PERIOD, (), "points", 40.0, 72, 120, (low, high), 1, details=sides)


def test_champions_are_compared_only_where_the_difference_is_clear() -> None:
    def item(champions: KpiResult | None, championed: frozenset[str] = frozenset()) -> str:
        (idle,) = idle_teams({"D": _adoption(14, 20)}, championed, 12, (), champions)
        (said,) = _next(idle=[idle])
        return said

    clear = _champions(12.0, 55.0)
    assert item(clear) == (
        "6 of 20 eligible people in D have used nothing in 12 weeks, and the team has no champion. Teams with one "
        "stand at 80%, without at 40% (difference 40 pts [12–55]; a difference, not a proven cause). Name one there."
    )
    for unclear in (_champions(-1.0, 55.0), None):
        assert item(unclear).endswith("the team has no champion. Name one there.")
    assert item(clear, frozenset("D")).endswith("in 12 weeks. Ask what keeps them.")


def _seats(used: int, idle: int, team: str = "") -> KpiResult:
    cost = {"idle_priced": idle, "idle_cost_nano": idle * 30 * NANO}
    parts = {"used": used, "idle": idle, "recent": 0}
    whole = used + idle
    return KpiResult(
        "seats", PERIOD, (team,), "share", used / whole, used, whole, None, 1, parts=parts, extras=cost
    )


def test_idle_seats_are_said_with_their_cost_and_the_team_that_has_most_of_them() -> None:
    teams = {"Pricing": _seats(6, 6), "Motor": _seats(50, 9), "Small": _seats(1, 4)}
    (item,) = _next(known=Known({"seats": _seats(57, 19)}, teams))
    assert item == (
        "19 seats have been idle for four weeks, €570 a month; the largest part in Pricing (6 of 12). "
        "Take them back, or ask why."
    )
    (alone,) = _next(known=Known({"seats": _seats(6, 6)}, {"Pricing": _seats(6, 6)}))
    assert "largest" not in alone
    assert _next(known=Known({"seats": _seats(57, 4)}, teams)) == []


def _gap(nano: int, billed: int) -> KpiResult:
    return KpiResult("shadow_gap", PERIOD, (), "share", nano / billed, nano, billed, None, 1)


def test_bills_that_no_call_explains_are_looked_for_from_five_per_cent_on() -> None:
    (item,) = _next(known=Known({"shadow_gap": _gap(60 * NANO, 1000 * NANO)}))
    assert item.startswith(
        "6% of what providers billed (€60.00 of €1,000) is explained by no call: look for keys"
    )
    assert _next(known=Known({"shadow_gap": _gap(49 * NANO, 1000 * NANO)})) == []
