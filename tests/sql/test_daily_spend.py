"""Spend by day adds up to the KPI, whatever it is counted from."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from uptake.calendar import Period
from uptake.sql.queries import daily_spend

EUR = 10**9
DAY = timedelta(days=1)


def _week(rows: Any, monday: datetime, **given: Any) -> None:
    for n in range(7):
        rows.usage(monday + n * DAY, cost_nano=n * EUR + 1, team="claims", app="letters", **given)
        rows.usage(monday + n * DAY, cost_nano=5, team="sales", app="search", **given)
    rows.usage(monday, cost_nano=None, cost_upper_nano=EUR, team="claims", app="letters", **given)
    rows.cost(date(2026, 11, 1), date(2026, 12, 1), cost_nano=1_000_000_007, app="seats")
    rows.cost(date(2026, 11, 12), date(2026, 11, 13), cost_nano=-7, category="credit", app="seats")
    rows.cost(date(2026, 11, 1), date(2026, 12, 1), cost_nano=9 * EUR, category="inference", invoice_id="i")


def test_days_teams_and_apps_add_up_to_the_kpi_to_the_nano(rows: Any, week: Period, monday: datetime) -> None:
    _week(rows, monday)
    daily = daily_spend(rows.database.tenant(rows.tenant), week)
    runner = rows.runner()
    spend = runner.run("spend", week)
    assert sum(row.known_nano for row in daily.rows) == spend.value
    assert sum(row.upper_nano - row.known_nano for row in daily.rows) == spend.extras["unpriced_upper_nano"]
    assert sum(row.unpriced_calls for row in daily.rows) == 1
    for day in week.days():
        alone = runner.run("spend", Period(day, day + DAY, week.zone))
        assert sum(row.known_nano for row in daily.rows if row.day == day) == alone.value, day
    assert sum(row.known_nano for row in daily.of(["sales"])) == runner.run("spend", week, ["sales"]).value
    assert (
        sum(row.known_nano for row in daily.of((), "letters"))
        == runner.run("spend", week, (), ["letters"]).value
    )
    assert daily.known_from == week.first
    whole = Period(week.first - 7 * DAY, week.after, week.zone)
    assert daily_spend(rows.database.tenant(rows.tenant), whole).known_from == week.first, "costs came before"


def test_activity_gives_the_same_days(rows: Any, cache: Any, week: Period, monday: datetime) -> None:
    _week(rows, monday, inserted_at=cache.ago(hours=1))
    counted = daily_spend(cache.tenant, week)
    cache.bring_up(week.end, minutes=20)
    served = cache.reader.serving(week, people=False)
    assert served.serves, served.why
    from_cache = daily_spend(cache.tenant, week, reader=cache.reader)
    assert from_cache == counted
