"""The three things a tick looks at for one tenant: ask, decide, say. Thin; what is decided stands elsewhere.

Each function does its effects in the order of its numbered comments, and may be repeated at any point: the ledger
keeps what was said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from uptake.alerts import budgets, digest, findings, floods, ledger, standing
from uptake.alerts.drafts import Drafts
from uptake.alerts.gather import Gatherer, audiences
from uptake.alerts.restating import SETTLED_AFTER
from uptake.calendar import Closed, Period
from uptake.clickhouse import TenantDatabase
from uptake.money import to_nano
from uptake.sql import queries
from uptake.sql.cells import PriceInputs
from uptake.sql.runner import KpiRunner
from uptake.workspace.models import Audience, Budget, Workspace

AFTER_THE_END = timedelta(days=3)
"""How long a budget's period is looked at after it ended: its last moments and late events count too."""

NEAR_DAYS, FAR_DAYS = 2, 35
"""How many days back findings are looked for: on every tick, and once an hour."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one tenant's facts come from and go to. `input_rates` prices what caching saved."""

    state: Engine
    database: TenantDatabase
    workspace: Workspace
    input_rates: PriceInputs | None = None

    @property
    def tenant(self) -> str:
        return self.workspace.tenant

    def drafts(self, readers: Iterable[Audience] = ()) -> Drafts:
        """Composes a run's digests, of `readers` if not of all: take a new one for each run."""
        gatherer = Gatherer(self.database, self.workspace, self.input_rates, readers)
        return Drafts(self.state, self.database, self.workspace, gatherer)


def channel_of(workspace: Workspace, identity: str) -> str:
    """Where the fact with this identity is said by the present workspace; "" where nothing says so."""
    kind, _, name = identity.split("/")[:3]
    if kind == "finding":
        return workspace.channels.findings
    if kind == "budget":
        own = next((b.channel for b in workspace.budgets if b.budget == name), "")
        return own or workspace.channels.budgets
    return next((a.channel for a in audiences(workspace) if a.audience == name), "")


def say_budget(place: Place, budget: Budget, now: datetime) -> int:
    """Judge one budget now, and its last period while that is fresh. Returns how many messages were said.

    The last period is judged only by the amount that the budget was judged by while it ran: one that was written
    or changed since was not crossed then.
    """
    zone = place.workspace.organisation.zone
    period = budgets.current_period(budget, now, zone)
    last = budgets.previous_period(budget, period)
    ran = standing.amount_in(standing.load_budgets(place.state, place.tenant).get(budget.budget), last)
    said = 0
    if ran == to_nano(budget.amount) and now < last.end + AFTER_THE_END:
        said += _judge(place, budget, last, now)[1]
    evaluation, new = _judge(place, budget, period, now)
    # 4. keep that it was evaluated, and why it did or did not fire
    standing.save_budget(place.state, place.tenant, evaluation, {last: ran} if ran is not None else {})
    return said + new


def evaluate_budget(
    place: Place, budget: Budget, period: Period, now: datetime
) -> tuple[budgets.Evaluation, dict[int, datetime]]:
    """Where a budget stands in a period, and when which of its thresholds were said. Says nothing."""
    spend = queries.budget_spend(place.database, budget.scope, period, now)
    names = {budgets.identity(place.tenant, budget, period.first, t): t for t in budget.thresholds}
    told = {names[name]: at for name, at in ledger.said(place.state, names).items()}
    return budgets.evaluate(budget, spend, period, now, told), told


def _judge(place: Place, budget: Budget, period: Period, now: datetime) -> tuple[budgets.Evaluation, int]:
    """Evaluate one period and say the highest threshold that is new."""
    # 1. ask, 2. decide
    evaluation, told = evaluate_budget(place, budget, period, now)
    if not evaluation.new:
        return evaluation, 0
    drivers = queries.budget_drivers(place.database, budget.scope, min(now, period.end))
    organisation = place.workspace.organisation
    message = budgets.compose(evaluation, organisation, sorted(told.items()), drivers)
    # 3. say: all thresholds that are new are recorded, one message names them
    lower = [budgets.identity(place.tenant, budget, period.first, t) for t in evaluation.new[:-1]]
    channel = channel_of(place.workspace, message.identity)
    done = ledger.say(
        place.state,
        message.identity,
        "budget",
        place.tenant,
        message,
        [channel],
        now,
        also=lower,
        detail=evaluation.detail(),
    )
    return evaluation, int(done)


