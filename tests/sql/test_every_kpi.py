"""Rules that hold for every KPI and every query, also for those that are written tomorrow."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from uptake.calendar import Period
from uptake.errors import UsageError
from uptake.sql.catalogue import load_catalogue, load_query, to_markdown
from uptake.sql.results import KpiResult
from uptake.sql.windows import window_of

KPIS = sorted(load_catalogue())
QUERIES = sorted(Path(str(entry)).stem for entry in (files("uptake.sql") / "queries").iterdir())
TEXTS = {
    **{f"kpis/{name}": kpi.sql for name, kpi in load_catalogue().items()},
    **{f"kpis/{name}/activity": k.activity_sql for name, k in load_catalogue().items() if k.activity_sql},
    **{f"queries/{name}": load_query(name) for name in QUERIES},
}

EVENTS = r"event_id >= \{(?:id_from(?:_late)?|window_id_from):UInt128\} AND event_id < \{id_to:UInt128\}"
EDGES = (
    r"{0} >= \{{(?:from_|window_from):DateTime64\(3, 'UTC'\)\}} AND {0} < \{{to_:DateTime64\(3, 'UTC'\)\}}"
)
HAPPENED = rf"{EVENTS} AND (?:{EDGES.format('occurred_at')}|{EDGES.format('received_at')})"
FILTERS = {
    "usage": HAPPENED,
    "feedback": HAPPENED,
    "sdk_reports": r"reported_at < \{to_:DateTime64\(3, 'UTC'\)\}",
    "roster": r"generation = \( SELECT generation FROM generations FINAL",
    "generations": r"name = 'roster'",
    "activity": (
        r"zone = \{zone:String\} AND day >= \{(?:before_|window_)?first_day:Date\} AND day < \{after_day:Date\} "
        r"AND generation IN \{generations:Array\(UInt64\)\}"
    ),
}
BILLED = r"period_start < \{after_day:Date(?:32)?\} AND period_end > \{(?:window_)?first_day:Date(?:32)?\}"
ANY_VERSION = {
    "queries/known_from": r"event_id >= \{id_from:UInt128\} AND event_id < (?:\{id_to:UInt128\}|id_after\()"
}
"""Queries to which every version of an event is as good as the last one, and how they are bounded."""
TABLES = "usage|feedback|cost|sdk_reports|roster|generations|activity"


def _reads(sql: str) -> list[tuple[str, str]]:
    """Each read of a table: its name, and what follows it, without comments and on one line."""
    plain = " ".join(re.sub(r"--[^\n]*", "", sql).split())
    return [
        (match[1], plain[match.end() :]) for match in re.finditer(rf"\b(?:FROM|JOIN) ({TABLES})\b", plain)
    ]


@pytest.mark.parametrize("where", TEXTS)
def test_every_read_is_final_of_one_tenant_and_bounded(where: str) -> None:
    reads = _reads(TEXTS[where])
    assert reads
    for table, rest in reads:
        if where in ANY_VERSION:
            bounded = rf" WHERE tenant = \{{tenant:String\}} AND {ANY_VERSION[where]}"
            assert re.match(bounded, rest), f"{where}: {table}"
            continue
        assert rest.startswith(" FINAL WHERE tenant = {tenant:String} AND "), f"{where}: {table}"
        condition = rest.removeprefix(" FINAL WHERE tenant = {tenant:String} AND ")
        if table == "cost":
            assert re.match(f"{BILLED}|{HAPPENED}", condition), f"{where}: {table}"
        else:
            assert re.match(FILTERS[table], condition), f"{where}: {table}"


@pytest.mark.parametrize("where", TEXTS)
def test_no_read_hides_from_the_rule_above(where: str) -> None:
    plain = re.sub(r"--[^\n]*", "", TEXTS[where])
    ctes = set(re.findall(r"\b(\w+)\s+AS\s*\(\s*SELECT", plain))
    sources = set(re.findall(r"\b(?:FROM|JOIN)\s+([\w.`\"]+)", plain))
    assert sources <= ctes | set(TABLES.split("|"))


def _unused(sql: str) -> set[str]:
    """Names that a subquery gives to columns and nothing takes up; handing one on under its name is no use."""
    plain = re.sub(r"--[^\n]*", "", sql)
    depth, names = 0, set()
    for match in re.finditer(r"\(|\)|\bAS (\w+)", plain):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if match[1] and depth:
            names.add(match[1])
    taken = re.sub(r"\b(\w+) AS \1\b|\bAS \w+", "", plain)
    return names - set(re.findall(r"\w+", taken))


@pytest.mark.parametrize("where", TEXTS)
def test_every_column_that_a_subquery_makes_is_used(where: str) -> None:
    assert _unused(TEXTS[where]) == set()


def test_the_rule_of_used_columns_sees_one_that_is_only_handed_on() -> None:
    sql = "SELECT low AS first FROM (SELECT a.at AS at, low FROM (SELECT max(x) AS at, min(x) AS low FROM usage) AS a)"
    assert _unused(sql) == {"at"}


def _someones_week(rows: Any, monday: datetime, week: Period) -> list[tuple[str, dict[str, Any]]]:
    """Something for every KPI to find: what was inserted, by table."""
    rows.roster(*[(f"u{i}", "claims" if i < 6 else "sales", "2026-01-05") for i in range(12)])
    rows.report("c1", monday, accepted=15)
    told: list[tuple[str, dict[str, Any]]] = []
    for i in range(12):
        usage = rows.usage(
            monday + timedelta(hours=i),
            user_id=f"u{i}",
            team="claims" if i < 6 else "sales",
            response_id=f"r{i}",
            client_id="c1",
            provider="OpenAI",
            duration_ms=900 + i,
            input_cache_read_tokens=1_000,
            status="error" if i == 9 else "ok",
            cost_nano=None if i == 8 else 1000 + i,
            cost_upper_nano=5000,
            authorisation="unregistered_app" if i == 7 else "allowed",
            received_at=monday + timedelta(days=3 if i == 6 else 1, hours=i),
        )
        told.append(("usage", usage))
    for i, decision in enumerate(("accepted", "edited", "rejected", "escalated")):
        at = monday + timedelta(hours=11, minutes=i)
        told.append(("feedback", rows.decision(at, decision, severity=0.5, response_id=f"r{i}")))
        told.append(("feedback", rows.feedback(at, kind="edit", severity=i / 10, response_id=f"e{i}")))
        thumb = "down" if i == 0 else "up"
        told.append(("feedback", rows.feedback(at, kind="thumb", thumb=thumb, response_id=f"r{i}")))
    for i in range(12):
        team = "claims" if i < 6 else "sales"
        told.append(
            ("feedback", rows.feedback(monday, kind="survey", score=i % 7, user_id=f"u{i}", team=team))
        )
    told += [("usage", row) for row in _their_weeks_before(rows, monday)]
    told.append(("cost", rows.cost(date(2026, 11, 1), date(2026, 12, 1), cost_nano=3_000)))
    bill = {"category": "inference", "invoice_id": "b-11", "provider": "openai", "cost_nano": 300_000}
    told.append(("cost", rows.cost(date(2026, 11, 1), date(2026, 12, 1), **bill)))
    return told


def _their_weeks_before(rows: Any, monday: datetime) -> list[dict[str, Any]]:
    """Six people with a habit, and five whose first four weeks with a seat end in the week."""
    rows.roster(*[(f"n{i}", "claims", "2026-10-14") for i in range(5)])
    calls = [(f"u{i}", timedelta(weeks=week)) for i in range(6) for week in range(1, 11)]
    calls += [(f"n{i}", timedelta(days=20 + day)) for i in range(5) for day in range(3)]
    return [rows.usage(monday - ago, user_id=user, team="claims") for user, ago in calls]


def _all(rows: Any, week: Period) -> dict[str, KpiResult]:
    runner = rows.runner()
    return {name: runner.run(name, week) for name in KPIS}


def test_every_kpi_finds_something_in_the_week_that_the_rules_below_use(
    rows: Any, week: Period, monday: datetime
) -> None:
    _someones_week(rows, monday, week)
    assert all(result.numerator for result in _all(rows, week).values())


def test_the_same_event_twice_counts_once_in_every_kpi(rows: Any, week: Period, monday: datetime) -> None:
    told = _someones_week(rows, monday, week)
    once = _all(rows, week)
    for table, row in told:
        rows.again(table, row)
    assert _all(rows, week) == once


def test_a_correction_replaces_what_it_corrects(rows: Any, week: Period, monday: datetime) -> None:
    row = rows.usage(monday, cost_nano=None, cost_upper_nano=900)
    rows.again("usage", row, cost_nano=700, cost_upper_nano=700)
    rows.database.insert_json_lines("usage", b"")  # nothing
    result = rows.runner().run("spend", week)
    assert (result.value, result.excluded["unpriced_calls"]) == (700, 0)


def test_a_corrected_time_moves_an_event_out_of_the_week(rows: Any, week: Period) -> None:
    at = week.start + timedelta(minutes=1)
    row = rows.usage(at)
    rows.again("usage", row, occurred_at=at - timedelta(minutes=2))
    rows.usage(at)
    assert rows.runner().run("calls", week).value == 1


def test_events_of_another_tenant_are_never_seen(
    rows: Any, rows_of: Callable[[str], Any], week: Period, monday: datetime
) -> None:
    _someones_week(rows, monday, week)
    alone = _all(rows, week)
    _someones_week(rows_of(f"t-{uuid.uuid4().hex[:12]}"), monday, week)
    assert _all(rows, week) == alone


def test_events_before_and_after_what_a_kpi_looks_at_are_never_seen(
    rows: Any, week: Period, monday: datetime
) -> None:
    def something_at(at: datetime) -> None:
        rows.usage(at, user_id="u11", cost_nano=77, response_id="r1", authorisation="team_not_allowed")
        rows.decision(at, "rejected", response_id="r0")
        rows.feedback(at, kind="thumb", thumb="down", response_id="r3")

    _someones_week(rows, monday, week)
    alone = _all(rows, week)
    weeks = {name: kpi.look_back_weeks for name, kpi in load_catalogue().items()}
    for look_back in sorted(set(weeks.values()), reverse=True):
        something_at(window_of(week, look_back).start - timedelta(milliseconds=1))
        something_at(week.end)
        after = _all(rows, week)
        blind = [name for name in KPIS if weeks[name] <= look_back]
        assert {name: after[name] for name in blind} == {name: alone[name] for name in blind}


@pytest.mark.parametrize("name", KPIS)
def test_a_tenant_without_anything_gets_a_result(rows: Any, week: Period, name: str) -> None:
    result = rows.runner().run(name, week)
    kpi = load_catalogue()[name]
    assert result.numerator == 0
    assert result.value is None, "no data is not no usage"
    assert set(result.excluded) == set(kpi.excludes)
    assert set(result.extras) == set(kpi.extras)
    assert set(result.parts) == set(kpi.parts)
    assert not result.suppressed


@pytest.mark.parametrize("name", KPIS)
def test_teams_add_up_to_the_organisation(rows: Any, week: Period, monday: datetime, name: str) -> None:
    _someones_week(rows, monday, week)
    rows.roster(*[(f"u{i}", "claims" if i < 6 else "sales", "2026-01-05") for i in range(12)])
    runner = rows.runner()
    whole, parts = runner.run(name, week), runner.by_team(name, week)
    assert whole.numerator == sum(part.numerator for part in parts.values())
    for figure, value in {**whole.excluded, **whole.extras}.items():
        assert value == sum({**part.excluded, **part.extras}[figure] for part in parts.values()), figure


BROKEN_DOWN = [(name, column) for name in KPIS for column in load_catalogue()[name].by]


@pytest.mark.parametrize(("name", "column"), BROKEN_DOWN)
def test_a_breakdown_adds_up_to_the_whole(
    rows: Any, week: Period, monday: datetime, name: str, column: str
) -> None:
    _someones_week(rows, monday, week)
    rows.usage(monday, app="another-app", team="claims", cost_nano=7)
    runner = rows.runner()
    whole = runner.run(name, week)
    parts = runner.breakdown(name, week, column)
    if load_catalogue()[name].measure is None:
        assert whole.numerator == sum(part.numerator or 0 for part in parts.values())
    for figure, value in {**whole.excluded, **whole.extras}.items():
        assert value == sum({**part.excluded, **part.extras}[figure] for part in parts.values()), figure


@pytest.mark.parametrize("name", [name for name in KPIS if load_catalogue()[name].by_app])
def test_an_app_alone_is_what_is_left_when_the_others_had_never_been(
    rows: Any, week: Period, monday: datetime, name: str
) -> None:
    _someones_week(rows, monday, week)
    alone = rows.runner().run(name, week)
    at = monday + timedelta(hours=2)
    rows.usage(at, app="another-app", team="claims", user_id="u11", cost_nano=7, response_id="x1")
    rows.decision(at + timedelta(minutes=1), "rejected", app="another-app", response_id="x1")
    rows.feedback(at, app="another-app", kind="thumb", thumb="down", response_id="x1")
    app = "helper"
    only = rows.runner().run(name, week, (), (app,))
    assert only.apps == (app,)
    assert (only.value, only.numerator, only.denominator) == (alone.value, alone.numerator, alone.denominator)


@pytest.mark.parametrize("name", KPIS)
def test_an_explanation_holds_everything_that_was_filled_in(rows: Any, week: Period, name: str) -> None:
    explanation = rows.runner().explain(name, week, ["claims"])
    named = set(re.findall(r"\{(\w+):", explanation.definition.sql))
    assert set(explanation.parameters) == named
    assert explanation.parameters["tenant"] == rows.tenant
    assert explanation.teams == ("claims",)


def test_a_runner_that_remembers_asks_once_for_all_audiences(
    rows: Any, week: Period, monday: datetime
) -> None:
    rows.usage(monday, team="claims", cost_nano=5)
    rows.usage(monday, team="sales", cost_nano=7)
    remembering = rows.runner(remember=True)
    assert remembering.run("spend", week).value == 12
    rows.usage(monday, team="claims", cost_nano=100)
    assert remembering.run("spend", week, ["claims"]).value == 5  # of the same moment as the first answer
    assert rows.runner().run("spend", week, ["claims"]).value == 105


def test_an_unknown_kpi_is_refused_with_those_that_exist(rows: Any, week: Period) -> None:
    with pytest.raises(UsageError, match="no KPI 'adoptoin'") as refusal:
        rows.runner().run("adoptoin", week)
    assert "adoption" in refusal.value.hint


def test_a_runner_refuses_the_workspace_of_another_tenant(rows: Any) -> None:
    with pytest.raises(ValueError, match="the workspace is of"):
        rows.runner(tenant="somebody-else")


def test_the_page_of_the_catalogue_is_current() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "kpis.md"
    assert page.read_text("utf-8") == to_markdown(load_catalogue()), (
        "write it again: python -m uptake.sql.catalogue docs > docs/kpis.md"
    )
