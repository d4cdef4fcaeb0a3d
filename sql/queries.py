"""Typed questions that are not KPIs: one function for each of `sql/queries/*.sql`, those about money from
`spending`.

Each takes the tenant's database and what it depends on, runs one query, and returns values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from uptake.calendar import Period
from uptake.clickhouse import TenantDatabase
from uptake.sql.asking import ask, window
from uptake.sql.runner import definition_parameters, period_parameters
from uptake.sql.spending import (
    DaySpend,
    Driver,
    SpendSoFar,
    budget_drivers,
    budget_spend,
    daily_spend,
)
from uptake.sql.suppression import shown_people
from uptake.stats import Change, compare_pairs
from uptake.workspace.models import Organisation

__all__ = [
    "AdoptionPairs",
    "DaySpend",
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
    "override_by_prompt",
    "reasons",
    "unauthorised_groups",
]


@dataclass(frozen=True, slots=True)
class AdoptionPairs:
    """Adoption before (a0 of n0) and now (a1 of n1), and what became of the `both` people in both groups.

    `only_before` and `only_now` of these were active in one of the two periods only.
    """

    n0: int
    a0: int
    n1: int
    a1: int
    both: int
    only_before: int
    only_now: int

    @property
    def usage_part(self) -> float | None:
        """What use changed, had the group stayed as large as it was: (a1 − a0) / n0."""
        return (self.a1 - self.a0) / self.n0 if self.n0 else None

    @property
    def roster_part(self) -> float | None:
        """What the size of the group changed: a1 / n1 − a1 / n0. With `usage_part` it is the whole change."""
        return self.a1 / self.n1 - self.a1 / self.n0 if self.n0 and self.n1 else None

    @property
    def entered(self) -> int:
        """People who are eligible now and were not before."""
        return self.n1 - self.both

    @property
    def gone(self) -> int:
        """People who were eligible before and are not now."""
        return self.n0 - self.both

    @property
    def change(self) -> Change | None:
        """The difference of the rates, clear or not by McNemar's test; None where a rate is not known."""
        return compare_pairs(self.a0, self.n0, self.a1, self.n1, self.only_before, self.only_now)


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
    whole = {**period_parameters(now), **window(before.start, now.end)}
    rows = ask(database, "adoption_pairs", {**whole, **edges, **definition_parameters(organisation)})

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


@dataclass(frozen=True, slots=True)
class UnauthorisedGroup:
    """Calls of one team that break one rule of the registry in one way.

    `subject` is what the rule is about: the model, the data class, the use case or the team; '' where it is the
    app itself. `people` is None for one to four, who are not counted out; 0 if no call names a user.
    `known_nano` leaves out `unpriced_calls`, `upper_nano` bounds them. At most 20 models and data classes.
    """

    rule: str
    app: str
    subject: str
    team: str
    first_seen: datetime
    last_seen: datetime
    calls: int
    people: int | None
    known_nano: int
    upper_nano: int
    unpriced_calls: int
    models: tuple[str, ...]
    data_classes: tuple[str, ...]


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


@dataclass(frozen=True, slots=True)
class PromptOverrides:
    """Decisions on the answers of one prompt version, counted as in the KPI "override_rate"."""

    app: str
    use_case: str
    prompt_version: str
    decided: int
    overridden: int
    first_at: datetime
    last_at: datetime


def override_by_prompt(
    database: TenantDatabase, organisation: Organisation, period: Period, teams: Sequence[str] = ()
) -> list[PromptOverrides]:
    """Overrides of some teams (none: all) by app, use case and prompt version, in order of first decision.

    A decision that does not say its prompt version or use case takes it from its answer's call in the period.
    """
    given = {**period_parameters(period), **definition_parameters(organisation), "teams": list(teams)}
    return [PromptOverrides(**row) for row in ask(database, "override_by_prompt", given)]


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How often a reason was given for overrides of one prompt version; `reason` '' is "none given".

    `overridden` is the number of overrides in the group: one with two reasons is counted under both.
    """

    app: str
    use_case: str
    prompt_version: str
    reason: str
    given: int
    overridden: int


def reasons(
    database: TenantDatabase, organisation: Organisation, period: Period, teams: Sequence[str] = ()
) -> list[ReasonCount]:
    """Why answers were overridden, by app, use case and prompt version, the most frequent reason first."""
    given = {**period_parameters(period), **definition_parameters(organisation), "teams": list(teams)}
    return [ReasonCount(**row) for row in ask(database, "reasons", given)]


def data_until(database: TenantDatabase, period: Period) -> datetime | None:
    """When the newest usage or feedback event of the period happened; None if there is none."""
    (row,) = ask(database, "data_until", period_parameters(period))
    newest: datetime | None = row["newest"]
    return newest
