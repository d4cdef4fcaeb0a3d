"""When a partition is stopped, and what lets it go on."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.processors.guard import RefusalGuard
from uptake.processors.permits import Permit, permit, permits, refused_before
from uptake.schemas.batch import Batch, LogPosition

RECORDS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), max_size=30)


def test_more_refused_events_in_a_row_than_the_limit_stop_a_partition_at_the_record_that_exceeds_it() -> None:
    guard = RefusalGuard(10)
    assert guard.judge("t", 0, [(0, 0, 5), (1, 0, 5)]) is None
    assert guard.judge("t", 0, [(2, 0, 1), (3, 9, 0)]) == 2


def test_a_stopped_partition_stays_stopped_at_the_same_record_however_often_it_is_judged() -> None:
    guard = RefusalGuard(10)
    assert [guard.judge("t", 0, [(7, 0, 11), (8, 5, 0)]) for _ in range(3)] == [7, 7, 7]


def test_a_good_event_ends_the_run() -> None:
    guard = RefusalGuard(10)
    assert guard.judge("t", 0, [(0, 0, 10), (1, 1, 9), (2, 0, 10)]) is None
    assert guard.judge("t", 0, [(3, 0, 1)]) == 3


def test_records_that_come_again_count_once() -> None:
    guard = RefusalGuard(10)
    for _ in range(5):
        assert guard.judge("t", 0, [(0, 0, 4), (1, 0, 4)]) is None
    assert guard.judge("t", 0, [(2, 0, 2)]) is None


def test_partitions_are_stopped_each_for_itself() -> None:
    guard = RefusalGuard(10)
    assert guard.judge("t", 0, [(0, 0, 10)]) is None
    assert guard.judge("t", 1, [(0, 0, 10)]) is None
    assert guard.judge("u", 0, [(0, 0, 10)]) is None
    assert guard.judge("t", 1, [(1, 0, 1)]) == 1


def test_a_permit_lets_the_refused_events_before_its_offset_pass_and_no_others() -> None:
    guard = RefusalGuard(10)
    poison = [(offset, 0, 5) for offset in range(20)]
    assert guard.judge("t", 0, poison) == 2
    guard.allow("t", 0, 12)
    assert guard.judge("t", 0, poison[2:]) == 14
    guard.allow("t", 0, 3)
    assert guard.judge("t", 0, poison[14:]) == 14, "an earlier permit takes nothing back"
    guard.allow("t", 0, 20)
    assert guard.judge("t", 0, poison[14:]) is None


def test_a_process_that_takes_a_partition_over_goes_on_with_its_run() -> None:
    guard = RefusalGuard(10)
    guard.resume("t", 0, 40, refused=8)
    assert guard.judge("t", 0, [(40, 0, 2), (41, 0, 1)]) == 41
    guard.forget("t", 0)
    assert guard.judge("t", 0, [(40, 0, 2), (41, 0, 1)]) is None


@given(RECORDS, st.integers(1, 12), st.integers(1, 5))
def test_it_stops_where_a_plain_count_says_in_whatever_pieces_records_come(
    records: list[tuple[int, int]], limit: int, piece: int
) -> None:
    expected, run = None, 0
    for offset, (good, refused) in enumerate(records):
        run = 0 if good else run + refused
        if run > limit:
            expected = offset
            break
    guard = RefusalGuard(limit)
    numbered = [(offset, *counts) for offset, counts in enumerate(records)]
    found = [guard.judge("t", 0, numbered[at : at + piece]) for at in range(0, len(numbered), piece)]
    assert next((stop for stop in found if stop is not None), None) == expected


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        RefusalGuard(0)


def test_the_furthest_permit_of_each_partition_holds(database: Any, clock: Any) -> None:
    topic = f"t.{uuid.uuid4().hex}"
    for before in (5, 9, 7):
        permit(database, clock, Permit(topic, 3, before))
    permit(database, clock, Permit(topic, 4, 1))
    own = [given for given in permits(database) if given.topic == topic]
    assert own == [Permit(topic, 3, 9), Permit(topic, 4, 1)]


def test_the_run_before_an_offset_is_what_the_records_in_the_database_say(bench: Any, event: Any) -> None:
    topic = f"t.{uuid.uuid4().hex}"

    def at(offset: int, *events: Any, body: bytes = b"") -> Batch:
        sent = body or json.dumps(events).encode()
        return Batch(bench.tenant, sent, bench.clock.now(), position=LogPosition(topic, 0, offset))

    bad = event("bad", app="")
    bench.process(
        at(0, bad), at(1, event(1), bad), at(2, bad, bad), at(3, body=b"{"), at(4, bad), at(5, event(2))
    )
    runs = [refused_before(bench.reader, topic, 0, offset, 10) for offset in range(7)]
    assert runs == [0, 1, 0, 2, 3, 4, 0]
    assert refused_before(bench.reader, topic, 0, 5, 2) == 2, "no further than the window"
    assert refused_before(bench.reader, topic, 1, 5, 10) == 0


def test_a_run_begins_anew_behind_what_an_operator_let_pass_whoever_counts_on(bench: Any, event: Any) -> None:
    topic, bad = f"t.{uuid.uuid4().hex}", json.dumps([event("bad", app="")] * 3).encode()
    batches = [
        Batch(bench.tenant, bad, bench.clock.now(), position=LogPosition(topic, 0, offset))
        for offset in range(4)
    ]
    bench.process(*batches)
    permit(bench.reader, bench.clock, Permit(topic, 1, 9))
    assert refused_before(bench.reader, topic, 0, 4, 10) == 12
    permit(bench.reader, bench.clock, Permit(topic, 0, 3))
    assert refused_before(bench.reader, topic, 0, 4, 10) == 3
    assert refused_before(bench.reader, topic, 0, 2, 10) == 0
