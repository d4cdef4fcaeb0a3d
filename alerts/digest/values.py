"""A figure as people read it: in the unit of its KPI, with its denominator or interval, or why there is none. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from uptake.alerts import formats
from uptake.alerts.formats import Language
from uptake.alerts.phrases import counted, say
from uptake.sql.results import KpiResult
from uptake.stats.forecast import Forecast

PEOPLE_OF_PEOPLE = ("adoption", "habits", "habits_4_weeks", "seats", "activation")
LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "spend": ("unpriced_calls", "cost_events_without_rate"),
    "cost_per_active_user": ("unpriced_calls",),
    "wasted_spend": ("unpriced_answers",),
}
"""What an amount leaves out because it has no price: what is known is the least that it can be."""


def value_of(
    result: KpiResult,
    locale: Language,
    *,
    beside: KpiResult | None = None,
    short: bool = False,
    finer: bool = False,
) -> str:
    """A value, told apart from the one that stands `beside` it. `short` is for a narrow column: no interval, and of a
    hidden value only that it is; `finer`: with a place more."""
    if result.suppressed or result.hidden:
        return say("cell.hidden", locale) if short else _hidden(result, locale)
    if result.value is None:
        return say("cell.no_data", locale)
    value = (
        formats.share(float(result.value), locale, finer=True)
        if finer and result.unit == "share"
        else compared(result, beside, locale, short=short)[0]
    )
    if result.kpi in PEOPLE_OF_PEOPLE:
        counts = {"numerator": result.numerator or 0, "denominator": result.denominator or 0}
        written = {key: formats.count(number, locale) for key, number in counts.items()}
        return say("cell.of", locale, share=value, **written)
    if result.interval is None or short:
        return value
    low, high = (_edge(end, result, locale) for end in result.interval)
    return say("cell.interval", locale, share=value, low=low, high=high)


def _hidden(result: KpiResult, locale: Language) -> str:
    if result.suppressed:
        return say("cell.suppressed", locale)
    of = formats.count(result.denominator or 0, locale)
    return say("cell.few_of" if result.hidden == "small" else "cell.hidden_of", locale, denominator=of)


def plain(value: float, result: KpiResult, locale: Language, *, short: bool = False) -> str:
    """A number in the unit of its KPI."""
    match result.unit:
        case "share":
            return formats.share(value, locale)
        case "money":
            return _at_least(formats.money(round(value), result.currency, locale), result, locale, short)
        case "unit_money":
            return _at_least(formats.unit_money(round(value), result.currency, locale), result, locale, short)
        case "milliseconds":
            return formats.duration(value, locale)
        case "days":
            return counted("cell.days", locale, round(value))
        case "points":
            return formats.score(value, locale)
        case "ratio":
            return formats.ratio(value, locale)
        case "count":
            return formats.count(round(value), locale)


def compared(
    now: KpiResult, before: KpiResult | None, locale: Language, *, short: bool = False
) -> tuple[str, str]:
    """A value and the one before it ("" if there is none): two that differ do not read the same."""
    value = float(now.value or 0)
    if before is None or before.value is None:
        return plain(value, now, locale, short=short), ""
    texts = plain(value, now, locale), plain(float(before.value), before, locale)
    if texts[0] != texts[1] or now.value == before.value:
        return texts
    if now.unit == "ratio":
        return formats.ratio(value, locale, finer=True), formats.ratio(
            float(before.value), locale, finer=True
        )
    if now.unit not in ("money", "unit_money"):
        return texts
    amounts = formats.spent_of(round(value), round(float(before.value)), now.currency, locale)
    return _at_least(amounts[0], now, locale, short), _at_least(amounts[1], before, locale, short)


def _at_least(amount: str, result: KpiResult, locale: Language, short: bool) -> str:
    left_out = [result.excluded.get(name) for name in LEFT_OUT.get(result.kpi, ())]
    known = not (any(left_out) or result.details.get("unpriced_tokens"))  # these, of what caching saved
    if known or not result.value:
        return amount
    return say("cell.from" if short else "cell.at_least", locale, amount=amount)


def _edge(value: float, result: KpiResult, locale: Language) -> str:
    return formats.bare_percent(value, locale) if result.unit == "share" else plain(value, result, locale)


def points(difference: float, locale: Language) -> str:
    """+4 pts; the plural goes by the number that is shown."""
    text = formats.points(difference, locale)
    singular = text in ("+1", "−1") or (locale == "fr" and abs(difference) < 0.015)
    return counted("change.points", locale, 1 if singular else 2, points=text)


def forecast_of(made: Forecast, currency: str, locale: Language) -> str:
    """€2,310 [€2,120–€2,520]"""
    nano, low, high = (formats.money(amount, currency, locale) for amount in (made.nano, made.low, made.high))
    return say("cell.interval", locale, share=nano, low=low, high=high)
