"""Batches that come from a log: where their rows say they come from, and what is kept of each record."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from uptake.processors.pipeline import Pipeline
from uptake.processors.prepared import Judged
from uptake.schemas.batch import (
    Batch,
    ClientReport,
    LogPosition,
    MalformedBatch,
    RejectionReason,
    StoreUnavailable,
    UnreadableRecord,
)
from uptake.schemas.letters import MAX_PAYLOAD_BYTES, is_whole


class Log:
    """A topic of its own, records of which can be made, and what the database says of them."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.topic = f"t.{uuid.uuid4().hex}"

    def at(self, offset: int, *events: Any, body: bytes = b"", tenant: str = "") -> Batch:
        sent = body or json.dumps(events).encode()
        position = LogPosition(self.topic, 2, offset)
        return Batch(tenant or self.bench.tenant, sent, self.bench.clock.now(), "http", None, position)

    def records(self, *columns: str) -> list[tuple[Any, ...]]:
        sql = "SELECT * FROM log_records FINAL WHERE topic = {topic:String} ORDER BY offset"
        rows = self.bench.reader.query(sql, {"topic": self.topic})
        return [tuple(row[column] for column in columns) for row in rows]


@pytest.fixture
def log(bench: Any) -> Log:
    return Log(bench)


def test_each_row_says_where_in_the_log_it_came_from(bench: Any, log: Log, event: Any) -> None:
    bench.process(log.at(7, event(1), event(2, "feedback")), log.at(9, event(3, "cost")), [event(4)])
    places = {
        row["event_id"]: (row["log_topic"], row["log_partition"], row["log_offset"])
        for table in ("usage", "feedback", "cost")
        for row in bench.rows(table)
    }
    offsets = sorted(place[2] for place in places.values())
    assert offsets == [-1, 7, 7, 9]
    assert set(places.values()) == {(log.topic, 2, 7), (log.topic, 2, 9), ("", -1, -1)}


def test_the_server_says_when_it_took_a_row_in(bench: Any, log: Log, event: Any) -> None:
    bench.process(log.at(1, event(1)))
    assert bench.row()["inserted_at"] != bench.clock.now()


def test_every_record_is_kept_with_what_became_of_it(bench: Any, log: Log, event: Any) -> None:
    bad = event(9, app="")
    bench.process(log.at(0, event(1), event(2), bad), log.at(1, event(1)), log.at(2, body=b"{"), log.at(3))
    counts = ("offset", "events", "accepted", "duplicates", "rejected", "malformed", "settled")
    assert log.records(*counts) == [
        (0, 3, 2, 0, 1, 0, 0),
        (1, 1, 0, 1, 0, 0, 0),
        (2, 0, 0, 0, 0, 1, 0),
        (3, 0, 0, 0, 0, 0, 0),
    ]
    assert {row[0] for row in log.records("appended_at")} == {bench.clock.now()}


def test_what_comes_through_no_log_leaves_no_record(bench: Any, event: Any) -> None:
    bench.process([event(1)])
    assert bench.database.inserts == ["usage"]


def test_reading_a_record_again_changes_neither_its_rows_nor_its_counts(
    bench: Any, log: Log, event: Any
) -> None:
    batch = log.at(0, event(1), event(2, app=""))
    bench.process(batch)
    before = [
        bench.rows("usage", final=False),
        bench.rows("dead_letters"),
        log.records("accepted", "rejected"),
    ]
    bench.later(hours=5)
    bench.process(batch)
    assert bench.rows("usage", final=False) == before[0]
    assert (bench.rows("dead_letters"), log.records("accepted", "rejected")) == (before[1], before[2])


def test_the_version_of_a_first_row_is_when_its_record_was_received(bench: Any, log: Log, event: Any) -> None:
    batch = log.at(0, event(1))
    bench.later(days=3)
    bench.process(batch)
    assert bench.row()["ver"] == int(batch.received_at.timestamp() * 1000)


def test_a_record_is_kept_only_after_its_events_are(bench: Any, log: Log, event: Any) -> None:
    bench.process(log.at(0, event(1), event(2, app="")))
    assert bench.database.inserts == ["dead_letters", "usage", "log_records"]


@pytest.mark.parametrize("broken", ["usage", "dead_letters", "sdk_reports", "log_records"])
def test_a_commit_that_failed_can_be_made_again_and_again(
    bench: Any, log: Log, event: Any, broken: str
) -> None:
    bench.process([event(0)])
    first = log.at(0, event(0), event(1), event(0, app="other"), event(3, app=""))
    batch = replace(first, client=ClientReport("c", 4, 0))
    prepared = bench.pipeline.prepare([batch])
    bench.database.broken = {broken}
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match=f"writing {broken} failed"):
            bench.pipeline.commit(prepared)
    bench.database.broken = set()
    [receipt] = bench.pipeline.commit(prepared)
    assert receipt.accepted + receipt.duplicates == 2
    assert [r.index for r in receipt.rejections] == [2, 3]
    assert len(bench.rows("usage")) == len(bench.rows("dead_letters")) == 2


def test_what_is_judged_is_known_before_the_database_is_asked(bench: Any, log: Log, event: Any) -> None:
    bench.database.unreadable = True
    other = log.at(3, event(6), event(7), tenant="nobody")
    prepared = bench.pipeline.prepare([log.at(0, event(1), event(2, app="")), log.at(2, body=b"["), other])
    assert prepared.judged == [Judged(1, 1), Judged(0, 1), Judged(0, 2)]
    assert prepared.events == 5
    assert bench.database.inserts == []


