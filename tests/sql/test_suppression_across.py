"""What all KPIs of a period show together lets nobody compute one to four people.

The attacker takes every number that is shown of the organisation, its audiences and its teams, and adds and subtracts.
He knows what people there can be (nobody is active this week and has not used an app for twelve) and not how many of
each. Integer programming finds the smallest group that he computes; that he does is then proved over fractions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, milp
from uptake_people.invented import PERIODS, invent, organisation
from uptake_people.model import Model

from uptake.sql.results import KpiResult

WEEK = PERIODS["a week"]
AUDIENCES = (("claims", "motor"), ("motor", "sales", "legal"), ("home", "life"))

Column = tuple[str, str]
"""A KPI and a column of its query, which counts people."""

SEGMENTS = ("power", "habitual", "novice", "low", "none")
STATES = ("new", "retained", "reactivated", "at_risk", "lapsed", "never")


def _parts(kpi: str, parts: Iterable[str]) -> list[Column]:
    return [(kpi, "denominator"), (kpi, "numerator"), *((kpi, f"part_{part}") for part in parts)]


USE = [
    ("active_users", "numerator"),
    ("adoption", "numerator"),
    ("breadth", "denominator"),
    ("champions", "numerator"),
    ("cost_per_active_user", "denominator"),
    ("stickiness", "extra_active"),
]
"""Who is active in the period, as each KPI says it."""

BESIDE = [
    ("active_users", "extra_off_roster"),
    ("adoption", "excluded_off_roster"),
    ("breadth", "extra_three_or_more"),
    *(("stickiness", f"excluded_{name}") for name in ("in_grace", "off_roster", "without_seat")),
]
"""Who is counted beside them."""

TOGETHER = {
    "use of the period": [("adoption", "denominator"), *USE, *BESIDE],
    "habits": [
        ("adoption", "denominator"),
        *USE[1:4],
        *_parts("habits", SEGMENTS),
        *_parts("habits_4_weeks", SEGMENTS),
    ],
    "seats and states": [
        *USE,
        *BESIDE,
        ("seats", "extra_never_used"),
        *_parts("lifecycle", STATES),
        *_parts("seats", ("used", "idle", "recent")),
    ],
}
"""Columns that are decided so that they give nothing away together."""

KPIS = sorted({kpi for columns in TOGETHER.values() for kpi, _ in columns})


def counted(model: Model, user: str) -> tuple[str, frozenset[Column]]:
    """A person's team and the columns that count the person."""
    one = Model({user: model.stays[user]} if user in model.stays else {}, {user: model.calls[user]})
    columns, team = set(), ""
    for kpi in KPIS:
        if kpi in ("adoption", "active_users", "cost_per_active_user"):
            continue
        for (team, *_), figures in one.rows(kpi, WEEK).items():  # noqa: B007
            columns.update((kpi, column) for column, n in figures.items() if n)
    for column in ("denominator", "numerator", "excluded_off_roster"):  # champions are adoption again
        if ("champions", column) in columns:
            columns.add(("adoption", column))
    if ("adoption", "numerator") in columns:
        columns.add(("cost_per_active_user", "denominator"))
    if ("stickiness", "excluded_off_roster") in columns:
        columns.add(("active_users", "extra_off_roster"))
    if one.used(user, WEEK.first, WEEK.after):
        columns.add(("active_users", "numerator"))
        team = one.team(user, WEEK, one.used(user, WEEK.first, WEEK.after))
    return team, frozenset(columns) & frozenset(column for some in TOGETHER.values() for column in some)


class Unwritten:
    """Rows that nobody writes."""

    def __init__(self) -> None:
        self._ids = 0

    def event(self, table: str, at: Any, said: Mapping[str, Any]) -> dict[str, Any]:
        self._ids += 1
        return {"event_id": self._ids, **said}


@cache
def kinds() -> frozenset[frozenset[Column]]:
    """What people there can be: those of many organisations."""
    return frozenset(
        counted(model, user)[1]
        for seed in range(20)
        for model in [invent(seed, Unwritten(), old=bool(seed % 2))[0]]
        for user in model.everybody()
        if user
    )


def shown(result: KpiResult) -> Iterator[tuple[str, int]]:
    """The numbers of people that a result shows, by column."""
    if result.suppressed:
        return
    for kind, beside in (("extra", result.extras), ("excluded", result.excluded)):
        yield from ((f"{kind}_{name}", people) for name, people in beside.items())
    if result.kpi == "stickiness":  # counts days
        return
    for column, people in (("numerator", result.numerator), ("denominator", result.denominator)):
        if people is not None:
            yield column, people
    for part, people in result.parts.items():
        if people is not None:
            yield f"part_{part}", people


