"""Gathers what a digest is made of: thin, every number comes from a KPI or a query.

What audiences share is asked once and added up for each: 200 departments cost little more than one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property, partial
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from uptake.alerts import budgets, findings
from uptake.alerts.digest import (
    BY_TEAM,
    HISTORY,
    TRUST,
    DigestInputs,
    asked_for_actions,
    beside,
    cadence_of,
    charted,
    kind_of,
    shown,
)
from uptake.alerts.digest.inputs import Results, begins_within
from uptake.alerts.digest.noticing import Idle, idle_teams, prompt_jumps
from uptake.alerts.digest.shape import OF_NEW_PROGRAMMES
from uptake.alerts.targets import Standing, judged_over, stand
from uptake.calendar import Closed, IsoWeek, Period
from uptake.clickhouse import TenantDatabase
from uptake.sql import queries
from uptake.sql.activity.reader import ActivityReader
from uptake.sql.cells import PriceInputs
from uptake.sql.results import DailySpend, KpiResult, SpendSoFar
from uptake.sql.runner import KpiRunner
from uptake.stats.forecast import Forecast, forecast
from uptake.workspace.models import Audience, Budget, Scope, Target, Workspace

IDLE_WEEKS = 4
"""Fewer weeks of data say nothing about who never started."""

LOOK_BACK_WEEKS = 12
"""How far back it is asked whether anything is known, and what was seen before."""

EVER = date(2000, 1, 1)
"""Before any event."""

SPEND_DAYS = 120
"""Days of spend before a period's end for budgets and forecasts: this month, the last, and the weeks before."""

BY_APP = ("override_rate", "thumbs_down", "error_rate", "spend")
"""KPIs of which it is asked which app a change comes from."""

T = TypeVar("T")


