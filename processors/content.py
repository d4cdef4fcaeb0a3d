"""What an event says, as 64 bits: equal for the same content however it was written, different otherwise.

Covered is what the app sent and nothing that Uptake adds (team of the roster, price, verdict), so that a changed
workspace or price list never makes a re-sent event look like another one. Not covered is how it was written: order
of fields, zone of a time, trailing zeros of money, a default that was spelled out. Fields that this server does
not know count under their name: the same event sent again after an upgrade is still the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from struct import Struct
from typing import Any

import msgspec

from uptake.money import to_nano
from uptake.processors.records import CostRecord, Record, UsageRecord

_first: Callable[[bytes], tuple[int]] = Struct("<Q").unpack_from
_encode = msgspec.json.Encoder(order="deterministic").encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode


def canonical(record: Record, unknown: Mapping[str, Any] | None = None) -> bytes:
    """The event as JSON without what holds its default, `unknown` fields where they would be if they were known.
    Not for people: it holds their data."""
    money: dict[str, Any] = {}
    if isinstance(record, CostRecord):
        money = {"amount": to_nano(record.amount)}
    elif isinstance(record, UsageRecord) and record.reported_cost is not None:
        money = {"reported_cost": to_nano(record.reported_cost)}
    if money:
        record = msgspec.structs.replace(record, **money)
    encoded = _encode(record)
    if not unknown:
        return encoded
    said = msgspec.json.decode(encoded)
    required = len(record.__struct_fields__) - len(record.__struct_defaults__)
    first = {name: said.pop(name) for name in ("type", *record.__struct_fields__[:required])}
    return msgspec.json.encode(first)[:-1] + b"," + _encode_sorted(said | dict(unknown))[1:]


def content_hash(record: Record, unknown: Mapping[str, Any] | None = None) -> int:
    """Unsigned 64 bits of `canonical`."""
    if type(record) is UsageRecord and record.reported_cost is None and not unknown:  # nearly always
        return _first(sha256(_encode(record)).digest())[0]
    return _first(sha256(canonical(record, unknown)).digest())[0]
