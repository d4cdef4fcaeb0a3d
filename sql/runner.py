"""Runs KPIs for a tenant: fills the parameters, adds up teams, hides small groups of people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from uptake.calendar import Period
from uptake.clickhouse import TenantDatabase
from uptake.errors import UsageError
from uptake.schemas.identity import id_range
from uptake.sql.activity.reader import ActivityReader, Serving
from uptake.sql.asking import ask, used_in
from uptake.sql.catalogue import KpiDefinition, load_catalogue
from uptake.sql.results import KpiResult, Source
from uptake.sql.suppression import Shown
from uptake.stats import wilson
from uptake.workspace.models import Organisation, Workspace

LATEST_ARRIVAL = timedelta(days=31)
"""How long after it occurred an event is still looked for by its time of receipt."""

_DECISIONS = 128
"""How many decisions on small groups a runner remembers: more than the KPIs and periods of a digest run."""

Row = Mapping[str, int]
"""What a query says of one team: `numerator`, `denominator`, `excluded_<name>`, `extra_<name>`. Additive."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a number comes about: its definition, the query and the parameters that were filled in. `why` says why the
    `source` is the events, "" where it is activity."""

    definition: KpiDefinition
    period: Period
    teams: tuple[str, ...]
    sql: str
    parameters: Mapping[str, Any]
    source: Source
    why: str


@dataclass(frozen=True, slots=True)
class _Question:
    """A KPI of a period as it is asked: where, and why not of activity."""

    source: Source
    why: str
    sql: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Answer:
    """Rows by team, and what they were counted from."""

    source: Source
    rows: Mapping[str, Row]


def period_parameters(period: Period) -> dict[str, Any]:
    """Parameters that every query may use: the period's edges in UTC, its ids, its days."""
    id_from, id_to = id_range(period.start, period.end)
    return {
        "from_": period.start,
        "to_": period.end,
        "id_from": id_from,
        "id_from_late": id_range(period.start - LATEST_ARRIVAL, period.end)[0],
        "id_to": id_to,
        "first_day": period.first,
        "last_day": period.last,
        "after_day": period.after,
        "zone": period.zone,
    }


def definition_parameters(organisation: Organisation) -> dict[str, Any]:
    """Parameters that the organisation sets."""
    return {"grace_days": organisation.grace_days, "severity": organisation.severity_threshold}


