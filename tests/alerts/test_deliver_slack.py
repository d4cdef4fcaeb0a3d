"""The real slack-sdk against a small Slack: every outcome is named, nothing is posted twice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from uptake.alerts import ledger
from uptake.alerts.deliver import LaterError, Placed, Post, RefusedError, UnsureError
from uptake.alerts.deliver.slack import SlackDeliverer
from uptake.alerts.message import Message
from uptake.alerts.outbox import LEASE, Outbox, backoff
from uptake.clock import ManualClock

Build = Callable[..., Message]
TOKEN = "xoxb-not-a-real-token"


def send(deliverer: SlackDeliverer, channel: str, message: Message) -> Placed:
    return deliverer.send(channel, message, Post(message.identity))


@pytest.fixture
def deliverer(fake_slack: Any) -> SlackDeliverer:
    return SlackDeliverer(TOKEN, fake_slack.base_url, timeout=5)


def test_a_message_carries_its_identity_as_metadata(
    fake_slack: Any, deliverer: SlackDeliverer, full_message: Message
) -> None:
    assert send(deliverer, "#ai-claims", full_message) == Placed("C0CLAIMS1/1794000000.000100")
    (post,) = fake_slack.posts
    assert post["metadata"]["event_type"] == "uptake_fact"
    assert post["metadata"]["event_payload"]["identity"] == full_message.identity
    assert post["blocks"][0]["type"] == "header"
    assert post["text"].startswith("Claims")
    assert post["unfurl_links"] is False


@pytest.mark.parametrize(
    ("outcome", "error", "said"),
    [
        ("channel_not_found", RefusedError, "check the channel"),
        ("invalid_auth", RefusedError, "UPTAKE_SLACK_TOKEN"),
        ("not_in_channel", RefusedError, "invite the app"),
        ("something_new", RefusedError, "documentation"),
        ("ratelimited:7", LaterError, "slow down"),
        ("service_unavailable", LaterError, "service_unavailable"),
        ("internal_error", UnsureError, "looked for"),
        ("http:502", UnsureError, "502"),
        ("lost", UnsureError, "lost"),
        ("drop", UnsureError, "lost"),
    ],
)
def test_every_outcome_is_named_and_never_retried_by_the_sdk(
    fake_slack: Any,
    deliverer: SlackDeliverer,
    a_message: Build,
    outcome: str,
    error: type[Exception],
    said: str,
) -> None:
    fake_slack.outcomes = [outcome]
    with pytest.raises(error) as caught:
        send(deliverer, "#ai-claims", a_message())
    assert said in f"{caught.value.message} {caught.value.hint}"  # type: ignore[attr-defined]
    assert fake_slack.called("chat.postMessage") == 1
    if outcome == "ratelimited:7":
        assert caught.value.seconds == 7  # type: ignore[attr-defined]


def test_an_unreachable_slack_is_certain_not_to_have_posted(fake_slack: Any, a_message: Build) -> None:
    port_of_nobody = "http://127.0.0.1:9/api/"
    with pytest.raises(LaterError, match="cannot be reached"):
        send(SlackDeliverer(TOKEN, port_of_nobody, timeout=5), "#ai-claims", a_message())


def test_a_message_without_a_channel_is_refused_with_a_remedy(
    deliverer: SlackDeliverer, a_message: Build
) -> None:
    with pytest.raises(RefusedError) as caught:
        send(deliverer, "", a_message())
    assert "channels.yaml" in caught.value.hint


@pytest.mark.parametrize(
    ("refused", "left"),
    [
        ({"data_table", "data_visualization", "rich_text"}, {"header", "section", "context"}),
        ({"header"}, set()),
    ],
)
def test_blocks_that_slack_refuses_are_sent_plainer(
    fake_slack: Any, deliverer: SlackDeliverer, full_message: Message, refused: set[str], left: set[str]
) -> None:
    fake_slack.refuse_blocks = lambda blocks: any(block["type"] in refused for block in blocks)
    send(deliverer, "#ai-claims", full_message)
    (post,) = fake_slack.posts
    assert {block["type"] for block in post.get("blocks") or []} == left
    assert "Adoption" in str(post)


def test_a_dropped_answer_is_found_in_the_history_and_not_posted_again(
    fake_slack: Any, deliverer: SlackDeliverer, engine: Engine, clock: ManualClock, a_message: Build
) -> None:
    ledger.say(engine, "f1", "digest", "acme", a_message("f1"), ["#ai-claims"], clock.now())
    outbox = Outbox(engine, clock)
    fake_slack.outcomes = ["drop"]
    fake_slack.page = 1
    assert outbox.deliver(deliverer) == {"ambiguous": 1}
    send(deliverer, "#ai-claims", a_message("newer"))  # so that it is on the history's second page
    clock.set(clock.now() + backoff(1))
    assert outbox.deliver(deliverer) == {"sent": 1}
    assert [post["metadata"]["event_payload"]["identity"] for post in fake_slack.posts] == ["f1", "newer"]
    assert outbox.letters()[0].reference == "C0CLAIMS1/1794000000.000100"


def test_a_lost_request_is_posted_after_the_history_was_read(
    fake_slack: Any, deliverer: SlackDeliverer, engine: Engine, clock: ManualClock, a_message: Build
) -> None:
    ledger.say(engine, "f1", "digest", "acme", a_message("f1"), ["#ai-claims"], clock.now())
    outbox = Outbox(engine, clock)
    fake_slack.outcomes = ["lost"]
    outbox.deliver(deliverer)
    clock.set(clock.now() + backoff(1))
    assert outbox.deliver(deliverer) == {"sent": 1}
    assert [name for name, _ in fake_slack.requests] == [
        "chat.postMessage",
        "conversations.list",
        "conversations.history",
        "chat.postMessage",
    ]
    assert len(fake_slack.posts) == 1


def test_a_history_that_may_not_be_read_stops_with_a_remedy_instead_of_a_second_message(
    fake_slack: Any, deliverer: SlackDeliverer, engine: Engine, clock: ManualClock, a_message: Build
) -> None:
    ledger.say(engine, "f1", "digest", "acme", a_message("f1"), ["C0CLAIMS1"], clock.now())
    outbox = Outbox(engine, clock)
    fake_slack.outcomes, fake_slack.history_error = ["drop"], "missing_scope"
    outbox.deliver(deliverer)
    clock.set(clock.now() + LEASE)
    assert outbox.deliver(deliverer) == {"failed": 1}
    assert "channels:history" in outbox.letters()[0].last_error
    assert len(fake_slack.posts) == 1


def test_slack_slowing_us_down_is_honoured(
    fake_slack: Any, deliverer: SlackDeliverer, engine: Engine, clock: ManualClock, a_message: Build
) -> None:
    ledger.say(engine, "f1", "digest", "acme", a_message("f1"), ["#ai-claims"], clock.now())
    outbox = Outbox(engine, clock)
    fake_slack.outcomes = ["ratelimited:30"]
    assert outbox.deliver(deliverer) == {"pending": 1}
    clock.set(clock.now() + timedelta(seconds=29))
    assert outbox.deliver(deliverer) == {}
    clock.set(clock.now() + timedelta(seconds=1))
    assert outbox.deliver(deliverer) == {"sent": 1}


def test_the_token_is_in_no_log_and_no_error(
    fake_slack: Any, deliverer: SlackDeliverer, a_message: Build, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake_slack.outcomes = ["invalid_auth"]
    with pytest.raises(RefusedError) as caught:
        send(deliverer, "#ai-claims", a_message())
    fake_slack.outcomes = ["drop"]
    with pytest.raises(UnsureError):
        send(deliverer, "#ai-claims", a_message())
    assert TOKEN not in caplog.text + str(caught.value) + repr(caught.value.__cause__)
