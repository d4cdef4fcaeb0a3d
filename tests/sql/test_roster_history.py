"""A closed week is computed with the roster as it was: importing who moved, left or lost a seat later changes no
KPI of it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from uptake.calendar import Period
from uptake.clickhouse import Database
from uptake.clock import SystemClock
from uptake.sql.results import KpiResult
from uptake.sql.runner import KpiRunner
from uptake.workspace.load import load_workspace
from uptake.workspace.roster import publish_roster
from uptake.workspace.roster_import import plan_import, write
from uptake.workspace.roster_snapshot import read_snapshot

TUESDAY = date(2026, 11, 17)
HEADER = "user_id,team,seat,champion\n"
KPIS = ("adoption", "active_users")


def import_people(directory: Path, rows: str, day: date) -> None:
    snapshot = read_snapshot((HEADER + rows).encode(), "people.csv", "csv", day, None)
    write(plan_import(directory, snapshot, None))


def measured(database: Database, directory: Path, period: Period) -> dict[str, dict[str, KpiResult]]:
    """KPIs by name and team, on the roster that the workspace now holds."""
    workspace = load_workspace(directory, None)
    publish_roster(database, workspace, SystemClock())
    runner = KpiRunner(database.tenant(workspace.tenant), workspace)
    return {name: {**runner.by_team(name, period), "all": runner.run(name, period)} for name in KPIS}


def test_a_past_week_is_the_same_before_and_after_people_move_later(
    rows: Any, database: Database, tmp_path: Path, week: Period, monday: datetime
) -> None:
    (tmp_path / "organisation.yaml").write_text(
        f"tenant: {rows.tenant}\nname: Acme\nzone: Europe/Paris\ncurrency: USD\n"
    )
    users = [f"u{i}" for i in range(20)]
    teams = {user: "claims" if i < 10 else "sales" for i, user in enumerate(users)}
    import_people(tmp_path, "".join(f"{u},{team},yes,no\n" for u, team in teams.items()), date(2026, 1, 5))
    for user in (*users[:5], *users[10:15]):  # five of ten in each team: fewer would not be shown
        rows.usage(monday, user_id=user)
    before = measured(database, tmp_path, week)
    assert before["adoption"]["claims"].numerator == 5
    assert before["adoption"]["all"].denominator == 20

    # u0 moves, u1 leaves, u2 loses the seat, u15 becomes a champion, and somebody is new.
    later = {user: f"{team},yes,no" for user, team in teams.items()}
    later |= {"u0": "sales,yes,no", "u2": "claims,no,no", "u15": "sales,yes,yes", "new": "claims,yes,no"}
    del later["u1"]
    import_people(tmp_path, "".join(f"{u},{cells}\n" for u, cells in later.items()), TUESDAY)
    assert measured(database, tmp_path, week) == before

    next_week = Period(week.after, date(2026, 11, 23), week.zone)
    after = measured(database, tmp_path, next_week)["adoption"]
    assert (after["claims"].denominator, after["sales"].denominator) == (7, 11)
