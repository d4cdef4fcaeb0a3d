"""The watchdog's thread, what it ends the process for, and what a worker says of itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from starlette.testclient import TestClient

from uptake.processors.worker.acks import Place
from uptake.processors.worker.exits import Exit
from uptake.processors.worker.gather import Fetched
from uptake.processors.worker.health import create_app
from uptake.processors.worker.liveness import Liveness, Observed
from uptake.processors.worker.metrics import EVENTS_AGENT, MetricName, Metrics
from uptake.processors.worker.watchdog import FirstFrom, Watchdog, standing
from uptake.processors.worker.work import Decided, Done

PLACE = ("t", 0)


def next_is(place: Place, offset: int) -> int | None:
    return offset


def watchdog(
    ends: object, stall: float = 10.0, committed: int = 5, beat: float = 0.0, first_from: FirstFrom = next_is
) -> Watchdog:
    def ask(places: Iterable[Place]) -> Mapping[Place, int]:
        if isinstance(ends, Exception):
            raise ends
        assert isinstance(ends, dict)
        return ends

    observed = Observed({PLACE: committed}, {}, beat)
    return Watchdog(lambda: observed, ask, first_from, Liveness(stall), Metrics(lambda: 0.0))


def test_work_without_a_commit_is_a_stall() -> None:
    dog = watchdog({PLACE: 6}, stall=5.0, beat=100.0)
    assert dog.look(100.0) == ""
    assert dog.look(104.9) == ""
    assert dog.look(105.0).endswith("s")


def test_offsets_behind_the_last_record_that_hold_none_are_no_work() -> None:
    asked: list[tuple[Place, int]] = []

    def none(place: Place, offset: int) -> int | None:
        asked.append((place, offset))
        return None

    dog = watchdog({PLACE: 6}, stall=5.0, beat=1e9, first_from=none)
    assert [dog.look(at) for at in (100.0, 104.0)] == ["", ""]
    assert asked == [], "only who would be ended is asked about"
    assert [dog.look(at) for at in (105.0, 109.9, 110.0)] == ["", "", ""]
    assert asked == [(PLACE, 5), (PLACE, 5)], "and again when it stands for as long once more"


def test_a_log_that_does_not_say_what_it_holds_excuses_nobody() -> None:
    def away(place: Place, offset: int) -> int | None:
        raise OSError("away")

    dog = watchdog({PLACE: 6}, stall=5.0, beat=1e9, first_from=away)
    assert dog.look(100.0) == ""
    assert "no commit for 5 s" in dog.look(105.0)


def test_a_log_that_does_not_answer_is_not_a_stall_of_the_worker() -> None:
    dog = watchdog(OSError("away"), beat=1_000.0)
    assert [dog.look(1_000.0 + at) for at in (0.0, 5.0, 9.9)] == ["", "", ""]


def test_a_stalled_process_is_ended_with_its_code_after_saying_where_its_threads_stand() -> None:
    ended: list[int] = []
    over = threading.Event()

    def end(code: int) -> None:
        ended.append(code)
        over.set()

    metrics = Metrics(lambda: 0.0)
    stuck = Observed({PLACE: 0}, {}, beat=-1e9)
    dog = Watchdog(lambda: stuck, lambda places: {PLACE: 1}, next_is, Liveness(1.0), metrics, end)
    with structlog.testing.capture_logs() as said:
        dog.start()
        assert over.wait(30)
    assert ended == [Exit.STALLED]
    [stalled] = [line for line in said if line["event"] == "stalled"]
    assert any(step.endswith("_run") for step in stalled["threads"]["uptake-watchdog"])


def test_where_threads_stand_holds_no_values() -> None:
    secret = "somebody-who-must-not-be-named"
    assert secret not in json.dumps(standing())
    assert "MainThread" in standing()


def record(offset: int, appended_ms: int) -> Fetched:
    return Fetched(*PLACE, offset, appended_ms, (), b"[]", 1)


def test_freshness_is_the_age_of_the_newest_record_that_is_committed_not_only_written() -> None:
    metrics = Metrics(lambda: 100.0)
    assert metrics.freshness() is None
    for one in (record(0, 90_000), record(1, 95_000)):
        metrics.written(EVENTS_AGENT, Decided(None, [one], 1), Done(accepted=1), 0.1)
    assert metrics.freshness() is None
    metrics.committed({PLACE: 1})
    assert metrics.freshness() == 10.0
    metrics.committed({PLACE: 2})
    assert metrics.freshness() == 5.0


def test_every_metric_that_is_named_is_exposed_and_none_else() -> None:
    metrics = Metrics(lambda: 100.0)
    decided = Decided(None, [record(0, 90_000)], 1)
    done = Done(accepted=1, duplicates=2)
    done.rejected["invalid"] += 3
    metrics.written(EVENTS_AGENT, decided, done, 0.1)
    metrics.committed({PLACE: 1})
    metrics.look({PLACE: 1}, {PLACE: 4})
    text = metrics.exposition()[0].decode()
    families = {
        line.split()[2].removesuffix("_total") for line in text.splitlines() if line.startswith("# TYPE")
    }
    assert {name.removesuffix("_created") for name in families} == {name.value for name in MetricName}
    assert 'uptake_worker_lag_records{partition="0",topic="t"} 4.0' in text
    assert 'uptake_worker_events_rejected_total{reason="invalid"} 3.0' in text
    assert 'uptake_worker_events_rejected_total{reason="malformed"} 0.0' in text
    metrics.revoked()
    assert "uptake_worker_lag_records{" not in metrics.exposition()[0].decode()


@pytest.mark.parametrize(("said", "status"), [("ok", 200), ("ok, but one stands still", 200), ("away", 503)])
def test_readiness_names_each_component_and_health_only_that_the_process_is_there(
    said: str, status: int
) -> None:
    client = TestClient(create_app(Metrics(lambda: 0.0), lambda: {"database": said}))
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == status
    assert ready.json() == {"ready": status == 200, "components": {"database": said}}
    assert client.get("/metrics").headers["content-type"].startswith("text/plain")


def test_a_database_that_hangs_holds_up_readiness_and_nothing_else() -> None:
    asked, answered = threading.Event(), threading.Event()

    def readiness() -> dict[str, str]:
        asked.set()
        return {"database": "ok" if answered.wait(10) else "health was held up"}

    client = TestClient(create_app(Metrics(lambda: 0.0), readiness))
    with client, ThreadPoolExecutor(1) as pool:  # one event loop for both requests
        ready = pool.submit(client.get, "/readyz")
        assert asked.wait(10)
        assert client.get("/healthz").status_code == 200
        answered.set()
        assert ready.result(10).json()["components"] == {"database": "ok"}
