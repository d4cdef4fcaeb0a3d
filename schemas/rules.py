"""What the event models enforce in Python, said in JSON Schema: forms of text, and what fields are to each other.

Published so that a sender in any language can check itself. A sender that follows it is not refused for its
shape; what JSON Schema cannot say (sums of tokens, the time inside an id, the order of two days) only the service
checks. Forms are a little stricter than what is read: one way of writing each thing is enough to publish.
"""

from __future__ import annotations

from typing import Any

from uptake.schemas.taxonomy import APP_REASON, REASONS

Schema = dict[str, Any]

PLAIN = r"^[^\x00-\x1f\x7f]*$"
PSEUDONYM = r"^[^\x00-\x1f\x7f@]*$"
"""An address is refused where a pseudonym belongs: what is stored must not name anybody."""
DECIMAL = r"-?[0-9]{1,9}(\.[0-9]{1,9})?"
DAY = r"2[01][0-9]{2}-[0-9]{2}-[0-9]{2}"
_HEX = "[0-9a-fA-F]"

EVENT_ID: Schema = {
    "type": "string",
    "format": "uuid",
    "pattern": f"^{_HEX}{{8}}-{_HEX}{{4}}-7{_HEX}{{3}}-[89abAB]{_HEX}{{3}}-{_HEX}{{12}}$",
    "description": "UUID of version 7; the time inside it is within a day of occurred_at",
}
MOMENT: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": rf"^{DAY}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,9}})?(Z|[+-][0-9]{{2}}:[0-9]{{2}})$",
    "description": "time with a zone, in the years 2000 to 2199 and at most a day ahead",
}
CALENDAR_DAY: Schema = {"type": "string", "format": "date", "pattern": f"^{DAY}$"}
MONEY: Schema = {"type": "string", "pattern": f"^{DECIMAL}$", "description": "decimal amount, as text"}
POSITIVE_MONEY: Schema = {**MONEY, "pattern": f"^{DECIMAL.removeprefix('-?')}$"}
REASON: Schema = {
    "description": "code of the taxonomy, or the app's own",
    "anyOf": [{"enum": list(REASONS)}, {"type": "string", "pattern": f"^{APP_REASON}$"}],
}


def tags(name: Schema, value: Schema, most: int) -> Schema:
    return {"type": "object", "maxProperties": most, "propertyNames": name, "additionalProperties": value}


def _given(name: str) -> Schema:
    """`name` is there, and not null."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _is(name: str, value: str) -> Schema:
    return {"required": [name], "properties": {name: {"const": value}}}


def _part_of(part: str, whole: str) -> Schema:
    return {"if": {"required": [part], "properties": {part: {"minimum": 1}}}, "then": _given(whole)}


USAGE_RULES: list[Any] = [
    {
        "if": _given("reported_cost"),
        "then": _given("reported_currency"),
        "else": {"not": _given("reported_currency")},
    },
    _part_of("cache_read_input_tokens", "input_tokens"),
    _part_of("cache_creation_input_tokens", "input_tokens"),
    _part_of("reasoning_output_tokens", "output_tokens"),
]
COST_RULES: list[Any] = [
    {
        "if": _is("category", "credit"),
        "then": {"properties": {"amount": {"pattern": "^-.*[1-9]"}}},
        "else": {"properties": {"amount": {"pattern": "^[0-9]"}}},
    }
]


def feedback_rules(needed: dict[str, str]) -> list[Any]:
    """`needed`: the field that feedback of each kind must carry."""
    edited = {"allOf": [_is("kind", "decision"), _is("decision", "edited")]}
    rules = [{"if": _is("kind", kind), "then": _given(name)} for kind, name in needed.items()]
    return [*rules, {"if": edited, "then": _given("severity")}]
