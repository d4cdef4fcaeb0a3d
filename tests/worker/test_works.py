"""What becomes of a take: events through the real pipeline, judged before they are written, and letters."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from uptake.clickhouse import Database
from uptake.clock import ManualClock
from uptake.distributed.notices import Notices
from uptake.processors.guard import RefusalGuard
from uptake.processors.pipeline import Pipeline, Written
from uptake.processors.store import Store
from uptake.processors.worker.gather import Fetched
from uptake.processors.worker.stops import Stops
from uptake.processors.worker.works import Events, Letters
from uptake.schemas.batch import Batch, StoreUnavailable
from uptake.schemas.identity import derive, unix_ms
from uptake.schemas.records import event_records, letter_records
from uptake.workspace.models import Organisation, Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LIMIT = 5


def event(key: str, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": str(derive("works", key, NOW)),
        "type": "usage",
        "occurred_at": NOW.isoformat(),
        "app": "helper",
        "user_id": "p_" + "0" * 32,
        "provider": "openai",
        "request_model": "gpt-4o",
        "input_tokens": 1,
        "output_tokens": 1,
        **fields,
    }


def fetched(tenant: str, offset: int, *events: dict[str, Any]) -> Fetched:
    texts = [("usage", one["event_id"], json.dumps(one).encode()) for one in events]
    [record] = event_records(tenant, texts, NOW, "http")
    topic = f"{tenant}.usage"
    return Fetched(topic, 0, offset, unix_ms(NOW), record.headers, record.value, len(events))


def bad(tenant: str, offset: int, count: int) -> Fetched:
    return fetched(tenant, offset, *(event(f"{tenant}{offset}/{n}", input_tokens=-1) for n in range(count)))


def works(database: Database, tenant: str) -> Events:
    shop = Workspace(organisation=Organisation(tenant=tenant, name="Shop", zone="Europe/Paris"))
    pipeline = Pipeline({tenant: shop}.get, database, ManualClock(NOW))
    guard = RefusalGuard(LIMIT)
    return Events(pipeline, guard, Stops(guard, database, LIMIT).begin)


def test_a_take_becomes_rows_that_know_their_place_and_when_the_broker_had_them(
    database: Database, tenant: str
) -> None:
    work = works(database, tenant)
    done = work.write(
        work.decide([fetched(tenant, 7, event(f"{tenant}a"), event(f"{tenant}b", input_tokens=-1))])
    )
    assert (done.accepted, done.duplicates, dict(done.rejected)) == (1, 0, {"invalid": 1})
    [row] = database.tenant(tenant).query(
        "SELECT log_topic, log_partition, log_offset, received_at FROM usage FINAL WHERE tenant = {tenant:String}"
    )
    assert tuple(row.values())[:3] == (f"{tenant}.usage", 0, 7)
    assert row["received_at"] == NOW


def test_a_take_that_is_read_again_is_all_duplicates(database: Database, tenant: str) -> None:
    work = works(database, tenant)
    take = [fetched(tenant, n, event(f"{tenant}{n}")) for n in range(3)]
    assert work.write(work.decide(take)).accepted == 3
    again = works(database, tenant)
    done = again.write(again.decide(take))
    assert (done.accepted, done.duplicates) == (0, 3)


def test_from_the_record_that_passes_the_limit_on_nothing_of_its_partition_is_in_the_plan(
    database: Database, tenant: str
) -> None:
    work = works(database, tenant)
    good = fetched(tenant, 2, event(f"{tenant}good"))
    elsewhere = fetched(tenant, 0, event(f"{tenant}else"))._replace(partition=1)
    decided = work.decide([bad(tenant, 0, 4), bad(tenant, 1, 4), good, elsewhere])
    assert decided.stops == {(f"{tenant}.usage", 0): 1}
    assert [(one.partition, one.offset) for one in decided.records] == [(0, 0), (1, 0)]
    done = work.write(decided)
    assert (done.accepted, done.rejected["invalid"]) == (1, 4)
    assert work.decide([bad(tenant, 1, 4)]).stops == {(f"{tenant}.usage", 0): 1}, "it stays where it is"


def test_the_next_owner_goes_on_counting_where_the_last_one_was(database: Database, tenant: str) -> None:
    first = works(database, tenant)
    first.write(first.decide([bad(tenant, 0, 4)]))
    second = works(database, tenant)
    assert second.decide([bad(tenant, 1, 4)]).stops == {(f"{tenant}.usage", 0): 1}


def test_a_record_that_is_none_is_a_letter_and_stops_nothing(database: Database, tenant: str) -> None:
    work = works(database, tenant)
    broken = fetched(tenant, 0, event(f"{tenant}x"))._replace(value=f"{{{tenant}".encode(), headers=())
    other = broken._replace(offset=1, value=f"[{tenant}".encode())
    decided = work.decide([broken, other, fetched(tenant, 2, event(f"{tenant}y"))])
    assert work.write(decided).accepted == 1
    rows = database.query(
        "SELECT reason, log_offset FROM dead_letters FINAL WHERE log_topic = {topic:String} ORDER BY log_offset",
        {"topic": f"{tenant}.usage"},
    )
    assert [tuple(row.values()) for row in rows] == [("unreadable", 0), ("unreadable", 1)]


def letter(database: Database, tenant: str) -> Fetched:
    """A record of dead letters as a worker appends it."""
    seen: list[tuple[Batch, list[bytes]]] = []
    shop = Workspace(organisation=Organisation(tenant=tenant, name="Shop", zone="Europe/Paris"))
    pipeline = Pipeline({tenant: shop}.get, database, ManualClock(NOW), letters=seen.extend)
    guard = RefusalGuard(LIMIT)
    work = Events(pipeline, guard, lambda starts: None)
    work.write(work.decide([bad(tenant, 0, 2)]))
    [(batch, lines)] = seen
    [record] = letter_records(batch.tenant, lines, NOW, "worker")
    return Fetched("log.dead-letters", 0, 0, unix_ms(NOW), record.headers, record.value, 1)


def test_letters_of_the_topic_stand_in_the_table_once_however_often_they_are_read(
    database: Database, tenant: str
) -> None:
    work, record = Letters(Store(database)), letter(database, tenant)
    for _ in range(2):
        assert work.write(work.decide([record])).accepted == 2
    rows = database.tenant(tenant).query(
        "SELECT reason FROM dead_letters FINAL WHERE tenant = {tenant:String}"
    )
    assert [row["reason"] for row in rows] == ["invalid", "invalid"]


def test_a_record_of_letters_that_cannot_be_read_is_told_and_holds_up_nothing(
    database: Database, tenant: str
) -> None:
    work, record = Letters(Store(database)), letter(database, tenant)
    with structlog.testing.capture_logs() as said:
        done = work.write(work.decide([record._replace(value=b"secret"), record]))
    assert done.accepted == 2
    assert [line["event"] for line in said] == ["letters_unreadable"]
    assert "secret" not in json.dumps(said)


@pytest.mark.parametrize(
    "change",
    [
        {"tenant": ...},
        {"tenant": 5},
        {"letter_id": "x"},
        {"letter_id": str(1 << 128)},
        {"letter_id": 7},
        {"ver": -1},
        {"ver": "1"},
        {"schema_version": 1 << 16},
        {"log_partition": 1 << 31},
        {"received_at": "yesterday"},
        {"payload": "\ud800"},
        {"payload": None},
    ],
)
def test_what_the_table_would_refuse_for_ever_is_told_and_holds_up_no_letter(
    database: Database, tenant: str, change: dict[str, Any]
) -> None:
    work, record = Letters(Store(database)), letter(database, tenant)
    first, second = json.loads(record.value or b"")
    other = {name: value for name, value in {**first, **change}.items() if value is not ...}
    with structlog.testing.capture_logs() as said:
        done = work.write(work.decide([record._replace(value=json.dumps([5, other, second]).encode())]))
    assert done.accepted == 1
    assert [line["why"] for line in said] == ["2 of its items are no letters"]


def test_notices_are_joined_by_tenant_and_a_log_that_is_away_costs_only_the_notice() -> None:
    announced: list[Any] = []
    notices = Notices(announced.append)
    notices.told(Written("a", usage=2))
    notices.told(Written("b", cost=1))
    notices.told(Written("a", usage=3, unauthorised=1))
    notices.flush()
    notices.flush()
    assert announced == [
        {"kind": "written", "tenant": "a", "usage": 5, "feedback": 0, "cost": 0, "unauthorised": 1},
        {"kind": "written", "tenant": "b", "usage": 0, "feedback": 0, "cost": 1, "unauthorised": 0},
    ]

    def away(notice: object) -> None:
        raise StoreUnavailable("away")

    lost = Notices(away)
    lost.told(Written("a", usage=1))
    lost.flush()
