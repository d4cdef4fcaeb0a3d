"""Why an event was refused, in words that say what would be right and never repeat what was sent.

The value that was refused may be a person's, and so may a key of `tags` or a field that nobody declared: a path
holds the names of declared fields and positions, a detail holds constants of the contract, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from uptake.schemas.batch import RejectionReason
from uptake.schemas.events import SCHEMA_VERSION, CostEvent, FeedbackEvent, UsageEvent

_FIELDS = frozenset(UsageEvent.model_fields) | set(FeedbackEvent.model_fields) | set(CostEvent.model_fields)
_TYPES = ("usage", "feedback", "cost")
_TIME = "must be a time with a zone, such as 2026-11-20T09:30:00Z"
_DAY = "must be a calendar day of the years 2000 to 2199, such as 2026-11-20"
_UUID = "must be a UUID of version 7"

_DETAILS: Mapping[str, str] = {
    # pydantic's error types -> what would be right; {names} are the limits of the contract
    "missing": "is required",
    "string_type": "must be a string",
    "string_unicode": "must be a string of valid Unicode",
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_parsing_size": "must be a whole number within the range of its field",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "dict_type": "must be an object",
    "list_type": "must be an array",
    "too_long": "must have at most {max_length} entries",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "datetime_from_date_parsing": _TIME,
    "timezone_aware": _TIME,
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "uuid_version": _UUID,
    "string_pattern_mismatch": "must have no control characters",
    "json_invalid": "must be JSON that can be read: valid Unicode, numbers of sensible length, little nesting",
}
# Errors that the contract raises itself: their messages are its own constants.
_OWN = frozenset(
    {
        "missing_for_kind",
        "id_time_mismatch",
        "inconsistent_tokens",
        "incomplete_money",
        "unknown_reason",
        "wrong_sign",
        "empty_period",
        "money",
        "moment",
        "day",
    }
)


def refusal_of(error: ValidationError, raw: object) -> tuple[RejectionReason, str, str]:
    """(reason, path inside the event, detail) for an event that failed to validate.

    `raw` is the event as it was sent. A version or type that this server does not know explains everything else,
    so it comes first; otherwise the first problem is told and the others are counted.
    """
    if not isinstance(raw, dict):
        return RejectionReason.INVALID, "", "an event is a JSON object"
    if raw.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
        return RejectionReason.UNSUPPORTED_VERSION, ".schema_version", f"must be {SCHEMA_VERSION}"
    problems = error.errors(include_url=False, include_input=False)
    first = problems[0]
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return RejectionReason.UNKNOWN_TYPE, ".type", f"must be one of {', '.join(_TYPES)}"
    if first["type"] == "id_time_mismatch":
        return RejectionReason.ID_TIME_MISMATCH, ".event_id", first["msg"]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return RejectionReason.INVALID, path_of(first["loc"]), detail_of(first) + more


def path_of(location: tuple[int | str, ...]) -> str:
    """``.input_tokens`` or ``.reasons[2]``. The tag of the union is left out, a key of `tags` is ``.*``."""
    parts = list(location)
    if parts and parts[0] in _TYPES:
        del parts[0]
    path = ""
    for depth, part in enumerate(parts):
        if isinstance(part, int):
            path += f"[{part}]"
        elif depth == 0:
            path += f".{part}" if part in _FIELDS else ".*"
        elif part != "[key]":
            path += ".*"
    return path


def detail_of(problem: ErrorDetails) -> str:
    kind = problem["type"]
    if kind in _OWN:
        return problem["msg"]
    if problem["loc"][-1:] in (("currency",), ("reported_currency",)):
        return "must be three capital letters (ISO 4217), such as EUR"
    if kind == "string_pattern_mismatch" and problem["loc"][-1:] in (("user_id",), ("reviewer_id",)):
        return f"{problem['loc'][-1]} is a pseudonym, not an address: it has no @ and no control characters"
    context: dict[str, Any] = problem.get("ctx") or {}
    subject = "a key " if problem["loc"][-1:] == ("[key]",) else ""
    return subject + _DETAILS.get(kind, "does not have the type of its field").format(**context)
