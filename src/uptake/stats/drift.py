"""Has a distribution over codes shifted? The population stability index (PSI) and what chance alone makes of it.

- Siddiqi, N. (2006), Credit Risk Scorecards, Wiley: the index is Σ (aᵢ − eᵢ) · ln(aᵢ / eᵢ) over the shares of two
  distributions, and more than 0.2 or 0.25 is read as a shift. The same sum is called information value there, Jeffreys
  divergence elsewhere.
- Yurdakul, B. and Naranjo, J. (2020), "Statistical properties of the population stability index", Journal of Risk Model
  Validation 14 (4), 89–100: if nothing shifted, PSI / (1/n + 1/m) is about χ² with one degree of freedom less than
  there are codes. Two samples of 50 over twelve codes are above 0.2 by chance nine times in ten: hence `by_chance`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from uptake.stats.shares import ALPHA

DRIFT = 0.2
"""A PSI above this is a shift, if chance does not explain it."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A PSI beside `by_chance`, the value that two samples of this size exceed in one of twenty cases if nothing
    shifted."""

    psi: float
    by_chance: float

    @property
    def clear(self) -> bool:
        return self.psi > max(DRIFT, self.by_chance)


def psi(expected: Mapping[str, int], actual: Mapping[str, int]) -> float | None:
    """The population stability index of two counted distributions; 0 if they are the same, and equal both ways round.

    A code that occurs in one of them only counts as half an observation in the other, whose total grows by as much: its
    logarithm would be infinite otherwise. None where one of them is empty.
    """
    shares = _shares(expected, actual)
    return None if shares is None else math.fsum((a - e) * (math.log(a) - math.log(e)) for e, a in shares)


def drift(expected: Mapping[str, int], actual: Mapping[str, int], alpha: float = ALPHA) -> Drift | None:
    """The PSI with what chance explains (Yurdakul and Naranjo 2020). None where one of them is empty."""
    value = psi(expected, actual)
    if value is None:
        return None
    from scipy.special import chdtri  # see `mcnemar_exact`

    codes = sum(1 for code in expected.keys() | actual.keys() if expected.get(code) or actual.get(code))
    size = 1 / sum(expected.values()) + 1 / sum(actual.values())
    return Drift(value, float(chdtri(codes - 1, alpha)) * size if codes > 1 else 0.0)


def _shares(expected: Mapping[str, int], actual: Mapping[str, int]) -> list[tuple[float, float]] | None:
    if any(count < 0 for count in (*expected.values(), *actual.values())):
        raise ValueError("counts are not negative")
    if not any(expected.values()) or not any(actual.values()):
        return None
    codes = sorted(code for code in expected.keys() | actual.keys() if expected.get(code) or actual.get(code))
    e = [expected.get(code) or 0.5 for code in codes]
    a = [actual.get(code) or 0.5 for code in codes]
    return [(x / sum(e), y / sum(a)) for x, y in zip(e, a, strict=True)]
