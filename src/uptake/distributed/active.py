"""What the active scheduler does: alerts, rosters, the audit, activity. Each is a job for itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime

from uptake.alerts.deliver import Deliverer
from uptake.alerts.outbox import Outbox
from uptake.alerts.tick import Tick
from uptake.distributed.audit_open import open_audit
from uptake.distributed.jobs import Job, Jobs
from uptake.distributed.listener import Listener
from uptake.distributed.scheduler_metrics import SchedulerMetrics
from uptake.home import Home
from uptake.processors.pipeline import Written
from uptake.rates import input_rates
from uptake.service import IDLE_LOOK
from uptake.sql.activity.refresh import refresh
from uptake.watch import WatchedWorkspaces
from uptake.workspace.models import Workspace
from uptake.workspace.roster import publish_roster

AUDIT_SECONDS = 45.0
"""A hole is reported within a minute, the look itself included."""
ACTIVITY_SECONDS = 60.0


class Active:
    """`start` once, then `stop`. `allowed` is asked before each job runs: whether this process may still act."""

    def __init__(
        self, home: Home, deliverer: Deliverer, metrics: SchedulerMetrics, allowed: Callable[[], bool]
    ) -> None:
        self._home = home
        self._metrics = metrics
        self._stack = ExitStack()
        # 1. What is configured; its rosters are published before it is in force.
        self.workspaces = WatchedWorkspaces(home.settings.workspace, home.read_workspaces, self._publish)
        self._tenants = tuple(self.workspaces.refresh())
        # 2. What decides and says.
        self.outbox = Outbox(home.state, home.clock)
        self.tick = Tick(
            home.state, home.database, self._refresh, deliverer, self.outbox, IDLE_LOOK, input_rates
        )
        # 3. What looks after the log. A look that fails is repeated in a minute and need not wait in between.
        self.audit = open_audit(home, self._stack, self.workspaces.get, self._told, waits=())
        # 4. What hears of news.
        self.listener = Listener(home.settings, self.tick.notice, self._missed)
        # 5. Time.
        self.jobs = Jobs(
            [
                Job("alerts", home.settings.tick_seconds, self.tick.run),
                Job("audit", AUDIT_SECONDS, self._look),
                Job("activity", ACTIVITY_SECONDS, self._bring_activity),
            ],
            home.clock,
            allowed,
        )

    def start(self) -> None:
        """Begin. What it raises leaves nothing running."""
        try:
            self._stack.callback(self.listener.stop)
            self.listener.start()
            self._stack.callback(self.jobs.stop)
            self.jobs.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Begin nothing more, finish what runs."""
        self._stack.close()

    def _look(self, now: datetime) -> None:
        started = time.monotonic()
        report = self.audit.look(now)
        self._metrics.audited(report, time.monotonic() - started)

    def _bring_activity(self, now: datetime) -> None:
        refresh(
            self._home.database, {name: w for name in self._tenants if (w := self.workspaces.get(name))}, now
        )

    def _refresh(self) -> Mapping[str, Workspace]:
        current = self.workspaces.refresh()
        self._tenants = tuple(current)
        return current

    def _publish(self, workspaces: Mapping[str, Workspace]) -> None:
        for workspace in workspaces.values():
            publish_roster(self._home.database, workspace, self._home.clock)

    def _told(self, written: Written) -> None:
        self.tick.notice(written.tenant)

    def _missed(self) -> None:
        for tenant in self._tenants:
            self.tick.notice(tenant)
