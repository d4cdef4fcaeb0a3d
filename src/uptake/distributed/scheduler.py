"""The scheduler of the distributed mode: any number of processes, one of which is active, and another within half a
minute of its death."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Self, TextIO

import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from uptake.alerts.deliver import Deliverer
from uptake.clock import Clock
from uptake.distributed import required
from uptake.distributed.active import Active
from uptake.distributed.lease import Lease
from uptake.distributed.scheduler_metrics import MetricName, SchedulerMetrics
from uptake.errors import UptakeError
from uptake.home import Home
from uptake.ingest.gateway.serve import Server
from uptake.processors.worker.health import create_app
from uptake.service import deliverer_of
from uptake.settings import Settings

LEASE = "scheduler"
LOOK_SECONDS = 2.0
"""How often the lease is renewed, or looked at."""

_AWAY = (ClickHouseError, SQLAlchemyError, UptakeError, OSError)
log = structlog.get_logger(__name__)


class SchedulerService:
    """One scheduler. `start` once; `stop` any number of times; or use it as a context manager.

    `stream` gets the text of messages that go to files.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock | None = None,
        deliverer: Deliverer | None = None,
        stream: TextIO | None = None,
        lease: Callable[[Home], Lease] = lambda home: Lease(home.state, LEASE),
    ) -> None:
        self.home = Home(settings, clock)
        self._deliverer = deliverer or deliverer_of(self.home, stream)
        self._new_lease = lease
        self._stack = ExitStack()
        self._stack.callback(self.home.close)
        self._stopping = threading.Event()
        self._active: Active | None = None
        self._trouble = ""
        self.metrics = SchedulerMetrics()
        self.base_url = ""

    def start(self) -> str:
        """Returns the base URL of health and metrics, once it is active or waits. Raises UptakeError, with nothing
        left running."""
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> str:
        home, settings = self.home, self.home.settings
        # 1. What must be there, before anybody relies on this process.
        required.check(settings)
        _ = home.database, home.workspaces
        self._lease = self._new_lease(home)
        # 2. The door.
        self._watch()
        self._server = Server(
            create_app(self.metrics, self.readiness),
            settings.worker_host,
            settings.worker_port,
            stop_seconds=1.0,
            name="scheduler",
            variables="UPTAKE_WORKER",
        )
        self._stack.callback(self._server.stop)
        self.base_url = self._server.start()
        # 3. Being the one.
        self._thread = threading.Thread(target=self._lead, name="uptake-lease", daemon=True)
        self._stack.callback(self._end)
        self._thread.start()
        return self.base_url

    def run_until_signal(self, announce: Callable[[], object] = lambda: None) -> int:
        """Waits in the main thread for SIGINT or SIGTERM."""
        return self._server.run_until_signal(announce)

    def stop(self) -> None:
        """Finish what runs, let another one begin at once, then let go of everything."""
        self._stack.close()

    @property
    def active(self) -> bool:
        return self._active is not None and self._lease.held

    def failing(self) -> dict[str, str]:
        """Job -> why its last run failed. Asks nobody."""
        active = self._active
        found = {run.name: run.error for run in active.jobs.failing()} if active else {}
        return found | ({"start": self._trouble} if self._trouble else {})

    def readiness(self) -> Mapping[str, str]:
        """Component -> "ok", "ok, but …" where work goes on, or why it does not."""
        active = self._active
        said = {
            "database": _asked(lambda: self.home.database.query("SELECT 1")),
            "state": _asked(self._ask_state),
            "lease": "ok" if self.active else "ok, but another scheduler is active, and this one waits",
        }
        failing = self.failing()
        names = ", ".join(sorted(failing))
        said["jobs"] = f"ok, but failing: {names}" if failing else "ok"
        if active is not None:
            steps = len(active.tick.failing())
            said["alerts"] = f"ok, but {steps} steps fail: uptake doctor" if steps else "ok"
            problem = "ok, but changed files are not in force: uptake workspace check"
            said["workspace"] = problem if active.workspaces.problem else "ok"
        return said

    def _lead(self) -> None:
        while True:
            held = self._look_at_lease()
            if held and self._active is None:
                self._begin()
            elif not held and self._active is not None:
                log.warning("lease_lost", owner=self._lease.owner)
                self._let_go()
            if self._stopping.wait(LOOK_SECONDS):
                return

    def _look_at_lease(self) -> bool:
        try:
            return self._lease.hold()
        except SQLAlchemyError as error:
            log.warning("lease_unknown", reason=type(error).__name__)
            return self._lease.held

    def _begin(self) -> None:
        try:
            active = Active(self.home, self._deliverer, self.metrics, lambda: self._lease.held)
            active.start()
        except Exception as error:
            # Nobody else acts while this one cannot: it lets go, and whoever comes next tries.
            self._trouble = error.message if isinstance(error, UptakeError) else type(error).__name__
            log.exception("scheduler_cannot_begin", reason=self._trouble)
            self._release()
        else:
            self._active, self._trouble = active, ""
            log.info("scheduler_active", owner=self._lease.owner)

    def _let_go(self) -> None:
        active, self._active = self._active, None
        if active is not None:
            active.stop()

    def _end(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._let_go()
        self._release()

    def _release(self) -> None:
        try:
            self._lease.release()
        except SQLAlchemyError as error:  # it runs out by itself
            log.warning("lease_not_released", reason=type(error).__name__)

    def _watch(self) -> None:
        watch = self.metrics.watch
        watch(MetricName.ACTIVE, "Whether this process acts", lambda: float(self.active))
        watch(MetricName.FAILING_JOBS, "Jobs whose last run failed", lambda: len(self.failing()))
        watch(MetricName.FAILING_STEPS, "Steps of the alerts that fail", self._failing_steps)
        watch(MetricName.UNDELIVERED, "Messages said and not delivered", self._undelivered)

    def _failing_steps(self) -> float:
        active = self._active
        return len(active.tick.failing()) if active else 0

    def _undelivered(self) -> float:
        active = self._active
        return active.outbox.undelivered() if active else 0

    def _ask_state(self) -> None:
        with self.home.state.connect() as connection:
            connection.execute(text("SELECT 1"))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _asked(question: Callable[[], object]) -> str:
    try:
        question()
    except _AWAY as error:
        return f"does not answer ({type(error).__name__})"
    return "ok"
