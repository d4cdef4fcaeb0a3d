"""A state store on a server that is restarted, fails, or is used by several machines in one moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from wall import FACT, Scene, Wall

from uptake.alerts import ledger, standing
from uptake.alerts.deliver import Placed, Post
from uptake.alerts.message import Message
from uptake.alerts.outbox import LEASE, Outbox
from uptake.clock import ManualClock
from uptake.errors import UnavailableError
from uptake.local.postgresql import PostgresServer
from uptake.state.keys import CACHE_FOR, KeyStore
from uptake.state.store import open_state
from uptake.state.tables import facts

Build = Callable[..., Message]

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"

on_postgresql = pytest.mark.parametrize("new_store", ["postgresql"], indirect=True)


@dataclass
class Falling(Wall):
    """A channel beside which the state store's server fails: as soon as a post stands there, or just before."""

    server: PostgresServer | None = None
    before: bool = False

    def send(self, channel: str, message: Message, post: Post) -> Placed:
        if self.before and self.server is not None:
            self.server.crash()
        placed = super().send(channel, message, post)
        if not self.before and self.server is not None:
            self.server.crash()
        return placed


@pytest.fixture
def upright(postgresql: PostgresServer) -> Iterator[PostgresServer]:
    """The server, which runs again when the test is over."""
    yield postgresql
    if not postgresql.process.alive():
        postgresql.start()


# --- a server that goes and comes ---


@on_postgresql
def test_a_connection_that_a_restart_closed_is_an_error_for_nobody(
    engine: Engine, clock: ManualClock, a_message: Build, upright: PostgresServer
) -> None:
    assert ledger.say(engine, "f1", "digest", "acme", a_message("f1"), ["#a"], clock.now())
    upright.stop()
    upright.start()
    assert not ledger.say(engine, "f1", "digest", "acme", a_message("f1"), ["#a"], clock.now())
    assert ledger.say(engine, "f2", "digest", "acme", a_message("f2"), ["#a"], clock.now())


@on_postgresql
def test_while_the_server_is_away_everything_says_so_and_afterwards_goes_on(
    engine: Engine, state_url: str, clock: ManualClock, a_message: Build, upright: PostgresServer
) -> None:
    keys = KeyStore(engine, clock, "p" * 64)
    token = keys.create("acme", "app").token
    upright.stop()
    with pytest.raises(OperationalError):
        ledger.say(engine, "f1", "digest", "acme", a_message("f1"), ["#a"], clock.now())
    with pytest.raises(UnavailableError, match="does not answer"):
        keys.identify(token)
    with pytest.raises(UnavailableError, match="does not answer"):
        open_state(state_url)
    upright.start()
    assert ledger.say(engine, "f1", "digest", "acme", a_message("f1"), ["#a"], clock.now())
    clock.set(clock.now() + CACHE_FOR)
    assert keys.tenant_of(token) == "acme"


@on_postgresql
def test_what_was_recorded_before_a_crash_is_sent_once_after_it(
    engine: Engine, clock: ManualClock, a_message: Build, upright: PostgresServer
) -> None:
    scene = Scene(engine, clock, Wall(), a_message)
    scene.say("one", "first")
    upright.crash()
    upright.start()
    scene.settle()
    assert (scene.wall.main(), scene.wall.thread(), scene.wall.sent) == (["one"], ["first"], 2)


@on_postgresql
@pytest.mark.parametrize("before", [True, False])
def test_what_was_posted_while_the_server_crashed_is_found_and_not_posted_again(
    engine: Engine, clock: ManualClock, a_message: Build, upright: PostgresServer, before: bool
) -> None:
    wall = Falling(server=upright, before=before)
    scene = Scene(engine, clock, wall, a_message)
    scene.say("one", "first")
    with pytest.raises(OperationalError):
        scene.run()
    wall.server = None
    upright.start()
    assert wall.main() == ["one"]
    scene.settle()
    assert (wall.main(), wall.thread(), wall.sent) == (["one"], ["first"], 2)
    assert wall.looks >= 1


