"""What KPIs and queries give back: typed, with everything a reader needs to judge the number. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Literal

from uptake.calendar import Period
from uptake.stats import Change, compare_pairs

Unit = Literal["share", "count", "money", "ratio", "unit_money", "days", "milliseconds", "points"]
"""How a value reads: a share between 0 and 1; a count; money in nano units; a plain ratio (use cases a person); money
an item, in nano units; days; milliseconds; points between −100 and 100."""
Cadence = Literal["weekly", "monthly", "quarterly"]
Direction = Literal["up", "down", "none"]
Source = Literal["events", "activity"]
"""What a number was counted from: the events themselves (FINAL), or the cache by day, exact where it is used."""


@dataclass(frozen=True, slots=True)
class KpiResult:
    """One KPI of one audience in one period.

    `value` is None when it is not known (no denominator, no event heard, or suppressed): that is not 0. For the units
    "share", "ratio" and "unit_money" it is `numerator / denominator`, for "count" and "money" it is the numerator
    (money in nano units of `currency`), for the others what the KPI's measure makes of its rows, with `details`
    beside it (other quantiles, points of a curve). `interval` is the 95 % interval: Wilson's of a share, or the
    measure's. `excluded` counts what was left out, by name; `extras` holds further additive figures of the query (for
    instance decided and shown answers). `parts` divide the denominator; None is a part that is not shown.
    `apps` is empty for all of them, or where the KPI cannot tell apps apart. `key` is what the result is about in a
    breakdown.
    `suppressed`: the group of people was too small to be shown; numerator, denominator, interval and extras are
    then empty. `hidden`: the group is shown, and how many of it the numerator counts is not; "small" says that they
    are fewer than five, "complement" says nothing about how many. `source` says what it was counted from; the number
    is the same from each, so two results that differ in nothing else are equal.
    """

    kpi: str
    period: Period
    teams: tuple[str, ...]
    unit: Unit
    value: float | int | None
    numerator: int | None
    denominator: int | None
    interval: tuple[float, float] | None
    definition_version: int
    direction: Direction = "none"
    currency: str = ""
    excluded: Mapping[str, int] = field(default_factory=dict)
    extras: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, int | None] = field(default_factory=dict)
    details: Mapping[str, float] = field(default_factory=dict)
    suppressed: bool = False
    hidden: Literal["", "small", "complement"] = ""
    apps: tuple[str, ...] = ()
    key: str = ""
    source: Source = field(default="events", compare=False)


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


@dataclass(frozen=True, slots=True)
class PromptOverrides:
    """Decisions on the answers of one prompt version, counted as in the KPI "override_rate"."""

    app: str
    use_case: str
    prompt_version: str
    decided: int
    overridden: int
    first_at: datetime


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


@dataclass(frozen=True, slots=True)
class SpendSoFar:
    """What a scope has spent: known, at most, how many calls make the difference, and when the newest happened."""

    known_nano: int
    upper_nano: int
    unpriced_calls: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class DaySpend:
    """What a team spent with an app on a day, in nano units."""

    day: date
    team: str
    app: str
    known_nano: int
    upper_nano: int
    unpriced_calls: int


@dataclass(frozen=True)
class DailySpend:
    """Spend by day, team and app, in order of days. A day without a row cost nothing.

    `known_from` is the first day of which anything is known, of any team: that of the first call, as a licence may be
    billed for weeks before anybody could call. Of the first cost where there are no calls; None where there are no
    rows.
    """

    rows: tuple[DaySpend, ...]
    known_from: date | None = None

    def of(self, teams: Collection[str] = (), app: str = "") -> list[DaySpend]:
        """The rows of some teams and an app; none given: all."""
        rows: Iterable[DaySpend] = self.rows
        if teams:
            rows = sorted(
                (row for team in set(teams) for row in self._by_team.get(team, ())),
                key=lambda row: (row.day, row.team, row.app),
            )
        return [row for row in rows if not app or row.app == app]

    @cached_property
    def _by_team(self) -> Mapping[str, Sequence[DaySpend]]:
        found: dict[str, list[DaySpend]] = {}
        for row in self.rows:
            found.setdefault(row.team, []).append(row)
        return found


@dataclass(frozen=True, slots=True)
class Driver:
    """An app and model: what its calls cost at most in the last 24 hours, and on a usual day before.

    `usual_nano` is the mean over `days` days of history of the scope (at most 28, truncated to whole nano); with
    less than a day of history `days` is 0 and nothing is usual yet.
    """

    app: str
    model: str
    recent_nano: int
    usual_nano: int
    days: int
    calls: int
    unpriced_calls: int

    @property
    def rise_nano(self) -> int:
        return self.recent_nano - self.usual_nano
