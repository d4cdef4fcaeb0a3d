"""Measures of money: what caching saved, what a month will have cost. Pure: prices and days are arguments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from uptake import stats
from uptake.calendar import month_of
from uptake.sql.cells import Cell, Context, Measured


def cache_saving(cells: Sequence[Cell], context: Context) -> Measured:
    """What a provider's cache saved, in nano units; tokens of models without a price in `unpriced_tokens`. Not known
    where there are no prices at all, or none of the tokens has one."""
    saved, unpriced, priced = Fraction(0), 0, 0
    for cell in cells:
        read, write = cell.figures["extra_read_tokens"], cell.figures["extra_write_tokens"]
        if not read and not write:
            continue
        *_, provider, model, tier, day = cell.keys
        rates = (
            context.input_rates(provider, model, tier, date.fromisoformat(day))
            if context.input_rates
            else None
        )
        if rates is None:
            unpriced += read + write
            continue
        priced += read + write
        saved += read * (rates.uncached - rates.read) - write * (rates.write - rates.uncached)
    if unpriced and not priced:
        return Measured(None, numerator=0, details={"unpriced_tokens": unpriced})
    nano = round(saved)
    return Measured(nano, numerator=nano, details={"unpriced_tokens": unpriced} if unpriced else {})


def forecast(cells: Sequence[Cell], context: Context) -> Measured:
    """The calendar month of the period's last day, of which the days through that one are over."""
    by_day: dict[date, int] = {}
    called: set[date] = set()
    for cell in cells:
        day = date.fromisoformat(cell.keys[-1])
        by_day[day] = by_day.get(day, 0) + cell.figures["numerator"]
        if cell.figures["extra_calls"]:
            called.add(day)
    month, today = month_of(context.period.last, context.period.zone), context.period.after
    so_far = sum(by_day.get(day, 0) for day in month.days() if day < today)
    made = stats.forecast(by_day, min(called or by_day), month, today) if by_day else None
    if made is None:
        return Measured(None, numerator=so_far)
    details = {"so_far_nano": so_far} | ({} if made.error is None else {"last_error": made.error})
    return Measured(made.nano, (made.low, made.high), so_far, details=details)