Cell = tuple[str, frozenset[Column]]
Group = tuple[str, ...]


def smallest_group(
    people: Mapping[Cell, int], columns: Sequence[Column], figures: Iterable[tuple[Group, Column]]
) -> tuple[int, str]:
    """How many people the smallest group has that is computed from the figures (5: it has five or more), and how."""
    of = frozenset(columns)
    merged: dict[Cell, int] = defaultdict(int)
    teams = sorted({team for team, _ in people})
    for kind in {kind & of for kind in kinds()}:
        for team in teams:
            merged[team, kind] += 0
    for (team, kind), n in people.items():
        merged[team, kind & of] += n
    cells = [cell for cell in sorted(merged, key=repr) if cell[1]]
    shown = {
        figure: [int(cell[0] in figure[0] and figure[1] in cell[1]) for cell in cells]
        for figure in figures
        if figure[1] in of
    }
    numbers = [merged[cell] for cell in cells]
    sums = {figure: sum(map(int.__mul__, row, numbers)) for figure, row in shown.items()}
    # A sum of nobody is a sum of nobodies: these may be added to any group.
    empty = {nth for figure, row in shown.items() if not sums[figure] for nth, one in enumerate(row) if one}
    kept = [nth for nth in range(len(cells)) if nth not in empty]
    rows = sorted({tuple(row[nth] for nth in kept) for row in shown.values()} - {(0,) * len(kept)})
    if not rows:
        return 5, ""
    basis = _independent(rows)
    some = len(kept)
    inside = np.array(basis, dtype=float).T
    weights = np.array([numbers[nth] for nth in kept], dtype=float)
    found = milp(
        c=np.concatenate([weights, np.zeros(len(basis))]),
        integrality=np.concatenate([np.ones(some), np.zeros(len(basis))]),
        bounds=([*[0] * some, *[-np.inf] * len(basis)], [*[1] * some, *[np.inf] * len(basis)]),
        constraints=[
            LinearConstraint(np.hstack([np.eye(some), -inside]), 0, 0),
            LinearConstraint(np.concatenate([weights, np.zeros(len(basis))]), 1, np.inf),
        ],
    )
    if not found.success or found.fun > 4.5:
        return 5, ""
    group = tuple(round(value) for value in found.x[:some])
    assert len(_independent([*basis, group])) == len(basis), "the programme says that it follows"
    named = [
        f"{cells[nth][0]}: {sorted(map('.'.join, cells[nth][1]))}"
        for nth, one in zip(kept, group, strict=True)
        if one and numbers[nth]
    ]
    return round(found.fun), "; ".join(named)


def _independent(rows: Iterable[Sequence[int]]) -> list[tuple[int, ...]]:
    """Those rows that do not follow from the ones before, over fractions."""
    basis: list[tuple[int, list[Fraction]]] = []
    chosen = []
    for row in rows:
        rest = [Fraction(value) for value in row]
        for pivot, other in basis:
            if factor := rest[pivot]:
                rest = [
                    value - factor * more if more else value for value, more in zip(rest, other, strict=True)
                ]
        pivot = next((nth for nth, value in enumerate(rest) if value), None)
        if pivot is not None:
            basis.append((pivot, [value / rest[pivot] for value in rest]))
            chosen.append(tuple(row))
    return chosen


def what_is_shown(runner: Any, people: Mapping[Cell, int]) -> list[tuple[Group, Column]]:
    """All figures that a runner shows, each checked against who is counted."""
    teams = tuple(sorted({team for team, _ in people}))
    figures = []
    for kpi in KPIS:
        for group in ((), *AUDIENCES, *((team,) for team in teams)):
            for column, n in shown(runner.run(kpi, WEEK, group)):
                of = group or teams
                if (kpi, column) in [one for some in TOGETHER.values() for one in some]:
                    assert n == sum(
                        some for (team, kind), some in people.items() if team in of and (kpi, column) in kind
                    )
                    figures.append((of, (kpi, column)))
    return figures


@pytest.mark.parametrize("seed", range(8))
def test_no_one_to_four_people_are_computed_from_what_all_kpis_of_a_week_show(
    rows: Any, cache: Any, seed: int
) -> None:
    model = organisation(
        rows, cache.ago(hours=1), seed, old=bool(seed % 2), people=(30, 60, 120, 45)[seed % 4]
    )
    people: dict[Cell, int] = defaultdict(int)
    for user in model.everybody():
        if user and (cell := counted(model, user))[1]:
            people[cell] += 1
    figures = what_is_shown(rows.runner(*AUDIENCES, remember=True), people)
    assert len(figures) > 30
    for name, columns in TOGETHER.items():
        few, group = smallest_group(people, columns, figures)
        assert few >= 5, f"{name}: {few} people, {group}"
