"""Work that is repeated goes on after it failed, and stops when it is told to."""

from __future__ import annotations

import threading

from uptake.repeating import Repeating


def test_work_that_fails_is_done_again_and_its_failures_in_a_row_are_counted() -> None:
    calls: list[int] = []
    recovered = threading.Event()
    failures: list[int] = []

    def work() -> None:
        failures.append(repeating.failures)
        calls.append(1)
        if len(calls) < 3:
            raise RuntimeError("not yet")
        if len(calls) == 4:
            recovered.set()

    repeating = Repeating("work", work, 0.001)
    repeating.start()
    assert recovered.wait(30)
    repeating.stop()
    assert failures[:4] == [0, 1, 2, 0]


def test_stopping_waits_for_the_call_under_way_and_no_other_follows() -> None:
    begun, end, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert end.wait(30)
        ended.set()

    repeating = Repeating("work", work, 0.001)
    repeating.start()
    assert begun.wait(30)
    threading.Timer(0.01, end.set).start()
    repeating.stop()
    assert ended.is_set()
    begun.clear()
    repeating.stop()
    assert not begun.is_set()


def test_what_never_started_can_be_stopped() -> None:
    Repeating("work", lambda: None, 0.001).stop()
