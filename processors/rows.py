"""Events as rows of the tables of migrations 0001, 0005, 0007 and 0008: which column holds what. Pure.

Rows are made by column, for many events at once: what an event says is copied, what Uptake concluded is added, what a
batch has in common is repeated. Token counts become a disjoint partition, so that nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from uptake.money import to_nano
from uptake.processors.columns import TEXT, WORD, Column, Numbers, array
from uptake.processors.enrich import Enricher
from uptake.processors.read import Item
from uptake.processors.records import CostRecord, FeedbackRecord, Record, UsageRecord

_COUNT, _NANO = pa.uint32(), pa.int64()
_TIME = pa.timestamp("ms", "UTC")

_SHARED = {
    **dict.fromkeys(["tenant", "app", "environment", "use_case", "team", "claimed_team"], WORD),
    **dict.fromkeys(["client_id", "user_id", "session_id", "trace_id", "response_id"], TEXT),
    "ver": pa.uint64(),
    "content_hash": pa.uint64(),
    "event_id": pa.binary(16),
    "received_at": _TIME,
    "occurred_at": _TIME,
    "tags": pa.map_(TEXT, TEXT),
    "log_topic": WORD,
    "log_partition": pa.int32(),
    "log_offset": pa.int64(),
}
_USAGE = {
    **dict.fromkeys(["operation", "provider", "request_model", "response_model", "model", "status"], WORD),
    **dict.fromkeys(["error_type", "service_tier", "prompt_version", "data_class", "intent"], WORD),
    **dict.fromkeys(["input_uncached_tokens", "input_cache_read_tokens", "input_cache_write_tokens"], _COUNT),
    **dict.fromkeys(["output_visible_tokens", "output_reasoning_tokens"], _COUNT),
    **dict.fromkeys(["duration_ms", "time_to_first_token_ms"], _COUNT),
    "cache_hit": pa.bool_(),
    **dict.fromkeys(["cost_nano", "cost_upper_nano", "reported_nano"], _NANO),
    **dict.fromkeys(["price_source", "currency", "reported_currency", "authorisation"], WORD),
}
_FEEDBACK = {
    **dict.fromkeys(["kind", "thumb", "decision", "prompt_version", "response_model"], WORD),
    **dict.fromkeys(["reviewer_id", "draft_text", "final_text"], TEXT),
    "severity": pa.float64(),
    **dict.fromkeys(["draft_tokens", "final_tokens"], _COUNT),
    "score": pa.uint8(),
    "reasons": pa.list_(TEXT),
    "taxonomy_version": pa.uint16(),
}
_COST = {
    **dict.fromkeys(["category", "billed_currency", "currency", "provider", "model"], WORD),
    "invoice_id": TEXT,
    **dict.fromkeys(["billed_nano", "cost_nano", "cost_upper_nano"], _NANO),
    **dict.fromkeys(["period_start", "period_end"], pa.date32()),
}

TABLES: dict[str, pa.Schema] = {
    "usage": pa.schema(_SHARED | _USAGE),
    "feedback": pa.schema(_SHARED | _FEEDBACK),
    "cost": pa.schema(_SHARED | _COST),
}
TABLE_OF: dict[type[Record], str] = {UsageRecord: "usage", FeedbackRecord: "feedback", CostRecord: "cost"}
_AT_A_TIME = 200
_RENAMED = {
    "input_cache_read_tokens": "cache_read_input_tokens",
    "input_cache_write_tokens": "cache_creation_input_tokens",
    "output_reasoning_tokens": "reasoning_output_tokens",
    "claimed_team": "team",
    "billed_currency": "currency",
}


class Stamp(NamedTuple):
    """What all rows of a batch share; times in Unix milliseconds. `log_…` as in migration 0005: '' and -1 where the
    batch came through no log."""

    tenant: str
    ver: int
    received_at: int
    client_id: str
    currency: str
    log_topic: str = ""
    log_partition: int = -1
    log_offset: int = -1


def rows(
    table: str, items: Sequence[Item], stamps: Sequence[tuple[Stamp, int]], enricher: Enricher
) -> pa.RecordBatch:
    """The rows of `TABLES[table]` for `items`, of which there is at least one; so many in a row have each stamp."""
    records = [item.record for item in items]
    said = _said(records)
    ms = np.array([item.ms for item in items], np.int64)
    known: dict[str, Any] = {
        **said,
        **{column: said[name] for column, name in _RENAMED.items() if name in said},
        "tags": [list(tags.items()) if tags else () for tags in said["tags"]],
        **_derived(table, said),
        **{name: _repeated(stamps, place) for place, name in enumerate(Stamp._fields)},
        # ClickHouse reads a UInt128 from Arrow as its bytes, the lowest first.
        "event_id": [item.event_id.to_bytes(16, "little") for item in items],
        "content_hash": [item.content for item in items],
        "occurred_at": pa.array(ms).cast(_TIME),
        **_concluded(table, records, said, ms, enricher),
    }
    schema = TABLES[table]
    return pa.record_batch([array(known[field.name], field.type) for field in schema], schema=schema)


def _said(records: Sequence[Record]) -> dict[str, Column]:
    """By field what each of the records says. Some records at a time: more of them do not fit into the processor's
    cache, which took twice as long."""
    fields = records[0].__struct_fields__
    columns: list[list[Any]] = [[] for _ in fields]
    for at in range(0, len(records), _AT_A_TIME):
        some = zip(*map(msgspec.structs.astuple, records[at : at + _AT_A_TIME]), strict=True)
        for column, values in zip(columns, some, strict=True):
            column += values
    return dict(zip(fields, columns, strict=True))


def not_allowed(usage: pa.RecordBatch) -> int:
    """How many of these calls the registry does not allow."""
    verdicts: Any = usage.column("authorisation")
    refused = np.array([verdict != "allowed" for verdict in verdicts.dictionary.to_pylist()], np.bool_)
    return int(refused[verdicts.indices.to_numpy()].sum())


def _concluded(
    table: str, records: Sequence[Any], said: Mapping[str, Column], ms: Numbers, enricher: Enricher
) -> Mapping[str, Any]:
    if table == "usage":
        return enricher.usage(records, said, ms)
    return enricher.feedback(said, ms) if table == "feedback" else enricher.costs(said, ms)


def _repeated(stamps: Sequence[tuple[Stamp, int]], place: int) -> Column:
    values: list[Any] = []
    for stamp, times in stamps:
        values += [stamp[place]] * times
    return values


def _derived(table: str, said: Mapping[str, Column]) -> dict[str, Column]:
    if table == "usage":
        reported = said["reported_cost"]
        return {
            "reported_nano": [None if amount is None else to_nano(amount) for amount in reported],
            "reported_currency": [currency or "" for currency in said["reported_currency"]],
        }
    if table == "feedback":
        return {name: [word or "" for word in said[name]] for name in ("thumb", "decision")}
    return {"billed_nano": [to_nano(amount) for amount in said["amount"]]}
