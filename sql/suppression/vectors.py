"""Sparse vectors modulo a prime: coefficients by unit, without zeros. Pure."""

from __future__ import annotations

PRIME = (1 << 61) - 1

Vector = dict[int, int]


def add(one: Vector, other: Vector, times: int = 1) -> None:
    """Add `times` the other to one, in place."""
    for unit, value in other.items():
        left = (one.get(unit, 0) + times * value) % PRIME
        if left:
            one[unit] = left
        else:
            one.pop(unit, None)
