"""When a day of the cache may be relied upon, and when it is built: decided from values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from uptake.calendar import Period
from uptake.sql.activity.days import (
    MARGIN,
    REBUILD_AFTER,
    Build,
    Day,
    days_of,
    edges,
    generation_at,
)

STARTS = datetime(2026, 11, 9, 23, tzinfo=UTC)
ENDS = STARTS + timedelta(days=1)
SNAPSHOT = ENDS + timedelta(hours=3)
MOMENT = timedelta(milliseconds=1)
BUILT = Day(date(2026, 11, 10), STARTS, ENDS, SNAPSHOT - MARGIN, Build(1, ENDS, SNAPSHOT, calls=10, cells=3))


def test_a_day_is_exact_only_if_all_of_it_was_inserted_well_before_the_build_began() -> None:
    assert BUILT.standing == "published"
    assert BUILT.seen(SNAPSHOT - MARGIN + MOMENT).standing == "dirty"
    assert BUILT.seen(SNAPSHOT + timedelta(days=9)).standing == "dirty"
    assert BUILT.seen(STARTS).standing == "published"


def test_a_day_without_events_needs_no_build() -> None:
    assert replace(BUILT, newest=None, build=None).standing == "empty"
    assert replace(BUILT, build=None).standing == "missing"


def test_a_build_of_other_edges_is_none() -> None:
    other = replace(BUILT, ends=ENDS + timedelta(hours=1))
    assert other.standing == "missing"
    assert replace(other, newest=None).is_exact


def test_open_days_are_not_built() -> None:
    missing = replace(BUILT, build=None)
    quiet = SNAPSHOT + timedelta(hours=1)
    assert not missing.is_due(ENDS - MOMENT, quiet)
    assert missing.is_due(ENDS, quiet)


def test_a_day_that_changed_just_now_is_not_built_because_it_could_not_be_exact() -> None:
    newest = SNAPSHOT + timedelta(hours=2)
    changed = BUILT.seen(newest)
    assert not changed.is_due(newest, newest + MARGIN - MOMENT)
    assert changed.is_due(newest, newest + MARGIN)


def test_a_day_is_built_again_only_after_a_while_unless_somebody_asks() -> None:
    changed = BUILT.seen(SNAPSHOT + MOMENT)
    soon = SNAPSHOT + 2 * MARGIN
    assert not changed.is_due(soon, soon)
    assert changed.is_due(soon, soon, at_once=True)
    assert changed.is_due(soon, SNAPSHOT + REBUILD_AFTER)
    assert not BUILT.is_due(soon, SNAPSHOT + timedelta(days=9), at_once=True)


def test_what_is_built_later_has_the_higher_generation_and_no_two_are_the_same() -> None:
    many = {generation_at(SNAPSHOT) for _ in range(64)}
    assert len(many) > 32
    later = generation_at(SNAPSHOT + timedelta(microseconds=1))
    assert max(many) < later < 2**64


@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        ("Europe/Paris", date(2026, 3, 28), [24, 23, 24]),
        ("Europe/Paris", date(2026, 10, 24), [24, 25, 24]),
        ("Australia/Lord_Howe", date(2026, 4, 4), [24, 24.5, 24]),
        ("America/Havana", date(2026, 3, 7), [24, 23, 24]),
        ("Asia/Kathmandu", date(2026, 3, 7), [24, 24, 24]),
        ("Pacific/Apia", date(2011, 12, 29), [24, 24]),  # 30 December 2011 did not happen
    ],
)
def test_days_have_the_edges_of_the_zone(zone: str, first: date, hours: list[float]) -> None:
    period = Period(first, first + timedelta(days=3), zone)
    days = days_of(period, [])
    assert [(day.ends - day.starts) / timedelta(hours=1) for day in days] == hours
    assert days[0].starts == period.start
    assert days[-1].ends == period.end
    assert all(edge.timestamp() % 900 == 0 for edge in edges(period))
