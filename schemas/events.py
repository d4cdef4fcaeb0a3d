"""What an LLM app may say: usage, feedback and cost events, version 1.

Names follow the OpenTelemetry GenAI semantic conventions where they have one. Counts are integers, durations
milliseconds, money a decimal string. Unknown fields are kept aside and counted (a newer SDK may send them);
a change of meaning is a new `schema_version`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from uptake.schemas.identity import MAX_ID_SKEW, unix_ms
from uptake.schemas.taxonomy import is_reason

SCHEMA_VERSION = 1
MAX_TAGS = 16

_SKEW_MS = int(MAX_ID_SKEW.total_seconds() * 1000)
_CURRENCY = re.compile(r"[A-Z]{3}")


def _uuid7(value: UUID) -> UUID:
    if value.version != 7:
        raise PydanticCustomError("event_id_version", "event_id is a UUID of version 7")
    return value


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _reason(value: str) -> str:
    if not is_reason(value):
        raise PydanticCustomError(
            "unknown_reason", "a reason is a code of the taxonomy, or the app's own written app:lower_case"
        )
    return value


EventId = Annotated[UUID, AfterValidator(_uuid7)]
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
Name = Annotated[str, Field(min_length=1, max_length=128)]
Label = Annotated[str, Field(max_length=128)]
Ref = Annotated[str, Field(max_length=256)]
Tokens = Annotated[int, Field(ge=0, le=1_000_000_000)]
Milliseconds = Annotated[int, Field(ge=0, le=86_400_000)]
Money = Annotated[Decimal, Field(max_digits=18, decimal_places=9, allow_inf_nan=False)]
Currency = Annotated[str, Field(pattern=_CURRENCY.pattern, min_length=3, max_length=3)]
Reason = Annotated[str, AfterValidator(_reason)]


class Operation(StrEnum):
    """`gen_ai.operation.name`: what the app asked a model to do."""

    CHAT = "chat"
    TEXT_COMPLETION = "text_completion"
    GENERATE_CONTENT = "generate_content"
    EMBEDDINGS = "embeddings"
    EXECUTE_TOOL = "execute_tool"
    INVOKE_AGENT = "invoke_agent"


class BaseEvent(BaseModel):
    """What every event carries. The tenant is not here: it comes from the API key."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, use_enum_values=True)

    event_id: EventId
    schema_version: Literal[1] = 1
    occurred_at: Moment
    app: Name
    environment: Label = "production"
    use_case: Label = ""
    team: Label = ""
    user_id: Label = ""
    session_id: Ref = ""
    trace_id: Ref = ""
    response_id: Ref = ""
    tags: Annotated[dict[Name, Ref], Field(max_length=MAX_TAGS)] = {}

    @model_validator(mode="after")
    def _id_agrees_with_time(self) -> Self:
        if abs((self.event_id.int >> 80) - unix_ms(self.occurred_at)) > _SKEW_MS:
            raise PydanticCustomError(
                "id_time_mismatch", "the time inside event_id and occurred_at are more than a day apart"
            )
        return self


class UsageEvent(BaseEvent):
    """One call of a model (or of a cache in front of it).

    `input_tokens` and `output_tokens` are inclusive: cached tokens are part of the first, reasoning tokens of
    the second. A count that the app does not know is left out, never sent as 0.
    """

    type: Literal["usage"] = "usage"
    operation: Operation = Operation.CHAT
    provider: Label = ""
    request_model: Label = ""
    response_model: Label = ""
    input_tokens: Tokens | None = None
    cache_read_input_tokens: Tokens = 0
    cache_creation_input_tokens: Tokens = 0
    output_tokens: Tokens | None = None
    reasoning_output_tokens: Tokens = 0
    duration_ms: Milliseconds | None = None
    time_to_first_token_ms: Milliseconds | None = None
    status: Literal["ok", "error"] = "ok"
    error_type: Label = ""
    cache_hit: bool = False
    service_tier: Label = ""
    prompt_version: Label = ""
    data_class: Label = ""
    intent: Literal["deliberate", "automatic"] = "deliberate"
    reported_cost: Annotated[Money, Field(ge=0)] | None = None
    reported_currency: Currency | None = None

    @model_validator(mode="after")
    def _parts_fit_their_whole(self) -> Self:
        cached = self.cache_read_input_tokens + self.cache_creation_input_tokens
        if cached > (self.input_tokens or 0):
            raise PydanticCustomError(
                "inconsistent_tokens", "cached tokens are part of input_tokens and cannot exceed them"
            )
        if self.reasoning_output_tokens > (self.output_tokens or 0):
            raise PydanticCustomError(
                "inconsistent_tokens", "reasoning tokens are part of output_tokens and cannot exceed them"
            )
        if (self.reported_cost is None) != (self.reported_currency is None):
            raise PydanticCustomError("incomplete_money", "reported_cost and reported_currency come together")
        return self


class FeedbackEvent(BaseEvent):
    """What a person made of an answer. `kind` says which of the fields below it must carry."""

    type: Literal["feedback"] = "feedback"
    kind: Literal["thumb", "edit", "decision", "survey"]
    thumb: Literal["up", "down"] | None = None
    decision: Literal["accepted", "edited", "rejected", "escalated"] | None = None
    severity: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    draft_tokens: Tokens | None = None
    final_tokens: Tokens | None = None
    score: Annotated[int, Field(ge=0, le=10)] | None = None
    reasons: Annotated[list[Reason], Field(max_length=8)] = []
    taxonomy_version: Annotated[int, Field(ge=1, le=1_000)] = 1
    reviewer_id: Label = ""
    prompt_version: Label = ""
    response_model: Label = ""

    @model_validator(mode="after")
    def _carries_what_its_kind_needs(self) -> Self:
        missing = {
            "thumb": self.thumb is None and "thumb",
            "decision": self.decision is None and "decision",
            "edit": self.severity is None and "severity",
            "survey": self.score is None and "score",
        }[self.kind]
        if not missing and self.decision == "edited" and self.severity is None:
            missing = "severity"
        if missing:
            raise PydanticCustomError(
                "missing", "feedback of kind {kind} carries {field}", {"kind": self.kind, "field": missing}
            )
        return self


class CostEvent(BaseEvent):
    """Money that no call shows: licences, infrastructure, training, invoices, credits.

    `amount` is a decimal string in `currency` (ISO 4217), negative for a credit and for nothing else.
    `period_start` (inclusive) and `period_end` (exclusive) are calendar days in the tenant's zone.
    """

    type: Literal["cost"] = "cost"
    category: Literal["inference", "licence", "infrastructure", "training", "credit"]
    amount: Money
    currency: Currency
    provider: Label = ""
    model: Label = ""
    period_start: date
    period_end: date
    invoice_id: Ref = ""

    @model_validator(mode="after")
    def _sign_and_period(self) -> Self:
        if (self.category == "credit") != (self.amount < 0):
            raise PydanticCustomError("wrong_sign", "a credit is negative, and nothing else is")
        if self.period_end <= self.period_start:
            raise PydanticCustomError("empty_period", "period_end is exclusive and after period_start")
        return self


Event = UsageEvent | FeedbackEvent | CostEvent
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
EVENTS: TypeAdapter[list[Event]] = TypeAdapter(list[Annotated[Event, Field(discriminator="type")]])
