"""What is written beside the events: what SDKs say of themselves (`sdk_reports`), and what became of each record of the
log (`log_records`). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from uptake.schemas.batch import Batch, MalformedBatch, Receipt


def report_lines(batches: Iterable[Batch]) -> list[bytes]:
    """One JSON line a client and quarter of an hour: the highest of its cumulative counters.

    A week begins inside an hour in some zones (UTC+5:30), and what was said before its edge must outlive what is
    said after it.
    """
    last: dict[tuple[str, str, Any], Batch] = {}
    for batch in batches:
        if batch.client is None or not batch.tenant:
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


def record_lines(
    outcomes: Iterable[tuple[Batch, Receipt | MalformedBatch, int]], now: datetime
) -> list[bytes]:
    """One JSON line a record of the log, for batches that come from it, each with what became of it and how many of its
    duplicates are rows of its own: these count as accepted, or the audit would ask for no events of a record whose line
    was lost on the way."""
    lines = []
    for batch, outcome, own in outcomes:
        if batch.position is None:
            continue
        topic, partition, offset = batch.position
        accepted = duplicates = rejected = 0
        if isinstance(outcome, Receipt):
            accepted, duplicates = outcome.accepted + own, outcome.duplicates - own
            rejected = len(outcome.rejections)
        line = {
            "topic": topic,
            "partition": partition,
            "offset": offset,
            "appended_at": batch.received_at,
            "events": accepted + duplicates + rejected,
            "accepted": accepted,
            "duplicates": duplicates,
            "rejected": rejected,
            "malformed": int(isinstance(outcome, MalformedBatch)),
            "processed_at": now,
        }
        lines.append(msgspec.json.encode(line))
    return lines
