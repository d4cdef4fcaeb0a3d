"""Typed questions that are not KPIs: functions for `sql/queries/*.sql`, those about money from
`spending`.

Each takes the tenant's database and what it depends on, runs one query, and returns values. Their types
live in `results`, which loads no database: what only judges the values imports them from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from uptake.calendar import Period
from uptake.clickhouse import TenantDatabase
from uptake.schemas.identity import MAX_ID_SKEW
from uptake.sql.activity.reader import ActivityReader, serving_of
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
from uptake.sql.spending import budget_drivers, budget_spend, daily_spend
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
    "daily_spend",
    "data_until",
    "known_from",
    "last_received",
    "override_by_prompt",
    "pair_rows",
    "prompt_rows",
    "reason_rows",
    "reasons",
    "sum_pairs",
    "sum_prompts",
    "sum_reasons",
    "unauthorised_groups",
    "unauthorised_uses",
]


Rows = Sequence[Mapping[str, Any]]
"""What a query gave, a row a team or a pair of teams: asked once, added up for each audience."""


UnauthorisedUse = tuple[str, str, str]
"""A rule, an app, and the subject of the rule."""


def adoption_pairs(
    database: TenantDatabase,
    organisation: Organisation,
    before: Period,
    now: Period,
    teams: Sequence[str] = (),
    apps: Sequence[str] = (),
) -> AdoptionPairs | None:
    """Adoption of a group of teams (none: all) in two periods, over its people; terms as in the KPI.

    None where one of the groups is fewer than five people. A group whose KPI is suppressed gets no pairs shown
    either: ask the runner first.
    """
    return sum_pairs(pair_rows(database, organisation, before, now, apps), teams)


def pair_rows(
    database: TenantDatabase,
    organisation: Organisation,
    before: Period,
    now: Period,
    apps: Sequence[str] = (),
    reader: ActivityReader | None = None,
) -> Rows:
    """A row for each pair of teams that people were in, before and now ('' is "not eligible then")."""
    if before.end > now.start:
        raise ValueError(f"the earlier period ends before the later one starts: {before}, {now}")
    edges = {
        "before_to": before.end,
        "before_last_day": before.last,
        "before_after_day": before.after,
        "now_from": now.start,
        "apps": list(apps),
    }
    whole = {**period_parameters(now), **window(before.start, now.end), **definition_parameters(organisation)}
    serving = serving_of(database, reader, before, now, people=True)
    if serving.serves:
        days = {"before_first_day": before.first, "generations": list(serving.generations)}
        return ask(database, "adoption_pairs_activity", {**whole, **edges, **days})
    return ask(database, "adoption_pairs", {**whole, **edges})


def sum_pairs(rows: Rows, teams: Sequence[str] = ()) -> AdoptionPairs | None:
    """The pairs of a group of teams (none: all); None where a group is fewer than five people."""

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


def unauthorised_uses(database: TenantDatabase, start: datetime, end: datetime) -> frozenset[UnauthorisedUse]:
    """Which of them happened in [start, end), without figures: quicker, of many weeks."""
    return frozenset(
        (row["rule"], row["app"], row["subject"])
        for row in ask(database, "unauthorised_uses", window(start, end))
    )


def override_by_prompt(
    database: TenantDatabase, organisation: Organisation, period: Period, teams: Sequence[str] = ()
) -> list[PromptOverrides]:
    """Overrides of some teams (none: all) by app, use case and prompt version, in order of first decision.

    A decision that does not say its prompt version or use case takes it from its answer's call in the period.
    """
    return sum_prompts(prompt_rows(database, organisation, period), teams)


def prompt_rows(database: TenantDatabase, organisation: Organisation, period: Period) -> Rows:
    given = {**period_parameters(period), **definition_parameters(organisation)}
    return ask(database, "override_by_prompt", given)


def sum_prompts(rows: Rows, teams: Sequence[str] = (), apps: Sequence[str] = ()) -> list[PromptOverrides]:
    """Overrides of some teams and apps (none: all), in order of first decision."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in _of(rows, teams, apps):
        groups.setdefault((row["app"], row["use_case"], row["prompt_version"]), []).append(row)
    found = [
        PromptOverrides(
            *key,
            decided=sum(row["decided"] for row in some),
            overridden=sum(row["overridden"] for row in some),
            first_at=min(row["first_at"] for row in some),
        )
        for key, some in groups.items()
    ]
    return sorted(found, key=lambda p: (p.app, p.use_case, p.first_at, p.prompt_version))


def reasons(
    database: TenantDatabase, organisation: Organisation, period: Period, teams: Sequence[str] = ()
) -> list[ReasonCount]:
    """Why answers were overridden, by app, use case and prompt version, the most frequent reason first."""
    return sum_reasons(reason_rows(database, organisation, period), teams)


def reason_rows(database: TenantDatabase, organisation: Organisation, period: Period) -> Rows:
    given = {**period_parameters(period), **definition_parameters(organisation)}
    return ask(database, "reasons", given)


def sum_reasons(rows: Rows, teams: Sequence[str] = (), apps: Sequence[str] = ()) -> list[ReasonCount]:
    """Reasons of some teams and apps (none: all), the most frequent first in each group."""
    given: Counter[tuple[str, str, str, str]] = Counter()
    overridden: dict[tuple[str, str, str], dict[str, int]] = {}
    for row in _of(rows, teams, apps):
        group = row["app"], row["use_case"], row["prompt_version"]
        given[(*group, row["reason"])] += row["given"]
        overridden.setdefault(group, {})[row["team"]] = row["overridden"]  # the same in each row of a team
    counts = [
        ReasonCount(*key, given=count, overridden=sum(overridden[key[:3]].values()))
        for key, count in given.items()
    ]
    return sorted(counts, key=lambda r: (r.app, r.use_case, r.prompt_version, -r.given, r.reason))


def _of(rows: Rows, teams: Sequence[str], apps: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    return (row for row in rows if (not teams or row["team"] in teams) and (not apps or row["app"] in apps))


def data_until(database: TenantDatabase, period: Period) -> datetime | None:
    """When the newest usage or feedback event of the period happened; None if there is none."""
    (row,) = ask(database, "heard", period_parameters(period))
    newest: datetime | None = row["newest"]
    return newest


def known_from(database: TenantDatabase, period: Period) -> datetime | None:
    """When the oldest usage or feedback event of the period happened; None if there is none."""
    skew = {"id_skew_ms": MAX_ID_SKEW // timedelta(milliseconds=1)}
    (row,) = ask(database, "known_from", {**period_parameters(period), **skew})
    oldest: datetime | None = row["oldest"]
    return oldest


def last_received(database: TenantDatabase, period: Period) -> datetime | None:
    """When the newest usage or feedback event of the period was received; None if there is none."""
    (row,) = ask(database, "heard", period_parameters(period))
    received: datetime | None = row["received"]
    return received