@on_postgresql
def test_a_process_that_stopped_between_recording_and_posting_is_replaced_by_another(
    engine: Engine, state_url: str, clock: ManualClock, a_message: Build
) -> None:
    scene = Scene(engine, clock, Wall(), a_message)
    scene.say("one")
    first, second = open_state(state_url), open_state(state_url)
    gone = Outbox(first, clock)
    (letter,) = gone._due(10)
    assert gone._claim(letter), "it has the lease, and posts nothing any more"
    first.dispose()
    assert Outbox(second, clock).deliver(scene.wall) == {}
    clock.set(clock.now() + LEASE)
    assert Outbox(second, clock).deliver(scene.wall) == {"sent": 1}
    assert scene.wall.main() == ["one"]
    second.dispose()


@on_postgresql
def test_nobody_waits_for_ever_for_one_that_stopped_in_the_middle(engine: Engine) -> None:
    with engine.connect() as connection:
        limits = [
            connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("lock_timeout", "idle_in_transaction_session_timeout")
        ]
    assert limits == ["10s", "1min"]


# --- several at once ---


@on_postgresql
def test_two_that_say_much_of_the_same_do_not_wait_each_for_the_other(
    engine: Engine, state_url: str, clock: ManualClock, a_message: Build
) -> None:
    """Thresholds are crossed one after another; two processes can see a different number of them."""
    one, other, third = (open_state(state_url) for _ in range(3))

    def say(engine: Engine, identity: str, *also: str) -> bool:
        message = a_message(identity)
        return ledger.say(engine, identity, "budget", "acme", message, ["#a"], clock.now(), also=also)

    with ThreadPoolExecutor(2) as pool, third.connect() as connection:
        row = {"identity": "b/80", "tenant": "acme", "kind": "budget", "at": 0, "detail": {}}
        connection.execute(facts.insert().values(**row))
        first = pool.submit(say, one, "b/80", "b/100", "b/50")
        await_waiting(engine, 1)
        second = pool.submit(say, other, "b/100", "b/50", "b/80")
        await_waiting(engine, 2)
        connection.rollback()
        assert sorted([first.result(30), second.result(30)]) == [False, True]
    assert len(ledger.said(engine, ["b/50", "b/80", "b/100"])) == 3
    for each in (one, other, third):
        each.dispose()


def await_waiting(engine: Engine, count: int) -> None:
    """Returns once so many wait for what another one holds."""
    for _ in range(10_000):
        with engine.connect() as connection:
            if connection.exec_driver_sql(WAITING).scalar() == count:
                return
    raise AssertionError(f"{count} do not wait")


@pytest.mark.both_stores
def test_two_that_leave_the_same_mark_at_once_both_do(
    state_url: str, engine: Engine, clock: ManualClock
) -> None:
    others = [open_state(state_url) for _ in range(2)]
    ready = threading.Barrier(2)

    def save(other: Engine, n: int) -> None:
        ready.wait(10)
        standing.save_mark(other, f"mark-{n}", {"by": n}, clock.now())

    with ThreadPoolExecutor(2) as pool:
        for n in range(20):
            for saved in [pool.submit(save, other, n) for other in others]:
                saved.result(30)
            assert standing.load_mark(engine, f"mark-{n}") == ({"by": n}, clock.now())
    for other in others:
        other.dispose()


@on_postgresql
def test_a_fact_whose_commit_was_not_answered_is_said_once(
    engine: Engine, state_url: str, clock: ManualClock, a_message: Build, upright: PostgresServer
) -> None:
    """It is recorded and its process does not know: the next one is told that it was said, and the letter is there."""
    other = open_state(state_url)
    assert ledger.say(other, FACT, "digest", "acme", a_message(FACT), ["#a"], clock.now())
    upright.crash()
    upright.start()
    with engine.connect() as connection:
        assert list(connection.execute(select(facts.c.identity)).scalars()) == [FACT]
    assert not ledger.say(engine, FACT, "digest", "acme", a_message(FACT), ["#a"], clock.now())
    clock.set(clock.now() + timedelta(seconds=1))
    wall = Wall()
    assert Outbox(engine, clock).deliver(wall) == {"sent": 1}
    assert Outbox(other, clock).deliver(wall) == {}
    other.dispose()
