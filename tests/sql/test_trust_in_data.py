"""Completeness and lateness: how far the numbers can be trusted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from uptake.calendar import Period

MINUTE = timedelta(minutes=1)


def test_completeness_is_received_of_what_the_sdk_accepted_in_the_period(
    rows: Any, week: Period, monday: datetime
) -> None:
    rows.report("c1", monday - timedelta(days=3), accepted=50)
    rows.usage(monday - timedelta(days=3), client_id="c1")
    for i in range(3):
        rows.usage(monday + i * MINUTE, client_id="c1")
    rows.feedback(monday, client_id="c1", kind="thumb", thumb="up")
    rows.cost(week.first, week.after, cost_nano=1, client_id="c1")
    rows.report("c1", monday + timedelta(hours=1), accepted=54)
    rows.report("c1", monday + timedelta(days=1), accepted=60, dropped=2)
    rows.report("c1", week.end + timedelta(hours=2), accepted=99)
    result = rows.runner().run("completeness", week)
    assert (result.numerator, result.denominator, result.value) == (5, 10, 0.5)
    assert result.extras == {"clients": 1, "dropped": 2}
    assert result.interval is None


def test_what_one_client_delivers_too_much_makes_up_for_no_other(
    rows: Any, week: Period, monday: datetime
) -> None:
    for i in range(6):
        rows.usage(monday + i * MINUTE, client_id="busy")
    rows.report("busy", monday, accepted=4)
    rows.report("lost", monday, accepted=2)
    assert rows.runner().run("completeness", week).value == 4 / 6


def test_completeness_without_a_report_is_not_known(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, client_id="silent")
    assert rows.runner().run("completeness", week).value is None


def test_completeness_has_no_teams(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, client_id="c1", team="claims")
    rows.report("c1", monday, accepted=1)
    result = rows.runner().run("completeness", week, ["sales"])
    assert (result.value, result.teams) == (1.0, ())


def test_late_is_more_than_a_day_after_it_happened(rows: Any, week: Period, monday: datetime) -> None:
    sdk = {"client_id": "c1"}
    rows.usage(monday, received_at=monday + timedelta(days=1), **sdk)
    rows.usage(monday, received_at=monday + timedelta(days=1, milliseconds=1), **sdk)
    rows.decision(monday, "accepted", received_at=monday + timedelta(days=30), **sdk)
    rows.decision(monday, "accepted", **sdk)
    rows.cost(week.first, week.after, cost_nano=1, received_at=monday + timedelta(days=40), **sdk)
    result = rows.runner().run("late_share", week)
    assert (result.numerator, result.denominator) == (2, 4)


def test_imported_history_is_not_late_but_counted(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, client_id="c1")
    for days in (0, 200):
        rows.usage(monday, received_at=monday + timedelta(days=days))
        rows.decision(monday, "accepted", received_at=monday + timedelta(days=days))
    result = rows.runner().run("late_share", week)
    assert (result.numerator, result.denominator, result.excluded) == (0, 1, {"not_from_sdk": 4})


def test_of_imported_history_alone_lateness_is_not_known(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, received_at=monday + timedelta(days=200))
    assert rows.runner().run("late_share", week).value is None
