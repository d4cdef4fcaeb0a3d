"""Threads and edits through the real slack-sdk against a small Slack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine

from uptake.alerts import ledger
from uptake.alerts.deliver import AnchorError, Placed, Post
from uptake.alerts.deliver.slack import SlackDeliverer
from uptake.alerts.letter import Letter
from uptake.alerts.message import Message, Table
from uptake.alerts.outbox import LEASE, Outbox
from uptake.clock import ManualClock

Build = Callable[..., Message]
TOP = "1794000000.000100"


@dataclass
class Scene:
    """A digest with details in its thread, said in #ai-claims of a small Slack."""

    slack: Any
    engine: Engine
    clock: ManualClock
    build: Build

    def __post_init__(self) -> None:
        self.deliverer = SlackDeliverer("xoxb-not-a-real-token", self.slack.base_url, timeout=5)

    def message(self, figure: str, notice: str = "") -> Message:
        rows = (("Claims", figure),)
        table = Table(caption="By team", columns=("Team", "Adoption"), rows=rows)
        return self.build("f1", summary=f"Adoption is {figure}.", notice=notice, details=(table,))

    def say(self, figure: str = "63%") -> None:
        now = self.clock.now()
        assert ledger.say(self.engine, "f1", "digest", "acme", self.message(figure), ["#ai-claims"], now)

    def restate(self, figure: str = "64%") -> None:
        message = self.message(figure, f"Restated: Adoption 63% → {figure}.")
        assert ledger.restate(self.engine, "f1", message, self.clock.now(), {})

    def deliver(self) -> Letter:
        outbox = Outbox(self.engine, self.clock)
        outbox.deliver(self.deliverer)
        (letter,) = outbox.letters()
        return letter

    def later(self) -> Letter:
        self.clock.set(self.clock.now() + LEASE)
        return self.deliver()


@pytest.fixture
def scene(fake_slack: Any, engine: Engine, clock: ManualClock, a_message: Build) -> Scene:
    return Scene(fake_slack, engine, clock, a_message)


