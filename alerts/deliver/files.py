"""Messages as files and on a terminal: what happens without a Slack token, and in the demo.

Each message is `<day>-<slug>-<key>.txt`, `.html` and `.json` (channel, identity, revision and the Slack payloads).
`key` is a function of channel and identity, so the same message is the same file, and a restated one replaces it.
The JSON file is written last: where it exists, the message is whole.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from datetime import datetime
from pathlib import Path
from typing import TextIO

import structlog

from uptake.alerts.deliver import LaterError, Placed, Post
from uptake.alerts.message import Message
from uptake.alerts.render import html, slack, text
from uptake.clock import Clock

log = structlog.get_logger(__name__)

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


class FilesDeliverer:
    """Writes messages to `directory`, dated by `clock`, and prints their text to `stream` if there is one."""

    def __init__(self, directory: Path, clock: Clock, stream: TextIO | None = None) -> None:
        self._directory = directory
        self._clock = clock
        self._stream = stream
        self._lock = threading.Lock()

    def posts(self, message: Message) -> int:
        """One: files have the details below the message."""
        return 1

    def send(self, channel: str, message: Message, post: Post) -> Placed:
        """Write the three files. The reference is the name of the JSON file."""
        name = f"{self._clock.now():%Y-%m-%d}-{_slug(message)}-{_key(channel, post.identity)}"
        self._deliver(name, channel, message, post)
        return Placed(f"{name}.json")

    def find(self, channel: str, post: Post, since: datetime | None = None) -> Placed | None:
        """The JSON file of this message, whenever it was written: the key is its own proof."""
        found = self._found(channel, post.identity)
        if found is None:
            return None
        try:
            revision = json.loads(found.read_text(encoding="utf-8")).get("revision", 1)
        except OSError as error:
            raise self._later(error, "read") from error
        return Placed(found.name, revision)

    def edit(self, channel: str, reference: str, message: Message, post: Post) -> None:
        """Write the files anew under the name that they have, and print the message again."""
        found = self._found(channel, post.identity)
        if found is None:  # taken away, or it was said somewhere else
            self.send(channel, message, post)
        else:
            self._deliver(found.stem, channel, message, post)

    def remove(self, channel: str, reference: str) -> None:
        """Nothing: no post but the message has files."""

    def _found(self, channel: str, identity: str) -> Path | None:
        return next(iter(sorted(self._directory.glob(f"*-{_key(channel, identity)}.json"))), None)

    def _deliver(self, name: str, channel: str, message: Message, post: Post) -> None:
        plain = text.render(message)
        payload = {
            "channel": channel,
            "identity": post.identity,
            "revision": post.revision,
            **slack.render(message),
            "replies": slack.render_details(message),
        }
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._write(f"{name}.txt", plain)
            self._write(f"{name}.html", html.page([message], message.title))
            self._write(f"{name}.json", json.dumps(payload, ensure_ascii=False, indent=2) + "\n")
        except OSError as error:
            raise self._later(error, "write") from error
        self._print(plain)

    def _later(self, error: OSError, what: str) -> LaterError:
        reason = error.strerror or type(error).__name__
        hint = "free space or set UPTAKE_DATA" if what == "write" else ""
        return LaterError(f"cannot {what} {self._directory}: {reason}", hint)

    def _write(self, name: str, content: str) -> None:
        """All or nothing: readers see the whole file or none."""
        partial = self._directory / f".{name}.{threading.get_ident()}.part"
        partial.write_text(content, encoding="utf-8")
        partial.replace(self._directory / name)

    def _print(self, plain: str) -> None:
        """The files are the delivery; a terminal that went away does not undo it."""
        if self._stream is None:
            return
        with self._lock:
            try:
                self._stream.write(plain + "\n")
                self._stream.flush()
            except (OSError, ValueError) as error:
                log.warning("the terminal does not take messages any more", error=type(error).__name__)
                self._stream = None


def _slug(message: Message) -> str:
    readable = _NOT_IN_A_NAME.sub("-", message.identity.lower()).strip("-")
    return readable[:80].strip("-") or message.kind


def _key(channel: str, identity: str) -> str:
    return hashlib.sha256(f"{channel}\n{identity}".encode()).hexdigest()[:12]
