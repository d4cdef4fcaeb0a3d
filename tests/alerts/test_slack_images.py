"""A Slack that draws no charts shows an image of each, or a sentence where it takes no files."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from slack_limits import check

from uptake.alerts.deliver import Post
from uptake.alerts.deliver.slack import SlackDeliverer
from uptake.alerts.deliver.slack_paper import CHANNEL, TS, would_send
from uptake.alerts.message import Message

TOKEN = "xoxb-not-a-real-token"
CHARTS = {"data_visualization"}


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def deliverer(fake_slack: Any, pauses: list[float]) -> SlackDeliverer:
    return SlackDeliverer(TOKEN, fake_slack.base_url, timeout=5, pause=pauses.append)


@pytest.fixture
def message(full_message: Message) -> Message:
    """A chart in the message, another one in its details."""
    [chart] = [block for block in full_message.blocks if block.part == "chart"]
    bars = chart.model_copy(update={"kind": "bar", "title": "Bars", "labels": chart.labels[:0:-1][::-1]})
    bars = bars.model_copy(
        update={"series": tuple(s.model_copy(update={"values": s.values[1:]}) for s in chart.series)}
    )
    return full_message.model_copy(update={"details": (bars,)})


def refuses(kinds: set[str]) -> Callable[[list[Any]], bool]:
    return lambda blocks: any(block["type"] in kinds for block in blocks)


def say(deliverer: SlackDeliverer, message: Message) -> None:
    placed = deliverer.send("#ai-claims", message, Post(message.identity))
    for part in range(1, deliverer.posts(message)):
        deliverer.send("#ai-claims", message, Post(message.identity, part, below=placed.reference))


def kinds(post: dict[str, Any]) -> list[str]:
    return [block["type"] for block in post["blocks"]]


def test_a_chart_that_slack_refuses_becomes_an_image_and_the_table_stays(
    fake_slack: Any, deliverer: SlackDeliverer, message: Message
) -> None:
    fake_slack.refuse_blocks = refuses(CHARTS)
    fake_slack.scopes = frozenset({"chat:write", "files:write"})
    say(deliverer, message)
    first, reply = fake_slack.posts
    assert {"image", "data_table"} <= set(kinds(first))
    assert "image" in kinds(reply), "charts in the thread too"
    for post in (first, reply):
        [image] = [block for block in post["blocks"] if block["type"] == "image"]
        assert fake_slack.files[image["slack_file"]["id"]].startswith(b"\x89PNG")
        assert "Adoption rose from 31% to 63%" in image["alt_text"]
        check({name: post[name] for name in ("text", "blocks", "mrkdwn")})
    assert len(fake_slack.files) == 2


def test_without_the_scope_for_files_a_chart_is_a_sentence_and_no_further_upload_is_tried(
    fake_slack: Any, deliverer: SlackDeliverer, message: Message
) -> None:
    fake_slack.refuse_blocks = refuses(CHARTS)
    say(deliverer, message)
    first, reply = fake_slack.posts
    assert "data_table" in kinds(first)
    for post in (first, reply):
        assert any("Adoption rose from 31% to 63%" in str(block) for block in post["blocks"])
    assert fake_slack.called("files.getUploadURLExternal") == 1


def test_a_file_that_slack_still_looks_at_is_shown_a_moment_later(
    fake_slack: Any, deliverer: SlackDeliverer, message: Message, pauses: list[float]
) -> None:
    fake_slack.scopes = frozenset({"files:write"})
    fake_slack.outcomes = ["invalid_blocks", "invalid_blocks", "ok"]  # the native chart, the file too early
    deliverer.send("#ai-claims", message, Post(message.identity))
    [post] = fake_slack.posts
    assert "image" in kinds(post)
    assert pauses == [0.0, 1.0]


def test_a_slack_that_takes_only_plain_blocks_gets_an_image_among_them(
    fake_slack: Any, deliverer: SlackDeliverer, message: Message
) -> None:
    fake_slack.scopes = frozenset({"files:write"})
    fake_slack.refuse_blocks = refuses({"data_visualization", "data_table", "rich_text"})
    deliverer.send("#ai-claims", message, Post(message.identity))
    [post] = fake_slack.posts
    assert set(kinds(post)) == {"header", "section", "image", "context"}


def test_an_upload_that_fails_costs_the_image_and_nothing_else(
    fake_slack: Any, deliverer: SlackDeliverer, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_slack.refuse_blocks = refuses(CHARTS)
    fake_slack.scopes = frozenset({"files:write"})

    def lost(**_: object) -> object:
        raise ConnectionResetError

    monkeypatch.setattr(deliverer._client, "files_upload_v2", lost)
    deliverer.send("#ai-claims", message, Post(message.identity))
    [post] = fake_slack.posts
    assert "image" not in kinds(post)
    assert "Adoption rose from 31% to 63%" in str(post["blocks"])


def test_a_post_that_is_tried_again_uploads_nothing_anew(
    fake_slack: Any, deliverer: SlackDeliverer, message: Message
) -> None:
    fake_slack.refuse_blocks = refuses(CHARTS)
    fake_slack.scopes = frozenset({"files:write"})
    for _ in range(2):
        deliverer.send("#ai-claims", message, Post(message.identity))
    assert len(fake_slack.files) == 1


def test_a_slack_that_draws_charts_is_sent_no_file(
    fake_slack: Any, deliverer: SlackDeliverer, message: Message
) -> None:
    fake_slack.scopes = frozenset({"files:write"})
    say(deliverer, message)
    assert [kinds(post).count("data_visualization") for post in fake_slack.posts] == [1, 1]
    assert fake_slack.files == {}


def test_a_dry_run_shows_the_very_bytes_that_are_posted(
    fake_slack: Any, deliverer: SlackDeliverer, message: Message
) -> None:
    say(deliverer, message)
    written = would_send("#ai-claims", message)
    ts = fake_slack.posts[0]["ts"]
    known = [body.replace(f'"{CHANNEL}"', '"C0CLAIMS1"').replace(TS, ts).encode() for body in written]
    assert known == fake_slack.bodies
    assert len(written) == 2
    assert json.loads(written[1])["thread_ts"] == TS, "only Slack knows it"
    for body in written:
        check(json.loads(body))


def test_a_dry_run_of_nobodys_channel_is_still_shown(message: Message) -> None:
    assert [json.loads(body)["channel"] for body in would_send("", message)] == [CHANNEL, CHANNEL]


def test_an_image_speaks_the_messages_language(
    fake_slack: Any, deliverer: SlackDeliverer, message: Message
) -> None:
    fake_slack.scopes = frozenset({"files:write"})
    fake_slack.refuse_blocks = refuses(CHARTS)
    for locale in ("en", "fr"):
        said = message.model_copy(update={"locale": locale, "details": ()})
        deliverer.send("#ai-claims", said, Post(f"{message.identity}/{locale}"))
    english, french = fake_slack.files.values()
    assert english != french, "80% and 80 %"
