"""Which fields each kind of event has, the rule of each, and how the fields must agree with one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from uptake.ingest.sdk.rules import (
    Invalid,
    Rule,
    body,
    currency,
    day,
    flag,
    money,
    one_of,
    person,
    reasons,
    share,
    tags,
    text,
    whole,
)

USAGE, FEEDBACK, COST = "usage", "feedback", "cost"

_NAME, _LABEL, _REF = text(128, 1), text(128), text(256)
_TOKENS, _MILLISECONDS = whole(1_000_000_000), whole(86_400_000)

_EVERY: dict[str, Rule] = {
    "app": _NAME,
    "environment": _LABEL,
    "use_case": _LABEL,
    "team": _LABEL,
    "user_id": person,
    "session_id": _REF,
    "trace_id": _REF,
    "response_id": _REF,
    "tags": tags,
}
_USAGE: dict[str, Rule] = {
    **_EVERY,
    "operation": one_of(
        "chat", "text_completion", "generate_content", "embeddings", "execute_tool", "invoke_agent"
    ),
    "provider": _LABEL,
    "request_model": _LABEL,
    "response_model": _LABEL,
    "input_tokens": _TOKENS,
    "cache_read_input_tokens": _TOKENS,
    "cache_creation_input_tokens": _TOKENS,
    "output_tokens": _TOKENS,
    "reasoning_output_tokens": _TOKENS,
    "duration_ms": _MILLISECONDS,
    "time_to_first_token_ms": _MILLISECONDS,
    "status": one_of("ok", "error"),
    "error_type": _LABEL,
    "cache_hit": flag,
    "service_tier": _LABEL,
    "prompt_version": _LABEL,
    "data_class": _LABEL,
    "intent": one_of("deliberate", "automatic"),
    "reported_cost": money(Decimal(0)),
    "reported_currency": currency,
}
_FEEDBACK: dict[str, Rule] = {
    **_EVERY,
    "kind": one_of("thumb", "edit", "decision", "survey"),
    "thumb": one_of("up", "down"),
    "decision": one_of("accepted", "edited", "rejected", "escalated"),
    "severity": share,
    "draft_tokens": _TOKENS,
    "final_tokens": _TOKENS,
    "draft_text": body,
    "final_text": body,
    "score": whole(10),
    "reasons": reasons,
    "taxonomy_version": whole(1_000, 1),
    "reviewer_id": person,
    "prompt_version": _LABEL,
    "response_model": _LABEL,
}
_COST: dict[str, Rule] = {
    **_EVERY,
    "category": one_of("inference", "licence", "infrastructure", "training", "credit"),
    "amount": money(),
    "currency": currency,
    "provider": _LABEL,
    "model": _LABEL,
    "period_start": day,
    "period_end": day,
    "invoice_id": _REF,
}

RULES: Mapping[str, Mapping[str, Rule]] = MappingProxyType({USAGE: _USAGE, FEEDBACK: _FEEDBACK, COST: _COST})
CONTEXT_RULES: Mapping[str, Rule] = MappingProxyType(
    _EVERY
    | {
        name: _USAGE[name]
        for name in (
            "provider",
            "request_model",
            "response_model",
            "prompt_version",
            "service_tier",
            "data_class",
            "intent",
        )
    }
)
"""What a context may say; a user and a session come under their other names too."""


def _usage_agrees(event: Mapping[str, Any]) -> None:
    cached = event.get("cache_read_input_tokens", 0) + event.get("cache_creation_input_tokens", 0)
    if cached > event.get("input_tokens", 0):
        raise Invalid("input_tokens must include the cached tokens")
    if event.get("reasoning_output_tokens", 0) > event.get("output_tokens", 0):
        raise Invalid("output_tokens must include the reasoning tokens")
    if ("reported_cost" in event) != ("reported_currency" in event):
        raise Invalid("reported_cost and reported_currency come together")


_CARRIES = {"thumb": "thumb", "decision": "decision", "edit": "severity", "survey": "score"}


def _feedback_agrees(event: Mapping[str, Any]) -> None:
    if "kind" not in event:
        raise Invalid("kind must be one of thumb, edit, decision, survey")
    missing = _CARRIES[event["kind"]]
    if missing in event and event.get("decision") == "edited":
        missing = "severity"
    if missing not in event:
        raise Invalid(f"kind {event['kind']} must carry {missing}")


def _cost_agrees(event: Mapping[str, Any]) -> None:
    for name in ("category", "amount", "currency", "period_start", "period_end"):
        if name not in event:
            raise Invalid(f"{name} must be given")
    if (event["category"] == "credit") != (Decimal(event["amount"]) < 0):
        raise Invalid("amount must be negative for a credit, and for nothing else")
    if event["period_end"] <= event["period_start"]:
        raise Invalid("period_end is exclusive and must be after period_start")


AGREES: Mapping[str, Callable[[Mapping[str, Any]], None]] = MappingProxyType(
    {USAGE: _usage_agrees, FEEDBACK: _feedback_agrees, COST: _cost_agrees}
)
