"""Slack through slack-sdk: one request a call, and every outcome named.

slack-sdk's own retries are off: it retries lost connections, and a lost connection may have posted. The fact's
identity and the number of the post travel as message metadata, by which a post in doubt is found again in the
channel's history, or in its thread's.

A restatement is an edit and nothing else: no reply says so to those who follow the thread. Slack marks no message
that has blocks as edited, so the message's own first line says it.
"""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from uptake.alerts.deliver import AnchorError, Placed, Post, RefusedError, UnsureError
from uptake.alerts.deliver.slack_errors import BlocksRefusedError, lost, named
from uptake.alerts.deliver.slack_images import Images
from uptake.alerts.message import Message
from uptake.alerts.render import slack
from uptake.alerts.render.slack import Json

EVENT_TYPE = "uptake_fact"
TIMEOUT_SECONDS = 10
CLOCK_SKEW = timedelta(minutes=10)  # between this machine and Slack, when looking back
PAGE = 200
PAGES = 50
IMAGE_WAITS = (0.0, 1.0, 2.0)
"""Seconds before each try to show an image: Slack refuses a file that it is still looking at."""

_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,}")


class SlackDeliverer:
    """Posts as the bot of `token`. `base_url` is where Slack's Web API is, ending in a slash."""

    def __init__(
        self,
        token: str,
        base_url: str = "https://slack.com/api/",
        timeout: int = TIMEOUT_SECONDS,
        *,
        client: WebClient | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client or WebClient(token=token, base_url=base_url, timeout=timeout, retry_handlers=[])
        self._images = Images(self._client)
        self._pause = pause
        self._ids: dict[str, str] = {}

    def posts(self, message: Message) -> int:
        """The message, and its details as replies in its thread."""
        return 1 + len(slack.render_details(message))

    def send(self, channel: str, message: Message, post: Post) -> Placed:
        """Post it; the reference is ``channel/ts``. Blocks that Slack refuses are tried plainer, then as text."""
        if not channel:
            raise RefusedError("no Slack channel is set for this message", "name one in channels.yaml")
        where: dict[str, Any] = {"channel": channel}
        if post.below:
            thread_channel, thread_ts = _split(post.below)
            where = {"channel": thread_channel, "thread_ts": thread_ts}
        answer = self._first_taken(
            message,
            post,
            partial(self._client.chat_postMessage, **where, unfurl_links=False, unfurl_media=False),
        )
        reference = f"{answer['channel']}/{answer['ts']}"
        # under a message that was deleted Slack posts into the channel instead, and says so nowhere else:
        # https://github.com/slack-go/slack/issues/1571
        threaded = not post.below or bool((answer.get("message") or {}).get("thread_ts"))
        if post.part and not threaded:
            self.remove(channel, reference)
            raise AnchorError(
                "the message was deleted before its details were in its thread",
                "retry to post it again as a whole",
                deleted=True,
            )
        return Placed(reference, post.revision, threaded)

    def find(self, channel: str, post: Post, since: datetime | None = None) -> Placed | None:
        """Look through the channel's history, or the thread's, for this post.

        None only after all of it since `since` was read. Needs the history scope of the channel.
        """
        oldest = str((since - CLOCK_SKEW).timestamp()) if since else None
        if post.below:
            where, ts = _split(post.below)
            look = partial(self._client.conversations_replies, channel=where, ts=ts)
        else:
            where = self._channel_id(channel)
            look = partial(self._client.conversations_history, channel=where)
        for page in self._pages(
            lambda cursor: look(cursor=cursor, oldest=oldest, limit=PAGE, include_all_metadata=True),
            "the channel's history is too long to look through",
        ):
            for found in page.get("messages", []):
                metadata = found.get("metadata") or {}
                said = metadata.get("event_payload") or {}
                # what was posted before there were details has but an identity
                same = (said.get("identity"), said.get("part", 0), said.get("copy", 1))
                if metadata.get("event_type") == EVENT_TYPE and same == (
                    post.identity,
                    post.part,
                    post.copy,
                ):
                    return Placed(f"{where}/{found['ts']}", said.get("revision", 1))
        return None

    def edit(self, channel: str, reference: str, message: Message, post: Post) -> None:
        """Let what was posted say what it says now. Doing it again changes nothing."""
        where, ts = _split(reference)
        self._first_taken(message, post, partial(self._client.chat_update, channel=where, ts=ts))

    def remove(self, channel: str, reference: str) -> None:
        """Delete a post of ours."""
        where, ts = _split(reference)
        with suppress(AnchorError):  # it is gone
            self._call(partial(self._client.chat_delete, channel=where, ts=ts))

    def _first_taken(self, message: Message, post: Post, request: Callable[..., Any]) -> Mapping[str, Any]:
        """The answer to the richest form of the post that Slack takes."""
        metadata = {
            "event_type": EVENT_TYPE,
            "event_payload": {
                "identity": post.identity,
                "kind": message.kind,
                "part": post.part,
                "copy": post.copy,
                "revision": post.revision,
            },
        }
        refused: RefusedError | None = None
        for payload in self._forms(message, post.part):
            try:
                return self._call(partial(request, metadata=metadata, **payload))
            except BlocksRefusedError as error:
                refused = error
        raise refused or RefusedError("Slack refused every form of the message")

    def _forms(self, message: Message, part: int) -> Iterator[Json]:
        """One post of a message, the richest form first; images are only uploaded for a Slack that draws no charts."""

        def form(**options: Any) -> Json:
            if part == 0:
                return slack.render(message, **options)
            return slack.render_details(message, **options)[part - 1]

        yield (rich := form())
        charts = slack.charts(message, part)
        images = self._images.of(charts, message.locale) if charts else {}
        if images:
            for wait in IMAGE_WAITS:
                self._pause(wait)
                yield form(images=images)
            yield form(native=False, images=images)
        elif (said := form(images={})) != rich:
            yield said
        plain = form(native=False)
        if plain != rich:
            yield plain
        # blocks that an edit does not name would stay
        texts = [slack.fallback(message)] if part == 0 else slack.fallback_details(message)
        yield {"text": texts[part - 1 if part else 0], "blocks": []}

    def _channel_id(self, channel: str) -> str:
        """Posting takes a name, the history only an id."""
        if _CHANNEL_ID.fullmatch(channel):
            return channel
        name = channel.removeprefix("#")
        if not name:
            raise RefusedError("no Slack channel is set for this message", "name one in channels.yaml")
        if name not in self._ids:
            for page in self._pages(
                lambda cursor: self._client.conversations_list(
                    cursor=cursor, limit=PAGE, types="public_channel,private_channel"
                ),
                "the workspace has too many channels to look through",
            ):
                self._ids.update({c["name"]: c["id"] for c in page.get("channels", [])})
                if name in self._ids:
                    break
        if name not in self._ids:
            raise RefusedError(
                f"Slack lists no channel {channel!r}, so nobody can tell whether the message is there",
                "write the channel's id (C…) into channels.yaml, look into the channel, then retry",
            )
        return self._ids[name]

    def _pages(self, get: Callable[[str | None], Any], too_long: str) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        for _ in range(PAGES):
            page = self._call(partial(get, cursor))
            yield page
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return
        raise RefusedError(too_long, "look into the channel yourself, then mark or retry the message")

    def _call(self, request: Callable[[], Any]) -> Mapping[str, Any]:
        """One request; whatever goes wrong becomes a DeliveryError that says whether it may have posted."""
        try:
            data = request().data
        except SlackApiError as error:
            raise named(error) from None  # the chain would carry the whole response
        except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
            raise lost(error) from None
        except (ValueError, AttributeError, TypeError) as error:
            raise UnsureError(f"Slack's answer cannot be read ({type(error).__name__})") from None
        return data if isinstance(data, Mapping) else {}


def _split(reference: str) -> tuple[str, str]:
    """Channel and ts of a reference; what was said elsewhere, such as to a file, is not in Slack."""
    channel, _, ts = reference.partition("/")
    if not _CHANNEL_ID.fullmatch(channel) or not ts:
        raise AnchorError("it was not said in Slack before", deleted=True)
    return channel, ts
