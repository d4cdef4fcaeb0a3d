"""The oracle against sums done by hand: an oracle that is wrong proves nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from uptake.calendar import Period
from uptake.demo import facts
from uptake.demo.calls import Call
from uptake.demo.oracle import Oracle
from uptake.demo.organisation import Member, Organisation, Stay
from uptake.demo.patterns import at
from uptake.demo.pricing import billed_between, call_cost, upper_bound

WEEK = facts.LAST_WEEK
MONDAY = WEEK.monday()
LONG_AGO = date(2025, 1, 1)


def member(name: str, team: str = "Motor", joined: date = LONG_AGO, seat: bool = True) -> Member:
    return Member(0, f"{name}@example.com", (Stay(team, joined),), seat, False, "regular", 1.0)


def used(name: str, day: date, **fields: Any) -> Call:
    given = {
        "provider": "openai", "response_model": "gpt-5.6-sol", "input_tokens": 1_000,
        "cache_read_input_tokens": 400, "output_tokens": 100, "response_id": f"r-{name}-{day}", **fields,
    }  # fmt: skip
    user = f"{name}@example.com" if name else ""
    return Call(at(day, 10), "claims-letter", "usage", given, user)


def decided(name: str, day: date, decision: str, severity: float | None = None) -> Call:
    fields = {"decision": decision, "response_id": f"r-{name}-{day}", "reasons": []}
    return Call(at(day, 11), "claims-letter", "decision", fields, f"{name}@example.com", severity=severity)


def test_a_call_costs_what_the_list_said_on_its_day() -> None:
    # Until 20 August: 600 x $5 + 400 x $0.50 + 100 x $30 a million = $0.0062; then $4, $0.40 and $20: $0.00456.
    assert call_cost(used("a", date(2026, 8, 20))) == 5_704_000  # x 0.92
    assert call_cost(used("a", date(2026, 8, 24))) == 4_195_200
    assert call_cost(used("a", date(2026, 11, 9))) == 4_104_000  # x 0.90, the rate since October


def test_a_negotiated_price_goes_before_the_list_from_its_day_on() -> None:
    model = {"provider": "anthropic", "response_model": "claude-sonnet-5-5"}
    # 600 x $2 + 400 x $0.10 + 100 x $10 = $0.00224; negotiated 600 x $1.80 + 400 x $0.09 + 100 x $9 = $0.002016
    assert call_cost(used("a", date(2026, 9, 30), **model)) == 2_060_800
    assert call_cost(used("a", date(2026, 10, 1), **model)) == 1_814_400


def test_an_unknown_model_has_no_cost_and_an_upper_bound() -> None:
    unknown = used("a", MONDAY, provider="in-house", response_model="atlas-7b")
    assert call_cost(unknown) is None
    assert upper_bound(unknown) == 20_250_000  # (1,000 x $15 + 100 x $75) a million x 0.90


def test_an_answer_from_the_apps_own_cache_costs_nothing() -> None:
    assert call_cost(used("a", MONDAY, cache_hit=True)) == 0


def test_a_bill_is_spread_over_its_days_to_the_last_nano() -> None:
    bill = Call(at(date(2026, 11, 1), 6), "case-summary", "cost", {
        "amount": "100.00", "currency": "EUR", "team": "Motor",
        "period_start": date(2026, 11, 1), "period_end": date(2026, 12, 1),
    })  # fmt: skip
    parts = [billed_between(bill, date(2026, 11, 1) + timedelta(days=n), date(2026, 11, 2) + timedelta(days=n))
             for n in range(30)]  # fmt: skip
    assert sum(parts) == 100 * 10**9
    assert billed_between(bill, date(2026, 11, 1), date(2026, 11, 2)) == 3_333_333_333
    assert billed_between(bill, date(2026, 10, 1), date(2026, 11, 1)) == 0


def test_adoption_counts_eligible_people_and_no_others() -> None:
    grace = WEEK.period(facts.ZONE).after - timedelta(days=6)
    people = (
        member("user"), member("idle"), member("new", joined=grace), member("seatless", seat=False),
        member("elsewhere", team="Brokers"), member("late", joined=grace - timedelta(days=1)),
    )  # fmt: skip
    calls = [used(name, MONDAY) for name in ("user", "new", "seatless", "elsewhere", "late")]
    calls.append(used("idle", MONDAY, intent="automatic"))
    found = Oracle(Organisation(0, people), calls).adoption(WEEK, ("Motor",))
    assert (found.numerator, found.denominator) == (2, 3)


def test_a_change_of_adoption_is_its_usage_part_and_its_roster_part() -> None:
    people = (
        member("kept"),
        member("lost"),
        member("won"),
        member("joined", joined=MONDAY - timedelta(days=1)),
    )
    before = MONDAY - timedelta(days=7)
    calls = [used("kept", before), used("lost", before), used("kept", MONDAY), used("won", MONDAY)]
    change = Oracle(Organisation(0, people), calls).adoption_change(WEEK, ("Motor",))
    assert (change.before.numerator, change.before.denominator) == (2, 3)
    assert (change.now.numerator, change.now.denominator) == (2, 4)
    assert (change.gained, change.lost) == (1, 1)
    assert change.usage_part == 0
    assert change.usage_part + change.roster_part == pytest.approx(2 / 4 - 2 / 3)


def test_overridden_is_rejected_or_edited_a_lot() -> None:
    names = "abcde"
    calls = [used(name, MONDAY) for name in (*names, "undecided")]
    calls += [
        decided("a", MONDAY, "accepted"), decided("b", MONDAY, "rejected"), decided("c", MONDAY, "edited", 0.3),
        decided("d", MONDAY, "edited", 0.29), decided("e", MONDAY, "escalated"),
    ]  # fmt: skip
    people = tuple(member(name) for name in (*names, "undecided"))
    found = Oracle(Organisation(0, people), calls).override(WEEK)
    assert (found.rate.numerator, found.rate.denominator) == (2, 4)
    assert (found.covered, found.shown, found.escalated) == (4, 6, 1)


def test_a_call_counts_for_the_team_of_its_day() -> None:
    moved = date(2026, 11, 11)
    mover = Member(0, "m@example.com", (Stay("Renewals", LONG_AGO, moved), Stay("Brokers", moved)), True, False,
                   "regular", 1.0)  # fmt: skip
    oracle = Oracle(
        Organisation(0, (mover,)), [used("m", MONDAY), used("m", moved), used("", MONDAY, team="Intake")]
    )
    assert [oracle.team_of(call) for call in oracle.calls] == ["Renewals", "Brokers", "Intake"]
    assert oracle.adoption(WEEK, ("Brokers",)).numerator == 1
    assert oracle.adoption(WEEK, ("Renewals",)).denominator == 0


def test_a_threshold_is_crossed_by_the_call_that_reaches_it() -> None:
    calls = [used("a", MONDAY + timedelta(days=n)) for n in range(4)]  # 0.004104 EUR each, of 1 EUR
    for call in calls:
        call.fields |= {"input_tokens": 100_000, "cache_read_input_tokens": 0, "output_tokens": 0}  # 0.36 EUR
    crossed = Oracle(Organisation(0, ()), calls).crossings("claims-letter", MONDAY, 1, (50, 100))
    assert crossed == {50: calls[1].at, 100: calls[2].at}


def test_a_week_is_the_wall_clocks_week() -> None:
    # 23:30 UTC on Sunday is Monday in Paris.
    night = Call(
        datetime(2026, 11, 8, 23, 30, tzinfo=UTC), "claims-letter", "usage", used("a", MONDAY).fields
    )
    spent = Oracle(Organisation(0, ()), [night]).spend(
        Period(MONDAY, MONDAY + timedelta(days=7), facts.ZONE), ("",)
    )
    assert spent == 4_104_000
