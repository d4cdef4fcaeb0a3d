"""Messages as files and on a terminal: what happens without a Slack token, and in the demo.

Each message is `<day>-<slug>-<key>.txt`, `.html` and `.json` (channel, identity and the Slack payload). `key` is
a function of channel and identity, so the same message is the same file. The JSON file is written last: where
it exists, the message is whole.
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

from uptake.alerts.deliver import LaterError
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

    def send(self, channel: str, message: Message) -> str:
        """Write the three files. Returns the name of the JSON file."""
        name = f"{self._clock.now():%Y-%m-%d}-{_slug(message)}-{_key(channel, message.identity)}"
        plain = text.render(message)
        payload = {"channel": channel, "identity": message.identity, **slack.render(message)}
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._write(f"{name}.txt", plain)
            self._write(f"{name}.html", html.page([message], message.title))
            self._write(f"{name}.json", json.dumps(payload, ensure_ascii=False, indent=2) + "\n")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise LaterError(
                f"cannot write {self._directory}: {reason}", "free space or set UPTAKE_DATA"
            ) from error
        self._print(plain)
        return f"{name}.json"

    def find(self, channel: str, identity: str, since: datetime | None = None) -> str | None:
        """The JSON file of this message, whenever it was written: the key is its own proof."""
        found = sorted(self._directory.glob(f"*-{_key(channel, identity)}.json"))
        return found[0].name if found else None

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