def payload(post: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = post["metadata"]["event_payload"]
    return found


def test_details_are_replies_in_the_thread_each_with_its_number(scene: Scene) -> None:
    scene.say()
    letter = scene.deliver()
    (top,), replies = scene.slack.main(), scene.slack.thread(TOP)
    assert [payload(post)["part"] for post in (top, *replies)] == list(range(1 + len(replies)))
    assert len(replies) == scene.deliverer.posts(scene.message("63%")) - 1 > 0
    assert "63%" in str(replies[0]["blocks"])
    assert letter.posted.references == tuple(f"C0CLAIMS1/{post['ts']}" for post in (top, *replies))


def test_a_reply_whose_answer_was_lost_is_looked_for_in_the_thread(scene: Scene) -> None:
    scene.say()
    scene.slack.outcomes = ["ok", "drop"]
    scene.slack.page = 1
    assert scene.deliver().status == "ambiguous"
    assert scene.later().status == "sent"
    assert scene.slack.called("conversations.replies") == 2, "it is on the second page"
    assert scene.slack.called("conversations.history") == 0
    assert len(scene.slack.thread(TOP)) == scene.deliverer.posts(scene.message("63%")) - 1


def test_a_reply_that_never_arrived_is_sent_after_the_thread_was_read(scene: Scene) -> None:
    scene.say()
    scene.slack.outcomes = ["ok", "lost"]
    assert scene.deliver().status == "ambiguous"
    assert scene.later().status == "sent"
    assert len(scene.slack.main()) == 1
    assert len({payload(post)["part"] for post in scene.slack.thread(TOP)}) == len(scene.slack.thread(TOP))


def test_slack_slowing_down_in_the_middle_of_a_thread_is_honoured(scene: Scene) -> None:
    scene.say()
    scene.slack.outcomes = ["ok", "ratelimited:30"]
    letter = scene.deliver()
    assert (letter.status, (letter.not_before - scene.clock.now()).total_seconds()) == ("pending", 30)
    assert scene.later().status == "sent"
    assert len(scene.slack.main()) == 1


def test_a_restated_message_is_edited_with_its_notice_and_its_replies(scene: Scene) -> None:
    scene.say()
    scene.deliver()
    stamps = [post["ts"] for post in scene.slack.posts]
    scene.restate()
    letter = scene.deliver()
    assert (letter.status, letter.revision) == ("sent", 2)
    assert [post["ts"] for post in scene.slack.posts] == stamps, "the same posts, and no further one"
    (top,), (reply, *_) = scene.slack.main(), scene.slack.thread(TOP)
    assert "Restated: Adoption 63% → 64%." in str(top["blocks"])
    assert "64%" in str(reply["blocks"])
    assert {payload(post)["revision"] for post in scene.slack.posts} == {2}


@pytest.mark.parametrize("outcome", ["drop", "lost", "http:502", "update_failed", "ratelimited:5"])
def test_an_edit_whose_answer_was_lost_is_made_again(scene: Scene, outcome: str) -> None:
    scene.say()
    scene.deliver()
    scene.restate()
    scene.slack.edits = [outcome]
    assert scene.deliver().status == "restating"
    assert scene.later().status == "sent"
    assert "64%" in scene.slack.main()[0]["text"]
    assert len(scene.slack.main()) == 1
    assert scene.slack.called("conversations.history") == 0


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message"])
def test_a_message_that_may_not_be_edited_is_restated_in_its_thread(scene: Scene, code: str) -> None:
    scene.say()
    scene.deliver()
    old = len(scene.slack.posts)
    scene.restate()
    scene.slack.edits = [code]
    letter = scene.deliver()
    assert letter.status == "sent"
    assert letter.posted.why == f"Slack says {code}"
    assert len(scene.slack.main()) == 1
    new = scene.slack.posts[old:]
    assert {post["thread_ts"] for post in new} == {TOP}
    assert [(payload(post)["copy"], payload(post)["part"]) for post in new] == [
        (2, n) for n in range(len(new))
    ]
    assert "64%" in new[0]["text"]


def test_a_message_that_somebody_deleted_is_restated_in_the_channel(scene: Scene) -> None:
    scene.say()
    scene.deliver()
    for post in list(scene.slack.posts):
        scene.slack.delete(post["ts"])
    scene.restate()
    letter = scene.deliver()
    assert letter.status == "sent"
    (top,) = scene.slack.main()
    assert "64%" in top["text"]
    assert {post["thread_ts"] for post in scene.slack.posts[1:]} == {top["ts"]}
    scene.restate("65%")
    scene.deliver()
    assert "65%" in scene.slack.main()[0]["text"]


def test_an_answer_that_was_lost_where_it_is_said_anew_is_looked_for(scene: Scene) -> None:
    scene.say()
    scene.deliver()
    scene.restate()
    old = len(scene.slack.posts)
    scene.slack.edits, scene.slack.outcomes = ["edit_window_closed"], ["drop"]
    assert scene.deliver().status == "ambiguous"
    assert scene.later().status == "sent"
    copies = [payload(post) for post in scene.slack.posts[old:]]
    assert [copy["part"] for copy in copies] == list(range(len(copies)))


def test_a_reply_that_slack_put_into_the_channel_is_the_message_then(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message was deleted between its edit's refusal and the reply: Slack drops the thread in silence."""
    scene.say()
    scene.deliver()
    scene.restate()
    edit = scene.deliverer.edit

    def refuse(*_: Any) -> None:
        scene.slack.posts.clear()
        monkeypatch.setattr(scene.deliverer, "edit", edit)
        raise AnchorError("Slack says edit_window_closed", deleted=False)

    monkeypatch.setattr(scene.deliverer, "edit", refuse)
    assert scene.deliver().status == "sent"
    (top,) = scene.slack.main()
    assert {post["thread_ts"] for post in scene.slack.posts[1:]} == {top["ts"]}


def test_details_of_a_message_that_is_gone_do_not_fall_into_the_channel(scene: Scene) -> None:
    message = scene.message("63%")
    with pytest.raises(AnchorError, match="was deleted before"):
        scene.deliverer.send("#ai-claims", message, Post("f1", part=1, below=f"C0CLAIMS1/{TOP}"))
    assert scene.slack.posts == []


def test_blocks_that_slack_refuses_are_edited_plainer_and_leave_none_of_the_old(scene: Scene) -> None:
    scene.say()
    scene.deliver()
    scene.restate()
    scene.slack.refuse_blocks = bool
    scene.deliver()
    for post in scene.slack.posts:
        assert post["blocks"] == []
        assert "64%" in post["text"] or payload(post)["part"] > 1


def test_what_was_said_to_files_is_restated_to_slack_as_a_message(scene: Scene) -> None:
    with pytest.raises(AnchorError) as caught:
        scene.deliverer.edit("#ai-claims", "2026-11-16-digest.json", scene.message("63%"), Post("f1"))
    assert caught.value.deleted


def test_a_post_from_before_there_were_threads_is_found_by_its_identity_alone(scene: Scene) -> None:
    scene.deliverer.send("#ai-claims", scene.message("63%"), Post("f1"))
    scene.slack.posts[0]["metadata"]["event_payload"] = {"identity": "f1", "kind": "digest"}
    assert scene.deliverer.find("#ai-claims", Post("f1")) == Placed(f"C0CLAIMS1/{TOP}", 1)
    assert scene.deliverer.find("#ai-claims", Post("f1", part=1)) is None
    assert scene.deliverer.find("#ai-claims", Post("f1", copy=2)) is None


def test_taking_a_post_away_twice_is_no_error(scene: Scene) -> None:
    placed = scene.deliverer.send("#ai-claims", scene.message("63%"), Post("f1"))
    for _ in range(2):
        scene.deliverer.remove("#ai-claims", placed.reference)
    assert scene.slack.posts == []
