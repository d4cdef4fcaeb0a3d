"""Numbers, money and times as people of a locale write them. Pure; Babel does the writing.

A rounded number never says what is not so: a share below 1 is not printed as 100 %, a small amount not as 0.00.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent

from uptake.calendar import IsoWeek, Period
from uptake.money import from_nano

Language = Literal["en", "fr"]

_WHOLE_FROM = Decimal(100)  # amounts from here on are shown without cents
_CENT, _CENTS = Decimal("0.01"), 2
_NANO_PLACES = 9
_MINUS = "−"
_WEEK = {"en": "week {week}", "fr": "semaine {week}"}


def money(nano: int, currency: str, locale: Language, places: int | None = None) -> str:
    """Nano units as an amount: whole from 100 on, else two places, else two digits; or with so many `places`."""
    amount = from_nano(nano)
    size = abs(amount)
    fixed = places if places is not None else 0 if size >= _WHOLE_FROM else None
    if fixed is None:
        digits = _CENTS if size >= _CENT or not size else 1 - size.adjusted()
        rounded = amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
        text = format_currency(rounded, currency, locale=locale, decimal_quantization=False)
    else:
        rounded = amount.quantize(Decimal(1).scaleb(-fixed), ROUND_HALF_UP)
        zeros = f".{'0' * fixed}" if fixed else ""
        pattern = Locale.parse(locale).currency_formats["standard"].pattern.replace(".00", zeros)
        text = format_currency(rounded, currency, format=pattern, locale=locale, currency_digits=False)
    return text.replace("-", _MINUS)


def unit_money(nano: int, currency: str, locale: Language) -> str:
    """Money an item: three digits below one unit, as two prices of a call often differ in the third alone."""
    size = abs(from_nano(nano))
    if not size:
        return money(nano, currency, locale)
    places = 2 - size.adjusted()
    return money(nano, currency, locale, places if round(size, places) < 1 else None)


def told_apart(first: int, second: int, write: Callable[[int, int | None], str]) -> tuple[str, str]:
    """Two amounts that are compared, with as many places as it takes that unequal ones do not look equal. `write`
    writes one, with so many places or (None) as it would alone."""
    texts = write(first, None), write(second, None)
    for places in range(_CENTS, _NANO_PLACES + 1):
        if first == second or texts[0] != texts[1]:
            break
        texts = write(first, places), write(second, places)
    return texts


def spent_of(spent: int, amount: int, currency: str, locale: Language) -> tuple[str, str]:
    """Two amounts that are compared, told apart."""
    return told_apart(spent, amount, lambda nano, places: money(nano, currency, locale, places))


def share(value: float, locale: Language, *, finer: bool = False) -> str:
    """A share between 0 and 1 in per cent: a place below 10 % and above 99 % (`finer`: always), and never rounded to 0
    or 100."""
    percent = Decimal(repr(float(value))) * 100
    if 0 < percent < Decimal("0.1"):
        return "< " + _percent(Decimal("0.1"), locale)
    if Decimal(99) < percent < 100:
        return _percent(percent.quantize(Decimal("0.1"), ROUND_DOWN), locale)
    places = Decimal("0.1") if percent < 10 or finer else Decimal(1)
    return _percent(percent.quantize(places, ROUND_HALF_UP), locale)


def _percent(percent: Decimal, locale: Language) -> str:
    pattern = (
        Locale.parse(locale).percent_formats[None].pattern.replace("0%", "0.#%").replace("0\xa0%", "0.#\xa0%")
    )
    text: str = format_percent(percent / 100, format=pattern, locale=locale)
    return text.replace("-", _MINUS)


def bare_percent(value: float, locale: Language) -> str:
    """As `share`, without its sign: for the ends of an interval."""
    return share(value, locale).replace("%", "").strip()


def points(difference: float, locale: Language) -> str:
    """A difference of shares in percentage points, signed: whole from one point on, else a tenth."""
    size = abs(Decimal(repr(float(difference))) * 100)
    places = Decimal(1) if size >= Decimal("0.95") else Decimal("0.1")
    rounded = size.quantize(places, ROUND_HALF_UP)
    if not rounded:
        return "±0"
    text: str = format_decimal(rounded, format="#,##0.#", locale=locale)
    return f"{'+' if difference > 0 else _MINUS}{text}"


def count(number: int, locale: Language) -> str:
    text: str = format_decimal(number, locale=locale)
    return text.replace("-", _MINUS)


def ratio(value: float, locale: Language, *, finer: bool = False) -> str:
    """2.35, or 2.347 if `finer`"""
    pattern = "#,##0.###" if finer else "#,##0.##"
    text: str = format_decimal(Decimal(repr(float(value))), format=pattern, locale=locale)
    return text.replace("-", _MINUS)


def duration(milliseconds: float, locale: Language) -> str:
    """840 ms, or 1.2 s from one second on."""
    if milliseconds < 1000:
        return f"{count(round(milliseconds), locale)}\xa0ms"
    return f"{format_decimal(Decimal(repr(milliseconds / 1000)), format='#,##0.0', locale=locale)}\xa0s"


def score(points: float, locale: Language) -> str:
    """+30, −5, 0"""
    rounded = round(points)
    return f"+{count(rounded, locale)}" if rounded > 0 else count(rounded, locale)


def day(value: date, locale: Language) -> str:
    """Mon 9 Nov"""
    return format_date(value, "EEE d MMM", locale=locale)


def weekday(value: date, locale: Language) -> str:
    """Monday"""
    return format_date(value, "EEEE", locale=locale)


def days(period: Period, locale: Language) -> str:
    """Mon 9 – Sun 15 Nov, naming a month (and a year) once where that is clear."""
    first, last = period.first, period.last
    start = "EEE d" if (first.year, first.month) == (last.year, last.month) else "EEE d MMM"
    if first.year != last.year:
        start = "EEE d MMM y"
    end = "EEE d MMM y" if first.year != last.year else "EEE d MMM"
    return f"{format_date(first, start, locale=locale)} – {format_date(last, end, locale=locale)}"


def moment(value: datetime, zone: str, locale: Language) -> str:
    """Tue 1 Dec 00:00, on the wall clock of `zone`."""
    return format_datetime(value.astimezone(ZoneInfo(zone)), "EEE d MMM HH:mm", locale=locale)


def month(value: date, locale: Language) -> str:
    """November"""
    name: str = format_date(value, "LLLL", locale=locale)
    return name


def month_of_year(value: date, locale: Language) -> str:
    """November 2026"""
    return format_date(value, "MMMM y", locale=locale)


def period_name(period: Period, locale: Language) -> str:
    """November, or week 2026-W46."""
    if period.after - period.first == timedelta(days=7):
        return _WEEK[locale].format(week=IsoWeek.of(period.first))
    return month(period.first, locale)


def listing(items: list[str], locale: Language) -> str:
    """a, b and c"""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {'and' if locale == 'en' else 'et'} {items[-1]}"


def full_day(value: date, locale: Language) -> str:
    """9 November 2026"""
    return format_date(value, "d MMMM y", locale=locale)


def capital(text: str) -> str:
    """The first letter raised, the rest as it is."""
    return text[:1].upper() + text[1:]


def uncapital(text: str) -> str:
    """The first letter lowered, for a name that does not stand first."""
    return text[:1].lower() + text[1:]
