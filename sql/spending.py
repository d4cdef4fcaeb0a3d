"""Questions about money: what a scope has spent, and what moved it.

Amounts are in nano units of the organisation's currency; `upper` figures bound what is not priced, and equal the
known ones where everything is.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from uptake.calendar import Period
from uptake.clickhouse import TenantDatabase
from uptake.sql.activity.reader import ActivityReader, serving_of
from uptake.sql.asking import ask, window
from uptake.sql.results import DailySpend, DaySpend, Driver, SpendSoFar
from uptake.workspace.models import Scope

USUAL_DAYS = 28
"""How many days before the last 24 hours say what is usual: four weeks, so that each weekday weighs the same."""


def _scope(scope: Scope) -> dict[str, Any]:
    """A scope as parameters: '' and an empty list match everything."""
    one = {name: getattr(scope, name) or "" for name in ("app", "use_case", "model")}
    return {**one, "teams": list(scope.all_teams)}


def budget_spend(database: TenantDatabase, scope: Scope, period: Period, until: datetime) -> SpendSoFar:
    """Spend of `scope` in `period` before `until` (exclusive, zone-aware).

    Cost events count for the local days that have begun before `until`. Nothing is spent before the period.
    """
    end = min(until, period.end)
    if end <= period.start:
        return SpendSoFar(0, 0, 0, None)
    last = (end - timedelta(microseconds=1)).astimezone(ZoneInfo(period.zone)).date()
    days = {"first_day": period.first, "after_day": last + timedelta(days=1)}
    (row,) = ask(database, "budget_spend", {**window(period.start, end), **days, **_scope(scope)})
    return SpendSoFar(
        int(row["known_nano"]), int(row["upper_nano"]), int(row["unpriced_calls"]), row["newest"]
    )


def daily_spend(
    database: TenantDatabase,
    period: Period,
    reader: ActivityReader | None = None,
    teams: Collection[str] = (),
) -> DailySpend:
    """Spend of every day of `period` of some teams (none: all), by team and app: budgets and forecasts of many
    audiences are added up from it."""
    serving = serving_of(database, reader, period, people=False)
    days = {"first_day": period.first, "after_day": period.after, "zone": period.zone, "teams": sorted(teams)}
    if serving.serves:
        rows = ask(database, "daily_spend_activity", {**days, "generations": list(serving.generations)})
    else:
        rows = ask(database, "daily_spend", {**window(period.start, period.end), **days})
    return DailySpend(
        tuple(
            DaySpend(
                row["day"],
                row["team"],
                row["app"],
                int(row["known_nano"]),
                int(row["upper_nano"]),
                int(row["unpriced_calls"]),
            )
            for row in rows
        ),
        rows[0]["known_from"] if rows else None,
    )


def budget_drivers(database: TenantDatabase, scope: Scope, until: datetime) -> list[Driver]:
    """What moved the spend of `scope`: apps and models by their rise over a usual day, the largest first."""
    recent_from = until - timedelta(hours=24)
    edges = window(recent_from - timedelta(days=USUAL_DAYS), until)
    rows = ask(database, "budget_drivers", {**edges, "recent_from": recent_from, **_scope(scope)})
    drivers = []
    for row in rows:
        history = recent_from - row["first_at"]
        days = min(USUAL_DAYS, -(-history // timedelta(days=1))) if history > timedelta(0) else 0
        drivers.append(
            Driver(
                app=row["app"],
                model=row["model"],
                recent_nano=int(row["recent_nano"]),
                usual_nano=int(row["earlier_nano"]) // days if days else 0,
                days=days,
                calls=int(row["recent_calls"]),
                unpriced_calls=int(row["recent_unpriced_calls"]),
            )
        )
    return sorted(drivers, key=lambda d: (-d.rise_nano, d.app, d.model))
