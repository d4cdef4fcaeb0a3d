"""What an LLM app may say: usage, feedback and cost events, version 1.

Names follow the OpenTelemetry GenAI semantic conventions where they have one. Counts are integers, durations
milliseconds, money a decimal string. Unknown fields are kept aside and counted (a newer SDK may send them);
a change of meaning is a new `schema_version`. `uptake.schemas.jsonschema` publishes the same rules as JSON Schema.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import (
    UUID7,
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from uptake.schemas import rules
from uptake.schemas.identity import MAX_ID_SKEW
from uptake.schemas.taxonomy import is_reason

SCHEMA_VERSION = 1
MAX_TAGS = 16
MAX_TEXT = 16_000
"""Characters of a draft or a final text, where an app sends them; the whole event has MAX_EVENT_BYTES as any other."""

FIRST_YEAR, LAST_YEAR = 2000, 2199
"""Years that moments and days can lie in: what the tables hold, with no language model before it."""

_SKEW_MS = int(MAX_ID_SKEW.total_seconds() * 1000)
_DECIMAL = re.compile(rules.DECIMAL)
_DAY = re.compile(rules.DAY)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

NEEDED = {"thumb": "thumb", "edit": "severity", "decision": "decision", "survey": "score"}
"""The field that feedback of each kind must carry; an edited decision carries a severity, too."""


def _utc(value: datetime) -> datetime:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise PydanticCustomError("moment", "must be a time within the years 2000 to 2199")
    return value.astimezone(UTC)


def _exact(value: object) -> object:
    """A JSON number has been a float somewhere on its way, so money travels as text; Python may say Decimal."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise PydanticCustomError(
        "money", 'must be a string such as "12.50", with at most 9 digits before and 9 after the point'
    )


def _day(value: object) -> object:
    # pydantic would read "1762300800" as a day, too.
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    if isinstance(value, date) and FIRST_YEAR <= value.year <= LAST_YEAR:
        return value
    raise PydanticCustomError("day", "must be a calendar day of the years 2000 to 2199, such as 2026-11-20")


def _reason(value: str) -> str:
    if not is_reason(value):
        raise PydanticCustomError(
            "unknown_reason", "must be a code of the taxonomy, or the app's own written app:lower_case"
        )
    return value


