"""Dead letters: what was refused, as lines of JSON with the columns of the table `dead_letters`. Pure; standard
library only.

A letter's id is a hash of whose it is and of what was refused: refusing the same thing again is the same letter, and a
payload that was cut, or that was no text, does not hash to its letter's id (`is_whole`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from uptake.schemas.batch import Batch, Rejection

MAX_PAYLOAD_BYTES = 256 * 1024
MAX_LINE_BYTES = 640 * 1024
"""A line fits into a record of the log whatever it holds: control characters are six bytes long in JSON."""

NO_VERSION = 0
"""The schema version of a payload that does not say one that can be read."""

_TEXTS = ("tenant", "source", "event_id", "reason", "path", "detail", "payload", "log_topic")
_COUNTS = ("ver", "schema_version", "log_partition", "log_offset")
_UINT128 = re.compile(r"[0-9]{1,39}")
_FIRST_VERSION = 1  # what an event that says none is


def letter_lines(batch: Batch, rejections: Iterable[Rejection], ver: int) -> list[bytes]:
    """One JSON line a refused event. `ver` decides which refusal of the same thing is the letter: when the batch was
    received, in Unix milliseconds, so that reading a record again changes nothing. In the log, see `by_log_time`."""
    return [_line(batch, rejection, ver) for rejection in rejections]


def by_log_time(letter: Mapping[str, Any], text: str, appended_ms: int) -> bytes:
    """The line for a letter of the log, which there is written as `text`, with a version by the broker's clock.

    A worker's letter has one: the broker's time of the record that was refused. A gateway refuses what never was in
    the log, by its own clock; were that ahead, a worker's later refusal would be the older one, and a letter that was
    redriven between the two would never wait again. `appended_ms` is the broker's time of the letter itself, which is
    the same at each re-read.
    """
    if letter.get("log_topic"):
        return text.encode()
    # In ASCII: a field that is not known here may hold half a character.
    return json.dumps({**letter, "ver": appended_ms}, separators=(",", ":")).encode()


def is_letter(value: object) -> bool:
    """Whether `value` is a letter that the table can take. Fields that are not known here are a newer version's."""
    if not isinstance(value, dict):
        return False
    texts = [value.get(name, "") for name in _TEXTS]
    counts = [value.get(name, 0) for name in _COUNTS]
    if not all(isinstance(text, str) for text in texts) or not all(type(count) is int for count in counts):
        return False
    letter, received = value.get("letter_id"), value.get("received_at")
    if "tenant" not in value or not isinstance(letter, str) or not isinstance(received, str):
        return False
    if not _UINT128.fullmatch(letter) or int(letter) >= 1 << 128:
        return False
    try:
        datetime.fromisoformat(received)
        "".join(texts).encode()
    except ValueError:  # no time, or half a character
        return False
    ver, schema, partition, _ = counts
    return bool(ver >= 0 and 0 <= schema < 1 << 16 and -(1 << 31) <= partition < 1 << 31)


def letter_id(tenant: str, payload: bytes, otherwise: str = "") -> int:
    """The id of the letter for `payload`; `otherwise` stands in for an empty one."""
    text = tenant.encode(errors="replace") + b"\x1f" + (payload or otherwise.encode(errors="replace"))
    return int.from_bytes(blake2b(text, digest_size=16).digest(), "little")


def is_whole(tenant: str, letter: int, payload: str) -> bool:
    """Whether `payload`, as it was kept, is all that was refused."""
    return bool(payload) and letter_id(tenant, payload.encode()) == letter


def _line(batch: Batch, rejection: Rejection, ver: int) -> bytes:
    otherwise = f"{rejection.event_id}{rejection.path}"
    topic, partition, offset = batch.position or ("", -1, -1)
    letter: dict[str, Any] = {
        "tenant": batch.tenant,
        "letter_id": str(letter_id(batch.tenant, rejection.payload, otherwise)),
        "ver": ver,
        "received_at": batch.received_at,
        "source": batch.source,
        "event_id": rejection.event_id,
        "reason": rejection.reason.value,
        "path": rejection.path,
        "schema_version": _schema_version(rejection.payload),
        "log_topic": topic,
        "log_partition": partition,
        "log_offset": offset,
    }
    size, kept = len(rejection.payload), MAX_PAYLOAD_BYTES
    while True:
        cut = f"; only the first {kept} of {size} bytes were kept" if kept < size else ""
        letter["detail"] = rejection.detail + cut
        letter["payload"] = rejection.payload[:kept].decode(errors="replace")
        line = json.dumps(letter, default=_value, ensure_ascii=False, separators=(",", ":")).encode()
        if len(line) <= MAX_LINE_BYTES or not kept:
            return line
        kept //= 2


def _schema_version(payload: bytes) -> int:
    """What the event says of its version, as far as that can be read."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        return NO_VERSION
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return NO_VERSION
    version = said.get("schema_version", _FIRST_VERSION) if isinstance(said, dict) else NO_VERSION
    return version if type(version) is int and 0 < version < 1 << 16 else NO_VERSION


def _value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a letter holds no {type(value).__name__}")
