"""Delivered once: leases, doubt, refusals and waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from uptake.alerts import deliver, ledger
from uptake.alerts.deliver import LaterError, Placed, RefusedError, UnsureError
from uptake.alerts.message import Message
from uptake.alerts.outbox import BACKOFF_LAST, LEASE, Outbox, backoff
from uptake.clock import ManualClock
from uptake.state.store import open_state
from uptake.state.tables import outbox as table

pytestmark = pytest.mark.both_stores

Build = Callable[..., Message]


@dataclass
class Post:
    """A deliverer in memory. `fails` are raised by send, first first; a "posted" one posts before it raises."""

    fails: list[Exception] = field(default_factory=list)
    posted_anyway: bool = False
    look_fails: list[Exception] = field(default_factory=list)
    there: list[tuple[str, str]] = field(default_factory=list)
    sends: int = 0
    looks: int = 0
    meanwhile: Callable[[], None] | None = None

    def posts(self, message: Message) -> int:
        return 1

    def send(self, channel: str, message: Message, post: deliver.Post) -> Placed:
        self.sends += 1
        if self.meanwhile is not None:
            self.meanwhile()
        if self.fails:
            error = self.fails.pop(0)
            if self.posted_anyway:
                self.there.append((channel, message.identity))
            raise error
        self.there.append((channel, message.identity))
        return Placed(f"ref-{len(self.there)}")

    def find(self, channel: str, post: deliver.Post, since: datetime | None = None) -> Placed | None:
        self.looks += 1
        if self.look_fails:
            raise self.look_fails.pop(0)
        return Placed("found") if (channel, post.identity) in self.there else None

    def edit(self, channel: str, reference: str, message: Message, post: deliver.Post) -> None:
        raise AssertionError("nothing was restated")

    def remove(self, channel: str, reference: str) -> None:
        raise AssertionError("nothing was restated")


@pytest.fixture
def say(engine: Engine, clock: ManualClock, a_message: Build) -> Callable[..., None]:
    def said(identity: str = "f1", channel: str = "#a") -> None:
        assert ledger.say(engine, identity, "digest", "acme", a_message(identity), [channel], clock.now())

    return said


def test_a_letter_is_sent_once_and_keeps_its_reference(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say()
    post, outbox = Post(), Outbox(engine, clock)
    assert outbox.deliver(post) == {"sent": 1}
    assert outbox.deliver(post) == {}
    assert post.there == [("#a", "f1")]
    (letter,) = outbox.letters()
    assert (letter.status, letter.reference, letter.last_error) == ("sent", "ref-1", "")


def test_a_lost_answer_is_looked_up_and_not_sent_again(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say()
    post, outbox = Post([UnsureError("the connection was lost")], posted_anyway=True), Outbox(engine, clock)
    assert outbox.deliver(post) == {"ambiguous": 1}
    assert outbox.deliver(post) == {}, "nothing is looked up before the back-off is over"
    clock.set(clock.now() + backoff(1))
    assert outbox.deliver(post) == {"sent": 1}
    assert (post.sends, post.looks, len(post.there)) == (1, 1, 1)


def test_what_was_looked_for_and_is_not_there_is_sent(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say()
    post, outbox = Post([UnsureError("the connection was lost")]), Outbox(engine, clock)
    outbox.deliver(post)
    clock.set(clock.now() + backoff(1))
    assert outbox.deliver(post) == {"sent": 1}
    assert (post.sends, post.looks, len(post.there)) == (2, 1, 1)


def test_a_look_that_fails_leaves_the_doubt(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say()
    post = Post([UnsureError("lost")], posted_anyway=True, look_fails=[LaterError("slow down", seconds=40)])
    outbox = Outbox(engine, clock)
    outbox.deliver(post)
    clock.set(clock.now() + backoff(1))
    assert outbox.deliver(post) == {"ambiguous": 1}
    clock.set(clock.now() + timedelta(seconds=40))
    assert outbox.deliver(post) == {"sent": 1}
    assert post.sends == 1


def test_a_sender_that_died_while_sending_leaves_doubt_not_a_second_message(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say()

    class KilledError(BaseException):
        """As kill -9 after Slack took the message: nothing is written any more."""

    def kill() -> None:
        post.there.append(("#a", "f1"))
        raise KilledError

    post = Post(meanwhile=kill)
    with pytest.raises(KilledError):
        Outbox(engine, clock).deliver(post)
    post.meanwhile = None
    survivor = Outbox(engine, clock)
    assert survivor.deliver(post) == {}, "the lease still holds"
    clock.set(clock.now() + LEASE)
    assert survivor.deliver(post) == {"sent": 1}
    assert len(post.there) == 1


def test_a_sender_whose_lease_ran_out_does_not_overrule_its_successor(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say()
    slow, quick = Post(), Post()
    quick.there = slow.there
    successor = Outbox(engine, clock)

    def asleep() -> None:
        clock.set(clock.now() + LEASE)
        slow.there.append(("#a", "f1"))
        assert successor.deliver(quick) == {"sent": 1}

    slow.meanwhile = asleep
    slow.fails = [LaterError("it says it did not post")]
    assert Outbox(engine, clock).deliver(slow) == {"lost": 1}
    (letter,) = successor.letters()
    assert letter.status == "sent"
    assert quick.sends == 0


def test_a_refusal_fails_visibly_and_can_be_retried_once_mended(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say()
    post, outbox = Post([RefusedError("Slack says not_in_channel", "invite the app")]), Outbox(engine, clock)
    assert outbox.deliver(post) == {"failed": 1}
    clock.set(clock.now() + timedelta(days=1))
    assert outbox.deliver(post) == {}, "a refusal is not hammered"
    (letter,) = outbox.letters("failed")
    assert letter.last_error == "Slack says not_in_channel. invite the app"
    assert outbox.counts() == {"failed": 1}
    assert outbox.retry() == 1
    assert outbox.deliver(post) == {"sent": 1}
    assert post.looks == 1, "a failed letter is looked for before it is sent"


def test_a_refused_letter_goes_where_it_belongs_by_now(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say("f1", "#wrnog")
    post, outbox = (
        Post([RefusedError("Slack says channel_not_found", "check the channel")]),
        Outbox(engine, clock),
    )
    assert outbox.deliver(post) == {"failed": 1}
    assert outbox.retry("acme", lambda letter: "#right") == 1
    assert outbox.deliver(post) == {"sent": 1}
    assert (post.there, post.looks) == ([("#right", "f1")], 0)


def test_waiting_is_as_long_as_was_asked(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say()
    post, outbox = Post([LaterError("slow down", seconds=30)]), Outbox(engine, clock)
    assert outbox.deliver(post) == {"pending": 1}
    clock.set(clock.now() + timedelta(seconds=29))
    assert outbox.deliver(post) == {}
    clock.set(clock.now() + timedelta(seconds=1))
    assert outbox.deliver(post) == {"sent": 1}


def test_a_deliverer_with_a_bug_is_treated_as_doubt(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say()
    post, outbox = Post([KeyError("ts")], posted_anyway=True), Outbox(engine, clock)
    assert outbox.deliver(post) == {"ambiguous": 1}
    assert "KeyError" in outbox.letters()[0].last_error
    clock.set(clock.now() + backoff(1))
    assert outbox.deliver(post) == {"sent": 1}
    assert len(post.there) == 1


def test_a_channel_keeps_its_order_while_others_go_on(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say("first", "#a")
    say("second", "#a")
    say("other", "#b")
    post, outbox = Post([LaterError("slow down", seconds=5)]), Outbox(engine, clock)
    assert outbox.deliver(post) == {"pending": 1, "sent": 1}
    assert post.there == [("#b", "other")]
    clock.set(clock.now() + timedelta(seconds=5))
    outbox.deliver(post)
    assert post.there == [("#b", "other"), ("#a", "first"), ("#a", "second")]


def test_what_is_behind_a_letter_that_was_put_off_waits_for_it(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say("first", "#a")
    say("other", "#b")
    post, outbox = Post([LaterError("slow down", seconds=30)]), Outbox(engine, clock)
    outbox.deliver(post)
    clock.set(clock.now() + timedelta(seconds=1))
    say("second", "#a")
    assert outbox.deliver(post) == {}
    clock.set(clock.now() + timedelta(seconds=29))
    outbox.deliver(post)
    assert post.there == [("#b", "other"), ("#a", "first"), ("#a", "second")]


def test_nothing_waits_for_a_letter_that_failed(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say("first", "#a")
    say("second", "#a")
    post, outbox = Post([RefusedError("Slack says no")]), Outbox(engine, clock)
    assert outbox.deliver(post) == {"failed": 1, "sent": 1}
    assert post.there == [("#a", "second")]


def test_a_letter_does_not_overtake_one_that_another_process_is_sending(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say("first", "#a")
    other, slow = Post(), Post()

    def meanwhile() -> None:
        say("second", "#a")
        assert Outbox(engine, clock).deliver(other) == {}

    slow.meanwhile = meanwhile
    assert Outbox(engine, clock).deliver(slow) == {"sent": 1}
    assert Outbox(engine, clock).deliver(other) == {"sent": 1}


def test_a_letter_that_was_lost_to_another_process_holds_its_channel(
    engine: Engine, clock: ManualClock, say: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    say("first", "#a")
    say("second", "#a")
    quick, late = Outbox(engine, clock), Outbox(engine, clock)
    stale = late._due(10)
    monkeypatch.setattr(late, "_due", lambda *_: stale)
    post = Post()

    def meanwhile() -> None:
        post.meanwhile = None
        assert late.deliver(post) == {}

    post.meanwhile = meanwhile
    assert quick.deliver(post) == {"sent": 2}
    assert post.there == [("#a", "first"), ("#a", "second")]


def test_a_letter_without_a_channel_gets_the_one_that_was_named_since(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say("f1", "")
    post, outbox = Post([RefusedError("no channel is set")]), Outbox(engine, clock)
    assert outbox.deliver(post) == {"failed": 1}
    assert outbox.readdress(lambda letter: "#a") == 0, "not before somebody asks for it"
    assert outbox.retry() == 1
    assert outbox.readdress(lambda letter: "") == 0
    assert outbox.readdress(lambda letter: "#a" if letter.identity == "f1" else "") == 1
    assert outbox.deliver(post) == {"sent": 1}
    assert (post.there, post.looks) == ([("#a", "f1")], 0)


def test_a_letter_is_not_moved_to_a_channel_that_has_it(
    engine: Engine, clock: ManualClock, a_message: Build
) -> None:
    ledger.say(engine, "f1", "digest", "acme", a_message("f1"), ["", "#a"], clock.now())
    outbox = Outbox(engine, clock)
    assert outbox.readdress(lambda letter: "#a") == 0
    assert sorted(letter.channel for letter in outbox.letters()) == ["", "#a"]


def test_one_fact_can_be_delivered_without_touching_the_others(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say("mine", "#a")
    say("theirs", "#b")
    post = Post()
    assert Outbox(engine, clock).deliver(post, only="mine") == {"sent": 1}
    assert post.there == [("#a", "mine")]
    assert Outbox(engine, clock).counts() == {"sent": 1, "pending": 1}


def test_a_message_that_cannot_be_read_fails_visibly(
    engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    say()
    with engine.begin() as connection:
        connection.execute(update(table).values(message={"kind": "digest"}))
    outbox = Outbox(engine, clock)
    assert outbox.deliver(Post()) == {"failed": 1}
    assert "cannot be read" in outbox.letters()[0].last_error


def test_processes_that_deliver_at_once_send_once(
    state_url: str, engine: Engine, clock: ManualClock, say: Callable[..., None]
) -> None:
    for number in range(10):
        say(f"f{number}", f"#{number}")
    engines = [open_state(state_url) for _ in range(2)]
    ready = threading.Barrier(2)
    post = Post()

    def process(engine: Engine) -> None:
        ready.wait(10)
        Outbox(engine, clock).deliver(post)

    threads = [threading.Thread(target=process, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(post.there) == [(f"#{n}", f"f{n}") for n in range(10)]
    assert Outbox(engine, clock).counts() == {"sent": 10}
    for other in engines:
        other.dispose()


def test_backing_off_doubles_and_ends() -> None:
    waits = [backoff(n).total_seconds() for n in range(1, 5)]
    assert waits == [5, 10, 20, 40]
    assert backoff(10_000) == BACKOFF_LAST


def test_a_letter_in_doubt_that_another_process_put_off_is_not_looked_at_twice(
    engine: Engine, clock: ManualClock, say: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one read the letter as due before the first took its lease."""
    say()
    first, second = Outbox(engine, clock), Outbox(engine, clock)
    first.deliver(Post([UnsureError("lost")]))
    clock.set(clock.now() + backoff(1))
    stale = second._due(10)
    monkeypatch.setattr(second, "_due", lambda *_: stale)
    assert first.deliver(Post(look_fails=[LaterError("slow down")])) == {"ambiguous": 1}
    late = Post()
    assert second.deliver(late) == {}
    assert (late.looks, late.sends) == (0, 0)
