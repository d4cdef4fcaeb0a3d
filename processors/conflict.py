"""The refusal of an event whose id belongs to another one. Pure."""

from __future__ import annotations

import msgspec

from uptake.processors.read import Item
from uptake.schemas.batch import Rejection, RejectionReason

DETAIL = "this event_id is known with other content; mint a new id for a new event"


def conflict(item: Item) -> Rejection:
    payload = msgspec.json.encode(item.record)
    if item.unknown:
        payload = msgspec.json.encode(msgspec.json.decode(payload) | dict(item.unknown))
    path = f"[{item.position}].event_id"
    event_id = str(item.record.event_id)
    return Rejection(item.position, RejectionReason.CONFLICT, path, DETAIL, event_id, payload)
