"""Every KPI that activity answers has the same result from the events: for random events, in several zones."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uptake.calendar import Period
from uptake.sql import queries
from uptake.sql.activity.verify import verify
from uptake.sql.catalogue import load_catalogue

SERVED = sorted(name for name, kpi in load_catalogue().items() if kpi.activity_sql)
CORRECTION = 1 << 60
WEEKS = [
    ("Europe/Paris", date(2026, 10, 19)),  # 169 hours
    ("Europe/Paris", date(2026, 3, 23)),  # 167 hours
    ("Australia/Lord_Howe", date(2026, 3, 30)),  # half an hour more
    ("America/St_Johns", date(2026, 11, 9)),
    ("Asia/Kathmandu", date(2026, 11, 9)),
    ("Pacific/Auckland", date(2026, 9, 21)),
]
PEOPLE = ["", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"]
TEAMS = ["", "claims", "motor"]
MINUTES = 8 * 24 * 60
EXAMPLES = int(os.environ.get("UPTAKE_TEST_EXAMPLES", "2"))

usage = st.fixed_dictionaries(
    {
        "user_id": st.sampled_from(PEOPLE),
        "team": st.sampled_from(TEAMS),
        "app": st.sampled_from(["helper", "letters"]),
        "use_case": st.sampled_from(["", "draft"]),
        "model": st.sampled_from(["", "gpt"]),
        "status": st.sampled_from(["ok", "error"]),
        "intent": st.sampled_from(["deliberate", "automatic"]),
        "cache_hit": st.booleans(),
        "cost_nano": st.none() | st.integers(0, 10**18),
        "cost_upper_nano": st.integers(0, 10**18),
        "input_uncached_tokens": st.none() | st.integers(0, 2**32 - 1),
        "input_cache_read_tokens": st.integers(0, 2**32 - 1),
        "output_visible_tokens": st.none() | st.integers(0, 2**32 - 1),
        "output_reasoning_tokens": st.integers(0, 9),
        "authorisation": st.sampled_from(["allowed", "unregistered_app"]),
        "client_id": st.sampled_from(["", "sdk"]),
        "late": st.booleans(),
    }
)
feedback = st.fixed_dictionaries(
    {
        "user_id": st.sampled_from(PEOPLE),
        "team": st.sampled_from(TEAMS),
        "app": st.sampled_from(["helper", "letters"]),
        "client_id": st.sampled_from(["", "sdk"]),
        "late": st.booleans(),
    }
)
# Half a day before the week to half a day after it; twice as often right at an edge of a day.
minute = st.integers(0, MINUTES) | st.builds(
    lambda day, off: 720 + day * 1440 + off, st.integers(0, 7), st.integers(-61, 61)
)
event = st.tuples(st.just("usage"), minute, usage) | st.tuples(st.just("feedback"), minute, feedback)
# What happens to the earlier events afterwards: sent again as it was, or corrected.
change = st.tuples(
    st.integers(0, 30),
    st.none()
    | st.fixed_dictionaries(
        {
            "team": st.sampled_from(TEAMS),
            "cost_nano": st.none() | st.integers(0, 10**18),
            "cost_upper_nano": st.integers(0, 10**18),
            "authorisation": st.sampled_from(["allowed", "unregistered_app"]),
        }
    ),
)


def _written(rows: Any, period: Period, events: list[Any], inserted_at: datetime) -> list[tuple[str, Any]]:
    made = []
    for table, at, said in events:
        late = timedelta(days=2) if said["late"] else timedelta(seconds=2)
        occurred_at = period.start + timedelta(minutes=at - 720)
        fields = {name: value for name, value in said.items() if name != "late"}
        row = {**rows.event(table, occurred_at, fields), "received_at": occurred_at + late}
        if row.get("cost_nano") is not None:
            row["cost_upper_nano"] = row["cost_nano"]
        made.append((table, {**row, "inserted_at": inserted_at}))
    _insert(rows, made)
    return made


def _insert(rows: Any, made: list[tuple[str, Any]]) -> None:
    for table in ("usage", "feedback"):
        some = [row for name, row in made if name == table]
        if some:
            rows.insert(table, some)


def _changed(made: list[tuple[str, Any]], changes: list[Any], inserted_at: datetime) -> list[tuple[str, Any]]:
    changed = []
    for nth, (at, correction) in enumerate(changes):
        table, row = made[at % len(made)]
        fixed: dict[str, Any] = {}
        if correction is not None and table == "usage":
            fixed = {**correction, "ver": CORRECTION + nth}
            if fixed["cost_nano"] is not None:
                fixed["cost_upper_nano"] = fixed["cost_nano"]
        changed.append((table, {**row, **fixed, "inserted_at": inserted_at}))
    return changed


def _counted(runner: Any, period: Period) -> dict[str, Any]:
    """All KPIs of a period, of each team."""
    return {name: runner.by_team(name, period) for name in SERVED}


def _sources(counted: dict[str, Any]) -> set[str]:
    return {result.source for teams in counted.values() for result in teams.values()}


@pytest.mark.parametrize(("zone", "monday"), WEEKS)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(event, min_size=1, max_size=40),
    late=st.lists(event, min_size=1, max_size=5),
    changes=st.lists(change, min_size=1, max_size=8),
)
def test_every_kpi_is_the_same_from_both_sources_whatever_comes(
    rows_of: Callable[[str], Any],
    cache_of: Callable[[str, str], Any],
    zone: str,
    monday: date,
    events: list[Any],
    late: list[Any],
    changes: list[Any],
) -> None:
    tenant = f"t-{uuid.uuid4().hex[:12]}"
    rows, cache = rows_of(tenant), cache_of(tenant, zone)
    period = Period(monday, monday + timedelta(days=7), zone)
    over = period.end + timedelta(days=2)
    rows.roster(*((user, "motor", "2026-01-01") for user in PEOPLE[1:6]))

    # Built while all is quiet: activity answers, also for a part of the week.
    made = _written(rows, period, events, cache.ago(minutes=40))
    cache.bring_up(over, minutes=20)
    some = Period(period.first, period.first + timedelta(days=2), zone)
    for each in (period, some):
        from_activity = _counted(cache.runner(), each)
        assert from_activity == _counted(cache.from_events(), each)
        assert _sources(from_activity) <= {"activity"}

    # Late events, duplicates and corrections: nothing is wrong before anybody looked, nor after.
    later = cache.ago(minutes=10)
    _insert(rows, _changed(made, changes, later))
    _written(rows, period, late, later)
    from_events = _counted(cache.from_events(), period)
    assert _counted(cache.runner(), period) == from_events
    cache.work.behind = timedelta(0)
    cache.work.look()
    assert _counted(cache.runner(), period) == from_events

    # Built again, activity answers again.
    cache.bring_up(over)
    from_activity = _counted(cache.runner(), period)
    assert from_activity == from_events
    assert _sources(from_activity) <= {"activity"}
    assert {day.verdict for day in verify(cache.tenant, zone)} <= {"same"}


def test_pairs_of_two_weeks_are_the_same_from_both_sources(
    rows: Any, cache: Any, week: Period, monday: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.roster(*((f"p{n}", "motor" if n % 2 else "claims", "2026-01-01") for n in range(20)))
    before = Period(week.first - timedelta(days=14), week.first - timedelta(days=7), week.zone)
    settled = cache.ago(hours=1)
    for n in range(12):
        rows.usage(monday - timedelta(days=14), user_id=f"p{n}", inserted_at=settled)
        rows.usage(
            monday - timedelta(days=7), user_id=f"p{n + 8}", inserted_at=settled
        )  # in between: in neither
        rows.usage(monday + timedelta(hours=n), user_id=f"p{n + 4}", inserted_at=settled)
    cache.bring_up(week.end)
    asked = []
    real = queries.ask

    def noted(database: Any, name: str, parameters: Any) -> Any:
        asked.append(name)
        return real(database, name, parameters)

    monkeypatch.setattr(queries, "ask", noted)
    from_events = queries.adoption_pairs(cache.tenant, cache.organisation, before, week)
    monkeypatch.setattr("uptake.sql.activity.reader.PAYS_FROM_OF_PEOPLE", 0)
    from_activity = queries.adoption_pairs(cache.tenant, cache.organisation, before, week)
    assert asked == ["adoption_pairs", "adoption_pairs_activity"]
    assert from_activity == from_events
    assert from_events is not None
    assert (from_events.only_before, from_events.only_now) == (4, 4)
