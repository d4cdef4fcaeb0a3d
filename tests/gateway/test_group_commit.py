"""Requests that wait together are written together; none of them is ever left without an answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.ingest.gateway.group_commit import GroupCommit, GroupLimits, weigh
from uptake.ingest.gateway.sink import NotTaken, Outcome
from uptake.schemas.batch import Batch, MalformedBatch, Receipt, StoreUnavailable

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PATIENCE = 20.0


def batch(body: bytes | int, tenant: str = "acme") -> Batch:
    """A batch with a body, or with that many events."""
    text = body if isinstance(body, bytes) else b"[" + b",".join([b'{"event_id":""}'] * body) + b"]"
    return Batch(tenant, text, NOW)


def test_a_lone_request_waits_for_nobody(process: Any) -> None:
    with GroupCommit(process) as commit:
        assert commit.submit(batch(1)).result(PATIENCE) == Receipt(1)
    assert [len(call) for call in process.calls] == [1]


def test_what_arrives_during_a_call_is_written_in_the_next_one(process: Any) -> None:
    process.gate.clear()
    with GroupCommit(process) as commit:
        first = commit.submit(batch(1))
        assert process.entered.wait(PATIENCE)
        rest = [commit.submit(batch(2, f"tenant-{i}")) for i in range(9)]
        assert not any(future.done() for future in [first, *rest])
        process.gate.set()
        assert [future.result(PATIENCE) for future in [first, *rest]] == [Receipt(1)] + [Receipt(2)] * 9
    assert [len(call) for call in process.calls] == [1, 9]
    assert [b.tenant for b in process.calls[1]] == [f"tenant-{i}" for i in range(9)]


def test_a_call_holds_no_more_events_than_its_limit(process: Any) -> None:
    process.gate.clear()
    with GroupCommit(process, GroupLimits(events_per_call=10)) as commit:
        commit.submit(batch(1))
        assert process.entered.wait(PATIENCE)
        futures = [commit.submit(batch(4)) for _ in range(5)]
        process.gate.set()
        wait(futures, PATIENCE)
    assert [len(call) for call in process.calls] == [1, 2, 2, 1]


def test_a_call_holds_no_more_bytes_than_its_limit(process: Any) -> None:
    process.gate.clear()
    body = batch(3).body
    with GroupCommit(process, GroupLimits(bytes_per_call=2 * len(body))) as commit:
        commit.submit(batch(1))
        assert process.entered.wait(PATIENCE)
        futures = [commit.submit(batch(body)) for _ in range(3)]
        process.gate.set()
        wait(futures, PATIENCE)
    assert [len(call) for call in process.calls] == [1, 2, 1]


def test_a_batch_over_the_limits_of_a_call_goes_alone(process: Any) -> None:
    limits = GroupLimits(events_per_call=1, bytes_per_call=1, waiting_events=1, waiting_bytes=1)
    with GroupCommit(process, limits) as commit:
        assert commit.submit(batch(5)).result(PATIENCE) == Receipt(5)


@pytest.mark.parametrize(
    "limits", [GroupLimits(waiting_events=10), GroupLimits(waiting_bytes=2 * len(batch(5).body))]
)
def test_there_is_no_room_beyond_the_waiting_room(process: Any, limits: GroupLimits) -> None:
    process.gate.clear()
    with GroupCommit(process, limits) as commit:
        held = [commit.submit(batch(5)), commit.submit(batch(5))]
        with pytest.raises(NotTaken, match="full"):
            commit.submit(batch(5))
        assert commit.waiting() == 10
        process.gate.set()
        assert [future.result(PATIENCE) for future in held] == [Receipt(5)] * 2
    assert len(process.batches) == 2


@pytest.mark.parametrize(
    "limits", [GroupLimits(waiting_events=10), GroupLimits(waiting_bytes=2 * len(batch(5).body))]
)
def test_room_is_there_again_once_it_was_written(process: Any, limits: GroupLimits) -> None:
    with GroupCommit(process, limits) as commit:
        for _ in range(50):
            assert with_room(commit, batch(5)).result(PATIENCE) == Receipt(5)
        process.gate.clear()
        held = [with_room(commit, batch(5)) for _ in range(2)]
        process.gate.set()
        assert [future.result(PATIENCE) for future in held] == [Receipt(5)] * 2
    assert commit.waiting() == 0
    assert len(process.batches) == 52


def with_room(commit: GroupCommit, one: Batch) -> Future[Outcome]:
    """Submit as soon as there is room (the room is given back just after the answer)."""
    for _ in range(1_000_000):
        try:
            return commit.submit(one)
        except NotTaken:
            continue
    raise AssertionError("there was never room again")


def test_a_malformed_batch_affects_only_its_own_request(process: Any) -> None:
    process.outcome = lambda body: MalformedBatch("broken") if body == b"x" else Receipt(1)
    process.gate.clear()
    with GroupCommit(process) as commit:
        futures = [commit.submit(batch(b)) for b in (b"a", b"b", b"x", b"c")]
        process.gate.set()
        outcomes = [future.result(PATIENCE) for future in futures]
    assert [isinstance(outcome, MalformedBatch) for outcome in outcomes] == [False, False, True, False]


def test_a_store_that_does_not_answer_acknowledges_nobody_and_is_tried_again(process: Any) -> None:
    def unavailable_once(body: bytes) -> Outcome:
        if len(process.calls) == 1:
            raise StoreUnavailable("down")
        return Receipt(1)

    process.outcome = unavailable_once
    with GroupCommit(process) as commit:
        with pytest.raises(StoreUnavailable):
            commit.submit(batch(1)).result(PATIENCE)
        assert commit.submit(batch(1)).result(PATIENCE) == Receipt(1)


class PoisonError(BaseException):
    """Not even an Exception: what a panic in an extension module looks like."""


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_a_batch_that_trips_a_bug_takes_no_neighbour_down(poisoned: list[bool]) -> None:
    held, inside = threading.Event(), threading.Event()

    def process(batches: Sequence[Batch]) -> list[Outcome]:
        inside.set()
        assert held.wait(PATIENCE)
        if any(b.body == b"poison" for b in batches):
            raise PoisonError("somebody's data")
        return [Receipt(1) for _ in batches]

    with GroupCommit(process) as commit:
        commit.submit(batch(1))
        assert inside.wait(PATIENCE)
        futures = [commit.submit(batch(b"poison" if bad else b"good")) for bad in poisoned]
        held.set()
        results = [future.exception(PATIENCE) for future in futures]
        assert [isinstance(result, PoisonError) for result in results] == poisoned
        assert commit.submit(batch(1)).result(PATIENCE) == Receipt(1), "the loop goes on"


def test_too_few_outcomes_are_a_bug_and_nobody_s_receipt() -> None:
    with GroupCommit(lambda batches: []) as commit, pytest.raises(RuntimeError, match="0 outcomes for 1"):
        commit.submit(batch(1)).result(PATIENCE)


def test_a_bug_in_whoever_observes_ends_nothing(process: Any) -> None:
    def observe(requests: int, events: int, seconds: float) -> None:
        raise ValueError

    with GroupCommit(process, observe=observe) as commit:
        assert [commit.submit(batch(1)).result(PATIENCE) for _ in range(3)] == [Receipt(1)] * 3


def test_it_tells_what_it_did(process: Any) -> None:
    told: list[tuple[int, int]] = []
    with GroupCommit(process, observe=lambda r, e, s: told.append((r, e)) if s >= 0 else None) as commit:
        commit.submit(batch(7)).result(PATIENCE)
    assert told == [(1, 7)]


def test_a_request_that_was_given_up_while_waiting_is_not_written(process: Any) -> None:
    process.gate.clear()
    with GroupCommit(process) as commit:
        first = commit.submit(batch(1))
        assert process.entered.wait(PATIENCE)
        given_up, kept = commit.submit(batch(b'["given up"]')), commit.submit(batch(1))
        assert given_up.cancel()
        assert not first.cancel(), "what is being written cannot be called back"
        process.gate.set()
        assert kept.result(PATIENCE) == Receipt(1)
    assert b'["given up"]' not in [b.body for b in process.batches]
    assert commit.waiting() == 0


def test_stopping_finishes_what_was_taken_and_takes_nothing_more(process: Any) -> None:
    process.gate.clear()
    commit = GroupCommit(process).start()
    futures = [commit.submit(batch(1)) for _ in range(5)]
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(commit.stop, PATIENCE)
        while True:
            try:
                futures.append(commit.submit(batch(1)))
            except NotTaken:
                break
        process.gate.set()
        assert stopped.result(PATIENCE) is True
    assert [future.result(0) for future in futures] == [Receipt(1)] * len(futures)


def test_stopping_leaves_no_request_waiting_when_the_store_hangs(process: Any) -> None:
    process.gate.clear()
    commit = GroupCommit(process).start()
    inside = commit.submit(batch(1))
    assert process.entered.wait(PATIENCE)
    queued = commit.submit(batch(1))
    assert commit.stop(timeout=0.01) is False
    for future in (inside, queued):
        assert isinstance(future.exception(0), StoreUnavailable)
    process.gate.set()
    assert commit.stop(PATIENCE) is True, "the late answer of the store does no harm"


def test_stopping_what_never_started_refuses_what_it_holds(process: Any) -> None:
    commit = GroupCommit(process)
    future = commit.submit(batch(1))
    assert commit.stop() is False
    assert isinstance(future.exception(0), StoreUnavailable)


def test_many_threads_all_get_their_own_receipt(process: Any) -> None:
    with GroupCommit(process) as commit, ThreadPoolExecutor(8) as pool:
        sizes = [1 + i % 7 for i in range(400)]
        receipts = list(pool.map(lambda n: commit.submit(batch(n)).result(PATIENCE), sizes))
    assert receipts == [Receipt(n) for n in sizes]
    assert len(process.batches) == 400


@given(st.integers(0, 700))
def test_the_weight_of_a_batch_is_its_events_within_bounds(events: int) -> None:
    assert weigh(batch(events).body) == min(500, max(1, events))
