"""Cells as values of the contract. What a field cannot hold is refused with what would be right, never repeated.

An empty cell is absent: it is never 0, false or an empty text.
"""

from __future__ import annotations

import json
import math
import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

# Fields by what they hold; every other one holds text.
WHOLE = frozenset(
    (
        "input_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "output_tokens",
        "reasoning_output_tokens",
        "duration_ms",
        "time_to_first_token_ms",
        "draft_tokens",
        "final_tokens",
        "score",
        "taxonomy_version",
    )
)
MONEY = frozenset(("reported_cost", "amount"))
DAYS = frozenset(("period_start", "period_end"))
NUMBERS = frozenset(("severity",))
FLAGS = frozenset(("cache_hit",))
CODES = frozenset(("reasons",))

# Where tools count seconds or fractions of milliseconds, the contract counts whole milliseconds.
_ROUNDED = frozenset(("duration_ms", "time_to_first_token_ms"))
_PEOPLE = frozenset(("user_id", "reviewer_id"))
_WHOLE = re.compile(r"[+-]?\d{1,30}(?:\.0*)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_YES = frozenset(("true", "yes", "y", "t", "1"))
_NO = frozenset(("false", "no", "n", "f", "0"))


def text_of(value: object) -> str:
    """A cell as text, the same for CSV, NDJSON and Parquet where they mean the same; empty for nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, default=text_of)
    return str(value)


def read_value(field: str, text: str) -> object:
    """What `field` holds when its cell is `text` (not empty). Raises ValueError with what would be right."""
    if field in WHOLE:
        return _whole(field, text)
    if field in MONEY:
        return format(_decimal(text), "f")
    if field in NUMBERS:
        return float(_decimal(text))
    if field in FLAGS:
        return _flag(text)
    if field in DAYS:
        # An export often has a time of 00:00:00 behind the day.
        if not _DAY.fullmatch(text[:10]) or text[10:].strip("T 0:.Z"):
            raise ValueError("must be a day such as 2026-11-20")
        return text[:10]
    if field in CODES:
        return [code for code in re.split(r"[;,|\s]+", text.strip("[]").replace('"', "")) if code]
    if field in _PEOPLE and "@" in text:
        raise ValueError(f"must be a pseudonym; map the column as `{_raw_name(field)}` to have it made one")
    return text


def _raw_name(field: str) -> str:
    return field.removesuffix("_id")


def _whole(field: str, text: str) -> int:
    if field in _ROUNDED and not _WHOLE.fullmatch(text):
        number = _decimal(text)
        if abs(number) < 10**12:
            return round(number)
    if not _WHOLE.fullmatch(text):
        raise ValueError("must be a whole number, without separators")
    return int(text.partition(".")[0])


def _decimal(text: str) -> Decimal:
    if len(text) > 60 or "_" in text:
        raise ValueError("must be a number")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("must be a number with a decimal point and without separators") from None
    if not number.is_finite() or abs(number.adjusted()) > 40:
        raise ValueError("must be a number")
    return number


def _flag(text: str) -> bool:
    folded = text.casefold()
    if folded not in _YES | _NO:
        raise ValueError("must be true or false")
    return folded in _YES