def test_a_record_that_is_no_batch_becomes_one_letter_and_stops_nobody(
    bench: Any, log: Log, event: Any
) -> None:
    malformed, good = bench.process(log.at(0, body=b"{not json"), log.at(1, event(1)))
    assert isinstance(malformed, MalformedBatch)
    assert good.accepted == 1
    letter = bench.row("dead_letters")
    assert (letter["reason"], letter["payload"], letter["path"]) == ("malformed", "{not json", "")
    assert (letter["log_topic"], letter["log_partition"], letter["log_offset"]) == (log.topic, 2, 0)


def test_a_malformed_request_over_http_is_answered_and_not_kept(bench: Any) -> None:
    bench.process(b"{not json")
    assert bench.database.inserts == []


def test_a_record_of_nobody_becomes_a_letter_of_nobody(bench: Any, log: Log) -> None:
    known = log.at(5, body=b"\xff\xfe" + uuid.uuid4().bytes)
    batch = UnreadableRecord(
        "", known.body, known.received_at, position=known.position, why="it does not say whose"
    )
    [outcome] = bench.process(batch)
    assert isinstance(outcome, MalformedBatch)
    sql = "SELECT * FROM dead_letters FINAL WHERE tenant = '' AND log_topic = {topic:String}"
    [letter] = bench.reader.query(sql, {"topic": log.topic})
    assert (letter["reason"], letter["detail"]) == ("unreadable", "it does not say whose")
    assert not is_whole("", letter["letter_id"], letter["payload"]), "it was no text"
    assert log.records("offset", "malformed") == [(5, 1)]


def test_events_of_a_tenant_without_a_workspace_become_letters_that_can_be_redriven(
    bench: Any, log: Log, event: Any
) -> None:
    stranger = f"{bench.tenant}-x"
    lost, good = bench.process(log.at(0, event(1), event(2), tenant=stranger), log.at(1, event(3)))
    assert [r.reason for r in lost.rejections] == [RejectionReason.UNKNOWN_TENANT] * 2
    assert good.accepted == 1, "waiting for one tenant would hold up all others"
    letters = bench.rows("dead_letters", tenant=stranger)
    assert sorted(json.loads(letter["payload"])["event_id"] for letter in letters) == sorted(
        event(key)["event_id"] for key in (1, 2)
    )
    assert all(is_whole(stranger, letter["letter_id"], letter["payload"]) for letter in letters)


def test_a_letters_sink_takes_the_letters_and_what_it_refuses_is_not_acknowledged(
    bench: Any, log: Log, event: Any
) -> None:
    taken: list[tuple[Batch, list[bytes]]] = []
    down = [True]

    def sink(letters: Any) -> None:
        if down:
            raise StoreUnavailable("the broker does not answer")
        taken.extend(letters)

    pipeline = Pipeline(bench.workspaces.get, bench.database, bench.clock, letters=sink)
    batch = log.at(0, event(1), event(2, app=""))
    with pytest.raises(StoreUnavailable):
        pipeline.process([batch])
    assert bench.database.inserts == [], "no event before its batch's letters, no record before its events"
    down.clear()
    pipeline.process([batch])
    [(of, [line])] = taken
    assert (of, json.loads(line)["reason"]) == (batch, "invalid")
    assert bench.database.inserts == ["usage", "log_records"]


def test_letters_are_handed_over_once_however_often_the_rest_is_tried(
    bench: Any, log: Log, event: Any
) -> None:
    taken: list[tuple[Batch, list[bytes]]] = []
    pipeline = Pipeline(bench.workspaces.get, bench.database, bench.clock, letters=taken.extend)
    prepared = pipeline.prepare([log.at(0, event(1), event(2, app=""))])
    bench.database.broken = {"usage"}
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            pipeline.commit(prepared)
    assert len(taken) == 1
    bench.database.broken = set()
    bench.process([event(1, app="other")])  # meanwhile another worker takes the id, with other content
    pipeline.commit(prepared)
    assert [len(lines) for _, lines in taken] == [1, 2], "a letter that was not among them is handed over"


@pytest.mark.parametrize("broken", ["sdk_reports", "log_records"])
def test_a_record_counts_its_own_rows_as_accepted_wherever_an_attempt_was_cut(
    bench: Any, log: Log, event: Any, broken: str
) -> None:
    batch = replace(log.at(4, event(1), event(2, "feedback"), event(1)), client=ClientReport("c", 3, 0))
    bench.database.broken = {broken}
    with pytest.raises(StoreUnavailable):
        bench.process(batch)
    bench.database.broken = set()
    bench.later(minutes=5)
    [receipt] = bench.process(batch)
    assert (receipt.accepted, receipt.duplicates) == (0, 3)
    assert log.records("events", "accepted", "duplicates") == [(3, 2, 1)]


def test_what_another_record_brought_is_no_row_of_this_one(bench: Any, log: Log, event: Any) -> None:
    bench.process(log.at(0, event(1)))
    bench.later(minutes=1)
    bench.process(log.at(1, event(1), event(2)))
    assert log.records("offset", "accepted", "duplicates") == [(0, 1, 0), (1, 1, 1)]


def test_a_letter_of_a_record_too_large_says_so_and_keeps_its_beginning(bench: Any, log: Log) -> None:
    body = b'{"not": "' + b"a" * (2 * MAX_PAYLOAD_BYTES) + b'"}'
    bench.process(log.at(0, body=body))
    letter = bench.row("dead_letters")
    assert letter["payload"].encode() == body[:MAX_PAYLOAD_BYTES]
    assert f"only the first {MAX_PAYLOAD_BYTES} of {len(body)} bytes were kept" in letter["detail"]
