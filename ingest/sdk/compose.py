"""From a queued call to the bytes of one event: the id is minted here, once, before the first attempt to send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from uptake.ingest.sdk.items import Item, Unfit
from uptake.ingest.sdk.kinds import AGREES, FEEDBACK, RULES
from uptake.ingest.sdk.layers import shown
from uptake.ingest.sdk.people import LEFT_OUT
from uptake.ingest.sdk.rules import MAX_TEXT, Invalid, Rule, moment
from uptake.ingest.sdk.severity import edit_severity
from uptake.schemas.identity import mint, unix_ms
from uptake.schemas.taxonomy import TAXONOMY_VERSION

MAX_EVENT_BYTES = 32 * 1024
"""As `uptake.schemas.batch.MAX_EVENT_BYTES`."""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


_TEXTS = ("draft_text", "final_text")


class Composed(NamedTuple):
    """An event as JSON, how many people were left out of it for want of a key, and whether texts were."""

    event: bytes
    people_left_out: int
    texts_left_out: bool


def compose(item: Item, defaults: Mapping[str, str], *, send_text: bool = False) -> Composed:
    """`defaults` are the client's own `app` and `environment`; the context goes over them, the call's fields over
    both. Only with `send_text` does a draft go with its event. Raises Invalid (with its reason) when the contract does
    not allow the event; texts that make it too large are left out instead.
    """
    kind = item.kind
    rules = RULES[kind]
    said = _said(item, rules, defaults)
    people = _leave_out(said)
    at_ms, told_at = _moment(item, said.pop("occurred_at", None))
    texts_left_out = _measure(said, send_text) if kind == FEEDBACK else False
    event = {"event_id": str(mint(at_ms)), "type": kind, "schema_version": 1, "occurred_at": told_at}
    for name, value in said.items():
        try:
            event[name] = rules[name](value)
        except (Invalid, KeyError) as problem:
            raise _refusal(kind, name, value, problem) from None
    if "reasons" in event:
        event.setdefault("taxonomy_version", TAXONOMY_VERSION)
    if "app" not in event:
        raise Invalid(f"{kind}.app must be given: init(app=...), UPTAKE_APP, or with the event")
    try:
        AGREES[kind](event)
    except Invalid as problem:
        raise Invalid(f"{kind}: {problem}") from None
    try:
        return Composed(_encoded(event, kind), people, texts_left_out)
    except Invalid:
        if not any(name in event for name in _TEXTS):
            raise
    for name in _TEXTS:
        event.pop(name, None)
    return Composed(_encoded(event, kind), people, True)


def _encoded(event: Mapping[str, Any], kind: str) -> bytes:
    try:
        encoded = _encode(event).encode()
    except UnicodeEncodeError:
        raise Invalid(f"{kind}: a text holds half a character (a lone surrogate)") from None
    if len(encoded) > MAX_EVENT_BYTES:
        raise Invalid(f"{kind} must have {MAX_EVENT_BYTES} bytes at most", "too_large")
    return encoded


def _said(item: Item, rules: Mapping[str, Rule], defaults: Mapping[str, str]) -> dict[str, Any]:
    """The client's, the context's and the call's fields, in this order over one another; None says nothing."""
    said: dict[str, Any] = {**defaults}
    layer, fields = item.layer, item.fields
    for name, value in layer.items():
        if name in rules:
            said[name] = value
    for name, value in fields.items():
        if value is not None:
            said[name] = value
    if "session" in said:
        said["session_id"] = said.pop("session")
    outer, inner = layer.get("tags"), fields.get("tags")
    if isinstance(outer, dict) and isinstance(inner, dict):
        said["tags"] = {**outer, **inner}
    return said


def _moment(item: Item, occurred_at: object) -> tuple[int, str]:
    """(Unix milliseconds, the same in ISO 8601): of the call, or of what it says itself."""
    if occurred_at is None:
        at_ms = item.at_ns // 1_000_000
        return at_ms, datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    try:
        told = moment(occurred_at)
    except Invalid as problem:
        raise _refusal(item.kind, "occurred_at", occurred_at, problem) from None
    return unix_ms(told), told.isoformat()


def _refusal(kind: str, name: str, value: object, problem: Exception) -> Invalid:
    """The refusal of an event for one field: names the field and what would be right."""
    if type(value) is Unfit:
        return Invalid(f"{kind}: {shown(name)} {value.what}", value.reason)
    if isinstance(problem, KeyError):
        return Invalid(f"{kind} has no field {shown(name)}", "unknown_field")
    return Invalid(f"{kind}.{name} {problem}")


def _leave_out(said: dict[str, Any]) -> int:
    count = 0
    for name in ("user_id", "reviewer_id"):
        if said.get(name) is LEFT_OUT:
            del said[name]
            count += 1
    return count


def _measure(said: dict[str, Any], send_text: bool) -> bool:
    """Replaces an edit's texts by what they measure. The texts go no further than this, unless the app says so and
    they are short enough; True where some do not go that it wanted to send."""
    draft, final = said.pop("draft", None), said.pop("final", None)
    left_out = False
    if not send_text:
        for name in _TEXTS:
            left_out |= said.pop(name, None) is not None
    if draft is None and final is None:
        return left_out
    if type(draft) is not str or type(final) is not str:
        raise Invalid("feedback: draft and final must both be text, of 4,194,304 characters at most together")
    severity, draft_tokens, final_tokens = edit_severity(draft, final)
    said |= {"severity": severity, "draft_tokens": draft_tokens, "final_tokens": final_tokens}
    if not send_text:
        return left_out
    fits = len(draft) <= MAX_TEXT and len(final) <= MAX_TEXT
    if fits:
        said |= {"draft_text": draft, "final_text": final}
    return not fits
