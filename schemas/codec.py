"""Bytes to events and back. A bad event never stops a good one.

Decoding has two ways with the same result. The fast one validates the whole batch in one call and is taken
when nothing is wrong, which is nearly always. Otherwise the body is cut into its elements, as text, so that no
number is damaged, and each is judged on its own.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, FailFast, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from uptake.schemas.batch import MAX_BATCH_EVENTS, MAX_EVENT_BYTES, Rejection, RejectionReason
from uptake.schemas.events import EVENT, Event
from uptake.schemas.refusals import refusal_of
from uptake.schemas.split import elements

MAX_AHEAD = timedelta(days=1)
"""How far `occurred_at` may be ahead of the server's clock."""

MAX_UNKNOWN_NAMES = 32
OTHER_NAMES = "(other)"

_EventList = Annotated[
    list[Annotated[Event, Field(discriminator="type")]], Field(max_length=MAX_BATCH_EVENTS), FailFast()
]


class _Envelope(TypedDict):
    events: _EventList


_ARRAY: TypeAdapter[list[Event]] = TypeAdapter(_EventList)
_OBJECT: TypeAdapter[_Envelope] = TypeAdapter(_Envelope)
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
_KEY = b'"occurred_at"'
_ESCAPED_KEY = (rb"\u005", rb"\u006", rb"\u007")


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was in a batch: `events` with their index in it, and one rejection for each of the others.

    `unknown_fields` counts, by name, fields of accepted events that this server does not know and ignored;
    names that do not look like field names, or are too many, are counted together as ``(other)``.
    """

    events: list[tuple[int, Event]]
    rejections: list[Rejection] = field(default_factory=list)
    unknown_fields: Counter[str] = field(default_factory=Counter)


def decode_batch(body: bytes, now: datetime) -> Decoded:
    """Read a JSON array of events, or an object ``{"events": [...]}`` around one.

    `now` (zone-aware) is the server's time. Where an object names a field twice, the last one counts.
    Raises MalformedBatch when the body is not JSON, holds no array of events, or holds too many.
    """
    latest = now + MAX_AHEAD
    try:
        if body.lstrip(b" \t\r\n")[:1] == b"{":
            events = _OBJECT.validate_json(body)["events"]
        else:
            events = _ARRAY.validate_json(body)
    except ValidationError:
        return _one_by_one(body, latest)
    unknown: Counter[str] = Counter()
    for event in events:
        if event.occurred_at > latest:
            return _one_by_one(body, latest)
        if event.__pydantic_extra__:
            _count(unknown, event.__pydantic_extra__)
    if len(body) > MAX_EVENT_BYTES and not _surely_small(body, len(events)):
        return _one_by_one(body, latest)
    return Decoded(list(enumerate(events)), [], unknown)


def encode_batch(events: Iterable[Event | Mapping[str, Any]]) -> bytes:
    """Events, or mappings meant as such, as the JSON array that `decode_batch` reads. Mappings are not checked:
    decoding does that, event by event. Fields that hold their default are left out."""
    return json.dumps([_plain(event) for event in events], default=_value, separators=(",", ":")).encode()


def _one_by_one(body: bytes, latest: datetime) -> Decoded:
    parts = elements(body, MAX_BATCH_EVENTS)
    decoded = Decoded([])
    for index, (raw, text) in enumerate(parts):
        payload = text.encode()
        outcome = _one(payload, latest)
        if isinstance(outcome, BaseModel):
            decoded.events.append((index, outcome))
            if outcome.__pydantic_extra__:
                _count(decoded.unknown_fields, outcome.__pydantic_extra__)
            continue
        reason, path, detail = (
            outcome if not isinstance(outcome, ValidationError) else refusal_of(outcome, raw)
        )
        decoded.rejections.append(
            Rejection(index, reason, f"[{index}]{path}", detail, _event_id(raw), payload)
        )
    return decoded


def _one(payload: bytes, latest: datetime) -> Event | ValidationError | tuple[RejectionReason, str, str]:
    if len(payload) > MAX_EVENT_BYTES:
        detail = f"one event is at most {MAX_EVENT_BYTES} bytes of JSON; this one is {len(payload)}"
        return RejectionReason.TOO_LARGE, "", detail
    try:
        event = EVENT.validate_json(payload)
    except ValidationError as error:
        return error
    if event.occurred_at > latest:
        detail = "at most one day ahead of the server's clock; check the sender's clock and its zone"
        return RejectionReason.FUTURE, ".occurred_at", detail
    return event


def _surely_small(body: bytes, count: int) -> bool:
    """Whether it is proven, at nearly no cost, that no event of this valid batch exceeds MAX_EVENT_BYTES.

    Every event has the key ``occurred_at``. Written without escapes, its bytes in quotes cannot be part of a
    longer string. With exactly as many occurrences as events, each event has its own one, and an event that is
    too large leaves more than half its size without one on at least one side.
    """
    if any(escape in body for escape in _ESCAPED_KEY):
        return False
    gaps = body.split(_KEY)
    return len(gaps) == count + 1 and max(map(len, gaps)) <= MAX_EVENT_BYTES // 2 - len(_KEY)


def _count(unknown: Counter[str], extra: Mapping[str, Any]) -> None:
    for name in extra:
        known = _FIELD_NAME.fullmatch(name) and (name in unknown or len(unknown) < MAX_UNKNOWN_NAMES)
        unknown[name if known else OTHER_NAMES] += 1


def _event_id(raw: object) -> str:
    """The event's id for whoever looks for it, only if it is one: anything else may be a person's data."""
    value = raw.get("event_id") if isinstance(raw, dict) else None
    try:
        return str(UUID(value)) if isinstance(value, str) else ""
    except ValueError:
        return ""


def _plain(event: Event | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(event, BaseModel):
        return {"type": event.type, **event.model_dump(exclude_defaults=True)}
    return dict(event)


def _value(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"a field of an event cannot be a {type(value).__name__}")
