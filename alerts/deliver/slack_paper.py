"""What would be sent to Slack, written down instead: by the same deliverer, through the same slack-sdk.

So a dry run shows the very bytes. Two things only Slack's answer says, the channel's id and the message's time stamp;
replies name them, and have `CHANNEL` and `TS` in their place.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from slack_sdk import WebClient

from uptake.alerts.deliver import Post
from uptake.alerts.deliver.slack import SlackDeliverer
from uptake.alerts.message import Message

CHANNEL, TS = "C0000000000", "0000000000.000000"


class _Paper(WebClient):
    """Sends nothing."""

    def __init__(self) -> None:
        super().__init__(token="", retry_handlers=[])
        self.bodies: list[str] = []

    def api_call(self, api_method: str, **given: Any) -> Any:
        self.bodies.append(json.dumps(given["json"]))  # as slack-sdk encodes it
        message = {"thread_ts": TS}
        return SimpleNamespace(data={"ok": True, "channel": CHANNEL, "ts": TS, "message": message})


def would_send(channel: str, message: Message) -> list[str]:
    """The body of each chat.postMessage that says the message in `channel` ("": in none yet): itself, then its
    replies, in the form that a Slack with native blocks takes."""
    paper = _Paper()
    deliverer = SlackDeliverer("", client=paper)
    where = channel or CHANNEL
    placed = deliverer.send(where, message, Post(message.identity))
    for part in range(1, deliverer.posts(message)):
        deliverer.send(where, message, Post(message.identity, part, below=placed.reference))
    return paper.bodies
