"""Moments as files write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,12}))?)?\s?(Z|UTC|[+-]\d{2}(?::?\d{2})?)?",
    re.IGNORECASE,
)
_EPOCH_TEXT = re.compile(r"\d{9,19}(?:\.\d{1,9})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Units by size: seconds reach 10^11 in the year 5138, where milliseconds are still in 1973.
_UNITS = ((10**11, 1_000_000), (10**14, 1_000), (10**17, 1))


class NoZone(Exception):  # noqa: N818 - named for what it is
    """The time is that of a wall clock, and nobody said where the clock hangs."""


def moment(value: object, zone: ZoneInfo | None) -> datetime:
    """The moment that `value` means, in UTC, cut to the microsecond.

    Text is ISO 8601 with `T` or a space, up to 12 fractional digits, and a zone or none; or Unix time in seconds,
    milliseconds, microseconds or nanoseconds, told apart by size. A time without a zone is one of `zone`; of two
    such moments when clocks go back it is the first. A day is its first moment. Raises NoZone without a zone
    where one is needed, ValueError for anything else.
    """
    if isinstance(value, datetime):
        return _placed(value, zone)
    if isinstance(value, date):
        return _placed(datetime(value.year, value.month, value.day), zone)  # noqa: DTZ001 - placed at once
    text = str(value).strip()
    if _EPOCH_TEXT.fullmatch(text):
        return _unix(text)
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError("must be a time such as 2026-11-20T09:30:00Z, or Unix time")
    day, clock, fraction, offset = match.groups()
    try:
        wall = datetime.fromisoformat(f"{day}T{clock or '00:00'}")
    except ValueError:
        raise ValueError("must be a time that exists, such as 2026-11-20T09:30:00Z") from None
    wall = wall.replace(microsecond=int((fraction or "0")[:6].ljust(6, "0")))
    return _placed(wall if offset is None else wall.replace(tzinfo=_offset(offset)), zone)


def _offset(text: str) -> tzinfo:
    if text.upper() in ("Z", "UTC"):
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or "0")
    if hours > 15 or minutes > 59:
        raise ValueError("must have an offset such as +02:00")
    return timezone((timedelta(hours=hours, minutes=minutes)) * (-1 if text[0] == "-" else 1))


def _placed(wall: datetime, zone: ZoneInfo | None) -> datetime:
    if wall.tzinfo is None:
        if zone is None:
            raise NoZone("has no zone")
        wall = wall.replace(tzinfo=zone)
    try:
        at = wall.astimezone(UTC)
    except OverflowError:
        at = datetime.min.replace(tzinfo=UTC)
    if at < _EPOCH:
        raise ValueError("must be a time from 1970 to 9999")
    return at


def _unix(text: str) -> datetime:
    whole, _, fraction = text.partition(".")
    number = int(whole)
    for limit, factor in _UNITS:
        if number < limit:
            part = int(fraction.ljust(9, "0")) * factor // 10**9 if fraction else 0
            return _EPOCH + timedelta(microseconds=number * factor + part)
    return _EPOCH + timedelta(microseconds=number // 1_000)
