"""Whole worker processes between a real broker and a real engine: what is killed, joins, leaves or is poisoned loses
nothing and doubles nothing."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from uptake.schemas.records import Record, Topic, event_records

Eventually = Callable[..., Any]


def all_committed(stage: Any) -> bool:
    return bool(stage.committed() == stage.ends())


def test_a_first_start_begins_at_the_earliest_record_and_commits_what_is_written(
    stage: Any, eventually: Eventually
) -> None:
    stage.append_events(200, partition=0)  # the other partitions are empty
    stage.worker()
    eventually(lambda: stage.counted() == 200)
    eventually(lambda: all_committed(stage))
    assert stage.committed()[0] == 10


def test_two_workers_share_the_partitions_and_count_every_event_once(
    stage: Any, eventually: Eventually
) -> None:
    first = stage.worker()
    second = stage.worker()
    eventually(
        lambda: stage.metric(first, "uptake_worker_rebalances_total") == 2
    )  # its own join and the other's
    stage.append_events(1_000, each=10)
    eventually(lambda: stage.counted() == 1_000)
    eventually(lambda: all_committed(stage))
    shares = [stage.metric(worker, "uptake_worker_events_accepted_total") for worker in (first, second)]
    assert sum(shares) == 1_000
    assert min(shares) > 0


def test_kill_9_in_the_middle_loses_and_doubles_nothing(stage: Any, eventually: Eventually) -> None:
    events = stage.append_events(4_000, each=10)
    victims = [stage.worker(worker_batch_events=200), stage.worker(wait=False, worker_batch_events=200)]
    eventually(lambda: stage.counted() > 200)
    for victim in victims:
        victim.kill()
    assert stage.counted() < len(events)
    stage.append_events(100)
    stage.worker()
    eventually(lambda: stage.counted() == 4_100)
    eventually(lambda: all_committed(stage))
    assert stage.ask("SELECT uniqExact(event_id) AS n FROM usage")[0]["n"] == 4_100


def test_a_worker_that_joins_and_one_that_leaves_lose_nothing(stage: Any, eventually: Eventually) -> None:
    stays = stage.worker(worker_batch_events=100)
    for _ in range(3):
        stage.append_events(500, each=10)
        passing = stage.worker(worker_batch_events=100)
        stage.append_events(500, each=10)
        assert passing.stop() == 0
    eventually(lambda: stage.counted() == 3_000)
    eventually(lambda: all_committed(stage))
    assert stays.alive()


def test_sigterm_commits_what_is_in_hand_and_leaves_the_group_within_its_bound(
    stage: Any, eventually: Eventually
) -> None:
    worker = stage.worker(worker_batch_events=500)
    stage.append_events(5_000, each=10)
    eventually(lambda: stage.counted() > 0)
    worker.signal(signal.SIGTERM)
    worker.wait(12)
    assert worker.exit_code() == 0
    # Each of its records is either in the database and committed, or neither: nothing was left half way.
    known = {
        (row["partition"], row["offset"])
        for row in stage.ask("SELECT DISTINCT topic, partition, offset FROM log_records")
        if row["topic"] == stage.name(Topic.USAGE)
    }
    committed = {(partition, offset) for partition, end in stage.committed().items() for offset in range(end)}
    assert known == committed
    stage.worker()  # and its partitions are free at once
    eventually(lambda: stage.counted() == 5_000)


def test_a_database_that_is_away_costs_neither_partitions_nor_events(
    stage: Any, eventually: Eventually
) -> None:
    worker = stage.worker()
    stage.append_events(100)
    eventually(lambda: stage.counted() == 100)
    stage.front.kill()
    stage.append_events(1_000, each=10)
    eventually(lambda: stage.metric(worker, 'uptake_worker_retries_total{agent="events"}') >= 2)
    eventually(lambda: stage.readiness(worker)["components"]["database"] == "does not answer")
    before = stage.committed()
    stage.front.start()
    eventually(lambda: stage.counted() == 1_100)
    eventually(lambda: all_committed(stage))
    assert stage.committed() != before
    assert stage.metric(worker, "uptake_worker_rebalances_total") <= 1  # the first join
    assert worker.alive()


def test_a_worker_stops_in_time_although_the_database_is_away_and_another_goes_on(
    stage: Any, eventually: Eventually
) -> None:
    worker = stage.worker()
    stage.front.kill()
    stage.append_events(100)
    eventually(lambda: stage.metric(worker, 'uptake_worker_retries_total{agent="events"}') >= 1)
    worker.signal(signal.SIGTERM)
    worker.wait(12)
    assert worker.exit_code() == 0
    assert set(stage.committed().values()) == {0}
    stage.front.start()
    stage.worker()
    eventually(lambda: stage.counted() == 100)


def test_a_killed_broker_is_waited_for(stage: Any, eventually: Eventually) -> None:
    worker = stage.worker()
    stage.append_events(100)
    eventually(lambda: all_committed(stage) and stage.counted() == 100)
    stage.node.kill()
    stage.node.start()
    stage.append_events(100)
    eventually(lambda: stage.counted() == 200)
    eventually(lambda: all_committed(stage))
    assert worker.alive()


def test_poison_goes_to_the_dead_letters_and_the_good_events_flow(stage: Any, eventually: Eventually) -> None:
    stage.worker()
    good = stage.events(60)
    good[7]["input_tokens"] = -1
    good[8]["schema_version"] = 99
    [mixed] = stage.records(good, each=60)
    [fine] = stage.records(stage.events(20))
    no_json = Record(Topic.USAGE, b"k", b"{not json", fine.headers)
    no_tenant = Record(
        Topic.USAGE, b"k", fine.value, tuple(pair for pair in fine.headers if pair[0] != "ce_tenant")
    )
    now = datetime.now(UTC)
    [stranger] = event_records(
        "nobody", [("usage", "x", json.dumps(stage.events(1)[0]).encode())], now, "http"
    )
    stage.append([mixed, no_json, no_tenant, stranger, fine], partition=0)
    eventually(lambda: stage.counted() == 58 + 20)
    eventually(lambda: len(stage.letters()) == 5)
    reasons = [row["reason"] for row in stage.letters()]
    assert sorted(reasons) == sorted(
        ["invalid", "unsupported_version", "malformed", "unreadable", "unknown_tenant"]
    )
    assert {row["log_partition"] for row in stage.letters()} == {0}
    eventually(lambda: all_committed(stage))


def test_too_many_refusals_stop_one_partition_and_a_permit_lets_it_go_on(
    stage: Any, eventually: Eventually
) -> None:
    worker = stage.worker(dead_letter_limit=10)
    bad = stage.events(30)
    for event in bad:
        event["input_tokens"] = -1
    stage.append(stage.records(bad, each=5), partition=1)  # offsets 0 to 5: the limit is passed by the third
    stage.append_events(20, partition=1)
    stage.append_events(40, partition=2)
    eventually(lambda: stage.metric(worker, "uptake_worker_stopped_partitions") == 1)
    eventually(lambda: stage.counted() == 40)
    eventually(lambda: len(stage.letters()) == 10)
    eventually(lambda: stage.committed() == {0: 0, 1: 2, 2: 2, 3: 0})
    said = stage.readiness(worker)["components"]["partitions"]
    assert f"{stage.name(Topic.USAGE)}[1] at offset 2" in said
    assert "dead-letters allow" in said
    row = {
        "topic": stage.name(Topic.USAGE),
        "partition": 1,
        "before_offset": 6,
        "given_at": datetime.now(UTC).isoformat(),
    }
    database = stage.database()
    database.insert_json_lines("log_permits", json.dumps(row).encode())
    database.close()
    eventually(lambda: stage.counted() == 60)
    eventually(lambda: len(stage.letters()) == 30)
    eventually(lambda: all_committed(stage))
    assert stage.metric(worker, "uptake_worker_stopped_partitions") == 0
