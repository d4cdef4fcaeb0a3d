"""Money as integers: nano units (10^-9) of a currency, never a float."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

NANO = 1_000_000_000


def to_nano(amount: Decimal) -> int:
    """Nano units of a decimal amount, rounded half to even where it has more than nine places."""
    return int((amount * NANO).to_integral_value(rounding=ROUND_HALF_EVEN))


def from_nano(nano: int) -> Decimal:
    """The exact decimal amount of nano units."""
    return Decimal(nano) / NANO
