"""What a digest says to do next: each rule by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from uptake.alerts import budgets, findings
from uptake.alerts.digest.actions import Idle, PromptJump, do_next, idle_teams, prompt_jumps
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
        "Letters: 130% of €2,000 used with 15 days of November left. "
        "Cut the dearest calls, or raise it in budgets.yaml.",
    ]
    jump = PromptJump("letters", "v2", 0.3, "v1", 0.1, 20.0)
    idle = Idle("Recovery", 9, 18, 12, has_champion=True)
    full = _next(jumps=[jump, jump], findings=[_app(96)], idle=[idle], budgets=[over])
    assert [item.split()[0] for item in full] == ["letters,", "tender-bot", "9"]
    room = _next(jumps=[jump, jump], findings=[_app(96)], budgets=[over])
    assert [item.split()[0] for item in room] == ["letters,", "tender-bot", "Claims:"]


def test_a_breach_that_is_not_certain_asks_for_the_prices_that_are_missing() -> None:
    maybe = replace(_budget(2100), spend=SpendSoFar(500 * NANO, 2100 * NANO, 7, None))
    (item,) = _next(budgets=[maybe])
    assert item.startswith("Claims: at least 25% of €2,000 used with 15 days of November left")
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


def test_champions_are_compared_only_where_the_difference_is_clear() -> None:
    unclear = {"With": _adoption(10, 20), "Without": _adoption(9, 20)}
    without = next(i for i in idle_teams(unclear, frozenset({"With"}), 12) if i.team == "Without")
    assert without.champions is None
