"""Gathers what a digest is made of: thin, every number comes from a KPI or a query."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from uptake.alerts import budgets, findings
from uptake.alerts.digest.actions import Idle, idle_teams, prompt_jumps
from uptake.alerts.digest.compose import HISTORY_WEEKS, SHOWN, TRUST, DigestInputs
from uptake.calendar import IsoWeek, Period
from uptake.clickhouse import TenantDatabase
from uptake.sql import queries
from uptake.sql.results import KpiResult
from uptake.sql.runner import KpiRunner
from uptake.workspace.models import Audience, Budget, Workspace

CHART = ("adoption", "override_rate")
IDLE_WEEKS = 4
"""Fewer weeks of data say nothing about who never started."""


class Gatherer:
    """Inputs for the digests of one tenant. Figures that audiences share are queried once: use one a run."""

    def __init__(self, database: TenantDatabase, workspace: Workspace) -> None:
        self._database = database
        self._workspace = workspace
        self._runner = KpiRunner(database, workspace, remember=True)

    def has_data(self, week: IsoWeek) -> bool:
        """Whether anything happened in the weeks that the digest looks back on."""
        return queries.data_until(self._database, self._look_back(week)) is not None

    def inputs(self, audience: Audience, week: IsoWeek) -> DigestInputs:
        workspace, database, runner = self._workspace, self._database, self._runner
        organisation, teams = workspace.organisation, audience.teams
        period, earlier = (w.period(organisation.zone) for w in (week, week.shift(-1)))
        names = (*SHOWN, *TRUST)
        this = {name: runner.run(name, period, teams) for name in names}
        before = {name: runner.run(name, earlier, teams) for name in SHOWN}
        weeks = [week.shift(n).period(organisation.zone) for n in range(1 - HISTORY_WEEKS, 1)]
        known_weeks = self._known_weeks(weeks)
        history = {name: runner.series(name, weeks, teams) for name in CHART}
        jumps = prompt_jumps(
            queries.override_by_prompt(database, organisation, period, teams),
            queries.override_by_prompt(database, organisation, earlier, teams),
            queries.reasons(database, organisation, period, teams),
        )
        shown = not (this["adoption"].suppressed or before["adoption"].suppressed)
        new, known = self._findings(period, teams)
        return DigestInputs(
            organisation=organisation,
            audience=audience,
            week=week,
            this=this,
            before=before,
            pairs=queries.adoption_pairs(database, organisation, earlier, period, teams) if shown else None,
            targets=targets(workspace, teams),
            budgets=self._budgets(period, audience),
            findings=[*new, *known],
            new_findings=len(new),
            known_findings=len(known),
            registered=frozenset(workspace.registry),
            jumps=jumps,
            idle=self._idle(week, known_weeks, teams),
            history=history,
            since=self._since(week, history["adoption"], teams),
            data_until=queries.data_until(database, period),
        )

    def _look_back(self, week: IsoWeek) -> Period:
        first = week.shift(1 - HISTORY_WEEKS).monday()
        return Period(first, week.shift(1).monday(), self._workspace.organisation.zone)

    def _findings(
        self, period: Period, teams: Sequence[str]
    ) -> tuple[list[findings.Finding], list[findings.Finding]]:
        """Findings of the week: those not seen in the twelve weeks before, and the others."""
        ours = [
            g
            for g in queries.unauthorised_groups(self._database, period.start, period.end)
            if not teams or g.team in teams
        ]
        start = period.start - timedelta(weeks=HISTORY_WEEKS)
        past = queries.unauthorised_groups(self._database, start, period.start)
        before = {(g.rule, g.app, g.subject) for g in past}
        merged = findings.merge(ours)
        new = [f for f in merged if (f.rule, f.app, f.subject) not in before]
        return new, [f for f in merged if (f.rule, f.app, f.subject) in before]

    def _budgets(self, period: Period, audience: Audience) -> list[budgets.Evaluation]:
        """The audience's budgets as they stood when the week ended."""
        judged = []
        for budget in self._workspace.budgets:
            whole = budgets.current_period(budget, period.end - timedelta(seconds=1), period.zone)
            spend = queries.budget_spend(self._database, budget.scope, whole, period.end)
            evaluation = budgets.evaluate(budget, spend, whole, period.end)
            if evaluation.state != "inactive" and _concerns(
                budget, audience, self._workspace, evaluation.state
            ):
                judged.append(evaluation)
        return judged

    def _known_weeks(self, weeks: Sequence[Period]) -> int:
        """How many of these weeks, up to the last one, lie in the time of which anything is known."""
        heard = [result.value is not None for result in self._runner.series("calls", weeks)]
        return len(heard) - heard.index(True) if True in heard else 0

    def _idle(self, week: IsoWeek, known: int, teams: Sequence[str]) -> list[Idle]:
        """Groups that used nothing in the weeks of which anything is known; too few weeks accuse nobody."""
        if known < IDLE_WEEKS:
            return []
        period = Period(
            week.shift(1 - known).monday(), week.shift(1).monday(), self._workspace.organisation.zone
        )
        by_team = self._runner.by_team("adoption", period)
        ours = {team: result for team, result in by_team.items() if not teams or team in teams}
        championed = {p.team for p in self._workspace.roster if p.champion and p.on(period.last)}
        return idle_teams(ours, frozenset(championed), known)

    def _since(
        self, week: IsoWeek, adoption: Sequence[KpiResult], teams: Sequence[str]
    ) -> tuple[IsoWeek, queries.AdoptionPairs] | None:
        """Adoption against the first week in which it is known, where that is not the week before."""
        first = next((at for at, result in enumerate(adoption) if result.value is not None), len(adoption))
        if first >= len(adoption) - 2 or adoption[-1].value is None:
            return None
        organisation = self._workspace.organisation
        start = week.shift(first + 1 - len(adoption))
        then, now = start.period(organisation.zone), week.period(organisation.zone)
        pairs = queries.adoption_pairs(self._database, organisation, then, now, teams)
        return (start, pairs) if pairs is not None else None


def _concerns(budget: Budget, audience: Audience, workspace: Workspace, state: str) -> bool:
    """A department reads about budgets of its teams, of apps that only its teams may use, and those that alert in
    its channel; the organisation about its own, and any that is exceeded."""
    scope = budget.scope
    if not audience.teams:
        return state == "breach" or scope.counts_exactly(())
    app = workspace.registry.get(scope.app or "")
    belongs = scope.all_teams or (app.teams if app else ())
    inside = bool(belongs) and set(belongs) <= set(audience.teams)
    return inside or bool(budget.channel and budget.channel == audience.channel)


def targets(workspace: Workspace, teams: Sequence[str]) -> dict[str, float]:
    """Targets by KPI: the teams' own where they all have the same one, else the organisation's."""
    found: dict[str, float] = {}
    for target in workspace.targets:
        if target.team is None:
            found[target.kpi.value] = target.target
    own: dict[str, dict[str, float]] = {}
    for target in workspace.targets:
        if target.team is not None and target.team in teams:
            own.setdefault(target.kpi.value, {})[target.team] = target.target
    for kpi, by_team in own.items():
        if len(by_team) == len(set(teams)) and len(set(by_team.values())) == 1:
            found[kpi] = next(iter(by_team.values()))
    return found


def audiences(workspace: Workspace) -> tuple[Audience, ...]:
    """Who reads digests; an organisation that names nobody still has one of its own."""
    named = workspace.channels.audiences
    return named or (Audience(audience="organisation", name=workspace.organisation.name),)