class Gatherer:
    """Inputs for the digests of one tenant. Figures that audiences share are queried once: use one a run. `readers`
    are the audiences that will be asked for, if it is not all of them: less is fetched for a few departments."""

    def __init__(
        self,
        database: TenantDatabase,
        workspace: Workspace,
        input_rates: PriceInputs | None = None,
        readers: Iterable[Audience] = (),
    ) -> None:
        self._database = database
        self._workspace = workspace
        self._zone = workspace.organisation.zone
        self._readers = tuple(readers)
        self._reader = ActivityReader(database, remember=True)
        self._runner = KpiRunner(
            database,
            workspace,
            remember=True,
            reader=self._reader,
            input_rates=input_rates,
            beside=False,
            readers=_teams_of(self._readers),
        )
        self._asked: dict[Hashable, Any] = {}

    def has_data(self, span: Closed) -> bool:
        """Whether anything happened in the time that the digest looks back on."""
        period = span.period(self._zone)
        first = min(period.first, period.after - timedelta(weeks=LOOK_BACK_WEEKS))
        whole = Period(first, period.after, self._zone)
        # its own question: this is asked before it is known what a draft is made of
        return self._once(("has data", whole), lambda: queries.data_until(self._database, whole)) is not None

    def inputs(self, audience: Audience, span: Closed) -> DigestInputs:
        workspace, cadence, kind = self._workspace, cadence_of(span), kind_of(audience)
        teams, apps = audience.teams, audience.apps
        period, earlier = span.period(self._zone), span.shift(-1).period(self._zone)
        week = span if isinstance(span, IsoWeek) else IsoWeek.of(period.last)
        known = self._known_from(period)
        # less than twelve whole weeks are known, or nothing was heard for a while before
        young = self._known_weeks(week) < LOOK_BACK_WEEKS or (
            known is not None and known > period.after - timedelta(weeks=LOOK_BACK_WEEKS)
        )
        asked = asked_for_actions(cadence, kind)
        names = dict.fromkeys(
            (*shown(cadence, kind, new=young), *TRUST, *beside(cadence, kind, new=young), *asked)
        )
        compared = not begins_within(known, earlier)
        this = {name: self._runner.run(name, period, teams, apps) for name in names}
        before = (
            {name: self._runner.run(name, earlier, teams, apps) for name in names if name not in TRUST}
            if compared
            else {}
        )
        spans = [span.shift(n).period(self._zone) for n in range(1 - HISTORY[cadence], 1)]
        history = {
            name: [_whole(r, known) for r in self._runner.series(name, spans, teams, apps, bare=True)]
            for name in charted(cadence, kind)
        }
        new, seen = self._findings(period, audience)
        judged = self._budgets(period, audience)
        weekly = isinstance(span, IsoWeek) and kind != "app"
        return DigestInputs(
            organisation=workspace.organisation,
            audience=audience,
            span=span,
            this=this,
            before=before,
            pairs=self._pairs(earlier, period, audience, this, before) if "adoption" in before else None,
            targets=self._targets(period, audience),
            budgets=judged,
            forecasts=self._forecasts(judged, period),
            findings=[*new, *seen],
            new_findings=len(new),
            known_findings=len(seen),
            registered=frozenset(workspace.registry),
            jumps=self._jumps(earlier, period, audience) if isinstance(span, IsoWeek) else (),
            idle=self._idle(cast(IsoWeek, span), teams) if weekly else (),
            by_team=self._by_team(
                [*(n if n in names else OF_NEW_PROGRAMMES.get(n, n) for n in BY_TEAM[cadence]), *asked],
                earlier if compared else None,
                period,
                audience,
            ),
            by_app=self._by_app(names, earlier if compared else None, period, audience),
            reasons=(self._reasons(earlier, audience) if compared else {}, self._reasons(period, audience)),
            history=history,
            since=self._since(cast(IsoWeek, span), history["adoption"], audience)
            if "adoption" in history
            else None,
            new=young,
            data_until=self._data_until(period),
            known_from=known,
        )

    def _once(self, key: Hashable, ask: Callable[[], T]) -> T:
        if key not in self._asked:
            self._asked[key] = ask()
        return cast(T, self._asked[key])

    def _data_until(self, period: Period) -> Any:
        return self._once(("data_until", period), lambda: queries.data_until(self._database, period))

    def _known_from(self, period: Period) -> date | None:
        """The first day of which anything is known, however long before the period."""
        return self._first_day(Period(EVER, period.after, self._zone))

    def _first_day(self, period: Period) -> date | None:
        def ask() -> date | None:
            oldest = queries.known_from(self._database, period)
            return oldest.astimezone(ZoneInfo(self._zone)).date() if oldest else None

        return self._once(("known_from", period), ask)

    def _pairs(
        self, before: Period, now: Period, audience: Audience, this: Results, then: Results
    ) -> queries.AdoptionPairs | None:
        """What became of the people, where both numbers of them may be shown."""
        if any(results["adoption"].suppressed or results["adoption"].hidden for results in (this, then)):
            return None
        return self._sum_pairs(before, now, audience)

    def _sum_pairs(self, before: Period, now: Period, audience: Audience) -> queries.AdoptionPairs | None:
        organisation, apps = self._workspace.organisation, tuple(audience.apps)
        rows = self._once(
            ("pairs", before, now, apps),
            lambda: queries.pair_rows(self._database, organisation, before, now, apps, self._reader),
        )
        return queries.sum_pairs(rows, audience.teams)

    def _jumps(self, before: Period, now: Period, audience: Audience) -> Sequence[Any]:
        organisation, database = self._workspace.organisation, self._database
        teams, apps = audience.teams, audience.apps

        def prompts(period: Period) -> list[queries.PromptOverrides]:
            rows = self._once(
                ("prompts", period), lambda: queries.prompt_rows(database, organisation, period)
            )
            return queries.sum_prompts(rows, teams, apps)

        rows = self._once(("reasons", now), lambda: queries.reason_rows(database, organisation, now))
        return prompt_jumps(prompts(now), prompts(before), queries.sum_reasons(rows, teams, apps))

    def _reasons(self, period: Period, audience: Audience) -> Mapping[str, int]:
        """How often each reason was given for an override."""
        found = self._runner.breakdown("reasons", period, "reason", audience.teams, audience.apps)
        return {code: given for code, r in found.items() if code and (given := r.extras.get("given", 0))}

    def _by_team(
        self, names: Iterable[str], before: Period | None, now: Period, audience: Audience
    ) -> dict[str, tuple[Results, Results]]:
        """Some KPIs of each team of the audience; none where it is one team, or apps. Nothing of a period before that
        is not compared with."""
        if audience.apps or len(audience.teams) == 1:
            return {}

        def of(name: str, period: Period | None) -> Results:
            return self._runner.by_team(name, period, teams=audience.teams) if period else {}

        return {name: (of(name, before), of(name, now)) for name in names}

    def _by_app(
        self, names: Iterable[str], before: Period | None, now: Period, audience: Audience
    ) -> dict[str, tuple[Results, Results]]:
        def of(name: str, period: Period | None) -> Results:
            if period is None:
                return {}
            return self._runner.breakdown(name, period, "app", audience.teams, audience.apps)

        return {name: (of(name, before), of(name, now)) for name in names if name in BY_APP}

    def _findings(
        self, period: Period, audience: Audience
    ) -> tuple[list[findings.Finding], list[findings.Finding]]:
        """Findings of the period: those not seen in the twelve weeks before, and the others."""
        start, end = period.start, period.end
        groups = self._once(
            ("unauthorised", period), lambda: queries.unauthorised_groups(self._database, start, end)
        )
        before = self._once(
            ("unauthorised before", period),
            lambda: queries.unauthorised_uses(
                self._database, start - timedelta(weeks=LOOK_BACK_WEEKS), start
            ),
        )
        ours = [
            g
            for g in groups
            if (not audience.teams or g.team in audience.teams)
            and (not audience.apps or g.app in audience.apps)
        ]
        merged = findings.merge(ours)
        new = [f for f in merged if (f.rule, f.app, f.subject) not in before]
        return new, [f for f in merged if (f.rule, f.app, f.subject) in before]

    def _daily(self, after: date) -> DailySpend:
        """Spend of the days before `after`, for budgets and forecasts."""
        period = Period(after - timedelta(days=SPEND_DAYS), after, self._zone)

        def ask(teams: Collection[str] = ()) -> DailySpend:
            return queries.daily_spend(self._database, period, self._reader, teams)

        # Since when anything is known at all, the rows of a few teams say, if there is one.
        return self._once(("daily", after), lambda: daily if (daily := ask(self._spenders)).rows else ask())

    @cached_property
    def _spenders(self) -> frozenset[str]:
        """The teams whose spend the readers' budgets count; none if that is not a matter of teams alone."""
        scopes = [
            frozenset(budget.scope.all_teams)
            for budget in self._workspace.budgets
            if any(_concerns(budget, reader, self._workspace) for reader in self._readers)
        ]
        are_departments = all(reader.teams for reader in self._readers)
        return frozenset().union(*scopes) if are_departments and all(scopes) else frozenset()

    def _budgets(self, period: Period, audience: Audience) -> list[budgets.Evaluation]:
        """The audience's budgets as they stood when the period ended."""
        judged = []
        for budget in self._workspace.budgets:
            concerned = _concerns(budget, audience, self._workspace)
            if not concerned and (audience.teams or audience.apps):
                continue
            whole = budgets.current_period(budget, period.end - timedelta(seconds=1), period.zone)
            spend = self._spent(budget, whole, period.after)
            evaluation = budgets.evaluate(budget, spend, whole, period.end)
            if evaluation.state != "inactive" and (concerned or evaluation.state == "breach"):
                judged.append(evaluation)
        return judged

    def _spent(self, budget: Budget, whole: Period, after: date) -> SpendSoFar:
        scope = budget.scope
        if scope.use_case or scope.model:
            until = Period(whole.first, after, whole.zone).end
            return self._once(
                ("budget", budget.budget, after),
                lambda: queries.budget_spend(self._database, scope, whole, until),
            )
        days = self._daily(after).of(scope.all_teams, scope.app or "")
        rows = [row for row in days if whole.first <= row.day < after]
        return SpendSoFar(
            sum(row.known_nano for row in rows),
            sum(row.upper_nano for row in rows),
            sum(row.unpriced_calls for row in rows),
            None,
        )

    def _forecasts(self, judged: Sequence[budgets.Evaluation], period: Period) -> dict[str, Forecast]:
        """By the budget's identifier; a budget of a use case or model alone has none."""
        made = {
            each.budget.budget: self._once(
                ("forecast", each.budget.budget, period.after),
                partial(self._forecast, each.budget.scope, each.period, period.after),
            )
            for each in judged
        }
        return {budget: one for budget, one in made.items() if one is not None}

    def _forecast(self, scope: Scope, whole: Period, after: date) -> Forecast | None:
        daily = self._daily(after)
        if scope.use_case or scope.model or daily.known_from is None:
            return None
        by_day: dict[date, int] = {}
        for row in daily.of(scope.all_teams, scope.app or ""):
            by_day[row.day] = by_day.get(row.day, 0) + row.known_nano
        return forecast(by_day, daily.known_from, whole, after)

    def _targets(self, period: Period, audience: Audience) -> dict[str, Standing]:
        found = {}
        for target in targets(self._workspace, audience).values():
            teams = (target.team,) if target.team else audience.teams
            judged = judged_over(target.kpi, period)
            result = self._runner.run(target.kpi.value, judged, teams)
            apps = self._workspace.apps_on(judged.last)
            found[target.kpi.value] = stand(target, result, apps, self._zone)
        return found

    def _known_weeks(self, week: IsoWeek) -> int:
        """How many of the last twelve weeks, up to this one, lie in the time of which anything is known. Not the one in
        which data began, which is known in part."""
        weeks = [week.shift(n).period(self._zone) for n in range(1 - LOOK_BACK_WEEKS, 1)]
        known = self._first_day(Period(weeks[0].first, weeks[-1].after, self._zone))
        ever = self._known_from(weeks[-1])
        return sum(
            known is not None and known < each.after and not begins_within(ever, each) for each in weeks
        )

    def _idle(self, week: IsoWeek, teams: Sequence[str]) -> list[Idle]:
        """Groups that used nothing in the weeks of which anything is known; too few weeks accuse nobody."""
        known = self._known_weeks(week)
        if known < IDLE_WEEKS:
            return []
        period = Period(week.shift(1 - known).monday(), week.shift(1).monday(), self._zone)
        by_team = self._runner.by_team("adoption", period, teams=teams)
        championed = self._once(
            ("championed", period.last),
            lambda: self._workspace.championed_on(period.last),
        )
        # What champions are worth is dear to compare: only where it is said of somebody.
        if not idle_teams(by_team, championed, known, teams):
            return []
        champions = self._runner.run("champions", week.period(self._zone))
        return idle_teams(by_team, championed, known, teams, champions)

    def _since(
        self, week: IsoWeek, adoption: Sequence[KpiResult], audience: Audience
    ) -> tuple[IsoWeek, queries.AdoptionPairs] | None:
        """Adoption against the first week in which it is known, where that is not the week before."""
        first = next((at for at, result in enumerate(adoption) if result.value is not None), len(adoption))
        if first >= len(adoption) - 2 or adoption[-1].value is None:
            return None
        start = week.shift(first + 1 - len(adoption))
        pairs = self._sum_pairs(start.period(self._zone), week.period(self._zone), audience)
        return (start, pairs) if pairs is not None else None


