"""Alive means that the committed offset moves while there is work."""

from __future__ import annotations

from typing import Any

import pytest

from uptake.processors.worker.liveness import Liveness, Observed

P0, P1 = ("t", 0), ("t", 1)


def seen(at: float, committed: int = 5, end: int = 10, **more: Any) -> Observed:
    return Observed({P0: committed}, {P0: end}, **{"beat": at, **more})


def looks(*observed: tuple[float, Observed]) -> list[str]:
    liveness = Liveness(10.0)
    return [liveness.look(one, at) for at, one in observed]


def test_a_committed_offset_that_stands_still_behind_the_end_is_stuck() -> None:
    assert looks((0, seen(0)), (9.9, seen(9.9)), (10, seen(10)))[1:] == [
        "",
        "t[0] has work and no commit for 10 s",
    ]


@pytest.mark.parametrize(
    "between",
    [
        pytest.param(seen(5, committed=6), id="it moved"),
        pytest.param(seen(5, end=5), id="there was nothing to do"),
        pytest.param(seen(5, waiting={P0: 4.0}), id="the store was waited for"),
        pytest.param(seen(5, stopped=frozenset({P0})), id="it was stopped on purpose"),
        pytest.param(Observed({}, {}, 5), id="it was somebody else's"),
    ],
)
def test_what_moves_has_nothing_to_do_or_is_excused_begins_anew(between: Observed) -> None:
    after = seen(14, committed=max(between.committed.values(), default=5))
    assert looks((0, seen(0)), (5, between), (14, after))[2] == ""


def test_an_excuse_that_is_not_renewed_wears_off() -> None:
    last_try = seen(12, waiting={P0: 1.0})
    assert looks((0, seen(0, waiting={P0: 0.0})), (2, seen(2, waiting={P0: 1.0})), (12, last_try))[2] != ""


def test_a_stream_that_waits_for_its_store_excuses_its_own_partitions_and_no_other() -> None:
    liveness = Liveness(10.0)
    for at in map(float, range(11)):
        said = liveness.look(Observed({P0: 5, P1: 5}, {P0: 6, P1: 6}, at, {P1: at}), at)
    assert said == "t[0] has work and no commit for 10 s"
    assert liveness.stuck == (P0,)


def test_one_partition_that_moves_is_no_excuse_for_another() -> None:
    liveness = Liveness(10.0)
    for at in range(12):
        said = liveness.look(Observed({P0: 5, P1: at}, {P0: 6, P1: 100}, float(at)), float(at))
    assert said.startswith("t[0] has work")


def test_an_event_loop_that_does_not_move_is_stuck_whatever_it_last_said() -> None:
    assert looks((10, seen(0, end=5)))[0] == "the event loop has not moved for 10 s"


def test_lag_is_what_is_not_committed_and_nothing_where_the_end_is_not_known() -> None:
    observed = Observed({P0: 5, P1: 9}, {P0: 7}, 0.0)
    assert Liveness(1.0).behind(observed) == {P0: 2, P1: 0}
