"""The questions that are not KPIs, rows in and values out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from uptake.calendar import IsoWeek, Period, month_of
from uptake.schemas.identity import unix_ms
from uptake.sql.queries import (
    AdoptionPairs,
    SpendSoFar,
    adoption_pairs,
    budget_drivers,
    budget_spend,
    data_until,
    known_from,
    override_by_prompt,
    reasons,
    unauthorised_groups,
    unauthorised_uses,
)
from uptake.workspace.models import Organisation, Scope

EURO = 1_000_000_000
OLD = "2026-01-05"
DAY = timedelta(days=1)


@pytest.fixture
def before() -> Period:
    return IsoWeek(2026, 45).period("Europe/Paris")


@pytest.fixture
def organisation(tenant: str) -> Organisation:
    return Organisation(tenant=tenant, name="Example", zone="Europe/Paris")


def test_pairs_split_a_change_into_use_and_roster(
    rows: Any, organisation: Organisation, before: Period, week: Period, monday: datetime
) -> None:
    # Ten people before, of whom four were active. One leaves, three join in time to be eligible: twelve now, six
    # active. Of the nine in both, u0 and u1 stayed active, u2 stopped, u4 to u6 started; one newcomer is active.
    rows.roster(
        *[(f"u{i}", "claims", OLD) for i in range(10) if i != 3],
        {"user_id": "u3", "team": "claims", "joined": OLD, "left": "2026-11-15"},
        *[(f"n{i}", "claims", "2026-11-05") for i in range(3)],
    )
    for user in ("u0", "u1", "u2", "u3"):
        rows.usage(monday - 7 * DAY, user_id=user)
    for user in ("u0", "u1", "u4", "u5", "u6", "n0"):
        rows.usage(monday, user_id=user)
    rows.usage(monday, user_id="u8", intent="automatic")
    pairs = adoption_pairs(rows.database.tenant(rows.tenant), organisation, before, week)
    assert pairs == AdoptionPairs(n0=10, a0=4, n1=12, a1=6, both=9, only_before=1, only_now=3)
    assert pairs is not None
    assert (pairs.entered, pairs.gone) == (3, 1)
    assert (pairs.usage_part, pairs.roster_part) == (0.2, 6 / 12 - 6 / 10)
    change = pairs.change
    assert change is not None
    assert change.difference == pytest.approx(pairs.usage_part + pairs.roster_part)
    assert change.p_value == pytest.approx(2 * (1 + 4) / 16)
    assert not change.clear


def test_pairs_agree_with_the_kpi_of_each_week(
    rows: Any, organisation: Organisation, before: Period, week: Period, monday: datetime
) -> None:
    rows.roster(
        *[(f"u{i}", "claims", OLD) for i in range(8)],
        *[(f"n{i}", "sales", f"2026-11-0{i + 1}") for i in range(9)],
        {"user_id": "no-seat", "team": "sales", "joined": OLD, "seat": False},
    )
    for i in range(6):
        rows.usage(monday - 7 * DAY, user_id=f"u{i}")
        rows.usage(monday, user_id=f"n{i}")
        rows.usage(monday - 2 * DAY, user_id="no-seat")
    runner = rows.counting()
    pairs = adoption_pairs(rows.database.tenant(rows.tenant), organisation, before, week)
    assert pairs is not None
    then, now = runner.run("adoption", before), runner.run("adoption", week)
    assert (pairs.a0, pairs.n0, pairs.a1, pairs.n1) == (
        then.numerator,
        then.denominator,
        now.numerator,
        now.denominator,
    )


def test_who_moves_team_is_in_the_pairs_of_a_group_only_with_both_teams(
    rows: Any, organisation: Organisation, before: Period, week: Period, monday: datetime
) -> None:
    rows.roster(
        *[(f"c{i}", "claims", OLD) for i in range(6)],
        *[(f"s{i}", "sales", OLD) for i in range(6)],
        {"user_id": "moved", "team": "claims", "joined": OLD, "left": "2026-11-11"},
        {"user_id": "moved", "team": "sales", "joined": "2026-11-11"},
    )
    rows.usage(monday, user_id="moved", team="claims")
    database = rows.database.tenant(rows.tenant)

    def figures(*teams: str) -> tuple[int, int, int, int]:
        pairs = adoption_pairs(database, organisation, before, week, teams)
        assert pairs is not None
        return pairs.n0, pairs.n1, pairs.both, pairs.only_now

    assert figures("claims") == (7, 6, 6, 0)
    assert figures("sales") == (6, 7, 6, 0)
    assert figures("claims", "sales") == figures() == (13, 13, 13, 1)


def test_a_call_at_the_edge_of_two_weeks_is_of_the_later_one(
    rows: Any, organisation: Organisation, before: Period, week: Period
) -> None:
    rows.roster(*[(f"u{i}", "claims", OLD) for i in range(5)])
    rows.usage(week.start, user_id="u0")
    rows.usage(week.start - timedelta(milliseconds=1), user_id="u1")
    pairs = adoption_pairs(rows.database.tenant(rows.tenant), organisation, before, week)
    assert pairs is not None
    assert (pairs.a0, pairs.a1, pairs.only_before, pairs.only_now) == (1, 1, 1, 1)


def test_pairs_of_a_small_group_are_not_told(
    rows: Any, organisation: Organisation, before: Period, week: Period
) -> None:
    rows.roster(*[(f"u{i}", "claims", OLD) for i in range(4)])
    assert adoption_pairs(rows.database.tenant(rows.tenant), organisation, before, week) is None
    with pytest.raises(ValueError, match="ends before"):
        adoption_pairs(rows.database.tenant(rows.tenant), organisation, week, before)


def test_pairs_without_a_group_have_no_change(
    rows: Any, organisation: Organisation, before: Period, week: Period
) -> None:
    pairs = adoption_pairs(rows.database.tenant(rows.tenant), organisation, before, week)
    assert pairs is not None
    assert (pairs.change, pairs.usage_part, pairs.roster_part) == (None, None, None)


def test_a_budget_counts_its_scope_up_to_a_moment(rows: Any, monday: datetime) -> None:
    november = month_of(date(2026, 11, 9), "Europe/Paris")
    rows.usage(november.start, cost_nano=1)
    rows.usage(november.start - timedelta(milliseconds=1), cost_nano=1_000_000)
    rows.usage(monday, cost_nano=10, team="sales", app="writer", use_case="mail", model="big")
    rows.usage(monday, cost_nano=None, cost_upper_nano=500, app="writer")
    rows.usage(monday + DAY, cost_nano=100)
    database = rows.database.tenant(rows.tenant)

    def spent(until: datetime, **scope: Any) -> SpendSoFar:
        return budget_spend(database, Scope(**scope), november, until)

    assert spent(monday + DAY, teams=("sales", "nobody")) == spent(monday + DAY, team="sales")
    assert spent(monday + DAY, teams=("sales", "claims")) == spent(monday + DAY)
    assert spent(monday + DAY) == SpendSoFar(11, 511, 1, monday)
    assert spent(monday + DAY + timedelta(milliseconds=1)) == SpendSoFar(111, 611, 1, monday + DAY)
    assert spent(monday + 90 * DAY).known_nano == 111
    assert spent(november.start) == SpendSoFar(0, 0, 0, None)
    assert spent(monday + DAY, team="sales").upper_nano == 10
    assert spent(monday + DAY, app="writer") == SpendSoFar(10, 510, 1, monday)
    assert spent(monday + DAY, use_case="mail").known_nano == 10
    assert spent(monday + DAY, model="big").known_nano == 10
    assert spent(monday + DAY, app="writer", team="claims") == SpendSoFar(0, 500, 1, monday)
    assert spent(monday + DAY, app="nobody's") == SpendSoFar(0, 0, 0, None)


def test_a_budget_counts_cost_events_for_the_days_that_have_begun(rows: Any) -> None:
    november = month_of(date(2026, 11, 9), "Europe/Paris")
    rows.cost(november.first, november.after, cost_nano=30 * EURO, team="claims")
    rows.cost(november.first, november.after, cost_nano=None, cost_upper_nano=60 * EURO, team="claims")
    database = rows.database.tenant(rows.tenant)
    midnight = datetime(2026, 11, 10, 23, tzinfo=UTC)  # the first moment of 11 November in Paris

    def spent(until: datetime, **scope: str) -> tuple[int, int]:
        so_far = budget_spend(database, Scope(**scope), november, until)
        return so_far.known_nano, so_far.upper_nano

    assert spent(midnight) == (10 * EURO, 30 * EURO)
    assert spent(midnight + timedelta(milliseconds=1), team="claims") == (11 * EURO, 33 * EURO)
    assert spent(november.end) == (30 * EURO, 90 * EURO)
    assert spent(november.end, team="sales") == (0, 0)


def test_a_whole_budget_period_is_the_spend_of_the_kpi(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, cost_nano=17)
    rows.usage(monday, cost_nano=None, cost_upper_nano=5)
    rows.cost(date(2026, 11, 3), date(2026, 11, 14), cost_nano=1_000_003)
    result = rows.runner().run("spend", week)
    so_far = budget_spend(rows.database.tenant(rows.tenant), Scope(), week, week.end)
    assert so_far.known_nano == result.value
    assert so_far.upper_nano == result.value + result.extras["unpriced_upper_nano"]
    assert so_far.unpriced_calls == 1


def test_drivers_are_apps_and_models_by_their_rise_over_a_usual_day(rows: Any, monday: datetime) -> None:
    until = monday + 30 * DAY
    for day in range(2, 30):  # 28 days before the last 24 hours
        rows.usage(until - day * DAY, app="steady", cost_nano=100)
        rows.usage(until - day * DAY, app="letters", model="big", cost_nano=10)
    rows.usage(until - timedelta(hours=24), app="steady", cost_nano=100)
    rows.usage(until - timedelta(hours=1), app="letters", model="big", cost_nano=131)
    rows.usage(until - timedelta(hours=1), app="letters", model="unknown", cost_nano=None, cost_upper_nano=40)
    rows.usage(until, app="steady", cost_nano=9_999)  # not before `until`
    drivers = budget_drivers(rows.database.tenant(rows.tenant), Scope(), until)
    assert [(d.app, d.model, d.recent_nano, d.usual_nano, d.rise_nano) for d in drivers] == [
        ("letters", "big", 131, 10, 121),
        ("letters", "unknown", 40, 0, 40),
        ("steady", "gpt", 100, 100, 0),
    ]
    assert {d.days for d in drivers} == {28}
    assert [(d.calls, d.unpriced_calls) for d in drivers] == [(1, 0), (1, 1), (1, 0)]


def test_a_short_history_is_not_spread_over_four_weeks(rows: Any, monday: datetime) -> None:
    for day in (2, 3):
        rows.usage(monday - day * DAY, cost_nano=60)
    rows.usage(monday - timedelta(hours=2), cost_nano=90)
    (driver,) = budget_drivers(rows.database.tenant(rows.tenant), Scope(), monday)
    assert (driver.days, driver.usual_nano, driver.recent_nano) == (2, 60, 90)


def test_without_history_nothing_is_usual(rows: Any, monday: datetime) -> None:
    rows.usage(monday - timedelta(hours=2), cost_nano=90)
    (driver,) = budget_drivers(rows.database.tenant(rows.tenant), Scope(), monday)
    assert (driver.days, driver.usual_nano) == (0, 0)


def test_unauthorised_use_is_grouped_by_rule_app_subject_and_team(
    rows: Any, week: Period, monday: datetime
) -> None:
    for i in range(6):
        rows.usage(
            monday + timedelta(hours=i),
            app="tender-bot",
            team="sales",
            user_id=f"u{i}",
            cost_nano=16 * EURO,
            authorisation="unregistered_app",
            data_class="confidential",
            model="big" if i else "small",
        )
    for subject, rule in (("m", "model"), ("d", "data_class"), ("u", "use_case"), ("claims", "team")):
        rows.usage(
            monday,
            user_id="one",
            authorisation=f"{rule}_not_allowed",
            model="m",
            data_class="d",
            use_case="u",
            cost_nano=None,
            cost_upper_nano=len(subject),
        )
    rows.usage(monday, authorisation="allowed")
    rows.usage(week.end, app="later", authorisation="unregistered_app")
    groups = unauthorised_groups(rows.database.tenant(rows.tenant), week.start, week.end)
    assert [(g.rule, g.app, g.subject, g.team) for g in groups] == [
        ("data_class_not_allowed", "helper", "d", "claims"),
        ("model_not_allowed", "helper", "m", "claims"),
        ("team_not_allowed", "helper", "claims", "claims"),
        ("unregistered_app", "tender-bot", "", "sales"),
        ("use_case_not_allowed", "helper", "u", "claims"),
    ]
    uses = unauthorised_uses(rows.database.tenant(rows.tenant), week.start, week.end)
    assert uses == {(g.rule, g.app, g.subject) for g in groups}
    bot, model = groups[3], groups[1]
    assert (bot.calls, bot.people, bot.known_nano, bot.upper_nano) == (6, 6, 96 * EURO, 96 * EURO)
    assert (bot.first_seen, bot.last_seen) == (monday, monday + timedelta(hours=5))
    assert (bot.models, bot.data_classes) == (("big", "small"), ("confidential",))
    assert (model.people, model.known_nano, model.upper_nano, model.unpriced_calls) == (None, 0, 1, 1)


def test_overrides_by_prompt_add_up_to_the_kpi(
    rows: Any, organisation: Organisation, week: Period, monday: datetime
) -> None:
    said = {"use_case": "letter", "prompt_version": "v13"}
    for i in range(4):
        rows.decision(monday + i * DAY, "rejected" if i == 0 else "accepted", **said)
    rows.usage(monday, response_id="r1", use_case="letter", prompt_version="v14")
    rows.decision(monday, "accepted", response_id="r1")  # replaced by the next one
    rows.decision(monday + 3 * DAY, "edited", severity=0.5, response_id="r1")  # its call knows the prompt
    rows.decision(monday + 3 * DAY, "escalated", **said)
    rows.decision(monday, "accepted", team="sales", **said)
    database = rows.database.tenant(rows.tenant)
    found = override_by_prompt(database, organisation, week, ["claims"])
    assert [(p.app, p.use_case, p.prompt_version, p.decided, p.overridden) for p in found] == [
        ("helper", "letter", "v13", 4, 1),
        ("helper", "letter", "v14", 1, 1),
    ]
    assert [p.first_at for p in found] == [monday, monday + 3 * DAY]
    whole = rows.runner().run("override_rate", week)
    everybody = override_by_prompt(database, organisation, week)
    assert sum(p.decided for p in everybody) == whole.denominator == 6
    assert sum(p.overridden for p in everybody) == whole.numerator == 2


def test_reasons_are_those_of_overrides_and_none_given_is_one(
    rows: Any, organisation: Organisation, week: Period, monday: datetime
) -> None:
    rows.decision(monday, "rejected", reasons=["wrong_tone", "incorrect"], prompt_version="v14")
    rows.decision(monday, "rejected", reasons=["wrong_tone", "wrong_tone"], prompt_version="v14")
    rows.decision(monday, "edited", severity=0.9, reasons=[], prompt_version="v14")
    rows.decision(monday, "edited", severity=0.1, reasons=["unclear"], prompt_version="v14")
    rows.decision(monday, "accepted", reasons=["preference"], prompt_version="v14")
    rows.decision(monday, "rejected", reasons=["policy"], team="sales")
    found = reasons(rows.database.tenant(rows.tenant), organisation, week, ["claims"])
    assert [(r.prompt_version, r.reason, r.given, r.overridden) for r in found] == [
        ("v14", "wrong_tone", 2, 3),
        ("v14", "", 1, 3),
        ("v14", "incorrect", 1, 3),
    ]


def test_data_reaches_until_the_newest_event_of_the_period(rows: Any, week: Period, monday: datetime) -> None:
    database = rows.database.tenant(rows.tenant)
    assert data_until(database, week) is None
    rows.usage(monday)
    assert data_until(database, week) == monday
    rows.decision(monday + DAY, "accepted")
    rows.usage(week.end)
    assert data_until(database, week) == monday + DAY


def test_known_from_is_the_oldest_event_whatever_its_id(rows: Any, week: Period, monday: datetime) -> None:
    database = rows.database.tenant(rows.tenant)
    assert known_from(database, week) is None
    noon = monday + DAY / 2
    rows.usage(noon + DAY / 2, event_id=unix_ms(noon) << 80)  # its id is the first, and older than it is
    rows.usage(noon, event_id=unix_ms(noon + DAY) << 80)  # as late as an id may be
    for n in range(2, 5):
        rows.usage(monday + n * DAY)
    assert known_from(database, week) == noon
    rows.feedback(monday, kind="thumb", thumb="down")
    assert known_from(database, week) == monday
