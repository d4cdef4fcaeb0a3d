"""What may be said with each call, as types: editors complete them and mypy checks them; at run time they do nothing.

Meanings and limits are those of `uptake.schemas.events`. `None` means "not said" everywhere: what the context
says then counts. `user` is the person as the app knows them (an address, a login, a number): it becomes a
pseudonym before it is queued. `occurred_at` (zone-aware) backdates an event; its id is minted from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypedDict
from uuid import UUID

Person = str | int | UUID


class EventFields(TypedDict, total=False):
    """What every event may carry, and a context may say for all events inside it."""

    app: str
    environment: str
    use_case: str | None
    team: str | None
    user: Person | None
    user_id: str | None
    session: str | None
    session_id: str | None
    trace_id: str | None
    response_id: str | None
    tags: Mapping[str, str] | None


class ContextFields(EventFields, total=False):
    """What `context()` takes. An event takes from it only what its kind knows."""

    provider: str | None
    request_model: str | None
    response_model: str | None
    prompt_version: str | None
    service_tier: str | None
    data_class: str | None
    intent: Literal["deliberate", "automatic"] | None


class CallFields(ContextFields, total=False):
    """What `call()` and its `set()` take: a usage event without what the call measures itself."""

    occurred_at: datetime | None
    operation: Literal[
        "chat", "text_completion", "generate_content", "embeddings", "execute_tool", "invoke_agent"
    ]
    input_tokens: int | None
    cache_read_input_tokens: int | None
    cache_creation_input_tokens: int | None
    output_tokens: int | None
    reasoning_output_tokens: int | None
    status: Literal["ok", "error"] | None
    error_type: str | None
    cache_hit: bool | None
    reported_cost: Decimal | float | str | None
    reported_currency: str | None


class UsageFields(CallFields, total=False):
    """What `usage()` takes: durations are whole milliseconds."""

    duration_ms: int | None
    time_to_first_token_ms: int | None


class OpinionFields(EventFields, total=False):
    """What every way of giving feedback takes. `reviewer` is a person, as `user` is."""

    occurred_at: datetime | None
    reasons: Sequence[str] | None
    taxonomy_version: int | None
    reviewer: Person | None
    reviewer_id: str | None
    prompt_version: str | None
    response_model: str | None


class DecisionFields(OpinionFields, total=False):
    """What `decision()` takes: an edited answer has a `severity`, or `draft` and `final` to compute it from."""

    severity: float | None
    draft: str | None
    final: str | None
    draft_tokens: int | None
    final_tokens: int | None


class EditFields(OpinionFields, total=False):
    """What `edit()` takes beside the two texts."""

    decision: Literal["accepted", "edited", "rejected", "escalated"] | None


class FeedbackFields(DecisionFields, EditFields, total=False):
    """What `feedback()` takes beside the kind."""

    thumb: Literal["up", "down"] | None
    score: int | None


class CostFields(EventFields, total=False):
    """What `cost()` takes: money that no call shows. The period's end is exclusive."""

    occurred_at: datetime | None
    category: Literal["inference", "licence", "infrastructure", "training", "credit"]
    amount: Decimal | int | str
    currency: str
    provider: str | None
    model: str | None
    period_start: date
    period_end: date
    invoice_id: str | None
