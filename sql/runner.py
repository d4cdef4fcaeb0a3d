"""Runs KPIs for a tenant: fills the parameters, adds up teams, hides small groups of people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache, partial
from typing import Any, NamedTuple

from uptake.calendar import Period
from uptake.clickhouse import TenantDatabase
from uptake.errors import UsageError
from uptake.money import to_nano
from uptake.schemas.identity import id_range
from uptake.sql.activity.reader import ActivityReader, Serving
from uptake.sql.asking import ask, of_teams, used_in
from uptake.sql.building import (
    Breakdown,
    Cells,
    Decision,
    Hidden,
    Subject,
    beside_all_apps,
    beside_of,
    build,
    cells_of,
    decide,
    decided_before,
    hidden_of,
    is_of_period,
    is_undivided_count,
    once_of,
    people_of,
    sides_of,
    sides_within,
    within_others,
    within_whole,
)
from uptake.sql.catalogue import KpiDefinition, load_catalogue
from uptake.sql.cells import Cell, PriceInputs
from uptake.sql.grouping import Rows
from uptake.sql.results import KpiResult, Source
from uptake.sql.suppression import BothShown, Earlier, ShownParts
from uptake.sql.windows import window_of, window_parameters
from uptake.workingdays import working_days
from uptake.workspace.models import Organisation, Workspace

LATEST_ARRIVAL = timedelta(days=31)
"""How long after it occurred an event is still looked for by its time of receipt."""

_DECISIONS = 128
"""How many decisions on small groups a runner remembers: more than the KPIs and periods of a digest run."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a number comes about: its definition, the query and the parameters that were filled in. `why` says why the
    `source` is the events, "" where it is activity."""

    definition: KpiDefinition
    period: Period
    teams: tuple[str, ...]
    apps: tuple[str, ...]
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
    """A KPI's rows in a period, and what they were counted from."""

    definition: KpiDefinition
    period: Period
    source: Source
    rows: Rows
    bare: bool = False


class _Key(NamedTuple):
    """What an answer is remembered by."""

    name: str
    period: Period
    apps: tuple[str, ...]
    bare: bool = False
    for_readers: bool = False


def period_parameters(period: Period, look_back_weeks: int = 0) -> dict[str, Any]:
    """Parameters that every query may use: the period's edges in UTC, its ids, its days; those of the window of so many
    weeks that ends with it (none: the period itself), with its days and weeks."""
    id_from, id_to = id_range(period.start, period.end)
    window = window_of(period, look_back_weeks)
    return {
        "from_": period.start,
        "to_": period.end,
        "id_from": id_from,
        "id_from_late": id_range(period.start - LATEST_ARRIVAL, period.end)[0],
        "id_to": id_to,
        "first_day": period.first,
        "last_day": period.last,
        "after_day": period.after,
        "window_from": window.start,
        "window_id_from": id_range(window.start, window.end)[0],
        "window_first_day": window.first,
        "zone": period.zone,
        **window_parameters(window),
    }


def definition_parameters(organisation: Organisation) -> dict[str, Any]:
    """Parameters that the organisation sets."""
    return {
        "grace_days": organisation.grace_days,
        "severity": organisation.severity_threshold,
        "seat_price_nano": None if organisation.seat_price is None else to_nano(organisation.seat_price),
    }


