"""Rate cards: what the tokens of one call cost, by integer arithmetic. Pure.

A card is compiled once for (provider, model, service tier, day) and then applied to many calls. Its result is the
exact decimal sum, rounded half to even to a nano unit once, at the end: what genai-prices computes with decimals
in about 100 µs a call, in under 1 µs (tests compare the two over the whole price list).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any, NamedTuple

NANO_LIMIT = 10**18
"""Larger costs are not costs but nonsense; a tenth of what fits into a column, so that sums stay in range."""

_EXACT = Context(prec=100)
_PER_MILLION = 1000  # nano units per token at a rate of 1 a million tokens
_PER_THOUSAND = 1_000_000  # nano units per request at a rate of 1 a thousand requests


class Counts(NamedTuple):
    """Tokens of one call, each counted once: the columns of the table `usage`."""

    input_uncached: int
    cache_read: int
    cache_write: int
    output_visible: int
    reasoning: int


class Rates(NamedTuple):
    """Amounts per million tokens of each of `Counts`, and per thousand requests. None: no such price."""

    input_uncached: Decimal | None
    cache_read: Decimal | None
    cache_write: Decimal | None
    output_visible: Decimal | None
    reasoning: Decimal | None
    requests: Decimal = Decimal(0)


class Band(NamedTuple):
    """Integer rates of the five counts and price of the request, for calls with more input tokens than `above`."""

    above: int
    rates: tuple[int | None, ...]
    request: int


@dataclass(frozen=True, slots=True)
class Card:
    """`bands` from the highest threshold to the lowest; their numbers are nano units times `scale`."""

    bands: tuple[Band, ...]
    scale: int
    flat: tuple[Any, ...] | None = field(init=False, compare=False)
    """The five rates and the request's price of the only band, where every count has a rate: nearly every card, and
    then there is nothing to choose."""

    def __post_init__(self) -> None:
        first = self.bands[0]
        whole = len(self.bands) == 1 and None not in first.rates
        object.__setattr__(self, "flat", (*first.rates, first.request) if whole else None)

    def nano(self, counts: tuple[int, ...]) -> int | None:
        """Nano units of the organisation's currency for `counts`, ordered as in `Counts`. None where tokens were used
        that have no price here, and where the amount is beyond NANO_LIMIT."""
        uncached, read, write, visible, reasoning = counts
        terms = self.flat
        if terms is None:
            total = uncached + read + write
            band = next(band for band in self.bands if total > band.above)
            if any(rate is None and count for rate, count in zip(band.rates, counts, strict=True)):
                return None
            terms = (*(rate or 0 for rate in band.rates), band.request)
        a, b, c, d, e, request = terms
        amount: int = request + uncached * a + read * b + write * c + visible * d + reasoning * e
        nano, rest = divmod(amount, self.scale)
        if rest and (2 * rest > self.scale or (2 * rest == self.scale and nano & 1)):
            nano += 1
        return nano if nano <= NANO_LIMIT else None


def compile_card(bands: Mapping[int, Rates], exchange: Decimal) -> Card:
    """A card from rates by threshold (-1 is the lowest band and must be there), times a currency's `exchange`."""
    if -1 not in bands:
        raise ValueError("a card has a band that holds from the first token")
    exact = [
        (
            above,
            [None if rate is None else _product(rate, exchange, _PER_MILLION) for rate in bands[above][:5]],
            _product(bands[above].requests, exchange, _PER_THOUSAND),
        )
        for above in sorted(bands, reverse=True)
    ]
    places = max(
        _places(value) for _, rates, request in exact for value in (*rates, request) if value is not None
    )
    return Card(
        tuple(
            Band(
                above,
                tuple(None if r is None else _scaled(r, places) for r in rates),
                _scaled(request, places),
            )
            for above, rates, request in exact
        ),
        10**places,
    )


def _product(rate: Decimal, exchange: Decimal, factor: int) -> Decimal:
    return _EXACT.multiply(_EXACT.multiply(rate, exchange), Decimal(factor))


def _places(value: Decimal) -> int:
    return max(0, -int(value.as_tuple().exponent))


def _scaled(value: Decimal, places: int) -> int:
    return int(_EXACT.scaleb(value, places))