def _whole(result: KpiResult, known_from: date | None) -> KpiResult:
    """A result, without its value if only a part of its period is known."""
    if not begins_within(known_from, result.period):
        return result
    return replace(result, value=None, interval=None)


def _teams_of(readers: Iterable[Audience]) -> frozenset[str]:
    """The teams of some departments; none where everybody's figures are read."""
    teams = [frozenset(reader.teams) for reader in readers]
    return frozenset().union(*teams) if all(teams) else frozenset()


def _concerns(budget: Budget, audience: Audience, workspace: Workspace) -> bool:
    """A department reads about budgets of its teams, of apps that only its teams may use, and those that alert in
    its channel; an app owner about those of the apps; the organisation about its own."""
    scope = budget.scope
    if audience.apps:
        return scope.app in audience.apps
    if not audience.teams:
        return scope.counts_exactly(())
    app = workspace.registry.get(scope.app or "")
    belongs = scope.all_teams or (app.teams if app else ())
    inside = bool(belongs) and set(belongs) <= set(audience.teams)
    return inside or bool(budget.channel and budget.channel == audience.channel)


def targets(workspace: Workspace, audience: Audience) -> dict[str, Target]:
    """Targets by KPI: the teams' own where they all have the same one, else the organisation's. An app has none."""
    if audience.apps:
        return {}
    found = {target.kpi.value: target for target in workspace.targets if target.team is None}
    if audience.teams:
        # the aim is everybody's, and the baseline that of the organisation alone
        found = {kpi: target.model_copy(update={"baseline": None}) for kpi, target in found.items()}
    own: dict[str, list[Target]] = {}
    for target in workspace.targets:
        if target.team is not None and target.team in audience.teams:
            own.setdefault(target.kpi.value, []).append(target)
    for kpi, of_teams in own.items():
        alike = len({target.target for target in of_teams}) == 1
        if alike and {target.team for target in of_teams} == set(audience.teams):
            # of several teams the aim is the same and where each began is not
            first = of_teams[0]
            several = first.model_copy(update={"team": None, "baseline": None})
            found[kpi] = first if len(of_teams) == 1 else several
    return found


def audiences(workspace: Workspace) -> tuple[Audience, ...]:
    """Who reads digests; an organisation that names nobody still has one of its own."""
    named = workspace.channels.audiences
    return named or (Audience(audience="organisation", name=workspace.organisation.name),)
