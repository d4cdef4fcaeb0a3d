"""The cache is used where it is exact and nowhere else, and nothing that ends a build halfway is ever seen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from uptake.calendar import Period
from uptake.clickhouse import TenantDatabase
from uptake.schemas.identity import id_range
from uptake.sql.activity.days import NEVER, generation_at
from uptake.sql.activity.reader import ActivityReader
from uptake.sql.activity.refresh import RefreshReport, TenantActivity, refresh
from uptake.sql.activity.texts import sql_of
from uptake.sql.activity.verify import verify
from uptake.sql.catalogue import load_catalogue
from uptake.sql.runner import KpiRunner


class Killed(Exception):  # noqa: N818 - nothing went wrong: the process is gone
    """The process ended here."""


class Dying(TenantDatabase):
    """Is gone at the given statement: before it ran, or after."""

    def __init__(self, database: Any, tenant: str, at: str, *, after: bool) -> None:
        super().__init__(database, tenant)
        self._at, self._after = sql_of(at), after

    def change(self, statement: str, parameters: Any = None) -> None:
        if statement == self._at and not self._after:
            raise Killed
        super().change(statement, parameters)
        if statement == self._at:
            raise Killed


def calls(cache: Any, period: Period) -> tuple[int, str]:
    """The KPI "calls", after it was found to be what the events say."""
    result = cache.runner().run("calls", period)
    assert result == cache.from_events().run("calls", period)
    return result.numerator, result.source


@pytest.fixture
def built(rows: Any, cache: Any, week: Period, monday: datetime) -> Any:
    """Seven calls, a day each, that were built twenty minutes ago."""
    settled = cache.ago(minutes=40)
    for day in range(7):
        rows.usage(monday + timedelta(days=day), user_id=f"p{day}", cost_nano=5, inserted_at=settled)
    assert len(cache.bring_up(week.end, minutes=20)) == 7
    assert calls(cache, week) == (7, "activity")
    return cache


def test_whatever_can_be_answered_from_activity_is() -> None:
    """Activity holds calls by day, person, app, use case and model: no feedback, durations, tiers or providers."""
    needs_events = {name for name, kpi in load_catalogue().items() if not kpi.activity_sql}
    assert needs_events == {
        *(
            "cache_saving",
            "completeness",
            "cost_per_accepted",
            "edit_severity",
            "latency",
            "nps",
            "override_rate",
        ),
        *("reasons", "shadow_gap", "thumbs_down", "wasted_spend"),
    }


def test_nothing_is_read_before_the_first_look(rows: Any, cache: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, inserted_at=cache.ago(hours=1))
    assert calls(cache, week) == (1, "events")
    assert cache.runner().explain("calls", week).why == "nothing was ever built"


def test_a_late_event_is_counted_before_anybody_has_looked(
    built: Any, rows: Any, week: Period, monday: datetime
) -> None:
    rows.usage(monday + timedelta(days=2), user_id="late")
    assert calls(built, week) == (8, "events")
    assert built.runner().explain("calls", week).why == "2026-11-11 has changed since it was built"
    # A period without that day is as exact as before.
    assert calls(built, Period(week.first, week.first + timedelta(days=2), week.zone)) == (2, "activity")


def test_late_feedback_makes_its_day_dirty_as_well(
    built: Any, rows: Any, week: Period, monday: datetime
) -> None:
    rows.decision(monday, "accepted", client_id="sdk")
    assert built.runner().run("late_share", week) == built.from_events().run("late_share", week)
    assert built.runner().run("late_share", week).source == "events"


def test_a_corrected_event_makes_its_day_dirty_until_it_is_built_again(
    built: Any, rows: Any, week: Period, monday: datetime
) -> None:
    row = rows.usage(monday, user_id="p9", cost_nano=1, inserted_at=built.ago(minutes=15))
    rows.again("usage", row, cost_nano=100, cost_upper_nano=100, inserted_at=built.ago(minutes=10))
    built.work.look()
    assert built.runner().run("spend", week).source == "events"
    assert [each.day for each in built.bring_up(week.end)] == [week.first]
    spend = built.runner().run("spend", week)
    assert (spend.numerator, spend.source) == (135, "activity")


def test_an_event_that_appears_after_its_time_is_found(
    built: Any, rows: Any, week: Period, monday: datetime
) -> None:
    """Its insert began before the build and the look did, and ended after both."""
    rows.usage(monday, user_id="slow", inserted_at=built.ago(minutes=20, seconds=30))
    assert calls(built, week) == (8, "events")
    built.work.look()
    assert calls(built, week) == (8, "events")


def test_an_open_day_is_not_built_and_a_period_with_it_is_counted(
    rows: Any, cache: Any, week: Period, monday: datetime
) -> None:
    for day in range(7):
        rows.usage(monday + timedelta(days=day), inserted_at=cache.ago(minutes=40))
    sunday = week.end - timedelta(minutes=1)
    assert len(cache.bring_up(sunday)) == 6
    assert calls(cache, week) == (7, "events")
    assert calls(cache, Period(week.first, week.last, week.zone)) == (6, "activity")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", ["look", "looked", "begin", "build", "publish"])
def test_a_refresh_that_is_killed_anywhere_changes_no_number(
    built: Any, rows: Any, week: Period, monday: datetime, at: str, after: bool
) -> None:
    late = [rows.usage(monday, user_id="late", inserted_at=built.ago(minutes=10)) for _ in range(3)]
    dying = TenantActivity(Dying(built.database, built.tenant.name, at, after=after), week.zone)

    def work() -> None:
        dying.look()
        for day in dying.due(week.end):
            dying.build(day)

    with pytest.raises(Killed):
        work()
    number, source = calls(built, week)
    assert number == 7 + len(late)
    # What was published was published whole.
    assert source == ("activity" if (at, after) == ("publish", True) else "events")
    # The next one finishes the work.
    built.bring_up(week.end)
    assert calls(built, week) == (10, "activity")


def test_a_build_that_the_network_ran_twice_counts_once(
    built: Any, rows: Any, week: Period, monday: datetime
) -> None:
    """The connection was reset before the answer: the client asked again, and the server did it again."""

    class Twice(TenantDatabase):
        def change(self, statement: str, parameters: Any = None) -> None:
            super().change(statement, parameters)
            super().change(statement, parameters)

    rows.usage(monday, user_id="late", inserted_at=built.ago(minutes=10))
    work = TenantActivity(Twice(built.database, built.tenant.name), week.zone)
    work.look()
    assert [(day.day, work.build(day).calls) for day in work.due(week.end)] == [(week.first, 2)]
    assert calls(built, week) == (8, "activity")


def test_of_two_builds_the_one_that_read_last_is_read_whichever_was_published_last(
    built: Any, rows: Any, week: Period, monday: datetime
) -> None:
    [day] = built.work.days(week.first, week.first + timedelta(days=1))
    rows.usage(monday, user_id="late", inserted_at=built.ago(minutes=10))
    built.bring_up(week.end)
    # The other one read before the late event came, was held up, and publishes now.
    older = generation_at(built.ago(minutes=19))
    id_from, id_to = id_range(day.starts, day.starts + timedelta(milliseconds=1))
    named = {"zone": week.zone, "day": day.day, "generation": older}
    none = {"from_": day.starts, "to_": day.starts, "id_from": id_from, "id_to": id_to}
    built.tenant.change(sql_of("build"), {**named, **none})
    snapshot_us = (built.ago(minutes=19) - NEVER) // timedelta(microseconds=1)
    published = {**named, "from_": day.starts, "to_": day.ends, "snapshot_us": snapshot_us}
    built.tenant.change(sql_of("publish"), published)
    assert built.tenant.query(sql_of("published"), named) == [{"published": 1, "calls": 0, "cells": 0}]
    assert calls(built, week) == (8, "activity")


def test_a_build_that_took_too_long_is_not_published(built: Any, week: Period, monday: datetime) -> None:
    [day] = built.work.days(week.first, week.first + timedelta(days=1))
    built.work.behind = timedelta(minutes=31)
    late = built.work.build(day)
    assert (late.published, late.calls) == (False, 0)
    assert calls(built, week) == (7, "activity")


def test_refreshes_at_once_do_no_harm(rows: Any, cache: Any, week: Period, monday: datetime) -> None:
    for day in range(7):
        rows.usage(monday + timedelta(days=day), inserted_at=cache.ago(minutes=40))
    reports: list[RefreshReport] = []
    gate = threading.Barrier(3)

    def work() -> None:
        gate.wait(30)
        reports.append(refresh(cache.database, {cache.tenant.name: cache.workspace}, week.end))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(reports) == 3
    assert all(built.calls == 1 and built.published for report in reports for built in report.built)
    assert calls(cache, week) == (7, "activity")
    assert {day.verdict for day in verify(cache.tenant, week.zone)} == {"same"}


def test_a_refresh_builds_the_newest_days_first_and_says_how_many_are_left(
    rows: Any, cache: Any, week: Period, monday: datetime
) -> None:
    for day in range(7):
        rows.usage(monday + timedelta(days=day), inserted_at=cache.ago(minutes=40))
    told: list[Any] = []
    workspaces = {cache.tenant.name: cache.workspace}
    first = refresh(
        cache.database, workspaces, week.end, 2, lambda built, left: told.append((built.day, left))
    )
    assert (told, first.left) == ([(week.last, 6), (week.last - timedelta(days=1), 5)], 5)
    rest = refresh(cache.database, workspaces, week.end)
    assert (len(rest.built), rest.left) == (5, 0)
    assert refresh(cache.database, workspaces, week.end) == RefreshReport()


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin"])  # the second one's days are the same
def test_of_another_zone_no_day_is_built(
    built: Any, cache_of: Callable[[str, str], Any], week: Period, zone: str
) -> None:
    moved = cache_of(built.tenant.name, zone)
    there = Period(week.first, week.after, zone)
    assert calls(moved, there) == (7, "events")
    moved.bring_up(there.end)
    assert calls(moved, there) == (7, "activity")
    assert calls(built, week) == (7, "activity")


def test_tenants_never_meet(built: Any, rows_of: Callable[[str], Any], cache_of: Any, week: Period) -> None:
    other = cache_of(f"{built.tenant.name}-2", week.zone)
    row = rows_of(other.tenant.name).usage(week.start, inserted_at=built.ago(minutes=40))
    other.bring_up(week.end)
    assert calls(other, week) == (1, "activity")
    assert row["tenant"] != built.tenant.name
    assert calls(built, week) == (7, "activity")


def test_little_is_counted_anew_because_that_is_quicker(built: Any, week: Period) -> None:
    runner = KpiRunner(built.tenant, built.workspace)
    assert runner.run("calls", week).source == "events"
    assert runner.explain("calls", week).why == "7 calls are quicker to count anew"
    dear = KpiRunner(built.tenant, built.workspace, reader=ActivityReader(built.tenant, 8, 7))
    assert dear.run("calls", week).source == "events"
    assert dear.run("adoption", week).source == "activity"


def test_whoever_asks_for_the_events_gets_them(built: Any, week: Period) -> None:
    runner = KpiRunner(built.tenant, built.workspace, reader=built.reader, activity=False)
    assert runner.run("calls", week).source == "events"
    assert runner.explain("calls", week).why == "activity is switched off"
    built.tenant.uses_activity = False
    assert built.runner().run("calls", week).source == "events"


def test_an_explanation_shows_the_query_that_is_asked(built: Any, week: Period) -> None:
    explained = built.runner().explain("calls", week)
    assert (explained.source, explained.why) == ("activity", "")
    assert explained.sql == load_catalogue()["calls"].activity_sql
    assert len(explained.parameters["generations"]) == 7
    assert built.runner().explain("override_rate", week).why == "only the events can answer"


def test_verify_finds_a_cell_that_is_not_as_the_events_are_and_names_nobody(
    built: Any, rows: Any, week: Period
) -> None:
    [day] = built.work.days(week.first, week.first + timedelta(days=1))
    cell = built.tenant.query(
        "SELECT * FROM activity FINAL WHERE tenant = {tenant:String} AND day = {day:Date}", {"day": day.day}
    )[0]
    rows.insert("activity", [{**cell, "calls": 3}, {**cell, "user_id": "nobody", "known_nano": 0}])
    found = {each.day: each for each in verify(built.tenant, week.zone)}
    wrong = found.pop(day.day)
    assert wrong.verdict == "different"
    assert {each.verdict for each in found.values()} == {"same"}
    figures = [(d.figure, d.final, d.activity) for d in wrong.differences]
    assert ("calls", 1, 3) in figures
    assert ("calls", None, 1) in figures
    assert not any(name in repr(wrong) for name in ("nobody", "p0"))
    # Rebuilding mends it, though nothing seems to have changed.
    whole = {built.tenant.name: built.workspace}
    refresh(built.database, whole, week.end, rebuild=(day.day, day.day + timedelta(days=1)))
    assert {each.verdict for each in verify(built.tenant, week.zone)} == {"same"}


def test_verify_does_not_judge_a_day_that_changed(
    built: Any, rows: Any, week: Period, monday: datetime
) -> None:
    rows.usage(monday)
    verdicts = {each.day: each.verdict for each in verify(built.tenant, week.zone)}
    assert verdicts.pop(week.first) == "not compared"
    assert set(verdicts.values()) == {"same"}


def generations(cache: Any) -> dict[str, set[int]]:
    """Generations that have cells, and those that are listed."""
    return {
        table: {
            row["generation"]
            for row in cache.tenant.query(f"SELECT generation FROM {table} WHERE tenant = {{tenant:String}}")  # noqa: S608
        }
        for table in ("activity", "activity_builds")
    }


def test_what_nobody_reads_is_removed_an_hour_later_and_not_before(
    built: Any, rows: Any, week: Period, monday: datetime
) -> None:
    before = generations(built)
    assert before["activity"] == before["activity_builds"]
    # A late event makes a newer build; another one is killed before it is published.
    rows.usage(monday, user_id="late", inserted_at=built.ago(minutes=10))
    built.bring_up(week.end)
    dying = TenantActivity(Dying(built.database, built.tenant.name, "publish", after=False), week.zone)
    newer, *_ = built.work.days(week.first, week.first + timedelta(days=1))
    with pytest.raises(Killed):
        dying.build(newer)
    assert built.work.forget(100) == 0
    whole = generations(built)
    assert len(whole["activity"]) == 9

    # An hour later, which the listed builds are told to be.
    listed = built.tenant.query("SELECT * FROM activity_builds FINAL WHERE tenant = {tenant:String}")
    built.tenant.change("DELETE FROM activity_builds WHERE tenant = {tenant:String}")
    hour = timedelta(hours=1, minutes=1)
    rows.insert("activity_builds", [{**row, "written_at": row["written_at"] - hour} for row in listed])
    assert built.work.forget(1) == 1
    assert built.work.forget(100) == 1
    left = generations(built)
    assert len(left["activity"]) == 7
    assert left["activity"] == left["activity_builds"] < whole["activity"]
    assert newer.build is not None
    assert newer.build.generation in left["activity"]
    assert calls(built, week) == (8, "activity")


def test_a_generation_whose_follower_is_new_is_spared_for_its_readers(
    built: Any, rows: Any, week: Period, monday: datetime
) -> None:
    listed = built.tenant.query("SELECT * FROM activity_builds FINAL WHERE tenant = {tenant:String}")
    built.tenant.change("DELETE FROM activity_builds WHERE tenant = {tenant:String}")
    rows.insert(
        "activity_builds", [{**row, "written_at": row["written_at"] - timedelta(days=9)} for row in listed]
    )
    serving = built.reader.serving(week, people=False)
    rows.usage(monday, user_id="late", inserted_at=built.ago(minutes=10))
    built.bring_up(week.end)
    assert built.work.forget(100) == 0
    assert set(serving.generations) <= generations(built)["activity"]
    assert replace(serving, why="x").serves is False
