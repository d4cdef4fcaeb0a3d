"""The embedded service: gateway, pipeline, database and scheduler in one process, started and stopped in order.

`uptake up` runs it, the demo drives it with its own clock, tests start and stop it. An answer of its gateway means
that the events are in the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, Self, TextIO

from clickhouse_connect.driver.exceptions import ClickHouseError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from uptake import engine
from uptake.alerts.deliver import Deliverer
from uptake.alerts.deliver.files import FilesDeliverer
from uptake.alerts.deliver.slack import SlackDeliverer
from uptake.alerts.outbox import Outbox
from uptake.alerts.scheduler import Scheduler
from uptake.alerts.tick import Tick
from uptake.clock import Clock
from uptake.errors import UptakeError
from uptake.home import Home
from uptake.ingest.gateway.app import create_app
from uptake.ingest.gateway.group_commit import GroupCommit
from uptake.ingest.gateway.metrics import MetricName, Metrics
from uptake.ingest.gateway.serve import Server
from uptake.processors.pipeline import Pipeline, Written
from uptake.rates import input_rates
from uptake.repeating import Repeating
from uptake.settings import Settings
from uptake.sql.activity.refresh import RefreshReport, refresh
from uptake.watch import WatchedWorkspaces
from uptake.workspace.models import Workspace
from uptake.workspace.roster import publish_roster

IDLE_LOOK = timedelta(minutes=1)
"""How often budgets and findings are judged when nothing was written: their periods end without an event."""
ACTIVITY_SECONDS = 60.0
"""How often the cache by day is brought up to date."""
ACTIVITY_BUILDS = 20
"""So few days at a time: whoever stops the service waits for them."""


def deliverer_of(home: Home, stream: TextIO | None = None) -> Deliverer:
    """Slack where there is a token, else files in the data directory, printed to `stream` as well."""
    token = home.settings.slack_token
    if token is None:
        return FilesDeliverer(home.settings.outbox_path, home.clock, stream)
    return SlackDeliverer(token.get_secret_value(), home.settings.slack_base_url)


class Service:
    """One process that does everything. `start` once; `stop` any number of times; or use it as a context manager.

    `stream` gets the text of messages that go to files. Unless `schedule` is on nothing ticks by itself: whoever
    owns the clock calls `tick.run(now)`.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock | None = None,
        deliverer: Deliverer | None = None,
        schedule: bool = False,
        stream: TextIO | None = None,
    ) -> None:
        self.home = Home(settings, clock)
        self._schedule = schedule
        self._deliverer = deliverer or deliverer_of(self.home, stream)
        self._stack = ExitStack()
        self._stack.callback(self.home.close)
        self.base_url = ""

    def start(self) -> str:
        """Returns the gateway's base URL once events are accepted. Raises UptakeError, with nothing left running."""
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> str:
        home, settings = self.home, self.home.settings
        # 1. What survives a restart, in nobody else's hands; and what is configured.
        _ = home.unmigrated_database
        if home.uses_front:
            raise UptakeError(
                f"another `uptake up` runs on {settings.data}",
                "stop it, or give this one its own UPTAKE_DATA",
            )
        database = home.database
        self.workspaces = WatchedWorkspaces(settings.workspace, home.read_workspaces, self._publish)
        # 2. What decides and says.
        outbox = Outbox(home.state, home.clock)
        idle = IDLE_LOOK if self._schedule else timedelta(0)
        self.tick = Tick(
            home.state, database, self.workspaces.refresh, self._deliverer, outbox, idle, input_rates
        )
        # 3. What turns batches into rows; it stops after the gateway that feeds it.
        self.pipeline = Pipeline(self.workspaces.get, database, home.clock, self._told)
        metrics = Metrics()
        metrics.watch(
            MetricName.FAILING_STEPS, "Steps of the alerts' tick that fail", lambda: len(self.tick.failing())
        )
        metrics.watch(MetricName.UNDELIVERED, "Messages said and not delivered", outbox.undelivered)
        sink = GroupCommit(self.pipeline.process, observe=metrics.group)
        self._stack.callback(sink.stop)
        sink.start()
        # 4. The door.
        app = create_app(sink, home.keys, home.clock, readiness=self.readiness, metrics=metrics)
        self.gateway = Server(app, settings.host, settings.port)
        self._stack.callback(self.gateway.stop)
        self.base_url = self.gateway.start()
        # 5. The side door for the owner's other commands.
        if not settings.clickhouse_url:
            self._open_front()
        # 6. Time.
        if self._schedule:
            scheduler = Scheduler(self.tick, home.clock, settings.tick_seconds)
            self._stack.callback(scheduler.stop)
            scheduler.start()
            if settings.activity:
                keeping = Repeating("activity", self.refresh_activity, ACTIVITY_SECONDS)
                self._stack.callback(keeping.stop)
                keeping.start()
        return self.base_url

    def _open_front(self) -> None:
        from uptake.engine_front import (
            EngineFront,  # with it the engine, which the distributed mode does without
        )

        front = EngineFront(engine.address(self.home.settings.chdb_path))
        self._stack.callback(front.close)
        server = Server(front.app)
        self._stack.callback(server.stop)
        url = server.start()
        self._stack.callback(self.home.front_file.unlink, missing_ok=True)
        front.announce(self.home.front_file, url)

    def refresh_activity(self) -> RefreshReport:
        """Bring the cache by day up to date, some days at a time."""
        return refresh(
            self.home.database, self.workspaces.current, self.home.clock.now(), limit=ACTIVITY_BUILDS
        )

    def stop(self) -> None:
        """Take nothing more, finish what was taken, then let go of everything, last opened first."""
        self._stack.close()

    def readiness(self) -> Mapping[str, str]:
        """Component -> "ok", "ok, but …" where events can still be taken, or why not; no values, no secrets."""
        failing = len(self.tick.failing())
        return {
            "database": self._asked(lambda: self.home.database.query("SELECT 1")),
            "state": self._asked(self._ask_state),
            "workspace": "ok, but changed files are not in force: uptake workspace check"
            if self.workspaces.problem
            else "ok",
            "alerts": f"ok, but {failing} steps fail: uptake doctor" if failing else "ok",
        }

    def _ask_state(self) -> None:
        with self.home.state.connect() as connection:
            connection.execute(text("SELECT 1"))

    @staticmethod
    def _asked(question: Any) -> str:
        try:
            question()
        except (ClickHouseError, SQLAlchemyError, UptakeError, OSError) as error:
            return f"does not answer ({type(error).__name__})"
        return "ok"

    def _publish(self, workspaces: Mapping[str, Workspace]) -> None:
        for workspace in workspaces.values():
            publish_roster(self.home.database, workspace, self.home.clock)

    def _told(self, written: Written) -> None:
        self.tick.notice(written.tenant)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
