"""What a run asks for once, and for few teams, is what it would be asked alone and for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from uptake.calendar import Period
from uptake.clickhouse import TenantDatabase
from uptake.sql.activity.reader import ActivityReader
from uptake.sql.catalogue import load_catalogue
from uptake.sql.queries import daily_spend
from uptake.sql.runner import KpiRunner
from uptake.workspace.models import Organisation, Workspace

DAY = timedelta(days=1)
TEAMS = ("claims", "sales")


class Counting(TenantDatabase):
    """Counts what it is asked."""

    def __init__(self, database: Any, tenant: str) -> None:
        super().__init__(database, tenant)
        self.asked: list[str] = []

    def query(self, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
        self.asked.append(sql)
        return super().query(sql, parameters)


@pytest.fixture
def workspace(tenant: str) -> Workspace:
    return Workspace(organisation=Organisation(tenant=tenant, name="Example", zone="Europe/Paris"))


@pytest.fixture
def busy(rows: Any, monday: datetime) -> Any:
    """Two teams that use two apps and decide on answers, and one that only has a licence."""
    people = [(f"{team}-{n}", team, "2026-01-01") for team in (*TEAMS, "idle") for n in range(8)]
    rows.roster(*people)
    for n in range(6):
        for team in TEAMS:
            answer = {"app": "letters" if n % 2 else "search", "response_id": f"{team}-{n}", "team": team}
            rows.usage(monday + n * DAY, user_id=f"{team}-{n}", cost_nano=n, duration_ms=100 * n, **answer)
            verdict = ("accepted", "rejected", "edited")[n % 3]
            severity = 0.5 if verdict == "edited" else None
            rows.feedback(monday + n * DAY, decision=verdict, severity=severity, reasons=["other"], **answer)
            rows.feedback(monday + n * DAY, kind="thumb", thumb="down", **answer)
    rows.cost(monday.date(), monday.date() + DAY, cost_nano=5, team="idle", app="seats")
    return rows


@pytest.mark.parametrize("name", load_catalogue())
def test_a_runner_for_some_teams_says_of_them_what_one_for_all_says(
    name: str, busy: Any, workspace: Workspace, week: Period
) -> None:
    tenant = busy.database.tenant(busy.tenant)
    every = KpiRunner(tenant, workspace, remember=True)
    some = KpiRunner(tenant, workspace, remember=True, readers=["claims", "idle"])
    for teams in ((), ("claims",), ("idle",), ("idle", "claims"), ("claims", "sales"), ("nobody",)):
        assert some.run(name, week, teams) == every.run(name, week, teams)
        expected = {team: r for team, r in every.by_team(name, week).items() if not teams or team in teams}
        assert some.by_team(name, week, teams=teams) == expected
        for by in load_catalogue()[name].by:
            assert some.breakdown(name, week, by, teams) == every.breakdown(name, week, by, teams)


def test_rows_of_other_teams_are_not_fetched_where_no_people_are_counted(
    busy: Any, workspace: Workspace, week: Period
) -> None:
    counting = Counting(busy.database, busy.tenant)
    runner = KpiRunner(counting, workspace, remember=True, readers=["claims"])
    runner.run("error_rate", week, ["claims"])
    runner.run("adoption", week, ["claims"])
    [calls, *people] = [sql for sql in counting.asked if "usage FINAL" in sql]
    assert "only_teams" in calls
    assert people
    assert not any("only_teams" in sql for sql in people)


@pytest.mark.parametrize("name", ["override_rate", "thumbs_down"])
def test_a_bare_rate_is_the_rate_without_its_coverage(
    name: str, busy: Any, workspace: Workspace, week: Period
) -> None:
    tenant = busy.database.tenant(busy.tenant)
    runner = KpiRunner(tenant, workspace, remember=True)
    [bare] = runner.series(name, [week], ["claims"], bare=True)
    whole = runner.run(name, week, ["claims"])
    assert whole.denominator == 6
    assert whole.extras["shown"] == 6
    assert bare == replace(whole, extras={})


def test_a_whole_answer_that_is_there_serves_where_a_bare_one_would_do(
    busy: Any, workspace: Workspace, week: Period
) -> None:
    counting = Counting(busy.database, busy.tenant)
    runner = KpiRunner(counting, workspace, remember=True)
    whole = runner.run("override_rate", week)
    asked = len(counting.asked)
    assert runner.series("override_rate", [week], bare=True) == [whole]
    assert len(counting.asked) == asked


def test_a_reader_that_remembers_says_the_same_of_each_period_and_asks_once(
    rows: Any, cache: Any, week: Period, monday: datetime
) -> None:
    for n in range(21):
        rows.usage(monday - n * DAY, inserted_at=cache.ago(hours=1))
    cache.bring_up(week.end, minutes=20)
    rows.usage(monday - 10 * DAY)  # changed since it was built
    counting = Counting(cache.database, cache.tenant.name)
    remembering = ActivityReader(counting, 0, 0, remember=True)
    weeks = [replace(week, first=week.first - n * DAY, after=week.after - n * DAY) for n in (0, 7, 14)]
    whole = replace(week, first=weeks[-1].first)
    said = [remembering.serving(each, people=people) for each in (*weeks, whole) for people in (True, False)]
    alone = [
        cache.reader.serving(each, people=people) for each in (*weeks, whole) for people in (True, False)
    ]
    assert said == alone
    assert [serving.serves for serving in said[::2]] == [True, True, False, False]
    assert len(counting.asked) == 2


def test_a_reader_that_remembers_looks_again_at_what_lies_outside(
    rows: Any, cache: Any, week: Period, monday: datetime
) -> None:
    rows.usage(monday, inserted_at=cache.ago(hours=1))
    rows.usage(monday + 7 * DAY, inserted_at=cache.ago(hours=1))
    cache.bring_up(week.end + 7 * DAY, minutes=20)
    later = replace(week, first=week.first + 7 * DAY, after=week.after + 7 * DAY)
    remembering = ActivityReader(cache.tenant, 0, 0, remember=True)
    for period in (week, later, week):
        assert remembering.serving(period, people=True) == cache.reader.serving(period, people=True)


def test_spend_of_some_teams_is_theirs_of_the_spend_of_all_and_knows_since_when_anything_is(
    busy: Any, cache: Any, week: Period, monday: datetime
) -> None:
    busy.usage(monday - 3 * DAY, team="sales", cost_nano=7)
    period = replace(week, first=week.first - 7 * DAY)
    tenant = busy.database.tenant(busy.tenant)
    every, some = daily_spend(tenant, period), daily_spend(tenant, period, teams=["claims", "idle"])
    assert list(some.rows) == every.of(["claims", "idle"])
    assert some.known_from == every.known_from == monday.date() - 3 * DAY
    assert some.rows[0].day == monday.date()
