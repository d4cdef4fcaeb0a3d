"""The file in which letters are mended: a JSON object a line, with `letter_id` and the `events` that are to be sent
instead. What else a line says is for whoever reads it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from uptake.errors import UsageError
from uptake.processors.letters.box import Row
from uptake.schemas.batch import MAX_BATCH_EVENTS, MalformedBatch
from uptake.schemas.letters import is_whole
from uptake.schemas.split import elements

_HINT = "write the file with: uptake dead-letters show ID … --ndjson"


def line_of(letter: Row) -> str:
    """A letter as a line to be mended. `events` is empty where what was kept is no JSON, and `payload` then is what
    was kept."""
    payload: str = letter["payload"]
    said: dict[str, Any] = {
        "letter_id": id_text(letter["letter_id"]),
        "reason": letter["reason"],
        "path": letter["path"],
        "detail": letter["detail"],
    }
    if not is_whole(letter["tenant"], letter["letter_id"], payload) or not _is_json(payload):
        return json.dumps({**said, "events": [], "payload": payload}, ensure_ascii=False)
    # The event's own text, so that no number in it changes on the way. In JSON a line only ends between two things.
    text = payload.replace("\r", " ").replace("\n", " ").strip()
    events = text if text.startswith("[") else f"[{text}]"
    return f'{json.dumps(said, ensure_ascii=False)[:-1]}, "events": {events}}}'


def read_mended(lines: Iterable[bytes]) -> dict[int, list[bytes]]:
    """Events to send, as they are written, by the id of the letter whose they are. Raises UsageError, which names the
    line and nothing of what it holds."""
    found: dict[int, list[bytes]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            events = [text.encode() for _, text in elements(line, MAX_BATCH_EVENTS)]
            said = json.loads(line)
        except (MalformedBatch, ValueError) as error:
            why = str(error) if isinstance(error, MalformedBatch) else "it is not JSON"
            raise UsageError(f"line {number} cannot be used: {why}", _HINT) from None
        if not isinstance(said, dict) or not isinstance(said.get("letter_id"), str):
            raise UsageError(f"line {number} names no letter_id", _HINT)
        if not events:
            raise UsageError(f"line {number} holds no events to send", "mend it, or leave the line out")
        letter_id = id_of(said["letter_id"])
        if letter_id in found:
            raise UsageError(f"line {number} names a letter for the second time", _HINT)
        found[letter_id] = events
    return found


def id_text(letter_id: int) -> str:
    return f"{letter_id:032x}"


def id_of(text: str) -> int:
    """Raises UsageError for what is no id of a letter."""
    try:
        if len(text) == 32:
            return int(text, 16)
    except ValueError:
        pass
    raise UsageError("that is no id of a letter", "`uptake dead-letters list` shows them: 32 characters")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