def say_findings(place: Place, now: datetime, far: bool) -> int:
    """Look for unauthorised use, `far` back or in the last days only. Returns how many findings were new."""
    organisation = place.workspace.organisation
    today = now.astimezone(ZoneInfo(organisation.zone)).date()
    days = FAR_DAYS if far else NEAR_DAYS
    window = Period(today - timedelta(days=days), today + timedelta(days=1), organisation.zone)
    # 1. ask
    known = standing.known_findings(place.state, place.tenant)
    groups = _unauthorised(place, window, findings.resolved(known))
    # 2. decide
    decision = findings.decide(place.tenant, groups, known)
    # an episode that the registry allows has none: the call came from a clock that runs ahead
    new = [f for f in decision.new if not (f.episode and findings.allowed(place.workspace, f.key, today))]
    names = {findings.identity(place.tenant, finding): finding for finding in new}
    told = ledger.said(place.state, names)
    unsaid = [finding for name, finding in names.items() if name not in told]
    spend: dict[str, int] = {}
    if unsaid:
        results = KpiRunner(place.database, place.workspace).by_team("spend", window)
        spend = {team: int(result.value) for team, result in results.items() if result.value is not None}
    # 3. say what is new
    said = 0
    for some in floods.bundle(unsaid):
        first, *others = some
        alone = not others
        message = (
            findings.compose(first, place.workspace, spend)
            if alone
            else floods.compose(some, place.workspace)
        )
        channels = [channel_of(place.workspace, message.identity)]
        said += ledger.say(
            place.state,
            message.identity,
            "finding",
            place.tenant,
            message,
            channels,
            now,
            also=[findings.identity(place.tenant, finding) for finding in others],
            detail=first.detail(),
        )
    # 4. record what was said (another process may have said a part of a flood: the rest is new on the next look);
    # figures of the short window would make known findings shrink
    told = ledger.said(place.state, names)
    recorded = [finding for name, finding in names.items() if name in told]
    standing.save_findings(place.state, place.tenant, recorded, opened=True)
    if far:
        standing.save_findings(place.state, place.tenant, decision.seen)
        # 5. what the registry allows by now is resolved
        settled = [
            one.identity
            for one in known.values()
            if one.status != findings.RESOLVED and findings.allowed(place.workspace, one.key, today)
        ]
        standing.resolve_findings(place.state, place.tenant, settled, now)
    return said


def _unauthorised(
    place: Place, window: Period, resolved: Mapping[findings.Key, datetime]
) -> list[queries.UnauthorisedGroup]:
    """The groups of the window. Of a use that was resolved within it only what came after, and nothing if nothing
    did."""
    groups = queries.unauthorised_groups(place.database, window.start, window.end)

    def key(group: queries.UnauthorisedGroup) -> findings.Key:
        return group.rule, group.app, group.subject

    over = {k: at for k in {key(g) for g in groups} if (at := resolved.get(k)) and at > window.start}
    again = {key(g) for g in groups if key(g) in over and g.last_seen > over[key(g)]}
    found = [g for g in groups if key(g) not in over]
    for at in sorted({over[k] for k in again}):
        later = queries.unauthorised_groups(place.database, at, window.end)
        found += [g for g in later if key(g) in again and over[key(g)] == at]
    return found


def digests_due(
    place: Place, now: datetime, unheard: Collection[Closed] = ()
) -> Iterator[tuple[Audience, Closed]]:
    """Audiences that have not been told about the last closed week, month or quarter, once it is time, as far as they
    read of it. Older periods are not caught up.

    While events of that period are still coming in (history is being imported, an SDK catches up) nobody is told: a
    digest is said once, and half of a week is not the week. `unheard` are periods of which nothing is known: there is
    nothing to say of them.
    """
    organisation = place.workspace.organisation
    for cadence in digest.CADENCES:
        span = digest.last_closed(cadence, now, organisation)
        if now < digest.due_at(span, organisation.zone) or span in unheard:
            continue
        readers = {
            digest.identity(place.tenant, audience.audience, span): audience
            for audience in audiences(place.workspace)
            if cadence in audience.cadences
        }
        told = ledger.said(place.state, readers)
        waiting = [audience for name, audience in readers.items() if name not in told]
        if not waiting:
            continue
        received = queries.last_received(place.database, span.period(organisation.zone))
        if received is not None and now - received < SETTLED_AFTER:
            continue
        yield from ((audience, span) for audience in waiting)


def say_digest(
    place: Place,
    drafts: Drafts,
    audience: Audience,
    span: Closed,
    now: datetime,
    detail: Mapping[str, Any],
) -> bool:
    """Compose and say one digest, and note `detail` with it. Nothing is said of a tenant that has no data at all: it
    is being set up."""
    # 1. ask and decide
    if not drafts.gatherer.has_data(span):
        return False
    message = drafts.message(audience, span, now)
    # 2. say
    return ledger.say(
        place.state,
        message.identity,
        "digest",
        place.tenant,
        message,
        [audience.channel],
        now,
        detail=detail,
    )
