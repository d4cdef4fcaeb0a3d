"""What a thread held does not outlive it."""

from __future__ import annotations

import threading

from uptake.perthread import PerThread


class Thing:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_each_thread_has_its_own_and_keeps_it() -> None:
    things = PerThread(Thing, Thing.close)
    mine = things.get()
    assert things.get() is mine
    others: list[Thing] = []
    thread = threading.Thread(target=lambda: others.extend((things.get(), things.get())))
    thread.start()
    thread.join(10)
    assert others[0] is others[1] is not mine


def test_what_an_ended_thread_held_is_let_go() -> None:
    things = PerThread(Thing, Thing.close)
    held: list[Thing] = []
    for _ in range(20):
        thread = threading.Thread(target=lambda: held.append(things.get()))
        thread.start()
        thread.join(10)
    assert len(things) == 1
    mine = things.get()
    assert all(thing.closed for thing in held)
    assert (len(things), mine.closed) == (1, False)


def test_closing_lets_go_of_all_and_asking_again_gives_a_new_one() -> None:
    things = PerThread(Thing, Thing.close)
    first = things.get()
    things.close()
    assert first.closed
    assert things.get() is not first
