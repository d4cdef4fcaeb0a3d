"""One is active, another takes over, and no clock is compared with anybody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from uptake.distributed.lease import GIVE_UP, TAKE_OVER, Lease
from uptake.state.store import open_state
from uptake.state.tables import leases


class Time:
    """Seconds since this process began, which says nothing to another process."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    state = open_state(f"sqlite:///{tmp_path / 'state.db'}")
    yield state
    state.dispose()


@pytest.fixture
def candidate(engine: Engine) -> Callable[[str, float], tuple[Lease, Time]]:
    def make(owner: str, now: float) -> tuple[Lease, Time]:
        time = Time(now)
        return Lease(engine, "scheduler", owner, time), time

    return make


def test_the_first_one_has_it_and_the_second_waits(candidate: Callable[..., tuple[Lease, Time]]) -> None:
    (one, _), (two, _) = candidate("one", 0.0), candidate("two", 5_000.0)
    assert one.hold()
    assert not two.hold()
    assert (one.held, two.held) == (True, False)


def test_while_its_holder_counts_nobody_takes_it(candidate: Callable[..., tuple[Lease, Time]]) -> None:
    (one, here), (two, there) = candidate("one", 0.0), candidate("two", 5_000.0)
    for _ in range(50):
        assert one.hold()
        assert not two.hold()
        here.now += 2
        there.now += 2


def test_one_whose_holder_stands_still_is_taken_over_within_half_a_minute(
    candidate: Callable[..., tuple[Lease, Time]],
) -> None:
    (one, _), (two, there) = candidate("one", 0.0), candidate("two", 5_000.0)
    one.hold()
    waited = 0
    while not two.hold():
        there.now += 2
        waited += 2
    assert TAKE_OVER <= waited < 30


def test_a_holder_stops_acting_before_another_one_begins(
    candidate: Callable[..., tuple[Lease, Time]],
) -> None:
    (one, here), (two, there) = candidate("one", 0.0), candidate("two", 5_000.0)
    one.hold()
    two.hold()
    here.now += GIVE_UP
    there.now += GIVE_UP
    assert not one.held
    assert not two.hold()


def test_a_holder_that_was_suspended_sees_that_it_lost(candidate: Callable[..., tuple[Lease, Time]]) -> None:
    (one, here), (two, there) = candidate("one", 0.0), candidate("two", 5_000.0)
    one.hold()
    two.hold()
    there.now += TAKE_OVER
    assert two.hold()
    here.now += 3_600
    assert not one.held
    assert not one.hold()
    assert two.hold()


def test_what_is_released_is_free_at_once(candidate: Callable[..., tuple[Lease, Time]]) -> None:
    (one, _), (two, _) = candidate("one", 0.0), candidate("two", 5_000.0)
    one.hold()
    two.hold()
    one.release()
    assert not one.held
    assert two.hold()
    one.release()  # of what is another's by now
    assert two.hold()


def test_of_many_that_see_it_free_one_gets_it(
    engine: Engine, candidate: Callable[..., tuple[Lease, Time]]
) -> None:
    with engine.begin() as connection:
        connection.execute(leases.insert().values(name="scheduler", owner="dead", beat=7))
    several = [candidate(f"number {n}", n * 100.0) for n in range(5)]
    assert not any(lease.hold() for lease, _ in several)
    for _, time in several:
        time.now += TAKE_OVER
    assert sum(lease.hold() for lease, _ in several) == 1


def test_while_the_state_store_is_away_the_holder_goes_on_for_a_moment_and_no_longer(
    engine: Engine, candidate: Callable[..., tuple[Lease, Time]], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, here = candidate("one", 0.0)
    one.hold()

    def away() -> None:
        raise OperationalError("", {}, OSError())

    monkeypatch.setattr(one, "_read", away)
    here.now += 2
    with pytest.raises(OperationalError):
        one.hold()
    assert one.held
    here.now += GIVE_UP
    assert not one.held
