"""Measures that need prices. Pure: the prices are an argument."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

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
