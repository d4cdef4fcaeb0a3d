"""A worker of the distributed mode: from Kafka through the pipeline into ClickHouse, in one process of as many as are
wanted. An offset is committed when all before it is in the database, and never sooner."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import structlog
from kafka.errors import KafkaError

from uptake import kafka
from uptake.clock import Clock
from uptake.distributed import required
from uptake.distributed.appending import letters_sink, log_writer
from uptake.distributed.log_look import LOOK_TIMES, LogLook
from uptake.distributed.notices import Notices
from uptake.errors import UsageError
from uptake.home import Home
from uptake.ingest.gateway.serve import Server
from uptake.ingest.log.probe import state_of
from uptake.processors.guard import RefusalGuard
from uptake.processors.pipeline import Pipeline
from uptake.processors.store import Store
from uptake.processors.worker.exits import Exit
from uptake.processors.worker.gather import TakeLimits
from uptake.processors.worker.health import create_app
from uptake.processors.worker.liveness import Liveness
from uptake.processors.worker.metrics import EVENTS_AGENT, LETTERS_AGENT, Metrics
from uptake.processors.worker.quiet import tame
from uptake.processors.worker.runner import Runner, Stream
from uptake.processors.worker.stops import Stops
from uptake.processors.worker.watchdog import Watchdog
from uptake.processors.worker.works import Events, Letters
from uptake.schemas.batch import StoreUnavailable
from uptake.schemas.records import EVENT_TOPICS, Topic, control_record, topic_name
from uptake.settings import Settings
from uptake.watch import WatchedWorkspaces

CLIENT_ID = "uptake-worker"
SOURCE = "worker"
REFRESH_SECONDS = 2.0

_log = structlog.get_logger(__name__)


class WorkerService:
    """One worker. `start`, then `run` in the main thread, then `stop`."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.home = Home(settings, clock)
        self._stack = ExitStack()
        self._stack.callback(self.home.close)
        self._stopping = threading.Event()
        self.base_url = ""

    def start(self) -> str:
        """Everything but the group: returns the base URL of health and metrics. Raises UptakeError, with nothing left
        running."""
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> str:
        home, settings = self.home, self.home.settings
        # 1. What must be there.
        required.check(settings)
        _require_topics(settings)
        database = home.database
        self.workspaces = WatchedWorkspaces(settings.workspace, home.read_workspaces, lambda workspaces: None)
        # 2. What this process writes to the log itself.
        writer = log_writer(settings, CLIENT_ID)
        self._stack.callback(writer.close)
        self._writer = writer
        notices = Notices(self._announce)
        self._stack.callback(notices.stop)
        notices.start()
        # 3. What becomes of records.
        self.metrics = Metrics(lambda: home.clock.now().timestamp())
        refused = letters_sink(writer, home.clock, SOURCE)
        guard = RefusalGuard(settings.dead_letter_limit)
        self._stops = Stops(guard, database, settings.dead_letter_limit)
        pipeline = Pipeline(self.workspaces.get, database, home.clock, notices.told, refused)
        events = Events(pipeline, guard, self._stops.begin)
        names = [topic_name(topic, settings.topic_prefix) for topic in EVENT_TOPICS]
        letters = topic_name(Topic.DEAD_LETTERS, settings.topic_prefix)
        streams = [
            Stream(EVENTS_AGENT, names, events, events.anew),
            Stream(LETTERS_AGENT, [letters], Letters(Store(database))),
        ]
        # 4. Who brings them, and who watches over it.
        look = LogLook(lambda: kafka.consumer(settings, client_id=CLIENT_ID, **LOOK_TIMES))
        self._stack.callback(look.close)
        tame()
        self.runner = Runner(
            settings.consumer_group,
            kafka.faust_broker(settings) | {"broker_client_id": CLIENT_ID},
            streams,
            TakeLimits(settings.worker_batch_events, settings.worker_linger_seconds),
            look.first_from,
            self.metrics,
        )
        liveness = Liveness(settings.stall_seconds)
        self._watchdog = Watchdog(self.runner.observed, look.ends, look.first_from, liveness, self.metrics)
        self._stack.callback(self._watchdog.stop)
        # 5. The door.
        server = Server(
            create_app(self.metrics, self.readiness),
            settings.worker_host,
            settings.worker_port,
            stop_seconds=1.0,
            name="worker",
            variables="UPTAKE_WORKER",
        )
        self._stack.callback(server.stop)
        self.base_url = server.start()
        refresher = threading.Thread(target=self._refresh, name="uptake-refresh", daemon=True)
        self._stack.callback(self._stopping.set)
        refresher.start()
        return self.base_url

    def run(self, announce: Callable[[], None] = lambda: None) -> Exit:
        """Joins the group and works until SIGTERM or SIGINT; returns how it ended. `announce` is called once signals
        are caught."""

        # What is there by now stays: the collector need not look through it again and again.
        gc.collect()
        gc.freeze()

        def ready() -> None:
            self._watchdog.start()
            announce()

        code = self.runner.run(ready)
        self._watchdog.stop()
        return code

    def stop(self) -> None:
        """Let go of everything, last opened first."""
        self._stack.close()

    def readiness(self) -> Mapping[str, str]:
        """Component -> "ok", "ok, but …" where work goes on, or why it does not."""
        stopped = self.runner.stopped()
        where = ", ".join(
            f"{topic}[{number}] at offset {offset}" for (topic, number), offset in sorted(stopped.items())
        )
        return {
            "group": "ok" if self.runner.assigned else "not joined yet",
            "database": "does not answer" if self.runner.store_away else "ok",
            "workspace": "ok, but changed files are not in force: uptake workspace check"
            if self.workspaces.problem
            else "ok",
            "partitions": f"ok, but {where} refused too much in a row: uptake dead-letters allow"
            if stopped
            else "ok",
        }

    def _refresh(self) -> None:
        while not self._stopping.wait(REFRESH_SECONDS):
            self.workspaces.refresh()
            if self.runner.stopped():
                self._look_for_permits()

    def _look_for_permits(self) -> None:
        """Let partitions go on that were stopped and have been allowed to."""
        try:
            for place in self._stops.permitted(self.runner.stopped()):
                _log.info("partition_goes_on", topic=place[0], partition=place[1])
                self.runner.go_on(place)
        except StoreUnavailable as error:
            _log.warning("permits_not_read", failure=str(error))

    def _announce(self, notice: Mapping[str, object]) -> None:
        self._writer.append([control_record(notice, self.home.clock.now(), SOURCE)])


def _require_topics(settings: Settings) -> None:
    """Raises UnavailableError when Kafka does not answer, UsageError when topics are missing."""
    names = [topic_name(topic, settings.topic_prefix) for topic in Topic]
    admin = kafka.admin(settings, client_id=CLIENT_ID)
    try:
        state = state_of(names, admin.describe_topics(names))
    except KafkaError as error:
        raise kafka.unavailable(settings) from error
    finally:
        admin.close()
    if "missing" in state:
        raise UsageError(state.partition(":")[0], "uptake topics apply")
