"""Each job is for itself."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from uptake.clock import ManualClock
from uptake.distributed.active import AUDIT_SECONDS
from uptake.distributed.jobs import Job, Jobs
from uptake.distributed.listener import written
from uptake.errors import UnavailableError

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_job_that_fails_stops_no_other_and_is_shown_until_it_goes_well() -> None:
    well = threading.Semaphore(0)
    broken = threading.Event()
    mended: list[datetime] = []

    def fail(now: datetime) -> None:
        if not mended:
            broken.set()
            raise UnavailableError("Kafka does not answer")

    jobs = Jobs([Job("bad", 0.05, fail), Job("good", 0.05, lambda now: well.release())], ManualClock(NOW))
    jobs.start()
    try:
        assert broken.wait(10)
        for _ in range(3):
            assert well.acquire(timeout=10)
    finally:
        jobs.stop()
    failing = [(run.name, run.error, run.ran_at) for run in jobs.failing()]
    assert failing == [("bad", "Kafka does not answer", NOW)]
    mended.append(NOW)
    jobs.run(Job("bad", 1, fail))
    assert jobs.failing() == []
    assert {run.name for run in jobs.runs()} == {"bad", "good"}


def test_a_slow_job_holds_up_no_other() -> None:
    let_go, ran = threading.Event(), threading.Semaphore(0)
    jobs = Jobs(
        [Job("slow", 0.05, lambda now: let_go.wait(30)), Job("quick", 0.05, lambda now: ran.release())],
        ManualClock(NOW),
    )
    jobs.start()
    try:
        for _ in range(3):
            assert ran.acquire(timeout=10)
    finally:
        let_go.set()
        jobs.stop()


def test_a_process_that_may_not_act_runs_nothing() -> None:
    ran: list[Any] = []
    Jobs([], ManualClock(NOW), lambda: False).run(Job("alerts", 1, ran.append))
    assert ran == []


def test_only_notices_of_what_was_written_name_a_tenant() -> None:
    assert written(b'{"kind":"written","tenant":"acme","usage":3}') == "acme"
    others = (
        None,
        b"",
        b"\xff",
        b"[]",
        b'{"kind":"other","tenant":"acme"}',
        b'{"kind":"written","tenant":1}',
    )
    assert [written(value) for value in (*others, b"[" * 100_000)] == [""] * 7


def test_a_hole_is_said_within_a_minute_when_a_look_takes_a_quarter_of_one() -> None:
    assert AUDIT_SECONDS + 15 <= 60