class KpiRunner:
    """KPIs of one tenant. An audience is the sum of its teams, the organisation (no teams) of all rows; `apps` narrow
    it to some apps, where a KPI can tell them apart.

    With `remember`, a KPI of a period is queried once for all audiences: for one digest run, not for longer.

    A zero is a zero only if something was heard: in a period in which no event of the tenant happened at all, a
    count of nothing is not known (before the first app reported, or while none could).

    Activity answers instead of the events where a KPI has an `activity.sql`, every day of the period is exact there,
    and it is quicker; `activity=False` asks the events whatever it costs, and so does a database that was opened so.

    `input_rates` prices what a provider's cache saved; without it that is not known. Without `beside` results lack what
    counts people beside a KPI (`people_beside`): who does not show it need not have it decided. `readers` are the teams
    that will be asked about, if it is not all of them: of figures that count no people, no rows of others are fetched.
    """

    def __init__(
        self,
        database: TenantDatabase,
        workspace: Workspace,
        *,
        remember: bool = False,
        activity: bool = True,
        reader: ActivityReader | None = None,
        input_rates: PriceInputs | None = None,
        beside: bool = True,
        readers: Collection[str] = (),
    ) -> None:
        if database.name != workspace.tenant:
            raise ValueError(f"the workspace is of {workspace.tenant!r}, the database of {database.name!r}")
        self._database = database
        self._organisation = workspace.organisation
        self._workspace = workspace
        self._championed: dict[date, tuple[frozenset[str], ...]] = {}
        self._activity = (reader or ActivityReader(database)) if activity and database.uses_activity else None
        self._remember = remember
        self._input_rates = input_rates
        self._beside = beside
        self._readers = frozenset(readers)
        self._remembered: dict[_Key, _Answer] = {}
        self._serving: dict[tuple[Period, bool], Serving] = {}
        self._silent: dict[Period, bool] = {}
        audiences = [frozenset(a.teams) for a in workspace.channels.audiences if a.teams]
        self._audiences = audiences
        # One decision for all periods and audiences in which the same numbers of people are divided alike.
        self._shown = lru_cache(maxsize=_DECISIONS)(
            lambda name, people, before, once, sides, asides: decide(
                definition_of(name),
                people,
                [*audiences, *sides_within(sides, audiences)],
                before,
                once,
                asides,
            )
        )
        self._breakdown = lru_cache(maxsize=_DECISIONS)(
            lambda rows, by: Breakdown(
                rows.definition,
                {key: some.cells for key, some in rows.divided(by).items()},
                audiences,
                rows.shown,
            )
        )
        self._shown_beside = lru_cache(maxsize=_DECISIONS)(
            lambda people, before, within: ShownParts(
                dict(people), audiences, earlier=Earlier(before, dict(within)) if within else None
            )
        )

    def run(
        self,
        name: str,
        period: Period,
        teams: Sequence[str] = (),
        apps: Sequence[str] = (),
        *,
        bare: bool = False,
    ) -> KpiResult:
        """One KPI of some teams and apps (none: the organisation). `bare`: the extras may be missing, where it is
        quicker without. Raises UsageError for a name that does not exist."""
        answer = self._answer(definition_of(name), period, apps, teams, bare=bare)
        return self._result(answer, answer.rows, tuple(teams), tuple(apps))

    def by_team(
        self, name: str, period: Period, apps: Sequence[str] = (), teams: Sequence[str] = ()
    ) -> dict[str, KpiResult]:
        """One KPI of every team that has a row, or of those of `teams`, by team ('' is what belongs to no team)."""
        answer = self._answer(definition_of(name), period, apps, teams)
        rows = answer.rows.of_apps(apps)
        silent = self._is_silent(answer)
        return {
            team: build(
                self._subject(answer, (team,), tuple(apps)),
                rows.by_team.get(team, ()),
                self._hidden(answer.rows, (team,), tuple(apps)),
                silent=silent,
            )
            for team in answer.rows.by_team
            if not teams or team in teams
        }

    def breakdown(
        self, name: str, period: Period, by: str, teams: Sequence[str] = (), apps: Sequence[str] = ()
    ) -> dict[str, KpiResult]:
        """One KPI of some teams and apps, for each value of a column that its `by` explains. Raises UsageError for a
        column that it does not have."""
        definition = definition_of(name)
        if by not in definition.by:
            known = f"one of: {', '.join(definition.by)}" if definition.by else "it has none"
            raise UsageError(f"{name} cannot be divided by {by!r}", known)
        answer = self._answer(definition, period, apps, teams)
        groups = answer.rows.divided(by)
        ours = {key: some for key, rows in groups.items() if (some := rows.of_apps(apps).of(teams))}
        if definition.people == "none":
            return {key: self._result(answer, groups[key], tuple(teams), tuple(apps), key) for key in ours}
        rows = answer.rows if by == "app" else answer.rows.of_apps(apps)
        decided = self._breakdown(rows, by)
        silent = self._is_silent(answer)
        return {
            key: build(
                self._subject(answer, tuple(teams), tuple(apps), key),
                some,
                hidden_of(definition, decided.of([key]), tuple(teams), groups[key].shown_beside),
                silent=silent,
            )
            for key, some in ours.items()
        }

    def series(
        self,
        name: str,
        periods: Iterable[Period],
        teams: Sequence[str] = (),
        apps: Sequence[str] = (),
        *,
        bare: bool = False,
    ) -> list[KpiResult]:
        """One KPI in several periods, in their order."""
        return [self.run(name, period, teams, apps, bare=bare) for period in periods]

    def explain(
        self, name: str, period: Period, teams: Sequence[str] = (), apps: Sequence[str] = ()
    ) -> Explanation:
        """The definition, the query and the parameters behind `run`, without running it."""
        definition = definition_of(name)
        question = self._question(definition, period, apps)
        parameters = {**question.parameters, "tenant": self._database.name}
        return Explanation(
            definition,
            period,
            tuple(teams),
            tuple(apps),
            question.sql,
            parameters,
            question.source,
            question.why,
        )

    def _question(
        self, definition: KpiDefinition, period: Period, apps: Sequence[str], *, bare: bool = False
    ) -> _Question:
        every = {
            **period_parameters(period, definition.look_back_weeks),
            **definition_parameters(self._organisation),
            "working_days": working_days(period, self._organisation.country),
            "apps": list(apps),
            "whole": not bare,
        }
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
        window = window_of(period, definition.look_back_weeks)
        if (window, people) in self._serving:
            return self._serving[window, people]
        serving = self._activity.serving(window, people=people)
        if self._remember:
            self._serving[window, people] = serving
        return serving

    def _answer(
        self,
        definition: KpiDefinition,
        period: Period,
        apps: Sequence[str],
        teams: Sequence[str] = (),
        *,
        bare: bool = False,
    ) -> _Answer:
        # Rows that are of an app each serve all apps; a query that takes `apps` is another question for others.
        asked = tuple(sorted(apps)) if definition.by_app and "app" not in definition.by else ()
        bare = bare and definition.has_bare_form
        # What is shown of people depends on all teams.
        for_readers = bool(teams) and self._readers.issuperset(teams)
        for_readers = for_readers and definition.per_team and definition.people == "none"
        key = _Key(definition.name, period, asked)
        for more in sorted({False, bare}):
            for fewer in sorted({False, for_readers}):
                found = self._remembered.get(key._replace(bare=more, for_readers=fewer))
                if found is not None:
                    return found
        question = self._question(definition, period, asked, bare=bare)
        rows: list[dict[str, Any]] = []
        if for_readers:
            only = {"only_teams": sorted(self._readers)}
            rows = self._database.query(of_teams(question.sql), {**question.parameters, **only})
        if not rows:  # whether a team's nothing is a zero, the others tell
            for_readers = False
            rows = self._database.query(question.sql, question.parameters)
        decide_people = partial(self._decided, period, asked)
        decide_beside = partial(self._decided_beside, period, asked)
        grouped = Rows(definition, cells_of(definition, rows), decide_people, decide_beside)
        answer = _Answer(definition, period, question.source, grouped, bare)
        if self._remember:
            self._remembered[key._replace(bare=bare, for_readers=for_readers)] = answer
        return answer

    def _result(
        self, answer: _Answer, rows: Rows, teams: tuple[str, ...], apps: tuple[str, ...], key: str = ""
    ) -> KpiResult:
        if not answer.definition.per_team:
            teams = ()
        of_apps = rows.of_apps(apps)
        return rows.result(
            teams,
            apps,
            lambda: build(
                self._subject(answer, teams, apps, key),
                of_apps.of(teams),
                self._hidden(rows, teams, apps),
                silent=self._is_silent(answer),
            ),
        )

    def _hidden(self, rows: Rows, teams: tuple[str, ...], apps: tuple[str, ...]) -> Hidden:
        definition, of_apps = rows.definition, rows.of_apps(apps)
        if definition.people == "none":
            return Hidden()
        # Rows of some apps are less than those of all: decided as what they are a part of.
        shown: Decision = rows.shown if of_apps is rows else self._breakdown(rows, "app").of(apps)
        return hidden_of(definition, shown, teams, of_apps.shown_beside, sides_of(definition, of_apps.cells))

    def _decided(
        self, period: Period, apps: tuple[str, ...], definition: KpiDefinition, cells: Sequence[Cell]
    ) -> ShownParts | BothShown:
        people: Cells = people_of(definition, cells)
        first = decided_before(definition, period, apps)
        before = None
        if first:
            same = definition_of(first)
            before = self._answer(same, period, () if first == definition.name else apps).rows.shown
        once, sides = once_of(definition, cells), sides_of(definition, cells)
        asides = () if apps else self._compared_later(definition, period)
        shown: ShownParts | BothShown = self._shown(definition.name, people, before, once, sides, asides)
        if isinstance(shown, BothShown) or not (apps and is_undivided_count(definition, first)):
            return shown
        # some of those who use any app: beside what is decided of some apps, what all are
        whole = self._answer(definition, period, ()).rows.shown
        return BothShown(shown, beside_all_apps(people, self._audiences, whole))

    def _compared_later(self, definition: KpiDefinition, period: Period) -> tuple[frozenset[str], ...]:
        """The two groups of teams that a KPI compares which is decided after this one: with a champion and without.
        What they stand at is worth more than what a single team does."""
        comparing = (k for k in load_catalogue().values() if k.sides)
        if not any(decided_before(k, period, ()) == definition.name for k in comparing):
            return ()
        day = period.last
        if day not in self._championed:
            first = self._workspace.championed_on(day)
            here = frozenset(person.team for person in self._workspace.roster if person.on(day))
            self._championed[day] = first, here - first
        return self._championed[day]

    def _decided_beside(
        self, period: Period, apps: tuple[str, ...], definition: KpiDefinition, cells: Sequence[Cell]
    ) -> Mapping[str, ShownParts | None]:
        """What may be shown of those who are counted beside a KPI, by column; None where it was not to be decided."""
        if not self._beside:
            return dict.fromkeys(definition.people_beside)
        found: dict[str, ShownParts | None] = {}
        users: Any = None
        for name, people in beside_of(definition, cells).items():
            if is_of_period(definition, name):
                users = users or self._users(period, apps)
                found[name] = users = self._shown_beside(people, users, _fixed(within_others(name, users)))
            else:
                whole = self._decided(period, apps, definition, cells)
                found[name] = self._shown_beside(people, whole, _fixed(within_whole(definition, name)))
        return found

    def _users(self, period: Period, apps: tuple[str, ...]) -> Any:
        """What is shown of who is active, and of their seats where those are decided after them."""
        joined = not apps and decided_before(definition_of("lifecycle"), period, apps)
        last = "seats" if joined else "active_users"
        return self._answer(definition_of(last), period, apps).rows.shown

    def _subject(
        self, answer: _Answer, teams: tuple[str, ...], apps: tuple[str, ...], key: str = ""
    ) -> Subject:
        currency = self._organisation.currency
        source, rates = answer.source, self._input_rates
        return Subject(
            answer.definition, answer.period, currency, source, teams, apps, key, rates, answer.bare
        )

    def _is_silent(self, answer: _Answer) -> bool:
        """Whether nothing is known of a period. A KPI about people has rows from the roster alone, but counts nobody
        who was not heard of."""
        definition, period = answer.definition, answer.period
        if answer.rows.cells and (definition.people == "none" or answer.rows.counts_any):
            return False
        if period in self._silent:
            return self._silent[period]
        [row] = ask(self._database, "heard", period_parameters(period))
        silent: bool = row["newest"] is None
        if self._remember:
            self._silent[period] = silent
        return silent


def _fixed(within: Mapping[str, Sequence[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((part, tuple(names)) for part, names in within.items())


def definition_of(name: str) -> KpiDefinition:
    """A KPI's definition. Raises UsageError naming those that there are."""
    catalogue = load_catalogue()
    if name not in catalogue:
        raise UsageError(f"there is no KPI {name!r}", f"one of: {', '.join(catalogue)}")
    return catalogue[name]
