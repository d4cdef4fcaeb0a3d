"""Periodic jobs, each for itself: one that fails or is slow holds up no other, and is shown until it goes well."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]

from uptake.clock import Clock
from uptake.errors import UptakeError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """`run` gets the time, every `seconds` of real time and once at the start."""

    name: str
    seconds: float
    run: Callable[[datetime], object]


@dataclass(frozen=True, slots=True)
class Run:
    """How a job's last run went. `error` is empty if it went well."""

    name: str
    ran_at: datetime
    error: str = ""


class Jobs:
    """Runs jobs in threads of their own; `start` once, `stop` any number of times. `allowed` is asked before each
    run: a process that may not act leaves it out."""

    def __init__(self, jobs: Sequence[Job], clock: Clock, allowed: Callable[[], bool] = lambda: True) -> None:
        self._jobs = tuple(jobs)
        self._clock = clock
        self._allowed = allowed
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()
        self._scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        # A thread a job: waiting for a free one would be waiting for another job.
        scheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": ThreadPoolExecutor(max(1, len(self._jobs)))}
        )
        for job in self._jobs:
            scheduler.add_job(
                self.run,
                "interval",
                [job],
                id=job.name,
                seconds=job.seconds,
                next_run_time=datetime.now(UTC),
                coalesce=True,
                misfire_grace_time=None,
                max_instances=1,
            )
        scheduler.start()
        self._scheduler = scheduler

    def stop(self) -> None:
        """No further run; what runs is finished."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.shutdown(wait=True)

    def run(self, job: Job) -> None:
        """Run a job now, if this process may. What it raises is logged and shown."""
        if not self._allowed():
            return
        now, error = self._clock.now(), ""
        try:
            job.run(now)
        except Exception as failure:
            error = failure.message if isinstance(failure, UptakeError) else type(failure).__name__
            log.exception("job_failed", job=job.name, reason=error)
        with self._lock:
            self._runs[job.name] = Run(job.name, now, error)

    def runs(self) -> list[Run]:
        """The last run of each job that ran."""
        with self._lock:
            return list(self._runs.values())

    def failing(self) -> list[Run]:
        return [run for run in self.runs() if run.error]
