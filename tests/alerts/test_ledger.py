"""What was said is said once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from uptake.alerts import ledger
from uptake.alerts.message import Message
from uptake.clock import ManualClock
from uptake.state.store import open_state
from uptake.state.tables import outbox

pytestmark = pytest.mark.both_stores

Build = Callable[..., Message]


def test_a_fact_is_said_once(engine: Engine, clock: ManualClock, a_message: Build) -> None:
    message = a_message("f1")
    assert ledger.say(engine, "f1", "digest", "acme", message, ["#a", "#b"], clock.now())
    assert not ledger.say(engine, "f1", "digest", "acme", message, ["#a", "#c"], clock.now())
    with engine.connect() as connection:
        assert sorted(connection.execute(select(outbox.c.channel)).scalars()) == ["#a", "#b"]


def test_a_fact_is_not_recorded_without_its_message(
    engine: Engine, clock: ManualClock, a_message: Build
) -> None:
    """One transaction: when the outbox refuses the letter, the fact was not said and can be said again."""
    assert ledger.say(engine, "f1", "digest", "acme", a_message("f1"), ["#a"], clock.now())
    with engine.begin() as connection:
        connection.execute(ledger.facts.delete())  # the letter stays: the next insert of it must fail
    assert not ledger.say(engine, "f1", "digest", "acme", a_message("f1"), ["#a"], clock.now())
    assert ledger.said(engine, ["f1"]) == {}


def test_lower_thresholds_are_recorded_with_the_message_that_names_them(
    engine: Engine, clock: ManualClock, a_message: Build
) -> None:
    assert ledger.say(
        engine, "b/100", "budget", "acme", a_message("b/100"), ["#a"], clock.now(), also=["b/50", "b/80"]
    )
    assert set(ledger.said(engine, ["b/50", "b/80", "b/100", "b/120"])) == {"b/50", "b/80", "b/100"}
    with engine.connect() as connection:
        assert list(connection.execute(select(outbox.c.identity)).scalars()) == ["b/100"]


def test_a_fact_that_would_repeat_a_lower_one_changes_nothing(
    engine: Engine, clock: ManualClock, a_message: Build
) -> None:
    assert ledger.say(engine, "b/50", "budget", "acme", a_message("b/50"), ["#a"], clock.now())
    assert not ledger.say(
        engine, "b/80", "budget", "acme", a_message("b/80"), ["#a"], clock.now(), also=["b/50"]
    )
    assert set(ledger.said(engine, ["b/50", "b/80"])) == {"b/50"}


def test_many_schedulers_say_one_fact_once(state_url: str, clock: ManualClock, a_message: Build) -> None:
    engines = [open_state(state_url) for _ in range(4)]
    ready = threading.Barrier(len(engines))
    told: list[bool] = []

    def scheduler(engine: Engine) -> None:
        ready.wait(10)
        told.append(ledger.say(engine, "f1", "digest", "acme", a_message("f1"), ["#a"], clock.now()))

    threads = [threading.Thread(target=scheduler, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(told) == [False, False, False, True]
    with engines[0].connect() as connection:
        assert len(connection.execute(select(outbox)).all()) == 1
    for engine in engines:
        engine.dispose()


def test_a_row_that_cannot_be_written_is_not_taken_for_a_repetition(
    engine: Engine, clock: ManualClock, a_message: Build
) -> None:
    with pytest.raises(IntegrityError):
        ledger.say(engine, "f1", "digest", None, a_message("f1"), ["#a"], clock.now())  # type: ignore[arg-type]
