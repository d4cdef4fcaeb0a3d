"""What input tokens cost, for who asks what caching saved: the pipeline's prices, for KPIs."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from fractions import Fraction
from functools import lru_cache

from uptake.processors.attribute import Days
from uptake.processors.price import PriceBook
from uptake.sql.cells import InputRates, PriceInputs
from uptake.workspace.models import Workspace

_REMEMBERED = 10_000


def input_rates(workspace: Workspace) -> PriceInputs:
    """Rates of a workspace, in nano units of its currency a token, of the lowest band of a model that has several."""
    book: list[PriceBook] = []

    @lru_cache(maxsize=_REMEMBERED)
    def rates(provider: str, model: str, tier: str, day: date) -> InputRates | None:
        if not book:
            book.append(PriceBook(workspace))  # reads the price list: only when something is asked
        quote = book[0].quote(provider, model, tier, datetime.combine(day, time(12), UTC), Days(day, day))
        if quote.card is None:
            return None
        uncached, read, write, *_ = quote.card.bands[-1].rates
        if uncached is None:
            return None
        scale = quote.card.scale
        dear = Fraction(uncached, scale)
        return InputRates(
            dear,
            dear if read is None else Fraction(read, scale),
            dear if write is None else Fraction(write, scale),
        )

    return rates
