"""What may be committed, whatever order takes finish in and whatever a rebalance interrupts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from uptake.processors.worker.acks import Acks, Arrival

P0, P1 = ("t", 0), ("t", 1)


def taken(acks: Acks, *offsets: int, place: tuple[str, int] = P0) -> list[Arrival]:
    return [acks.arrive(place, offset) for offset in offsets]


def test_nothing_is_committed_past_a_record_in_flight() -> None:
    acks = Acks()
    acks.assign({P0: 31})
    assert set(taken(acks, 31, 32, 33)) == {Arrival.NEXT}
    acks.done(acks.epoch, P0, [32, 33])
    assert acks.committable() == {}
    acks.done(acks.epoch, P0, [31])
    assert acks.committable() == {P0: 34}


def test_what_was_never_committed_is_no_licence_to_begin_anywhere() -> None:
    acks = Acks()
    acks.assign({P0: 0})
    assert taken(acks, 5) == [Arrival.GAP]
    acks.done(acks.epoch, P0, [5])
    assert acks.committable() == {}


def test_each_record_is_taken_once_and_in_order() -> None:
    acks = Acks()
    acks.assign({P0: 10})
    assert taken(acks, 10, 10, 12, 11, 9) == [
        Arrival.NEXT,
        Arrival.SEEN,
        Arrival.GAP,
        Arrival.NEXT,
        Arrival.RESET,
    ]
    assert taken(acks, 0, place=P1) == [Arrival.FOREIGN]


def test_a_partition_without_news_is_not_committed_again() -> None:
    acks = Acks()
    acks.assign({P0: 3, P1: 7})
    taken(acks, 3)
    acks.done(acks.epoch, P0, [3])
    assert acks.committable() == {P0: 4}
    assert acks.committable() == {P0: 4}, "until the broker has it"
    acks.committed(acks.epoch, {P0: 4})
    assert acks.committable() == {}
    assert acks.positions() == {P0: 4, P1: 7}


def test_what_an_earlier_epoch_took_is_not_acknowledged_in_this_one() -> None:
    acks = Acks()
    acks.assign({P0: 0})
    before = acks.epoch
    taken(acks, 0, 1)
    acks.revoke()
    acks.assign({P0: 0})
    taken(acks, 0)
    acks.done(before, P0, [0, 1])
    acks.committed(before, {P0: 2})
    assert acks.committable() == {}


def test_a_partition_that_is_held_keeps_its_place_when_others_come() -> None:
    acks = Acks()
    acks.assign({P0: 0})
    taken(acks, 0, 1)
    acks.assign({P0: 0, P1: 5})
    assert (acks.next(P0), acks.next(P1)) == (2, 5)


def test_a_gap_of_the_log_itself_is_passed() -> None:
    acks = Acks()
    acks.assign({P0: 0})
    taken(acks, 0)
    acks.rebase(P0, 7)
    assert taken(acks, 7) == [Arrival.NEXT]
    acks.done(acks.epoch, P0, [7])
    assert acks.committable() == {}, "0 is still in flight"
    acks.done(acks.epoch, P0, [0])
    assert acks.committable() == {P0: 8}


def test_from_where_a_partition_is_stopped_nothing_counts_as_taken_or_done() -> None:
    acks = Acks()
    acks.assign({P0: 0})
    taken(acks, 0, 1, 2, 3)
    acks.rebase(P0, 2)
    acks.done(acks.epoch, P0, [0, 1, 2, 3])
    assert acks.committable() == {P0: 2}
    assert taken(acks, 2) == [Arrival.NEXT]
    assert acks.committable() == {P0: 2}, "2 was taken anew, and is in flight"


def test_a_log_that_begins_anew_is_read_from_its_beginning() -> None:
    acks = Acks()
    acks.assign({P0: 100})
    taken(acks, 100)
    acks.rebase(P0, 0)
    acks.done(acks.epoch, P0, [100])
    assert taken(acks, 0, 1) == [Arrival.NEXT, Arrival.NEXT]
    acks.done(acks.epoch, P0, [0])
    assert acks.committable() == {P0: 1}


@given(st.integers(0, 50), st.lists(st.integers(0, 40), max_size=60), st.permutations(range(20)))
def test_the_commit_is_always_the_first_record_that_is_not_done(
    start: int, arrivals: list[int], finished: list[int]
) -> None:
    acks = Acks()
    acks.assign({P0: start})
    took = [start + by for by in arrivals if acks.arrive(P0, start + by) is Arrival.NEXT]
    assert took == list(range(start, start + len(took)))
    done: set[int] = set()
    for by in finished:
        done.add(start + by)
        acks.done(acks.epoch, P0, [start + by])
        expected = next((offset for offset in took if offset not in done), start + len(took))
        assert acks.committable().get(P0, start) == expected
