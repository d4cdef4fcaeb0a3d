"""`uptake messages` shows what was restated, and where a message had to be said again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from uptake.alerts import ledger
from uptake.alerts.deliver import AnchorError, Placed, Post
from uptake.alerts.message import Message, Text
from uptake.alerts.outbox import Outbox
from uptake.clock import ManualClock
from uptake.state.store import open_state

NOW = datetime(2026, 11, 24, 8, 12, tzinfo=UTC)


class Closed:
    """A channel whose messages cannot be edited."""

    def posts(self, message: Message) -> int:
        return 1

    def send(self, channel: str, message: Message, post: Post) -> Placed:
        return Placed(f"{channel}/{post.copy}")

    def find(self, channel: str, post: Post, since: datetime | None = None) -> Placed | None:
        raise AssertionError("nothing is in doubt")

    def edit(self, channel: str, reference: str, message: Message, post: Post) -> None:
        raise AnchorError("Slack says edit_window_closed", deleted=False)

    def remove(self, channel: str, reference: str) -> None:
        raise AssertionError("there is one post")


def test_messages_show_the_revision_and_where_it_was_said_again(
    uptake: Callable[..., Any], here: Path, workspace: Path
) -> None:
    engine = open_state(f"sqlite:///{here / '.uptake' / 'state.db'}")
    outbox = Outbox(engine, ManualClock(NOW))

    def message(summary: str) -> Message:
        blocks = (Text(text=summary),)
        return Message(
            identity="f1", kind="digest", tenant="acme", title="Claims", summary=summary, blocks=blocks
        )

    def shown() -> dict[str, Any]:
        (row,) = json.loads(uptake("messages", "--json").stdout)
        return {name: row[name] for name in ("status", "revision", "problem")}

    ledger.say(engine, "f1", "digest", "acme", message("one"), ["#a"], NOW)
    outbox.deliver(Closed())
    assert shown() == {"status": "sent", "revision": 1, "problem": ""}
    ledger.restate(engine, "f1", message("two"), NOW, {})
    assert shown() == {"status": "restating", "revision": 2, "problem": ""}
    assert "restating" in uptake("messages", "--status", "restating").stdout
    outbox.deliver(Closed())
    engine.dispose()
    assert shown() == {
        "status": "sent",
        "revision": 2,
        "problem": "could not be edited (Slack says edit_window_closed): restated in its thread",
    }
