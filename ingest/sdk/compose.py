"""From a queued call to the bytes of one event: the id is minted here, once, before the first attempt to send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from uptake.ingest.sdk.items import Item, Unfit
from uptake.ingest.sdk.kinds import AGREES, FEEDBACK, RULES
from uptake.ingest.sdk.layers import shown
from uptake.ingest.sdk.people import LEFT_OUT
from uptake.ingest.sdk.rules import Invalid, moment
from uptake.ingest.sdk.severity import edit_severity
from uptake.schemas.identity import mint, unix_ms

MAX_EVENT_BYTES = 32 * 1024
"""As `uptake.schemas.batch.MAX_EVENT_BYTES`."""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def compose(item: Item, defaults: Mapping[str, str]) -> tuple[bytes, int]:
    """(the event as JSON, how many people were left out of it for want of a key).

    `defaults` are the client's own `app` and `environment`; the context goes over them, the call's fields over
    both. Raises Invalid (with its reason) when the contract does not allow the event.
    """
    kind, at_ns, layer, fields, _ = item
    rules = RULES[kind]
    said: dict[str, Any] = {**defaults}
    for name, value in layer.items():
        if name in rules:
            said[name] = value
    for name, value in fields.items():
        if value is not None:
            said[name] = value
    if "session" in said:
        said["session_id"] = said.pop("session")
    if fields.get("tags") is not None and "tags" in layer:
        said["tags"] = _joined(layer["tags"], fields["tags"])
    left_out = _leave_out(said)
    at_ms = at_ns // 1_000_000
    occurred_at = said.pop("occurred_at", None)
    if occurred_at is None:
        told_at = _iso(at_ms)
    else:
        occurred_at = _ruled(kind, "occurred_at", moment, occurred_at)
        at_ms, told_at = unix_ms(occurred_at), occurred_at.isoformat()
    if kind == FEEDBACK:
        _measure(said)
    event = {"event_id": str(mint(at_ms)), "type": kind, "schema_version": 1, "occurred_at": told_at}
    for name, value in said.items():
        rule = rules.get(name)
        if rule is None:
            if type(value) is Unfit:
                raise Invalid(f"{kind}: {shown(name)} {value.what}", value.reason)
            raise Invalid(f"{kind} has no field {shown(name)}", "unknown_field")
        event[name] = _ruled(kind, name, rule, value)
    if "app" not in event:
        raise Invalid(f"{kind}.app must be given: init(app=...), UPTAKE_APP, or with the event")
    try:
        AGREES[kind](event)
    except Invalid as problem:
        raise Invalid(f"{kind}: {problem}") from None
    try:
        encoded = _encode(event).encode()
    except UnicodeEncodeError:
        raise Invalid(f"{kind}: a text holds half a character (a lone surrogate)") from None
    if len(encoded) > MAX_EVENT_BYTES:
        raise Invalid(f"{kind} must have {MAX_EVENT_BYTES} bytes at most", "too_large")
    return encoded, left_out


def _ruled(kind: str, name: str, rule: Any, value: object) -> Any:
    if type(value) is Unfit:
        raise Invalid(f"{kind}.{name} {value.what}", value.reason)
    try:
        return rule(value)
    except Invalid as problem:
        raise Invalid(f"{kind}.{name} {problem}") from None


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _joined(outer: object, inner: object) -> object:
    return {**outer, **inner} if isinstance(outer, dict) and isinstance(inner, dict) else inner


def _leave_out(said: dict[str, Any]) -> int:
    count = 0
    for name in ("user_id", "reviewer_id"):
        if said.get(name) is LEFT_OUT:
            del said[name]
            count += 1
    return count


def _measure(said: dict[str, Any]) -> None:
    """Replaces an edit's texts by what they measure. The texts go no further than this."""
    draft, final = said.pop("draft", None), said.pop("final", None)
    if draft is None and final is None:
        return
    if type(draft) is not str or type(final) is not str:
        raise Invalid("feedback: draft and final must both be text, of 4,194,304 characters at most together")
    severity, draft_tokens, final_tokens = edit_severity(draft, final)
    said |= {"severity": severity, "draft_tokens": draft_tokens, "final_tokens": final_tokens}
