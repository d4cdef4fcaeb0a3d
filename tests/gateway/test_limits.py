"""The rate of one key and the memory of all bodies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.ingest.gateway.limits import Memory, RateLimiter


class Time:
    """Seconds that only pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_the_next_one_waits_for_its_turn() -> None:
    time = Time()
    limiter = RateLimiter(2.0, 3, time)
    assert [limiter.wait_of("k") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert limiter.wait_of("k") == pytest.approx(0.5)
    time.now += 0.25
    assert limiter.wait_of("k") == pytest.approx(0.25)
    time.now += 0.25
    assert limiter.wait_of("k") == 0.0


def test_keys_do_not_wait_for_each_other() -> None:
    limiter = RateLimiter(1.0, 1, Time())
    assert limiter.wait_of("a") == 0.0
    assert limiter.wait_of("a") > 0.0
    assert limiter.wait_of("b") == 0.0


def test_an_idle_key_saves_up_one_burst_and_no_more() -> None:
    time = Time()
    limiter = RateLimiter(1.0, 3, time)
    limiter.wait_of("k")
    time.now += 1e6
    assert [limiter.wait_of("k") == 0.0 for _ in range(4)] == [True, True, True, False]


@given(st.lists(st.floats(0, 2), max_size=60), st.floats(0.5, 10), st.integers(1, 5))
def test_over_any_span_no_more_passes_than_burst_and_rate_allow(
    pauses: list[float], rate: float, burst: int
) -> None:
    time = Time()
    limiter = RateLimiter(rate, burst, time)
    passed = 0
    for pause in pauses:
        time.now += pause
        passed += limiter.wait_of("k") == 0.0
    assert passed <= burst + rate * sum(pauses) + 1e-6


@pytest.mark.parametrize(("rate", "burst"), [(0.0, 1), (-1.0, 1), (1.0, 0)])
def test_a_limit_that_lets_nothing_through_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="lets something through"):
        RateLimiter(rate, burst, Time())


def test_memory_that_does_not_fit_is_not_taken() -> None:
    memory = Memory(10)
    assert memory.take(7)
    assert not memory.take(4)
    assert memory.take(3)
    memory.give_back(7)
    assert memory.used == 3
