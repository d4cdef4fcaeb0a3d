"""Two schedulers in one process: one acts, the other waits, and what they say of themselves is so."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from uptake.clickhouse import Database
from uptake.distributed.audit_log import Place
from uptake.distributed.audit_report import AuditReport, Cause, Hole
from uptake.distributed.scheduler import SchedulerService
from uptake.distributed.scheduler_metrics import SchedulerMetrics
from uptake.errors import UsageError
from uptake.processors.audit import Span
from uptake.schemas.records import control_record, topic_name
from uptake.settings import Settings
from uptake.workspace.starter import init

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def new_scheduler(world: Any, database: Database, tmp_path: Path) -> Iterator[Callable[[], SchedulerService]]:
    init(world.settings.workspace)
    settings = world.settings.model_copy(
        update={"worker_port": 0, "clickhouse_url": "clickhouse://127.0.0.1:1/not-asked"}
    )
    started: list[SchedulerService] = []

    def make() -> SchedulerService:
        service = SchedulerService(settings)
        # The engine of the tests, which is in this process, in place of a server.
        service.home.__dict__["unmigrated_database"] = service.home.__dict__["database"] = database
        started.append(service)
        service.start()
        return service

    yield make
    for service in started:
        service.stop()


def await_(what: Callable[[], bool]) -> None:
    for _ in range(600):
        if what():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not become so within half a minute")


def ready(service: SchedulerService) -> dict[str, Any]:
    with urllib.request.urlopen(f"{service.base_url}/readyz", timeout=10) as answer:
        said: dict[str, Any] = json.load(answer)["components"]
        return said


def test_one_acts_the_other_waits_and_goes_on_at_once_when_the_first_one_stops(
    new_scheduler: Callable[[], SchedulerService], world: Any
) -> None:
    one = new_scheduler()
    await_(lambda: one.active)
    two = new_scheduler()
    await_(lambda: two._thread.is_alive() and not two.active)
    assert ready(two)["lease"].startswith("ok, but another scheduler is active")
    assert two._active is None

    active = one._active
    assert active is not None
    assert active.listener.listening.wait(30)
    await_(lambda: {run.name for run in active.jobs.runs()} == {"alerts", "audit", "activity"})
    assert one.failing() == {}
    assert set(ready(one).values()) == {"ok"}

    one.stop()
    await_(lambda: two.active)
    assert not one.active


def test_what_workers_write_is_looked_at_at_once_and_after_a_gap_everybody(
    new_scheduler: Callable[[], SchedulerService], world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    noticed: list[str] = []
    monkeypatch.setattr("uptake.alerts.tick.Tick.notice", lambda tick, tenant: noticed.append(tenant))
    service = new_scheduler()
    await_(lambda: service._active is not None and service._active.listener.listening.is_set())
    assert noticed == ["acme"]  # what was said before it listened
    record = control_record({"kind": "written", "tenant": "other"}, world.now, "worker")
    name = topic_name(record.topic, world.settings.topic_prefix)
    world.producer.send(name, record.value, record.key, list(record.headers), partition=0).get(20)
    await_(lambda: noticed == ["acme", "other"])


def test_a_job_that_fails_is_shown_and_the_others_go_on(
    new_scheduler: Callable[[], SchedulerService], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise UsageError("the look is broken")

    monkeypatch.setattr("uptake.distributed.audit.Audit.look", broken)
    service = new_scheduler()
    await_(lambda: "audit" in service.failing())
    assert service.failing() == {"audit": "the look is broken"}
    assert ready(service)["jobs"] == "ok, but failing: audit"
    active = service._active
    assert active is not None
    await_(lambda: "activity" in {run.name for run in active.jobs.runs()})
    assert b"uptake_scheduler_failing_jobs 1.0" in service.metrics.exposition()[0]


def test_a_scheduler_that_cannot_begin_lets_go_and_says_why(
    new_scheduler: Callable[[], SchedulerService], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise UsageError("the roster cannot be published")

    with monkeypatch.context() as patched:
        patched.setattr("uptake.distributed.active.publish_roster", broken)
        service = new_scheduler()
        await_(lambda: bool(service.failing()))
        assert service.failing() == {"start": "the roster cannot be published"}
        assert not service.active
    await_(lambda: service.active and not service.failing())


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, "no Kafka is set"), ({"kafka": "127.0.0.1:1"}, "no ClickHouse is set")],
)
def test_without_what_it_needs_it_says_so(tmp_path: Path, given: dict[str, str], said: str) -> None:
    service = SchedulerService(Settings(_env_file=None, data=tmp_path, **given))
    with pytest.raises(UsageError, match=said):
        service.start()


def test_metrics_count_a_hole_once_however_often_it_is_seen() -> None:
    metrics = SchedulerMetrics()
    hole = Hole.at(Place("uptake.usage", 0), Span(3, 5), Cause.UNPROCESSED)
    later = Hole.at(Place("uptake.usage", 0), Span(4, 5), Cause.UNPROCESSED)
    for holes in ([hole], [hole, later], [later], [later.turned_out(True, restored=9)], []):
        metrics.audited(AuditReport(NOW, holes=holes, lag={"uptake.usage": 7}), 0.5)
    lost = Hole.at(Place("uptake.usage", 0), Span(0, 3), Cause.LOST)
    metrics.audited(AuditReport(NOW, holes=[lost]), 0.5)
    said = metrics.exposition()[0].decode()
    for line in (
        'uptake_audit_hole_records_total{cause="unprocessed"} 2.0',
        'uptake_audit_hole_records_total{cause="lost"} 3.0',
        'uptake_audit_hole_records_total{cause="short"} 0.0',
        "uptake_audit_restored_events_total 9.0",
        "uptake_audit_unhealed_records 0.0",
        'uptake_log_lag_records{topic="uptake.usage"} 7.0',
    ):
        assert line in said
    [at] = [line for line in said.splitlines() if line.startswith("uptake_audit_last_timestamp_seconds ")]
    assert float(at.split()[1]) == NOW.timestamp()
