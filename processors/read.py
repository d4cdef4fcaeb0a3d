"""Bytes to records, in one of two ways with the same result.

`decode_batch` is the contract: it validates, refuses with reasons and knows everything. The fast way decodes usage
events straight into records, in a fifth of the time, and only takes batches of which it is sure: whatever it does
not accept at once, the contract decides. It must never accept what the contract refuses, nor read it otherwise; a
property test holds it to that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from pydantic import ValidationError

from uptake.processors.content import content_hash
from uptake.processors.records import Record, UsageRecord, record_of
from uptake.schemas.batch import MAX_BATCH_EVENTS, MAX_EVENT_BYTES, Rejection
from uptake.schemas.codec import MAX_AHEAD, decode_batch
from uptake.schemas.events import EVENT, FIRST_YEAR, LAST_YEAR, CostEvent, FeedbackEvent
from uptake.schemas.identity import MAX_ID_SKEW, unix_ms

_SKEW_MS = int(MAX_ID_SKEW.total_seconds() * 1000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000
_LAYOUT, _UUID7 = (0xF << 76) | (0b11 << 62), (0x7 << 76) | (0b10 << 62)  # version and variant
_FINER_THAN_MICROSECONDS = re.compile(rb"\.[0-9]{7}")
_Any = Any | msgspec.UnsetType


def _said(model: type[FeedbackEvent] | type[CostEvent]) -> type[msgspec.Struct]:
    """What was said for the fields of a model, unchecked: for the contract to check."""
    fields = [(name, _Any, msgspec.UNSET) for name in model.model_fields if name != "type"]
    tag = model.model_fields["type"].default
    return msgspec.defstruct(f"Said{model.__name__}", fields, tag=tag, forbid_unknown_fields=True)


_decode = msgspec.json.Decoder(
    Annotated[
        list[UsageRecord | _said(FeedbackEvent) | _said(CostEvent)],  # type: ignore[misc]
        msgspec.Meta(max_length=MAX_BATCH_EVENTS),
    ]
).decode
_encode = msgspec.json.Encoder().encode


_TYPE = b'"type"'
_WINDOW = MAX_EVENT_BYTES // 4 - len(_TYPE)


class Item(msgspec.Struct, frozen=True, gc=False):
    """An accepted event: its index in the batch, the id as a number, when it occurred (Unix milliseconds), the hash of
    its content, and what the app sent beyond the contract."""

    position: int
    event_id: int
    ms: int
    content: int
    record: Record
    unknown: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A batch that could be read: its good events, and what became of the others (see `schemas.codec.Decoded`)."""

    items: list[Item]
    rejections: list[Rejection] = field(default_factory=list)
    unknown_fields: Counter[str] = field(default_factory=Counter)


def read_batch(body: bytes, now: datetime) -> Read:
    """Read a batch as the contract does, at the server's time `now`. Raises MalformedBatch as it does."""
    items = _fast(body, now)
    if items is not None:
        return Read(items)
    decoded = decode_batch(body, now)
    read = Read([], decoded.rejections, decoded.unknown_fields)
    for index, event in decoded.events:
        record, unknown = record_of(event), event.__pydantic_extra__
        content = content_hash(record, unknown)
        read.items.append(
            Item(index, event.event_id.int, unix_ms(event.occurred_at), content, record, unknown)
        )
    return read


def _fast(body: bytes, now: datetime) -> list[Item] | None:
    """The items of a batch in which nothing is wrong; None where that is not certain.

    Control characters, which the contract refuses, can only come through an escape (or be DEL). msgspec rounds
    what is finer than microseconds, the contract cuts it off.
    """
    if b"\\" in body or b"\x7f" in body or _FINER_THAN_MICROSECONDS.search(body):
        return None
    try:
        said = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # invalid values are DecodeErrors
        return None
    # Every event says its type once, so it reaches no further than to the types of its neighbours; and with one in
    # every window these are near.
    if body.count(_TYPE) != len(said) or not _close_together(body):
        return None
    # Column by column, which takes half of what event by event takes.
    records: list[Record] = []
    for record in said:
        if type(record) is not UsageRecord:
            try:
                record = record_of(EVENT.validate_json(_encode(record)))
            except ValidationError:
                return None
        elif not _adds_up(record):
            return None
        records.append(record)
    moments = _moments(records, now + MAX_AHEAD)
    if moments is None:
        return None
    ids = [record.event_id.int for record in records]
    since = [moment - _EPOCH for moment in moments]
    ms = [one.days * _DAY_MS + one.seconds * 1000 + one.microseconds // 1000 for one in since]
    for event_id, at in zip(ids, ms, strict=True):
        if event_id & _LAYOUT != _UUID7 or not -_SKEW_MS <= (event_id >> 80) - at <= _SKEW_MS:
            return None
    return list(map(Item, range(len(ids)), ids, ms, map(content_hash, records), records))


def _moments(records: Sequence[Record], latest: datetime) -> list[datetime] | None:
    """When the events occurred, of which the records then speak in UTC; None where the contract may not take one."""
    moments = [record.occurred_at for record in records]
    for at, moment in enumerate(moments):
        if moment.tzinfo is not UTC:
            if not FIRST_YEAR <= moment.year <= LAST_YEAR:
                return None
            records[at].occurred_at = moments[at] = moment.astimezone(UTC)
    if moments and not (min(moments).year >= FIRST_YEAR and max(moments).year <= LAST_YEAR):
        return None
    return None if moments and max(moments) > latest else moments


def _close_together(body: bytes) -> bool:
    """Whether no event can be too large: the type is named in each window of a quarter of what an event may be."""
    starts = range(0, len(body), _WINDOW)
    return all(body.find(_TYPE, start, start + _WINDOW) >= 0 for start in starts[:-1])


def _adds_up(record: UsageRecord) -> bool:
    """Whether the parts fit their wholes and the user is no address; a reported cost has forms that only the contract
    knows."""
    return (
        "@" not in record.user_id
        and record.cache_read_input_tokens + record.cache_creation_input_tokens <= (record.input_tokens or 0)
        and record.reasoning_output_tokens <= (record.output_tokens or 0)
        and record.reported_cost is None
        and record.reported_currency is None
    )