class KpiRunner:
    """KPIs of one tenant. An audience is the sum of its teams, the organisation (no teams) of all rows.

    With `remember`, a KPI of a period is queried once for all audiences: for one digest run, not for longer.

    A zero is a zero only if something was heard: in a period in which no event of the tenant happened at all, a
    count of nothing is not known (before the first app reported, or while none could).

    Activity answers instead of the events where a KPI has an `activity.sql`, every day of the period is exact there,
    and it is quicker; `activity=False` asks the events whatever it costs, and so does a database that was opened so.
    """

    def __init__(
        self,
        database: TenantDatabase,
        workspace: Workspace,
        *,
        remember: bool = False,
        activity: bool = True,
        reader: ActivityReader | None = None,
    ) -> None:
        if database.name != workspace.tenant:
            raise ValueError(f"the workspace is of {workspace.tenant!r}, the database of {database.name!r}")
        self._database = database
        self._organisation = workspace.organisation
        self._activity = (reader or ActivityReader(database)) if activity and database.uses_activity else None
        self._remember = remember
        self._remembered: dict[tuple[str, Period], _Answer] = {}
        self._serving: dict[tuple[Period, bool], Serving] = {}
        self._silent: dict[Period, bool] = {}
        audiences = [frozenset(a.teams) for a in workspace.channels.audiences if a.teams]
        # One decision for all KPIs, periods and audiences in which the teams are as large.
        self._shown = lru_cache(maxsize=_DECISIONS)(lambda sizes: Shown(dict(sizes), audiences))

    def run(self, name: str, period: Period, teams: Sequence[str] = ()) -> KpiResult:
        """One KPI of some teams (none: the organisation). Raises UsageError for a name that does not exist."""
        definition = definition_of(name)
        return self._result(definition, period, tuple(teams), self._answer(definition, period))

    def by_team(self, name: str, period: Period) -> dict[str, KpiResult]:
        """One KPI of every team that has a row, by team ('' is what belongs to no team)."""
        definition = definition_of(name)
        answer = self._answer(definition, period)
        shown = self._shown(_sizes(definition, answer.rows))
        silent = self._is_silent(definition, period, answer.rows)
        return {
            team: self._built(
                definition,
                period,
                (team,),
                [row],
                suppressed=team in shown.hidden,
                silent=silent,
                source=answer.source,
            )
            for team, row in sorted(answer.rows.items())
        }

    def series(self, name: str, periods: Iterable[Period], teams: Sequence[str] = ()) -> list[KpiResult]:
        """One KPI in several periods, in their order."""
        return [self.run(name, period, teams) for period in periods]

    def explain(self, name: str, period: Period, teams: Sequence[str] = ()) -> Explanation:
        """The definition, the query and the parameters behind `run`, without running it."""
        definition = definition_of(name)
        question = self._question(definition, period)
        parameters = {**question.parameters, "tenant": self._database.name}
        return Explanation(
            definition, period, tuple(teams), question.sql, parameters, question.source, question.why
        )

    def _question(self, definition: KpiDefinition, period: Period) -> _Question:
        every = {**period_parameters(period), **definition_parameters(self._organisation)}
        serving = self._served(definition, period)
        if definition.activity_sql is not None and serving.serves:
            sql = definition.activity_sql
            bound = used_in(sql, {**every, "generations": list(serving.generations)})
            return _Question("activity", "", sql, bound)
        return _Question("events", serving.why, definition.sql, used_in(definition.sql, every))

    def _served(self, definition: KpiDefinition, period: Period) -> Serving:
        """Whether activity answers a KPI of a period; asked once for all KPIs that are as dear, if remembering."""
        if definition.activity_sql is None:
            return Serving(why="only the events can answer")
        if self._activity is None:
            return Serving(why="activity is switched off")
        people = definition.people != "none"
        if (period, people) in self._serving:
            return self._serving[period, people]
        serving = self._activity.serving(period, people=people)
        if self._remember:
            self._serving[period, people] = serving
        return serving

    def _answer(self, definition: KpiDefinition, period: Period) -> _Answer:
        if (definition.name, period) in self._remembered:
            return self._remembered[definition.name, period]
        question = self._question(definition, period)
        rows: dict[str, Row] = {
            row.pop("team"): {column: int(value) for column, value in row.items()}
            for row in self._database.query(question.sql, question.parameters)
        }
        answer = _Answer(question.source, rows)
        if self._remember:
            self._remembered[definition.name, period] = answer
        return answer

    def _result(
        self, definition: KpiDefinition, period: Period, teams: tuple[str, ...], answer: _Answer
    ) -> KpiResult:
        rows = answer.rows
        if not definition.per_team:
            teams = ()
        chosen = [row for team, row in rows.items() if not teams or team in teams]
        suppressed = not self._shown(_sizes(definition, rows)).may_show(teams)
        silent = self._is_silent(definition, period, rows)
        return self._built(
            definition, period, teams, chosen, suppressed=suppressed, silent=silent, source=answer.source
        )

    def _built(
        self,
        definition: KpiDefinition,
        period: Period,
        teams: tuple[str, ...],
        rows: Sequence[Row],
        *,
        suppressed: bool,
        silent: bool,
        source: Source,
    ) -> KpiResult:
        """Add the rows up. A missing row adds nothing: teams without events have none."""

        def total(column: str) -> int:
            return sum(row[column] for row in rows)

        share = definition.unit == "share"
        numerator = total("numerator")
        unknown = silent and not numerator
        denominator = total("denominator") if share else None
        value: float | int | None = numerator
        if denominator is not None:
            value = numerator / denominator if denominator else None
        interval = None
        if definition.interval == "wilson" and denominator:
            interval = wilson(numerator, denominator)
        return KpiResult(
            kpi=definition.name,
            period=period,
            teams=teams,
            unit=definition.unit,
            value=None if suppressed or unknown else value,
            numerator=None if suppressed else numerator,
            denominator=None if suppressed else denominator,
            interval=None if suppressed or unknown else interval,
            definition_version=definition.definition_version,
            direction=definition.direction,
            currency=self._organisation.currency if definition.unit == "money" else "",
            excluded={} if suppressed else {n: total(f"excluded_{n}") for n in definition.excludes},
            extras={} if suppressed else {n: total(f"extra_{n}") for n in definition.extras},
            suppressed=suppressed,
            source=source,
        )

    def _is_silent(self, definition: KpiDefinition, period: Period, rows: Mapping[str, Row]) -> bool:
        """Whether nothing is known of a period. A KPI about people has rows from the roster alone, but counts nobody
        who was not heard of."""
        if rows and (definition.people == "none" or any(row["numerator"] for row in rows.values())):
            return False
        if period in self._silent:
            return self._silent[period]
        [row] = ask(self._database, "heard", period_parameters(period))
        silent: bool = row["newest"] is None
        if self._remember:
            self._silent[period] = silent
        return silent


def definition_of(name: str) -> KpiDefinition:
    """A KPI's definition. Raises UsageError naming those that there are."""
    catalogue = load_catalogue()
    if name not in catalogue:
        raise UsageError(f"there is no KPI {name!r}", f"one of: {', '.join(catalogue)}")
    return catalogue[name]


def _sizes(definition: KpiDefinition, rows: Mapping[str, Row]) -> frozenset[tuple[str, int]]:
    """People by team, of a KPI about people; empty for any other."""
    if definition.people == "none":
        return frozenset()
    return frozenset((team, row[definition.people]) for team, row in rows.items())
