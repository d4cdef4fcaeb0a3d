"""Events as rows of the tables of migration 0001: columns, their types, and what fills each. Pure.

A row is a tuple in the order of its table's schema here; ClickHouse matches columns by name. What an event says
is copied, what Uptake concludes is added. Token counts become a disjoint partition, so that nothing is counted twice.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, NamedTuple

import pyarrow as pa

from uptake.money import to_nano
from uptake.processors.attribute import Days
from uptake.processors.price import Call, Cost
from uptake.processors.records import CostRecord, FeedbackRecord, UsageRecord

Row = tuple[Any, ...]

_TEXT, _COUNT, _NANO = pa.string(), pa.uint32(), pa.int64()
_TIME = pa.timestamp("ms", "UTC")
_SHARED: list[tuple[str, pa.DataType]] = [
    ("tenant", _TEXT),
    ("ver", pa.uint64()),
    ("received_at", _TIME),
    ("client_id", _TEXT),
    ("event_id", pa.binary(16)),
    ("content_hash", pa.uint64()),
    ("occurred_at", _TIME),
    ("team", _TEXT),
    ("claimed_team", _TEXT),
    ("tags", pa.map_(_TEXT, _TEXT)),
]
_SHARED_COPIED = ["app", "environment", "use_case", "user_id", "session_id", "trace_id", "response_id"]
_CLAIMED = ["team", "tags"]

# Copied as they are; `tests/processors` compares names and types with the migrated tables.
_USAGE_COPIED = [
    *_SHARED_COPIED,
    *("operation", "provider", "request_model", "response_model", "status", "error_type"),
    *("service_tier", "prompt_version", "data_class", "intent"),
]
_FEEDBACK_COPIED = [*_SHARED_COPIED, "kind", "reviewer_id", "prompt_version", "response_model"]
_COST_COPIED = [*_SHARED_COPIED, "category", "provider", "model", "invoice_id"]


def _schema(copied: list[str], added: list[tuple[str, pa.DataType]]) -> pa.Schema:
    return pa.schema([*_SHARED, *((name, _TEXT) for name in copied), *added])


TABLES: dict[str, pa.Schema] = {
    "usage": _schema(
        _USAGE_COPIED,
        [
            ("model", _TEXT),
            ("input_uncached_tokens", _COUNT),
            ("input_cache_read_tokens", _COUNT),
            ("input_cache_write_tokens", _COUNT),
            ("output_visible_tokens", _COUNT),
            ("output_reasoning_tokens", _COUNT),
            ("duration_ms", _COUNT),
            ("time_to_first_token_ms", _COUNT),
            ("cache_hit", pa.bool_()),
            ("cost_nano", _NANO),
            ("cost_upper_nano", _NANO),
            ("price_source", _TEXT),
            ("currency", _TEXT),
            ("authorisation", _TEXT),
        ],
    ),
    "feedback": _schema(
        _FEEDBACK_COPIED,
        [
            ("thumb", _TEXT),
            ("decision", _TEXT),
            ("severity", pa.float64()),
            ("draft_tokens", _COUNT),
            ("final_tokens", _COUNT),
            ("score", pa.uint8()),
            ("reasons", pa.list_(_TEXT)),
            ("taxonomy_version", pa.uint16()),
        ],
    ),
    "cost": _schema(
        _COST_COPIED,
        [
            ("billed_nano", _NANO),
            ("billed_currency", _TEXT),
            ("cost_nano", _NANO),
            ("cost_upper_nano", _NANO),
            ("currency", _TEXT),
            ("period_start", pa.date32()),
            ("period_end", pa.date32()),
        ],
    ),
}

_usage_values = attrgetter(*_CLAIMED, *_USAGE_COPIED)
_feedback_values = attrgetter(*_CLAIMED, *_FEEDBACK_COPIED)
_cost_values = attrgetter(*_CLAIMED, *_COST_COPIED)
_counts = attrgetter(
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
)


class Stamp(NamedTuple):
    """What all rows of a batch share; times in Unix milliseconds."""

    tenant: str
    ver: int
    received_ms: int
    client_id: str


def call_of(event: UsageRecord, days: Days) -> Call:
    """What prices the event. The model is the one that answered; what was asked for only where the provider did not
    say. Cached tokens are part of the input and reasoning tokens of the output: taken out here."""
    total_in, read, write, total_out, reasoning = _counts(event)
    return Call(
        event.occurred_at,
        days,
        event.operation,
        event.provider,
        event.response_model or event.request_model,
        event.service_tier,
        None if total_in is None else total_in - read - write,
        read,
        write,
        None if total_out is None else total_out - reasoning,
        reasoning,
        event.status == "error",
        event.cache_hit,
        event.reported_cost,
        event.reported_currency,
    )


def usage_row(
    stamp: Stamp,
    event: UsageRecord,
    content: int,
    ms: int,
    team: str,
    call: Call,
    cost: Cost,
    currency: str,
    verdict: str,
) -> Row:
    """`ms` is when the event occurred, in Unix milliseconds."""
    return (
        *stamp,
        _id(event),
        content,
        ms,
        team,
        *_usage_values(event),
        call.model,
        call.input_uncached,
        call.cache_read,
        call.cache_write,
        call.output_visible,
        call.reasoning,
        event.duration_ms,
        event.time_to_first_token_ms,
        call.cache_hit,
        cost.nano,
        cost.upper,
        cost.source,
        currency,
        verdict,
    )


def feedback_row(stamp: Stamp, event: FeedbackRecord, content: int, ms: int, team: str) -> Row:
    return (
        *stamp,
        _id(event),
        content,
        ms,
        team,
        *_feedback_values(event),
        event.thumb or "",
        event.decision or "",
        event.severity,
        event.draft_tokens,
        event.final_tokens,
        event.score,
        event.reasons,
        event.taxonomy_version,
    )


def cost_row(
    stamp: Stamp, event: CostRecord, content: int, ms: int, team: str, cost: Cost, currency: str
) -> Row:
    return (
        *stamp,
        _id(event),
        content,
        ms,
        team,
        *_cost_values(event),
        to_nano(event.amount),
        event.currency,
        cost.nano,
        cost.upper,
        currency,
        event.period_start,
        event.period_end,
    )


def _id(event: UsageRecord | FeedbackRecord | CostRecord) -> bytes:
    """The id as ClickHouse reads a UInt128 from Arrow: its number, lowest byte first."""
    return event.event_id.int.to_bytes(16, "little")