EventId = Annotated[UUID7, WithJsonSchema(rules.EVENT_ID)]
Moment = Annotated[AwareDatetime, AfterValidator(_utc), WithJsonSchema(rules.MOMENT)]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema(rules.CALENDAR_DAY)]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=rules.PLAIN)]
Label = Annotated[str, Field(max_length=128, pattern=rules.PLAIN)]
Pseudonym = Annotated[str, Field(max_length=128, pattern=rules.PSEUDONYM)]
Ref = Annotated[str, Field(max_length=256, pattern=rules.PLAIN)]
Body = Annotated[str, Field(max_length=MAX_TEXT)]
Tokens = Annotated[int, Field(ge=0, le=1_000_000_000)]
Milliseconds = Annotated[int, Field(ge=0, le=86_400_000)]
Amount = Annotated[
    Decimal, Field(max_digits=18, decimal_places=9, allow_inf_nan=False), BeforeValidator(_exact)
]
Money = Annotated[Amount, WithJsonSchema(rules.MONEY)]
PositiveMoney = Annotated[Amount, Field(ge=0), WithJsonSchema(rules.POSITIVE_MONEY)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Reason = Annotated[str, AfterValidator(_reason), WithJsonSchema(rules.REASON)]
Tags = Annotated[
    dict[Name, Ref],
    Field(max_length=MAX_TAGS),
    WithJsonSchema(
        rules.tags(TypeAdapter(Name).json_schema(), TypeAdapter(Ref).json_schema(), MAX_TAGS),
    ),
]


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
    user_id: Pseudonym = ""
    session_id: Ref = ""
    trace_id: Ref = ""
    response_id: Ref = ""
    tags: Tags = {}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        # One validator an event, overridden by name: each further one is a call of Python from Rust.
        self._check()
        return self

    def _check(self) -> None:
        """What fields must be to each other; raises PydanticCustomError."""
        age = self.occurred_at - _EPOCH
        ms = (age.days * 86_400 + age.seconds) * 1000 + age.microseconds // 1000
        if not -_SKEW_MS <= (self.event_id.int >> 80) - ms <= _SKEW_MS:
            raise PydanticCustomError(
                "id_time_mismatch", "the time inside event_id and occurred_at must be at most a day apart"
            )


class UsageEvent(BaseEvent):
    """One call of a model (or of a cache in front of it).

    `input_tokens` and `output_tokens` are inclusive: cached tokens are part of the first, reasoning tokens of
    the second. A count that the app does not know is left out, never sent as 0.
    """

    model_config = ConfigDict(json_schema_extra={"allOf": rules.USAGE_RULES})

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
    reported_cost: PositiveMoney | None = None
    reported_currency: Currency | None = None

    def _check(self) -> None:
        super()._check()
        cached = self.cache_read_input_tokens + self.cache_creation_input_tokens
        if cached > (self.input_tokens or 0):
            raise PydanticCustomError(
                "inconsistent_tokens", "cached tokens are part of input_tokens and must not exceed them"
            )
        if self.reasoning_output_tokens > (self.output_tokens or 0):
            raise PydanticCustomError(
                "inconsistent_tokens", "reasoning tokens are part of output_tokens and must not exceed them"
            )
        if (self.reported_cost is None) != (self.reported_currency is None):
            raise PydanticCustomError(
                "incomplete_money", "reported_cost and reported_currency must come together"
            )


class FeedbackEvent(BaseEvent):
    """What a person made of an answer. `kind` says which of the fields below it must carry.

    `draft_text` and `final_text` are for apps that opted in; of all others they are dropped before anything is stored.
    """

    model_config = ConfigDict(json_schema_extra={"allOf": rules.feedback_rules(NEEDED)})

    type: Literal["feedback"] = "feedback"
    kind: Literal["thumb", "edit", "decision", "survey"]
    thumb: Literal["up", "down"] | None = None
    decision: Literal["accepted", "edited", "rejected", "escalated"] | None = None
    severity: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    draft_tokens: Tokens | None = None
    final_tokens: Tokens | None = None
    draft_text: Body | None = None
    final_text: Body | None = None
    score: Annotated[int, Field(ge=0, le=10)] | None = None
    reasons: Annotated[list[Reason], Field(max_length=8)] = []
    taxonomy_version: Annotated[int, Field(ge=1, le=1_000)] = 1
    reviewer_id: Pseudonym = ""
    prompt_version: Label = ""
    response_model: Label = ""

    def _check(self) -> None:
        super()._check()
        needed = [NEEDED[self.kind]]
        if self.kind == "decision" and self.decision == "edited":
            needed.append("severity")
        for name in needed:
            if getattr(self, name) is None:
                raise PydanticCustomError(
                    "missing_for_kind",
                    "feedback of kind {kind} must carry {field}",
                    {"kind": self.kind, "field": name},
                )


class CostEvent(BaseEvent):
    """Money that no call shows: licences, infrastructure, training, invoices, credits.

    `amount` is a decimal string in `currency` (ISO 4217), negative for a credit and for nothing else.
    `period_start` (inclusive) and `period_end` (exclusive) are calendar days in the tenant's zone.
    """

    model_config = ConfigDict(json_schema_extra={"allOf": rules.COST_RULES})

    type: Literal["cost"] = "cost"
    category: Literal["inference", "licence", "infrastructure", "training", "credit"]
    amount: Money
    currency: Currency
    provider: Label = ""
    model: Label = ""
    period_start: Day
    period_end: Day
    invoice_id: Ref = ""

    def _check(self) -> None:
        super()._check()
        if (self.category == "credit") != (self.amount < 0):
            raise PydanticCustomError("wrong_sign", "a credit must be negative, and nothing else may be")
        if self.period_end <= self.period_start:
            raise PydanticCustomError(
                "empty_period", "period_end is exclusive and must be after period_start"
            )


Event = UsageEvent | FeedbackEvent | CostEvent
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
EVENTS: TypeAdapter[list[Event]] = TypeAdapter(list[Annotated[Event, Field(discriminator="type")]])
