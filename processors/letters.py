"""Refused events as rows of `dead_letters`, and what SDKs say of themselves as rows of `sdk_reports`. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec

from uptake.processors.read import Item
from uptake.schemas.batch import Batch, Rejection, RejectionReason

CONFLICT_DETAIL = "this event_id is known with other content; mint a new id for a new event"


def conflict(item: Item) -> Rejection:
    """The refusal of an event whose id belongs to another one."""
    payload = msgspec.json.encode(item.record)
    if item.unknown:
        payload = msgspec.json.encode(msgspec.json.decode(payload) | dict(item.unknown))
    path = f"[{item.position}].event_id"
    event_id = str(item.record.event_id)
    return Rejection(item.position, RejectionReason.CONFLICT, path, CONFLICT_DETAIL, event_id, payload)


def letter_lines(batch: Batch, rejections: Iterable[Rejection], ver: int) -> list[bytes]:
    """One JSON line a refused event. Its key is what was refused, so refusing it twice is one letter."""
    return [
        msgspec.json.encode(
            {
                "tenant": batch.tenant,
                "letter_id": str(_letter_id(batch.tenant, rejection)),
                "ver": ver,
                "received_at": batch.received_at,
                "source": batch.source,
                "event_id": rejection.event_id,
                "reason": rejection.reason.value,
                "path": rejection.path,
                "detail": rejection.detail,
                "payload": rejection.payload.decode(errors="replace"),
            }
        )
        for rejection in rejections
    ]


def report_lines(batches: Iterable[Batch]) -> list[bytes]:
    """One JSON line a client and quarter of an hour: the highest of its cumulative counters.

    A week begins inside an hour in some zones (UTC+5:30), and what was said before its edge must outlive what is
    said after it.
    """
    last: dict[tuple[str, str, Any], Batch] = {}
    for batch in batches:
        if batch.client is None:
            continue
        received = batch.received_at
        quarter = received.replace(minute=received.minute // 15 * 15, second=0, microsecond=0)
        before = last.get((batch.tenant, batch.client.client_id, quarter))
        if before is None or before.client is None or before.client.accepted <= batch.client.accepted:
            last[batch.tenant, batch.client.client_id, quarter] = batch
    return [
        msgspec.json.encode(
            {
                "tenant": tenant,
                "client_id": client_id,
                "quarter": quarter,
                "reported_at": batch.received_at,
                "accepted": batch.client.accepted,
                "dropped": batch.client.dropped,
            }
        )
        for (tenant, client_id, quarter), batch in last.items()
        if batch.client is not None
    ]


def _letter_id(tenant: str, rejection: Rejection) -> int:
    text = tenant.encode() + b"\x1f" + (rejection.payload or f"{rejection.event_id}{rejection.path}".encode())
    return int.from_bytes(blake2b(text, digest_size=16).digest(), "little")
