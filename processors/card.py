"""Rate cards: what the tokens of one call cost, by integer arithmetic. Pure.

A card is compiled once for (provider, model, service tier, day) and then applied to many calls. Its result is the
exact decimal sum, rounded half to even to a nano unit once, at the end: what genai-prices computes with decimals
in about 100 µs a call, in under 1 µs (tests compare the two over the whole price list).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import NamedTuple

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


@dataclass(frozen=True, slots=True)
class Rates:
    """Amounts per million tokens of each of `Counts`, and per thousand requests. None: no such price."""

    input_uncached: Decimal | None
    cache_read: Decimal | None
    cache_write: Decimal | None
    output_visible: Decimal | None
    reasoning: Decimal | None
    requests: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Card:
    """`bands` from the highest threshold to the lowest: (input tokens above which it holds for the whole call,
    integer rates of the five counts, integer price of the request), all over `scale`."""

    bands: tuple[tuple[int, tuple[int | None, ...], int], ...]
    scale: int

    def nano(self, counts: Counts) -> int | None:
        """Nano units of the organisation's currency. None where tokens were used that have no price here, and
        where the amount is beyond NANO_LIMIT."""
        total = counts[0] + counts[1] + counts[2]
        band = next(band for band in self.bands if total > band[0])
        amount = band[2]
        for count, rate in zip(counts, band[1], strict=True):
            if count:
                if rate is None:
                    return None
                amount += count * rate
        nano, rest = divmod(amount, self.scale)
        if 2 * rest > self.scale or (2 * rest == self.scale and nano & 1):
            nano += 1
        return nano if nano <= NANO_LIMIT else None


def compile_card(bands: Mapping[int, Rates], exchange: Decimal) -> Card:
    """A card from rates by threshold (-1 is the lowest band and must be there), times a currency's `exchange`."""
    if -1 not in bands:
        raise ValueError("a card has a band that holds from the first token")
    exact: list[tuple[int, list[Decimal | None], Decimal]] = []
    for above in sorted(bands, reverse=True):
        r = bands[above]
        tokens = [r.input_uncached, r.cache_read, r.cache_write, r.output_visible, r.reasoning]
        exact.append(
            (
                above,
                [_times(rate, exchange, _PER_MILLION) for rate in tokens],
                _product(r.requests, exchange, _PER_THOUSAND),
            )
        )
    places = max(_places([*tokens, request]) for _, tokens, request in exact)
    return Card(
        tuple(
            (
                above,
                tuple(None if t is None else _scaled(t, places) for t in tokens),
                _scaled(request, places),
            )
            for above, tokens, request in exact
        ),
        10**places,
    )


def _times(rate: Decimal | None, exchange: Decimal, factor: int) -> Decimal | None:
    return None if rate is None else _product(rate, exchange, factor)


def _product(rate: Decimal, exchange: Decimal, factor: int) -> Decimal:
    return _EXACT.multiply(_EXACT.multiply(rate, exchange), Decimal(factor))


def _places(values: Sequence[Decimal | None]) -> int:
    return max([0, *(-int(v.as_tuple().exponent) for v in values if v is not None)])


def _scaled(value: Decimal, places: int) -> int:
    return int(_EXACT.scaleb(value, places))
