"""One look at everything that may have to be said. APScheduler only calls it; the ledger decides what is due.

A step that fails is logged and shown in `status`; it does not stop the others, and it is tried again half a minute
later.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Engine

from uptake.alerts import digest, late, saying, standing
from uptake.alerts.deliver import Deliverer
from uptake.alerts.gather import audiences
from uptake.alerts.late import Look
from uptake.alerts.letter import Letter
from uptake.alerts.outbox import Outbox
from uptake.alerts.saying import Place
from uptake.calendar import Closed
from uptake.clickhouse import Database
from uptake.errors import UptakeError
from uptake.sql.cells import PriceInputs
from uptake.workspace.models import Audience, Cadence, Workspace

MARK = "tick"
MARK_EVERY = timedelta(seconds=30)
FAR_EVERY = timedelta(hours=1)
RETRY_AFTER = timedelta(seconds=30)
UNHEARD_FOR = timedelta(minutes=10)
"""How long it is not asked again whether anything is known of a period, unless something is written."""
LETTERS = 50
RESTATED_AT_ONCE = 10
"""So many messages are composed anew in one tick: budgets wait for it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one step the last time it ran. `error` is empty if it went well."""

    name: str
    tenant: str
    ran_at: datetime
    error: str = ""


@dataclass(slots=True)
class Report:
    """What one tick did: messages said by kind, letters by the status they ended in, steps that failed."""

    said: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    failed: list[Step] = field(default_factory=list)


class Tick:
    """Budgets, findings, digests and the outbox of all tenants.

    `workspaces` gives the present workspaces by tenant. With `idle` set, budgets and findings of a tenant are
    looked at when `notice` said that something was written, and at least that often; otherwise on every tick. `rates`
    gives a workspace's prices of input tokens, for what caching saved.
    """

    def __init__(
        self,
        state: Engine,
        database: Database,
        workspaces: Callable[[], Mapping[str, Workspace]],
        deliverer: Deliverer,
        outbox: Outbox,
        idle: timedelta = timedelta(0),
        rates: Callable[[Workspace], PriceInputs] | None = None,
    ) -> None:
        self._state = state
        self._database = database
        self._workspaces = workspaces
        self._deliverer = deliverer
        self._outbox = outbox
        self._idle = idle
        self._rates = rates
        self._noticed: set[str] = set()
        self._unheard: dict[str, dict[Closed, datetime]] = {}
        self._looked: dict[str, datetime] = {}
        self._looked_far: dict[str, datetime] = {}
        self._compared: defaultdict[str, Look] = defaultdict(Look)
        self._steps: dict[tuple[str, str], Step] = {}
        self._marked: datetime | None = None
        self._ran_at: datetime | None = None
        self._lock = threading.Lock()
        self._running = threading.Lock()

    def notice(self, tenant: str) -> None:
        """Something was written for this tenant. Cheap, and safe from any thread."""
        with self._lock:
            self._noticed.add(tenant)
            self._unheard.pop(tenant, None)
            self._compared[tenant].written = True

    def run(self, now: datetime) -> Report:
        """One tick as of `now`. Two at once in one process wait for each other."""
        with self._running:
            report = Report()
            workspaces: list[Workspace] = []
            self._guard("workspaces", "", now, report, lambda: workspaces.extend(self._workspaces().values()))
            for workspace in workspaces:
                rates = self._rates(workspace) if self._rates is not None else None
                place = Place(self._state, self._database.tenant(workspace.tenant), workspace, rates)
                if self._to_look(place.tenant, now):
                    # 1. budgets
                    self._budgets(place, now, report)
                    # 2. findings
                    self._findings(place, now, report)
                # 3. digests due
                self._digests(place, now, report)
                # 4. digests that late data changed
                self._restate(place, now, report)
            # 5. deliver
            self._guard("deliver", "", now, report, lambda: self._deliver(report, workspaces))
            self._forget(workspaces)
            self._ran_at = now
            self._mark(now, report)
            return report

    def failing(self) -> list[Step]:
        """The steps that failed the last time they ran. For readiness and metrics: asks nobody."""
        with self._lock:
            return [step for step in self._steps.values() if step.error]

    def status(self) -> dict[str, Any]:
        """For the doctor: when it last ran, which steps fail and why, what waits in the outbox."""
        with self._lock:
            steps = list(self._steps.values())
        return {
            "ran_at": self._ran_at.isoformat() if self._ran_at else None,
            "failing": [_row(step) for step in self.failing()],
            "steps": [_row(step) for step in steps],
            "outbox": self._outbox.counts(),
        }

    def _to_look(self, tenant: str, now: datetime) -> bool:
        with self._lock:
            noticed = tenant in self._noticed
            self._noticed.discard(tenant)
            failing = any(s.error for (owner, _), s in self._steps.items() if owner == tenant)
        last = self._looked.get(tenant)
        if noticed or failing or last is None or not timedelta(0) <= now - last < self._idle:
            self._looked[tenant] = now
            return True
        return False

    def _budgets(self, place: Place, now: datetime, report: Report) -> None:
        for budget in place.workspace.budgets:

            def judge(budget: Any = budget) -> None:
                report.said["budget"] += saying.say_budget(place, budget, now)

            self._guard(f"budget:{budget.budget}", place.tenant, now, report, judge)

    def _findings(self, place: Place, now: datetime, report: Report) -> None:
        last = self._looked_far.get(place.tenant)
        far = last is None or not timedelta(0) <= now - last < FAR_EVERY

        def look() -> None:
            report.said["finding"] += saying.say_findings(place, now, far)
            if far:
                self._looked_far[place.tenant] = now

        self._guard("findings", place.tenant, now, report, look)

    def _digests(self, place: Place, now: datetime, report: Report) -> None:
        due: list[Any] = []
        with self._lock:
            asked = self._unheard.setdefault(place.tenant, {})
        unheard = {span for span, at in asked.items() if timedelta(0) <= now - at < UNHEARD_FOR}
        self._guard(
            "digests", place.tenant, now, report, lambda: due.extend(saying.digests_due(place, now, unheard))
        )
        if not due:
            return
        drafts = place.drafts()
        seen: dict[Any, dict[str, str]] = {}  # before the figures are asked for

        def look() -> None:
            for span in dict.fromkeys(span for _, span in due):
                if drafts.gatherer.has_data(span):
                    seen[span] = late.seen(place, late.shown_by(span, place.workspace.organisation.zone))
                else:
                    asked[span] = now

        self._guard("digests", place.tenant, now, report, look)
        for audience, span in due:
            if span not in seen:
                continue

            def tell(audience: Any = audience, span: Any = span) -> None:
                report.said["digest"] += saying.say_digest(place, drafts, audience, span, now, seen[span])

            self._guard(_step(audience, digest.cadence_of(span)), place.tenant, now, report, tell)

    def _restate(self, place: Place, now: datetime, report: Report) -> None:
        with self._lock:
            look = self._compared[place.tenant]
            if not look.is_due(now):
                return
            look.at, look.written = now, False
        changed: list[Any] = []

        def compare() -> None:
            look.more = True  # until it is done
            changed.extend(late.changed(place, late.sayables(place, now), look.waiting, now))
            look.more = False

        self._guard("restating", place.tenant, now, report, compare)
        look.steps = frozenset(f"restating:{one.sayable.identity}" for one in changed)
        composed = 0
        for one in changed:
            if composed == RESTATED_AT_ONCE:
                look.more = True
                break

            def restate(one: Any = one) -> None:
                nonlocal composed
                composed += 1
                report.said["restated"] += late.restate(place, one, look.waiting, now)

            self._guard(f"restating:{one.sayable.identity}", place.tenant, now, report, restate)

    def _deliver(self, report: Report, workspaces: Sequence[Workspace]) -> None:
        by_tenant = {workspace.tenant: workspace for workspace in workspaces}

        def channel_of(letter: Letter) -> str:
            workspace = by_tenant.get(letter.tenant)
            return saying.channel_of(workspace, letter.identity) if workspace else ""

        self._outbox.readdress(channel_of)
        report.delivered.update(self._outbox.deliver(self._deliverer, LETTERS))

    def _guard(
        self, name: str, tenant: str, now: datetime, report: Report, step: Callable[[], object]
    ) -> None:
        """Run one step. What fails is said loudly: in the log with its trace, in the report, in the status."""
        before = self._steps.get((tenant, name))
        if before is not None and before.error and timedelta(0) <= now - before.ran_at < RETRY_AFTER:
            report.failed.append(before)
            return
        error = ""
        try:
            step()
        except Exception as failure:
            error = failure.message if isinstance(failure, UptakeError) else type(failure).__name__
            log.exception("a step of the tick failed", step=name, tenant=tenant, reason=error)
        done = Step(name, tenant, now, error)
        if error:
            report.failed.append(done)
        self._note(done)

    def _forget(self, workspaces: Sequence[Workspace]) -> None:
        """Drop the steps of budgets, audiences and tenants that are gone: nothing would ever mend what failed last.
        While the workspaces cannot be read, nothing is known to be gone."""
        present = {("", name) for name in ("workspaces", "deliver", "mark")}
        for workspace in workspaces:
            names = ["findings", "digests", "restating", *self._compared[workspace.tenant].steps]
            names += [f"budget:{budget.budget}" for budget in workspace.budgets]
            names += [_step(each, cadence) for each in audiences(workspace) for cadence in each.cadences]
            present.update((workspace.tenant, name) for name in names)
        with self._lock:
            if not self._steps["", "workspaces"].error:
                self._steps = {key: step for key, step in self._steps.items() if key in present}

    def _note(self, step: Step) -> None:
        with self._lock:
            self._steps[step.tenant, step.name] = step

    def _mark(self, now: datetime, report: Report) -> None:
        """Leave word for other processes, now and then and whenever something failed."""
        if self._marked is not None and timedelta(0) <= now - self._marked < MARK_EVERY and not report.failed:
            return
        self._marked = now
        self._guard(
            "mark", "", now, report, lambda: standing.save_mark(self._state, MARK, self.status(), now)
        )


def _step(audience: Audience, cadence: Cadence) -> str:
    """What saying a digest is called."""
    return f"digest:{audience.audience}" + ("" if cadence == "weekly" else f":{cadence}")


def _row(step: Step) -> dict[str, Any]:
    return {"step": step.name, "tenant": step.tenant, "ran_at": step.ran_at.isoformat(), "error": step.error}
