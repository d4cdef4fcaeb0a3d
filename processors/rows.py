"""Events as rows of the tables of migrations 0001, 0005 and 0007: which column holds what. Pure.

Rows are made by column, for many events at once: what an event says is copied, what Uptake concluded is added, what a
batch has in common is repeated. Token counts become a disjoint partition, so that nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from uptake.money import to_nano
from uptake.processors.read import Item
from uptake.processors.records import CostRecord, FeedbackRecord, Record, UsageRecord

Concluded = tuple[Any, ...]
Column = Sequence[Any]

_TEXT, _COUNT, _NANO = pa.string(), pa.uint32(), pa.int64()
_WORD = pa.dictionary(pa.int32(), _TEXT)  # few different ones: LowCardinality(String) there
_TIME = pa.timestamp("ms", "UTC")

_SHARED = {
    **dict.fromkeys(["tenant", "app", "environment", "use_case", "team", "claimed_team"], _WORD),
    **dict.fromkeys(["client_id", "user_id", "session_id", "trace_id", "response_id"], _TEXT),
    "ver": pa.uint64(),
    "content_hash": pa.uint64(),
    "event_id": pa.binary(16),
    "received_at": _TIME,
    "occurred_at": _TIME,
    "tags": pa.map_(_TEXT, _TEXT),
    "log_topic": _WORD,
    "log_partition": pa.int32(),
    "log_offset": pa.int64(),
}
_USAGE = {
    **dict.fromkeys(["operation", "provider", "request_model", "response_model", "model", "status"], _WORD),
    **dict.fromkeys(["error_type", "service_tier", "prompt_version", "data_class", "intent"], _WORD),
    **dict.fromkeys(["input_uncached_tokens", "input_cache_read_tokens", "input_cache_write_tokens"], _COUNT),
    **dict.fromkeys(["output_visible_tokens", "output_reasoning_tokens"], _COUNT),
    **dict.fromkeys(["duration_ms", "time_to_first_token_ms"], _COUNT),
    "cache_hit": pa.bool_(),
    **dict.fromkeys(["cost_nano", "cost_upper_nano", "reported_nano"], _NANO),
    **dict.fromkeys(["price_source", "currency", "reported_currency", "authorisation"], _WORD),
}
_FEEDBACK = {
    **dict.fromkeys(["kind", "thumb", "decision", "prompt_version", "response_model"], _WORD),
    "reviewer_id": _TEXT,
    "severity": pa.float64(),
    **dict.fromkeys(["draft_tokens", "final_tokens"], _COUNT),
    "score": pa.uint8(),
    "reasons": pa.list_(_TEXT),
    "taxonomy_version": pa.uint16(),
}
_COST = {
    **dict.fromkeys(["category", "billed_currency", "currency", "provider", "model"], _WORD),
    "invoice_id": _TEXT,
    **dict.fromkeys(["billed_nano", "cost_nano", "cost_upper_nano"], _NANO),
    **dict.fromkeys(["period_start", "period_end"], pa.date32()),
}

TABLES: dict[str, pa.Schema] = {
    "usage": pa.schema(_SHARED | _USAGE),
    "feedback": pa.schema(_SHARED | _FEEDBACK),
    "cost": pa.schema(_SHARED | _COST),
}
CONCLUDED: dict[str, tuple[str, ...]] = {
    # What `enrich` concludes of an event, in this order.
    "usage": (
        *("team", "input_uncached_tokens", "output_visible_tokens"),
        *("cost_nano", "cost_upper_nano", "price_source", "authorisation"),
    ),
    "feedback": ("team",),
    "cost": ("team", "cost_nano", "cost_upper_nano"),
}
_RECORDS: dict[str, type[Record]] = {"usage": UsageRecord, "feedback": FeedbackRecord, "cost": CostRecord}
_repeat: Callable[[Any, int], Any] = pa.repeat  # typed for each type apart; here the type is a value
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


@dataclass(frozen=True, slots=True)
class Part:
    """Events of one batch that go to one table, and what was concluded of each (see CONCLUDED)."""

    stamp: Stamp
    items: list[Item] = field(default_factory=list)
    concluded: list[Concluded] = field(default_factory=list)


def rows(table: str, parts: Sequence[Part]) -> pa.RecordBatch:
    """The rows of `TABLES[table]` for the events of `parts`, of which there is at least one."""
    schema, found = TABLES[table], columns(table, parts)
    return pa.record_batch([_array(found[field.name], field.type) for field in schema], schema=schema)


def columns(table: str, parts: Sequence[Part]) -> dict[str, Column]:
    """All columns of `TABLES[table]` for the events of `parts`, of which there is at least one."""
    items = [item for part in parts for item in part.items]
    records = [item.record for item in items]
    said = dict(
        zip(
            _RECORDS[table].__struct_fields__,
            zip(*map(msgspec.structs.astuple, records), strict=True),
            strict=True,
        )
    )
    concluded = zip(*chain.from_iterable(part.concluded for part in parts), strict=True)
    known: dict[str, Column] = {
        **said,
        **{column: said[name] for column, name in _RENAMED.items() if name in said},
        **_derived(table, said),
        **{name: _repeated(parts, place) for place, name in enumerate(Stamp._fields)},
        # ClickHouse reads a UInt128 from Arrow as its bytes, the lowest first.
        "event_id": [item.event_id.to_bytes(16, "little") for item in items],
        "content_hash": [item.content for item in items],
        "occurred_at": [item.ms for item in items],
        **dict(zip(CONCLUDED[table], concluded, strict=True)),
    }
    return {name: known[name] for name in TABLES[table].names}


def _repeated(parts: Sequence[Part], place: int) -> Column:
    values: list[Any] = []
    for part in parts:
        values += [part.stamp[place]] * len(part.items)
    return values


def _derived(table: str, said: Mapping[str, Column]) -> dict[str, Column]:
    tags = [list(tags.items()) if tags else () for tags in said["tags"]]
    if table == "usage":
        # The model that answered; what was asked for only where the provider did not say.
        models = zip(said["response_model"], said["request_model"], strict=True)
        reported = said["reported_cost"]
        return {
            "tags": tags,
            "model": [served or asked for served, asked in models],
            "reported_nano": [None if amount is None else to_nano(amount) for amount in reported],
            "reported_currency": [currency or "" for currency in said["reported_currency"]],
        }
    if table == "feedback":
        return {"tags": tags, **{name: [word or "" for word in said[name]] for name in ("thumb", "decision")}}
    return {"tags": tags, "billed_nano": [to_nano(amount) for amount in said["amount"]]}


def _array(values: Column, kind: pa.DataType) -> Any:
    """Many columns hold one value from top to bottom, and need not be converted one by one."""
    first, length = values[0], len(values)
    alike = first == values[-1] == values[length // 2] and not pa.types.is_nested(kind)
    if not alike or values.count(first) != length:
        return pa.array(values, kind)
    if pa.types.is_dictionary(kind):
        return _repeat(pa.scalar(first, kind.value_type), length).dictionary_encode()
    return _repeat(pa.scalar(first, kind), length)
