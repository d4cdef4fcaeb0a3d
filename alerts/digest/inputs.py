"""What a digest is made of: figures as KPIs and queries give them, and what was decided of them already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from uptake.alerts.budgets import Evaluation
from uptake.alerts.digest.cadence import cadence_of
from uptake.alerts.digest.noticing import Idle, PromptJump
from uptake.alerts.digest.shape import Kind, kind_of
from uptake.alerts.findings import Finding
from uptake.alerts.formats import Language
from uptake.alerts.targets import Standing
from uptake.calendar import Closed, IsoWeek, Period
from uptake.sql.results import AdoptionPairs, KpiResult
from uptake.stats.forecast import Forecast
from uptake.workspace.models import Audience, Cadence, Organisation

Results = Mapping[str, KpiResult]
"""Results by KPI, by team or by app."""


@dataclass(frozen=True, slots=True)
class DigestInputs:
    """`span` is the closed period; `this` holds its KPIs, `before` those of the period before.

    `history` holds the last periods' results, oldest first and this one last, for the KPIs of the chart. `by_team` and
    `by_app` hold some KPIs divided, before and now. `reasons` counts the reasons of overrides, before and now.
    `budgets` are judged at the period's end, `forecasts` are of their periods, by the budget's identifier. `findings`
    are those of the period: `new_findings` of them were not seen in the weeks before, `known_findings` were. `since`
    compares adoption with the first week that is known of the look-back. `new`: less than twelve weeks are known.
    `registered` are the apps that the registry knows by now. Events are known from the day `known_from` on: of a period
    that began before it a part is known, which is compared with nothing.
    """

    organisation: Organisation
    audience: Audience
    span: Closed
    this: Results
    before: Results
    pairs: AdoptionPairs | None = None
    targets: Mapping[str, Standing] = field(default_factory=dict)
    budgets: Sequence[Evaluation] = ()
    forecasts: Mapping[str, Forecast] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    new_findings: int = 0
    known_findings: int = 0
    registered: frozenset[str] = frozenset()
    jumps: Sequence[PromptJump] = ()
    idle: Sequence[Idle] = ()
    by_team: Mapping[str, tuple[Results, Results]] = field(default_factory=dict)
    by_app: Mapping[str, tuple[Results, Results]] = field(default_factory=dict)
    reasons: tuple[Mapping[str, int], Mapping[str, int]] = field(default_factory=lambda: ({}, {}))
    history: Mapping[str, Sequence[KpiResult]] = field(default_factory=dict)
    since: tuple[IsoWeek, AdoptionPairs] | None = None
    new: bool = False
    data_until: datetime | None = None
    known_from: date | None = None

    @property
    def locale(self) -> Language:
        return self.audience.locale or self.organisation.locale

    @property
    def cadence(self) -> Cadence:
        return cadence_of(self.span)

    @property
    def kind(self) -> Kind:
        return kind_of(self.audience)

    @property
    def period(self) -> Period:
        return self.span.period(self.organisation.zone)

    @property
    def known_in_part(self) -> bool:
        return begins_within(self.known_from, self.period)


def begins_within(known_from: date | None, period: Period) -> bool:
    """Whether the events that are known begin within a period, so that it is not known as a whole."""
    return known_from is not None and period.first < known_from < period.after
