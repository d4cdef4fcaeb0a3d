"""A message and its thread, posted and edited: each post once, whatever dies between any two steps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from wall import FACT, Scene, Wall

from uptake.alerts import ledger
from uptake.alerts.deliver import AnchorError, LaterError, Placed, Post, RefusedError, UnsureError
from uptake.alerts.message import Message
from uptake.alerts.outbox import Outbox
from uptake.clock import ManualClock
from uptake.state.store import open_state

Build = Callable[..., Message]


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def scene(engine: Engine, clock: ManualClock, wall: Wall, a_message: Build) -> Scene:
    return Scene(engine, clock, wall, a_message)


@pytest.fixture
def scenes(
    new_store: Callable[[], str], a_message: Build, clock: ManualClock
) -> Iterator[Callable[[], Scene]]:
    """As many scenes as are asked for, each with a store of its own."""
    engines: list[Engine] = []

    def scene() -> Scene:
        engines.append(open_state(new_store()))
        return Scene(engines[-1], ManualClock(clock.now()), Wall(), a_message)

    yield scene
    for engine in engines:
        engine.dispose()


# --- threads ---


@pytest.mark.both_stores
def test_details_are_posted_once_in_order_in_the_thread_of_their_message(scene: Scene) -> None:
    scene.say("one", "first", "second")
    assert scene.run()
    assert (scene.wall.main(), scene.wall.thread()) == (["one"], ["first", "second"])
    assert {post.below for post, _ in scene.wall.there.values()} == {"", "#a/1"}
    letter = scene.letter()
    assert (letter.status, letter.reference, letter.posted.references) == (
        "sent",
        "#a/1",
        ("#a/1", "#a/2", "#a/3"),
    )
    scene.run()
    assert (scene.wall.sent, scene.wall.looks) == (3, 0)


@pytest.mark.both_stores
def test_a_message_and_its_replies_are_posted_once_wherever_the_process_dies(
    scenes: Callable[[], Scene],
) -> None:
    steps = 0
    while True:
        steps += 1
        scene = scenes()
        scene.say("one", "first", "second")
        lived = scene.run(kill_at=steps)
        scene.settle()
        assert (scene.wall.main(), scene.wall.thread()) == (["one"], ["first", "second"]), (
            f"killed at {steps}"
        )
        if lived:
            break
    assert steps > 12, "before and after each of three posts, and of what is written down about them"


def test_a_reply_that_has_to_wait_does_not_bring_the_message_again(scene: Scene) -> None:
    scene.say("one", "first")
    slow = [LaterError("slow down", seconds=3)]
    send = scene.wall.send

    def send_slowly(channel: str, message: Message, post: Post) -> Placed:
        if post.part and slow:
            raise slow.pop()
        return send(channel, message, post)

    scene.wall.send = send_slowly  # type: ignore[method-assign]
    scene.run()
    assert scene.letter().status == "pending"
    scene.clock.set(scene.clock.now() + timedelta(seconds=2))
    scene.run()
    assert scene.wall.thread() == []
    scene.clock.set(scene.clock.now() + timedelta(seconds=1))
    scene.run()
    assert (scene.wall.main(), scene.wall.thread(), scene.wall.looks) == (["one"], ["first"], 0)


# --- edits ---


def test_a_restated_message_is_edited_where_it_is_with_its_replies(scene: Scene) -> None:
    scene.say("one", "first", "second")
    scene.run()
    assert scene.restate("two", "first, anew", "second")
    assert scene.letter().status == "restating"
    scene.run()
    assert (scene.wall.main(), scene.wall.thread()) == (["Restated. two"], ["first, anew", "second"])
    letter = scene.letter()
    assert (letter.status, letter.revision, letter.shown, scene.wall.sent) == ("sent", 2, 2, 3)
    assert not scene.restate("two", "first, anew", "second"), "it says so already"
    scene.run()
    assert scene.wall.edited == 3


@pytest.mark.parametrize("details", [(), ("first",), ("first", "second", "third")])
def test_edits_end_with_the_newest_wherever_the_process_dies(
    scenes: Callable[[], Scene], details: tuple[str, ...]
) -> None:
    steps = 0
    while True:
        steps += 1
        scene = scenes()
        scene.say("one", "first", "second")
        scene.run()
        assert scene.restate("two", *details)
        lived = scene.run(kill_at=steps)
        scene.settle()
        assert scene.wall.main() == ["Restated. two"], f"killed at {steps}"
        assert scene.wall.thread() == list(details), f"killed at {steps}"
        if lived:
            break
    assert steps > 4


@pytest.mark.parametrize("deleted", [False, True])
def test_a_message_that_cannot_be_edited_is_said_anew_once_wherever_the_process_dies(
    scenes: Callable[[], Scene], deleted: bool
) -> None:
    steps = 0
    while True:
        steps += 1
        scene = scenes()
        scene.say("one", "first")
        scene.run()
        assert scene.restate("two", "first, anew")
        if deleted:
            del scene.wall.there["#a/1"], scene.wall.there["#a/2"]
        scene.wall.edits = [] if deleted else [AnchorError("edit_window_closed", deleted=False)] * 99
        lived = scene.run(kill_at=steps)
        scene.settle()
        if deleted:
            assert scene.wall.main() == ["Restated. two"], f"killed at {steps}"
            assert scene.wall.thread() == ["first, anew"], f"killed at {steps}"
        else:
            assert scene.wall.main() == ["one"]
            assert scene.wall.thread() == ["first", "Restated. two", "first, anew"], f"killed at {steps}"
        if lived:
            break
    assert steps > 8


def test_a_lost_answer_to_an_edit_is_repeated_and_nothing_is_looked_for(scene: Scene) -> None:
    scene.say("one")
    scene.run()
    scene.restate("two")
    scene.wall.edits, scene.wall.after = [UnsureError("lost")], True
    scene.run()
    assert scene.letter().status == "restating"
    scene.settle()
    assert (scene.wall.main(), scene.wall.sent, scene.wall.looks) == (["Restated. two"], 1, 0)


def test_an_edit_that_is_put_off_holds_up_no_other_message(scene: Scene) -> None:
    scene.say("one")
    scene.run()
    scene.restate("two")
    scene.wall.edits = [LaterError("slow down", seconds=600)]
    scene.run()
    other = scene.build("f2", summary="other")
    ledger.say(scene.engine, "f2", "budget", "acme", other, ["#a"], scene.clock.now())
    scene.run()
    assert scene.wall.main() == ["one", "other"]


def test_only_the_newest_revision_is_ever_sent(scene: Scene) -> None:
    scene.say("one")
    scene.run()
    for text in ("two", "three"):
        assert scene.restate(text)
    scene.run()
    assert (scene.wall.main(), scene.wall.edited) == (["Restated. three"], 1)
    assert scene.letter().revision == 3


def test_what_is_restated_while_its_first_post_is_in_doubt_is_found_then_edited(scene: Scene) -> None:
    scene.say("one", "first")
    scene.wall.sends, scene.wall.after = [UnsureError("lost")], True
    scene.run()
    assert scene.letter().status == "ambiguous"
    assert scene.restate("two", "first, anew")
    assert scene.letter().status == "ambiguous", "an edit does not overtake the post"
    scene.settle()
    assert (scene.wall.main(), scene.wall.thread()) == (["Restated. two"], ["first, anew"])
    assert (scene.wall.sent, scene.wall.edited) == (2, 1)


def test_what_is_restated_while_it_is_being_sent_is_edited_after_it(scene: Scene) -> None:
    scene.say("one")
    send = scene.wall.send

    def send_and_restate(channel: str, message: Message, post: Post) -> Placed:
        assert scene.restate("two")
        return send(channel, message, post)

    scene.wall.send = send_and_restate  # type: ignore[method-assign]
    scene.run()
    assert (scene.wall.main(), scene.letter().status) == (["one"], "restating")
    scene.run()
    assert (scene.wall.main(), scene.letter().status) == (["Restated. two"], "sent")


def test_what_nobody_has_seen_is_not_said_to_be_restated(scene: Scene) -> None:
    scene.say("one")
    scene.wall.sends = [LaterError("slow down")]
    scene.run()
    assert scene.restate("two")
    scene.settle()
    assert (scene.wall.main(), scene.wall.edited) == (["two"], 0)
    told = ledger.told(scene.engine, [FACT])[FACT]
    assert (told.first.summary, told.restated_at) == ("two", None)


def test_what_was_said_at_first_is_kept_however_often_it_is_restated(scene: Scene) -> None:
    scene.say("one")
    scene.run()
    for text in ("two", "three"):
        scene.restate(text)
        scene.run()
    told = ledger.told(scene.engine, [FACT, "f2"])
    assert set(told) == {FACT}
    assert (told[FACT].first.summary, told[FACT].last.summary) == ("one", "three")
    assert told[FACT].restated_at == scene.clock.now()


def test_a_fact_that_was_not_said_is_not_restated(scene: Scene) -> None:
    assert not scene.restate("two")


def test_the_one_who_restates_second_changes_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.say("one")
    scene.run()
    connect = scene.engine.connect
    first = iter([True])

    def late_connect() -> Any:
        """The row is read, then somebody else is quicker."""
        if next(first, False):
            connection = connect()
            execute = connection.execute

            def execute_then_lose(*given: Any) -> Any:
                rows = execute(*given)
                monkeypatch.undo()
                assert scene.restate("theirs")
                return rows

            connection.execute = execute_then_lose  # type: ignore[method-assign]
            return connection
        return connect()

    monkeypatch.setattr(scene.engine, "connect", late_connect)
    assert not scene.restate("ours")
    scene.run()
    assert scene.wall.main() == ["Restated. theirs"]


# --- when the channel does not take it ---


def test_what_could_not_be_edited_can_be_edited_where_it_was_said_anew(scene: Scene) -> None:
    scene.say("one", "first")
    scene.run()
    scene.wall.edits = [AnchorError("edit_window_closed", deleted=False)]
    scene.restate("two", "first, anew")
    scene.run()
    scene.restate("three", "first, anew")
    scene.run()
    assert scene.wall.main() == ["one"]
    assert scene.wall.thread() == ["first", "Restated. three", "first, anew"]
    posted = scene.letter().posted
    assert (posted.copy, posted.below, posted.why) == (2, "#a/1", "edit_window_closed")


def test_where_no_thread_takes_it_it_is_said_anew_in_the_channel(scene: Scene) -> None:
    scene.say("one")
    scene.run()
    scene.wall.edits = [AnchorError("edit_window_closed", deleted=False)]
    scene.wall.sends = [AnchorError("thread_locked", deleted=False)]
    scene.restate("two")
    scene.run()
    assert scene.wall.main() == ["one", "Restated. two"]
    assert scene.letter().posted.below == ""


def test_a_reply_that_somebody_deleted_stays_deleted(scene: Scene) -> None:
    scene.say("one", "first", "second")
    scene.run()
    del scene.wall.there["#a/2"]
    scene.restate("two", "first, anew", "second, anew")
    scene.run()
    assert (scene.wall.main(), scene.wall.thread()) == (["Restated. two"], ["second, anew"])
    scene.restate("three", "first", "second")
    scene.run()
    assert (scene.wall.main(), scene.wall.thread()) == (["Restated. three"], ["second"])


def test_an_edit_that_is_refused_fails_visibly_and_is_tried_again_when_mended(scene: Scene) -> None:
    scene.say("one")
    scene.run()
    scene.restate("two")
    scene.wall.edits = [RefusedError("Slack says is_inactive", "unarchive the channel")]
    scene.run()
    assert (scene.letter().status, scene.wall.main()) == ("failed", ["one"])
    assert "unarchive" in scene.letter().last_error
    assert Outbox(scene.engine, scene.clock).retry() == 1
    scene.settle()
    assert (scene.wall.main(), scene.wall.sent) == (["Restated. two"], 1)


def test_a_restated_message_whose_channel_is_another_one_by_now_is_posted_there(scene: Scene) -> None:
    scene.say("one", "first")
    scene.run()
    scene.restate("two", "first")
    scene.wall.edits = [RefusedError("Slack says is_inactive")]
    scene.run()
    assert Outbox(scene.engine, scene.clock).retry(None, lambda letter: "#b") == 1
    scene.settle()
    assert scene.wall.main() == ["one", "Restated. two"]
    assert {reference.partition("/")[0] for reference in scene.letter().posted.references} == {"#b"}


@pytest.mark.both_stores
@pytest.mark.parametrize("restated", [False, True])
def test_two_processes_at_once_post_and_edit_once(scene: Scene, state_url: str, restated: bool) -> None:
    scene.say("one", "first", "second")
    if restated:
        scene.run()
        scene.restate("two", "first, anew", "second")
    ready = threading.Barrier(2)
    engines = [open_state(state_url) for _ in range(2)]

    def process(engine: Engine) -> None:
        ready.wait(10)
        Outbox(engine, scene.clock).deliver(scene.wall)

    threads = [threading.Thread(target=process, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    first = "first, anew" if restated else "first"
    assert scene.wall.thread() == [first, "second"]
    assert scene.wall.main() == ["Restated. two" if restated else "one"]
    assert (scene.wall.sent, scene.wall.edited) == (3, 3 if restated else 0)
    for engine in engines:
        engine.dispose()
