"""A gateway of the distributed mode: API keys, HTTP and the log, in one process of as many as are wanted.

An answer means that Kafka has acknowledged the events. It needs no workspace and no database: it knows tenants from
their keys, and who sends for a tenant that has no workspace is found by the workers.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Self

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from uptake import kafka
from uptake.clock import Clock
from uptake.distributed.appending import log_writer
from uptake.errors import UptakeError
from uptake.home import Home
from uptake.ingest.gateway.app import create_app
from uptake.ingest.gateway.group_commit import GroupCommit
from uptake.ingest.gateway.metrics import Metrics
from uptake.ingest.gateway.serve import Server
from uptake.ingest.log.metrics import LogMetrics
from uptake.ingest.log.probe import PROBE_TIMES, LogProbe
from uptake.settings import Settings

CLIENT_ID = "uptake-gateway"


class GatewayService:
    """One gateway. `start` once; `stop` any number of times; or use it as a context manager.

    Starts whether or not Kafka answers: until it does, `/readyz` says so and events are answered 503.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.home = Home(settings, clock)
        self._stack = ExitStack()
        self._stack.callback(self.home.close)
        self.base_url = ""

    def start(self) -> str:
        """Returns the base URL once requests are accepted. Raises UptakeError, with nothing left running."""
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> str:
        home, settings = self.home, self.home.settings
        kafka.check(settings)
        # 1. Who may send.
        keys = home.keys
        # 2. The log; it is let go of when nothing is on its way any more.
        metrics = Metrics()
        writer = log_writer(settings, CLIENT_ID, LogMetrics(metrics.registry).appended)
        self._stack.callback(writer.close)
        self._probe = LogProbe(
            lambda: kafka.admin(settings, client_id=CLIENT_ID, **PROBE_TIMES), settings.topic_prefix
        )
        self._stack.callback(self._probe.close)
        sink = GroupCommit(writer.process, observe=metrics.group)
        self._stack.callback(sink.stop)
        sink.start()
        # 3. The door.
        app = create_app(sink, keys, home.clock, readiness=self.readiness, metrics=metrics)
        self.gateway = Server(app, settings.host, settings.port)
        self._stack.callback(self.gateway.stop)
        self.base_url = self.gateway.start()
        return self.base_url

    def stop(self) -> None:
        """Take nothing more, finish what was taken, then let go of everything, last opened first."""
        self._stack.close()

    def readiness(self) -> Mapping[str, str]:
        """Component -> "ok", or why events cannot be taken."""
        return {"kafka": self._probe.state(), "state": self._state()}

    def _state(self) -> str:
        try:
            with self.home.state.connect() as connection:
                connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, UptakeError, OSError) as error:
            return f"does not answer ({type(error).__name__})"
        return "ok"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
