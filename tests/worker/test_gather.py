"""How records become takes."""

from __future__ import annotations

from uptake.processors.worker.gather import Fetched, Gather, TakeLimits, weigh


def record(offset: int, events: int = 1, size: int = 10, partition: int = 0) -> Fetched:
    return Fetched("t", partition, offset, 0, (), b"x" * size, events)


def gather(*records: Fetched, events: int = 100, linger: float = 0.5, size: int = 1_000) -> Gather:
    made = Gather(TakeLimits(events, linger, size))
    for one in records:
        made.add(one, 10.0)
    return made


def test_a_full_take_is_due_at_once_and_a_small_one_when_its_oldest_record_has_waited() -> None:
    assert gather().due_in(10.0) is None
    assert gather(record(0)).due_in(10.0) == 0.5
    assert gather(record(0)).due_in(10.4) == 0.5 - (10.4 - 10.0)
    assert gather(record(0)).due_in(99.0) == 0.0
    assert gather(record(0, events=100)).due_in(10.0) == 0.0
    assert gather(record(0, size=1_000)).due_in(10.0) == 0.0


def test_a_take_holds_what_fits_in_order_and_the_rest_waits() -> None:
    waiting = gather(record(0, events=60), record(1, events=40), record(2, events=1))
    assert [one.offset for one in waiting.take()] == [0, 1]
    assert [one.offset for one in waiting.take()] == [2]
    assert waiting.take() == []
    assert (waiting.events, waiting.size, len(waiting)) == (0, 0, 0)


def test_a_record_larger_than_a_take_goes_alone() -> None:
    waiting = gather(record(0, events=500), record(1, size=5_000), record(2))
    assert [[one.offset for one in waiting.take()] for _ in range(3)] == [[0], [1], [2]]


def test_there_is_room_until_the_next_take_is_full_as_well() -> None:
    waiting = gather(record(0, events=199))
    assert waiting.room
    waiting.add(record(1), 10.0)
    assert not waiting.room
    assert not gather(record(0, size=2_000)).room


def test_dropping_a_partition_keeps_the_others_in_order() -> None:
    waiting = gather(record(0), record(0, partition=1, events=7), record(1), record(1, partition=1))
    assert waiting.drop(("t", 0)) == 2
    assert (waiting.events, waiting.size) == (8, 20)
    assert [one.offset for one in waiting.take()] == [0, 1]
    assert gather(record(0), record(1)).drop() == 2


def test_a_record_without_a_value_weighs_as_one_event() -> None:
    waiting = gather(Fetched("t", 0, 0, 0, (), None, weigh(b"")))
    assert (waiting.events, waiting.size) == (1, 0)


def test_events_are_counted_without_decoding_and_not_beyond_what_a_record_may_hold() -> None:
    assert weigh(b'[{"event_id":1},{"event_id":2}]') == 2
    assert weigh(b'"event_id"' * 1_000) == 500
