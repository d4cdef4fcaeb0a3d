"""The contract's rules without pydantic: what the sender checks before an event leaves the app.

Standard library only. `tests/sdk/test_rules_agree.py` holds these rules to `uptake.schemas.events`: what passes
here passes there. Each rule returns the value as it goes into JSON, or raises Invalid with a text that names
what would be right and never the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

from uptake.schemas.taxonomy import is_reason

Rule = Callable[[object], object]

MAX_TAGS = 16
MAX_REASONS = 8
MAX_TEXT = 16_000
_NANO = Decimal("0.000000001")
_EXACT = Context(prec=60)  # not the thread's own context, which the app may have set
_CURRENCY = re.compile(r"[A-Z]{3}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARS = range(2000, 2200)


class Invalid(Exception):  # noqa: N818 - it is the event that is invalid
    """An event breaks the contract: `reason` counts it, `str()` says what and what would be right."""

    def __init__(self, what: str, reason: str = "invalid") -> None:
        super().__init__(what)
        self.reason = reason


def text(longest: int, shortest: int = 0) -> Rule:
    def rule(value: object) -> str:
        if type(value) is not str:
            raise Invalid("must be text")
        if shortest <= len(value) <= longest and value.isprintable():
            return value
        if not shortest <= len(value) <= longest:
            raise Invalid(f"must have {shortest} to {longest} characters")
        if _CONTROL.search(value):
            raise Invalid("must have no control characters")
        return value

    return rule


def body(value: object) -> str:
    """A text of several lines."""
    if type(value) is not str:
        raise Invalid("must be text")
    if len(value) > MAX_TEXT:
        raise Invalid(f"must have at most {MAX_TEXT} characters")
    return value


_label = text(128)


def person(value: object) -> object:
    if "@" in str(_label(value)):
        raise Invalid("is a pseudonym, not an address: it has no @")
    return value


def whole(highest: int, lowest: int = 0) -> Rule:
    def rule(value: object) -> int:
        if type(value) is not int or not lowest <= value <= highest:
            raise Invalid(f"must be a whole number from {lowest} to {highest}")
        return value

    return rule


def one_of(*choices: str) -> Rule:
    allowed = frozenset(choices)

    def rule(value: object) -> str:
        if type(value) is not str or value not in allowed:
            raise Invalid(f"must be one of {', '.join(choices)}")
        return value

    return rule


def flag(value: object) -> bool:
    if type(value) is not bool:
        raise Invalid("must be true or false")
    return value


def share(value: object) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:  # type: ignore[operator]
        raise Invalid("must be a number from 0 to 1")
    return float(value)  # type: ignore[arg-type]


def money(lowest: Decimal | None = None) -> Rule:
    """A decimal string, rounded half to even to a thousand-millionth: finer than that no sum can hold."""

    def rule(value: object) -> str:
        if type(value) is float:
            value = repr(value)
        try:
            amount = Decimal(value) if type(value) in (str, int, Decimal) else None  # type: ignore[arg-type]
        except InvalidOperation:
            amount = None
        if amount is not None and amount.is_finite():
            if amount.adjusted() < -30 or not amount:
                amount = Decimal(0)  # neither a minus nor a thousand zeros say more
            elif amount.adjusted() < 9 and int(amount.as_tuple().exponent) < -9:
                amount = amount.quantize(_NANO, ROUND_HALF_EVEN, _EXACT)
        if amount is None or not amount.is_finite() or amount.adjusted() >= 9:
            raise Invalid("must be a decimal amount below 1,000,000,000")
        if lowest is not None and amount < lowest:
            raise Invalid(f"must be {lowest} or more")
        return format(amount, "f")

    return rule


def currency(value: object) -> str:
    if type(value) is not str or not _CURRENCY.fullmatch(value):
        raise Invalid("must be three capital letters (ISO 4217)")
    return value


def day(value: object) -> str:
    """A calendar day: a date (not a moment), or its ISO form."""
    try:
        if type(value) is str and _DAY.fullmatch(value):
            value = date.fromisoformat(value)
    except ValueError:
        value = None
    if type(value) is not date or value.year not in _YEARS:
        raise Invalid("must be a date, or text of the form YYYY-MM-DD, within the years 2000 to 2199")
    return value.isoformat()


def moment(value: object) -> datetime:
    """A moment, in UTC."""
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise Invalid("must be a moment with a zone")
    if value.year not in _YEARS or (value := value.astimezone(UTC)).year not in _YEARS:
        raise Invalid("must be within the years 2000 to 2199")
    return value


_tag_name, _tag_text = text(128, 1), text(256)


def tags(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > MAX_TAGS:
        raise Invalid(f"must be up to {MAX_TAGS} texts by name")
    for name, content in value.items():
        for rule, part in ((_tag_name, name), (_tag_text, content)):
            try:
                rule(part)
            except Invalid as problem:
                raise Invalid(f"must hold texts by name, of which one {problem}") from None
    return dict(value)


def reasons(value: object) -> list[str]:
    if not isinstance(value, (list, tuple)) or len(value) > MAX_REASONS:
        raise Invalid(f"must be a list of up to {MAX_REASONS} codes")
    for code in value:
        if type(code) is not str or not is_reason(code):
            raise Invalid("must hold codes of the taxonomy, or the app's own written app:lower_case")
    return list(value)
