"""Events as the pipeline carries them: msgspec structs with the fields of the contract, cheap to read and to write.

`UsageRecord` is also what `read` decodes into directly, so its constraints are those of the contract (a test compares
what both accept); the others are always made from validated models. Fields are in the order of `content`: required
ones, then the others by name. A default is left out of an encoded record where it exists once in a process
(msgspec recognises it by identity); the others have a factory and are always written, so that what is written never
depends on how a value came to be. The cycle collector need not look at them: nothing in them can point back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from uptake.schemas.events import MAX_TAGS, CostEvent, Event, FeedbackEvent, UsageEvent

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Label = Annotated[str, Meta(max_length=128)]
Ref = Annotated[str, Meta(max_length=256)]
Tokens = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Milliseconds = Annotated[int, Meta(ge=0, le=86_400_000)]
Moment = Annotated[datetime, Meta(tz=True)]
Tags = Annotated[dict[Name, Ref], Meta(max_length=MAX_TAGS)]
Operation = Literal[
    "chat", "text_completion", "generate_content", "embeddings", "execute_tool", "invoke_agent"
]


class UsageRecord(Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False, tag="usage"):
    app: Name
    event_id: UUID
    occurred_at: Moment
    cache_creation_input_tokens: Tokens = 0
    cache_hit: bool = False
    cache_read_input_tokens: Tokens = 0
    data_class: Label = ""
    duration_ms: Milliseconds | None = None
    environment: Label = field(default_factory="production".__str__)
    error_type: Label = ""
    input_tokens: Tokens | None = None
    intent: Literal["deliberate", "automatic"] = field(default_factory="deliberate".__str__)  # type: ignore[arg-type]
    operation: Operation = field(default_factory="chat".__str__)  # type: ignore[arg-type]
    output_tokens: Tokens | None = None
    prompt_version: Label = ""
    provider: Label = ""
    reasoning_output_tokens: Tokens = 0
    reported_cost: Decimal | None = None
    reported_currency: str | None = None
    request_model: Label = ""
    response_id: Ref = ""
    response_model: Label = ""
    schema_version: Literal[1] = 1
    service_tier: Label = ""
    session_id: Ref = ""
    status: Literal["ok", "error"] = field(default_factory="ok".__str__)  # type: ignore[arg-type]
    tags: Tags = {}
    team: Label = ""
    time_to_first_token_ms: Milliseconds | None = None
    trace_id: Ref = ""
    use_case: Label = ""
    user_id: Label = ""


class FeedbackRecord(Struct, omit_defaults=True, gc=False, tag="feedback"):
    app: str
    event_id: UUID
    kind: str
    occurred_at: datetime
    decision: str | None = None
    draft_text: str | None = None
    draft_tokens: int | None = None
    environment: str = field(default_factory="production".__str__)
    final_text: str | None = None
    final_tokens: int | None = None
    prompt_version: str = ""
    reasons: list[str] = []
    response_id: str = ""
    response_model: str = ""
    reviewer_id: str = ""
    schema_version: int = 1
    score: int | None = None
    session_id: str = ""
    severity: float | None = None
    tags: dict[str, str] = {}
    taxonomy_version: int = 1
    team: str = ""
    thumb: str | None = None
    trace_id: str = ""
    use_case: str = ""
    user_id: str = ""


class CostRecord(Struct, omit_defaults=True, gc=False, tag="cost"):
    amount: Decimal
    app: str
    category: str
    currency: str
    event_id: UUID
    occurred_at: datetime
    period_end: date
    period_start: date
    environment: str = field(default_factory="production".__str__)
    invoice_id: str = ""
    model: str = ""
    provider: str = ""
    response_id: str = ""
    schema_version: int = 1
    session_id: str = ""
    tags: dict[str, str] = {}
    team: str = ""
    trace_id: str = ""
    use_case: str = ""
    user_id: str = ""


Record = UsageRecord | FeedbackRecord | CostRecord

_MADE_FROM: dict[type[Event], type[Record]] = {
    UsageEvent: UsageRecord,
    FeedbackEvent: FeedbackRecord,
    CostEvent: CostRecord,
}
_VALUES: dict[type[Event], Callable[[Any], tuple[Any, ...]]] = {
    model: itemgetter(*record.__struct_fields__) for model, record in _MADE_FROM.items()
}


def record_of(event: Event) -> Record:
    """The record of a validated event. Fields that the contract does not know stay behind."""
    kind = type(event)
    return _MADE_FROM[kind](*_VALUES[kind](event.__dict__))
