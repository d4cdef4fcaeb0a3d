"""Many calls at once by their rate cards: what `Card.nano` says of each, by arithmetic over columns. Pure.

Numbers are 64 bits wide here. A card with which they might not be enough, and a call of which the card says nothing,
are left to whoever asks: `sure` says for which calls the amount stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uptake.processors.card import NANO_LIMIT, Card
from uptake.processors.columns import Mask, Numbers

MAX_TOKENS = 1_000_000_000
"""The most that one count of a call can be, by the contract."""

_MAX = 1 << 62


class Priced(NamedTuple):
    """Nano units of each call, and where they stand."""

    nano: Numbers
    sure: Mask


class Cards:
    def __init__(self, cards: Sequence[Card | None]) -> None:
        """`cards` by their number. None: the calls are priced otherwise."""
        fitting = [card if card is not None and _fits(card) else None for card in cards]
        bands = [list(card.bands) if card is not None else [] for card in fitting]
        depth = max(map(len, bands), default=0)
        first = np.cumsum([0, *map(len, bands)])[:-1]
        flat = [band for of_card in bands for band in of_card]
        self._usable = np.array([card is not None for card in fitting], np.bool_)
        self._scale = np.array([card.scale if card is not None else 1 for card in fitting], np.int64)
        self._first = np.array(first, np.int64)
        # Bands go from the highest threshold down: a call is in the first one of which it is above the threshold.
        above = [[band.above for band in of_card] + [-1] * (depth - len(of_card)) for of_card in bands]
        self._above = np.array(above, np.int64).reshape(len(bands), depth)
        empty = [[0] * 5] if not flat else []
        rates: list[Any] = [[rate or 0 for rate in band.rates] for band in flat]
        self._rates = np.array(rates + empty, np.int64)
        self._request = np.array([band.request for band in flat] or [0], np.int64)
        self._none = np.array(
            [[rate is None for rate in band.rates] for band in flat] or [[False] * 5], np.bool_
        )

    def nano(self, which: NDArray[np.intp], counts: Numbers) -> Priced:
        """The amounts of calls, each with the number of its card in `which` and its five `Counts` down a column."""
        sure = self._usable[which]
        above = self._above[which]
        total = counts[0] + counts[1] + counts[2]
        band = self._first[which] + (above >= total[:, None]).sum(axis=1)
        band[~sure] = 0
        sure &= ~(self._none[band].T & (counts > 0)).any(axis=0)
        amount = self._request[band] + (self._rates[band].T * counts).sum(axis=0)
        scale = self._scale[which]
        nano, rest = np.divmod(amount, scale)
        twice = 2 * rest
        nano += (twice > scale) | ((twice == scale) & (nano & 1 == 1))  # half to even
        sure &= nano <= NANO_LIMIT
        return Priced(nano, sure)


def _fits(card: Card) -> bool:
    """Whether nothing on the way to an amount is beyond 64 bits."""
    most = max(
        sum(abs(rate or 0) for rate in band.rates) * MAX_TOKENS + abs(band.request) for band in card.bands
    )
    return most < _MAX and card.scale < _MAX
