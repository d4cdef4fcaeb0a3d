"""Typed questions that are not KPIs: functions for `sql/queries/*.sql`, those about money from
`spending`.

Each takes the tenant's database and what it depends on, runs one query, and returns values. Their types
live in `results`, which loads no database: what only judges the values imports them from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from uptake.calendar import Period
from uptake.clickhouse import TenantDatabase
from uptake.sql.activity.reader import ActivityReader, Serving
from uptake.sql.asking import ask, window
from uptake.sql.results import (
    AdoptionPairs,
    Driver,
    PromptOverrides,
    ReasonCount,
    SpendSoFar,
    UnauthorisedGroup,
)
from uptake.sql.runner import definition_parameters, period_parameters
from uptake.sql.spending import budget_drivers, budget_spend
from uptake.sql.suppression import shown_people
from uptake.workspace.models import Organisation

__all__ = [
    "AdoptionPairs",
    "Driver",
    "PromptOverrides",
    "ReasonCount",
    "SpendSoFar",
    "UnauthorisedGroup",
    "adoption_pairs",
    "budget_drivers",
    "budget_spend",
    "data_until",
    "last_received",
    "override_by_prompt",
    "reasons",
    "unauthorised_groups",
]


def adoption_pairs(
    database: TenantDatabase,
    organisation: Organisation,
    before: Period,
    now: Period,
    teams: Sequence[str] = (),
) -> AdoptionPairs | None:
    """Adoption of a group of teams (none: all) in two periods, over its people; terms as in the KPI.

    None where one of the groups is fewer than five people. A group whose KPI is suppressed gets no pairs shown
    either: ask the runner first.
    """
    if before.end > now.start:
        raise ValueError(f"the earlier period ends before the later one starts: {before}, {now}")
    edges = {
        "before_to": before.end,
        "before_last_day": before.last,
        "before_after_day": before.after,
        "now_from": now.start,
    }
    whole = {**period_parameters(now), **window(before.start, now.end), **definition_parameters(organisation)}
    serving = _serving(database, before, now)
    if serving.serves:
        days = {"before_first_day": before.first, "generations": list(serving.generations)}
        rows = ask(database, "adoption_pairs_activity", {**whole, **edges, **days})
    else:
        rows = ask(database, "adoption_pairs", {**whole, **edges})

    def total(column: str, *, before: bool, now: bool) -> int:
        def holds(team: str) -> bool:
            return team != "" and (not teams or team in teams)

        inside = (
            r for r in rows if (not before or holds(r["team_before"])) and (not now or holds(r["team_now"]))
        )
        return sum(int(row[column]) for row in inside)

    pairs = AdoptionPairs(
        n0=total("people", before=True, now=False),
        a0=total("only_before", before=True, now=False) + total("both", before=True, now=False),
        n1=total("people", before=False, now=True),
        a1=total("only_now", before=False, now=True) + total("both", before=False, now=True),
        both=total("people", before=True, now=True),
        only_before=total("only_before", before=True, now=True),
        only_now=total("only_now", before=True, now=True),
    )
    small = shown_people(pairs.n0) is None or shown_people(pairs.n1) is None
    return None if small else pairs


def _serving(database: TenantDatabase, *periods: Period) -> Serving:
    if not database.uses_activity:
        return Serving(why="activity is switched off")
    return ActivityReader(database).serving(*periods, people=True)


def unauthorised_groups(database: TenantDatabase, start: datetime, end: datetime) -> list[UnauthorisedGroup]:
    """What happened in [start, end) that the registry does not allow, by rule, app, subject and team."""
    return [
        UnauthorisedGroup(
            **{
                **row,
                "people": shown_people(int(row["people"])),
                "models": tuple(row["models"]),
                "data_classes": tuple(row["data_classes"]),
            }
        )
        for row in ask(database, "unauthorised_groups", window(start, end))
    ]


def override_by_prompt(
    database: TenantDatabase, organisation: Organisation, period: Period, teams: Sequence[str] = ()
) -> list[PromptOverrides]:
    """Overrides of some teams (none: all) by app, use case and prompt version, in order of first decision.

    A decision that does not say its prompt version or use case takes it from its answer's call in the period.
    """
    given = {**period_parameters(period), **definition_parameters(organisation), "teams": list(teams)}
    return [PromptOverrides(**row) for row in ask(database, "override_by_prompt", given)]


def reasons(
    database: TenantDatabase, organisation: Organisation, period: Period, teams: Sequence[str] = ()
) -> list[ReasonCount]:
    """Why answers were overridden, by app, use case and prompt version, the most frequent reason first."""
    given = {**period_parameters(period), **definition_parameters(organisation), "teams": list(teams)}
    return [ReasonCount(**row) for row in ask(database, "reasons", given)]


def data_until(database: TenantDatabase, period: Period) -> datetime | None:
    """When the newest usage or feedback event of the period happened; None if there is none."""
    (row,) = ask(database, "heard", period_parameters(period))
    newest: datetime | None = row["newest"]
    return newest


def last_received(database: TenantDatabase, period: Period) -> datetime | None:
    """When the newest usage or feedback event of the period was received; None if there is none."""
    (row,) = ask(database, "heard", period_parameters(period))
    received: datetime | None = row["received"]
    return received
