"""The KPIs about people against a model in plain Python that knows nothing of the SQL."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from uptake_people.invented import AFTER, PERIODS, ZONE, invent, organisation
from uptake_people.model import DAY, Rows

from uptake.calendar import Period
from uptake.sql.catalogue import load_catalogue

KPIS = [
    "activation",
    "breadth",
    "champions",
    "habits",
    "habits_4_weeks",
    "lifecycle",
    "retention",
    "seats",
    "stickiness",
    "time_to_first_use",
]


def _found(runner: Any, tenant: Any, name: str, period: Period) -> tuple[str, Rows]:
    """The rows of a query as they are, before anything is hidden, and where they are from."""
    explained = runner.explain(name, period)
    given = {key: value for key, value in explained.parameters.items() if key != "tenant"}
    keys = ("team", *explained.definition.by)
    rows: Rows = {}
    for row in tenant.query(explained.sql, given):
        figures = +Counter({column: int(value) for column, value in row.items() if column not in keys})
        if figures:
            rows[tuple(row[key] for key in keys)] = figures
    return explained.source, rows


@pytest.mark.parametrize("old", [False, True], ids=["young data", "old data"])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_row_is_what_is_counted_person_by_person(rows: Any, cache: Any, seed: int, old: bool) -> None:
    model = organisation(rows, cache.ago(hours=1), seed, old=old)
    for period in PERIODS.values():
        for name in KPIS:
            _, found = _found(cache.from_events(), cache.tenant, name, period)
            assert found == model.rows(name, period), (name, period)


def test_activity_gives_the_same_rows(rows: Any, cache: Any) -> None:
    model = organisation(rows, cache.ago(hours=1), 3, old=False, days=30)
    cache.bring_up(datetime(2026, 11, 20, tzinfo=UTC))
    for period in PERIODS.values():
        for name in KPIS:
            source, found = _found(cache.runner(), cache.tenant, name, period)
            assert source == "activity", (name, period)
            assert found == model.rows(name, period), (name, period)


def _but_users(sql: str) -> str:
    """A query without what reads the use of people, and without the functions that only that calls."""
    begin, end = sql.index("    users AS\n"), sql.index("    everybody AS\n")
    rest = sql[:begin] + sql[end:]
    return re.sub(
        r"    -- (?:How many weeks before|The day of a moment)[^\n]*\n.*? AS (?:weeks_ago|day_of),\n",
        "",
        rest,
        flags=re.S,
    )


@pytest.mark.parametrize("name", KPIS)
def test_both_queries_differ_only_in_where_they_read_use(name: str) -> None:
    kpi = load_catalogue()[name]
    assert kpi.activity_sql is not None
    assert _but_users(kpi.activity_sql) == _but_users(kpi.sql)
    assert "usage" not in _but_users(kpi.sql)
    assert "activity" not in _but_users(kpi.activity_sql)


def _total(found: Rows, column: str, chosen: Callable[[tuple[str, ...]], bool] = lambda key: True) -> int:
    return sum(figures[column] for key, figures in found.items() if chosen(key))


@pytest.mark.parametrize(
    "name", [name for name in KPIS if load_catalogue()[name].parts and name != "retention"]
)
def test_parts_add_up_to_the_denominator_in_every_row(rows: Any, cache: Any, name: str) -> None:
    organisation(rows, cache.ago(hours=1), 4, old=True)
    people = 0
    for period in PERIODS.values():
        _, found = _found(cache.from_events(), cache.tenant, name, period)
        for figures in found.values():
            assert figures["denominator"] == sum(n for c, n in figures.items() if c.startswith("part_"))
        people += _total(found, "denominator")
    assert people >= 5


MOVES = {
    "new": {"retained", "at_risk"},
    "retained": {"retained", "at_risk"},
    "reactivated": {"retained", "at_risk"},
    "at_risk": {"reactivated", "at_risk", "lapsed"},
    "lapsed": {"reactivated", "lapsed", "new", "never"},
    "never": {"new", "never"},
    "absent": {"new", "retained", "reactivated", "at_risk", "lapsed", "never"},
}


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_people_move_only_along_the_edges_of_the_lifecycle_and_nobody_is_lost(
    rows: Any, cache: Any, seed: int
) -> None:
    organisation(rows, cache.ago(hours=1), seed, old=seed % 2 == 0)
    moves: Counter[tuple[str, str]] = Counter()
    for weeks in range(6, 0, -1):
        after = AFTER - timedelta(weeks=weeks - 1)
        before, now = (
            _found(cache.from_events(), cache.tenant, "lifecycle", Period(end - 7 * DAY, end, ZONE))[1]
            for end in (after - 7 * DAY, after)
        )
        for (_, came_from), figures in now.items():
            moves.update({(came_from, c): n for c, n in figures.items() if c.startswith("part_")})
        for state in MOVES.keys() - {"absent"}:
            stood = _total(before, f"part_{state}")
            stayed = _total(now, "denominator", lambda key, state=state: key[1] == state)
            gone = _total(now, "extra_gone", lambda key, state=state: key[1] == state)
            assert stood == stayed + gone, state
    assert {f"part_{to}" for to in MOVES["absent"]} == {to for _, to in moves}
    assert {move for move in moves if move[1].removeprefix("part_") not in MOVES[move[0]]} == set()


def _median(waits: Iterable[tuple[int, bool]]) -> int | None:
    """Of (days, whether it happened then): by the product limit, person by person."""
    left = Fraction(1)
    people = sorted(waits)
    for day in sorted({day for day, happened in people if happened}):
        at_risk = sum(1 for other, _ in people if other >= day)
        left *= Fraction(at_risk - people.count((day, True)), at_risk)
        if left <= Fraction(1, 2):
            return day
    return None


def test_measures_are_those_of_the_people_of_the_model(rows: Any, cache: Any) -> None:
    model = organisation(rows, cache.ago(hours=1), 8, old=False, people=120)
    runner = rows.counting()
    for period in PERIODS.values():
        waits = [
            (int(day), happened)
            for (_, day), figures in model.rows("time_to_first_use", period).items()
            if day
            for happened in (True,) * figures["numerator"]
            + (False,) * (figures["denominator"] - figures["numerator"])
        ]
        result = runner.run("time_to_first_use", period)
        assert (result.value, result.denominator) == (_median(waits), len(waits))
        assert result.numerator == sum(happened for _, happened in waits)

        weeks = model.rows("retention", period)
        active = _total(weeks, "numerator", lambda key: key[3] == "4")
        of = _total(weeks, "denominator", lambda key: key[3] == "4")
        result = runner.run("retention", period)
        assert (result.numerator, result.denominator) == (active, of)
        assert result.value == (active / of if of else None)

        teams = model.rows("champions", period).values()
        rates = [
            Fraction(sum(team["numerator"] for team in side), sum(team["denominator"] for team in side))
            for has in (True, False)
            if (side := [t for t in teams if t["denominator"] and (t["extra_champions"] > 0) == has])
        ]
        result = runner.run("champions", period)
        assert (result.details["teams_with"], result.details["teams_without"]) == (3, 3)
        assert result.value == pytest.approx(float(100 * (rates[0] - rates[1])))


def test_the_organisations_show_every_column_of_every_kpi(rows: Any) -> None:
    shown: dict[str, set[str]] = defaultdict(set)
    for seed, old in ((1, False), (2, False), (1, True), (2, True)):
        model, _ = invent(seed, rows, old=old)
        for period in PERIODS.values():
            for name in KPIS:
                shown[name].update(c for figures in model.rows(name, period).values() for c in figures)
    for name in KPIS:
        kpi = load_catalogue()[name]
        described = {
            *(f"excluded_{column}" for column in kpi.excludes),
            *(f"extra_{column}" for column in kpi.extras if not column.startswith("idle_")),  # has no price
            *(f"part_{column}" for column in kpi.parts),
        }
        assert {"numerator", "denominator", *described} - shown[name] == set(), name
