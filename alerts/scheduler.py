"""A tick every few seconds. APScheduler owns no state and decides nothing: late or missed runs become one run."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import structlog
from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]

from uptake.alerts.tick import Tick
from uptake.clock import Clock

log = structlog.get_logger(__name__)


class Scheduler:
    """Runs `tick` with the time of `clock`, at once and then every `seconds` of real time."""

    def __init__(self, tick: Tick, clock: Clock, seconds: float) -> None:
        self._tick = tick
        self._clock = clock
        self._seconds = seconds
        self._scheduler: BackgroundScheduler | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start ticking in a thread of its own. Starting twice is starting once."""
        with self._lock:
            if self._scheduler is not None:
                return
            scheduler = BackgroundScheduler(timezone=UTC)
            scheduler.add_listener(_complain, EVENT_JOB_ERROR)
            scheduler.add_job(self._run, "interval", **job_options(self._seconds))
            scheduler.start()
            # the interval's first run would only be after `seconds`
            scheduler.modify_job("tick", next_run_time=_now())
            self._scheduler = scheduler

    def stop(self, wait: bool = True) -> None:
        """Stop ticking; with `wait`, after the tick that is running."""
        with self._lock:
            scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.shutdown(wait=wait)

    @property
    def running(self) -> bool:
        with self._lock:
            return self._scheduler is not None and self._scheduler.running

    def _run(self) -> None:
        self._tick.run(self._clock.now())


def job_options(seconds: float) -> dict[str, object]:
    """How the job is scheduled: a run that is late still runs, missed ones run once, never two at a time."""
    return {
        "id": "tick",
        "seconds": seconds,
        "coalesce": True,
        "misfire_grace_time": None,
        "max_instances": 1,
    }


def _now() -> datetime:
    return datetime.now(UTC)


def _complain(event: JobExecutionEvent) -> None:
    log.error("the tick failed as a whole", exc_info=event.exception)
