"""The difference between two groups of teams, with an interval from resampling whole teams.

People of one team resemble each other, so what would differ next time are teams, not single people.

- Efron, B. and Tibshirani, R. J. (1993), An Introduction to the Bootstrap, Chapman & Hall, chapters 8 (two samples)
  and 13 (percentile intervals).
- Hesterberg, T. C. (2015), "What teachers should know about the bootstrap", The American Statistician 69, 371–386:
  percentile intervals of few observations are too short. Expanded ones take the levels of ±√(n / (n − 1)) · t(n − 1)
  in the normal distribution instead of those of ±1.96. Here n is the size of the smaller group.

In a simulation of teams whose rates vary (beta-binomial, 400 cases), 95 % intervals held the true difference in 82 % of
cases (percentile) and 81 % (BCa) with three teams a side, in 90 % with five and ten; expanded ones in 89 % and 98 %.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uptake.stats.shares import ALPHA

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST_TEAMS = 3
RESAMPLES = 9_999


@dataclass(frozen=True, slots=True)
class Difference:
    """Two pooled rates, and how much larger the first is: with an interval and a standard error over teams."""

    first: float
    second: float
    interval: tuple[float, float]
    error: float

    @property
    def difference(self) -> float:
        return self.first - self.second

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        low, high = self.interval
        return low > 0 or high < 0


def bootstrap_difference(
    with_: Sequence[tuple[int, int]],
    without: Sequence[tuple[int, int]],
    confidence: float = 1 - ALPHA,
) -> Difference | None:
    """The pooled rate Σk / Σn of the teams `with_` something minus that of the teams `without`.

    A team is (k, n). One with n = 0 says nothing and is left out; None for fewer than three teams on a side. The order
    of teams does not matter, and equal teams give equal results: the seed is their digest.
    """
    groups = [sorted((k, n) for k, n in group if n > 0) for group in (with_, without)]
    if any(k < 0 or n < 0 for group in (with_, without) for k, n in group):
        raise ValueError("counts of a team are not negative")
    if min(map(len, groups)) < FEWEST_TEAMS:
        return None
    import numpy as np  # these two: see `mcnemar_exact`
    from scipy.stats import bootstrap

    first, second = (np.array(group, dtype=float) for group in groups)

    def difference(one: NDArray[np.intp], other: NDArray[np.intp], axis: int = -1) -> Any:
        return _rate(first, one, axis) - _rate(second, other, axis)

    result = bootstrap(
        (np.arange(len(first)), np.arange(len(second))),
        difference,
        n_resamples=RESAMPLES,
        vectorized=True,
        confidence_level=expanded_level(min(map(len, groups)), confidence),
        method="percentile",
        rng=int.from_bytes(hashlib.sha256(repr(groups).encode()).digest()[:8]),
    )
    low, high = result.confidence_interval
    rate, other_rate = (sum(k for k, _ in group) / sum(n for _, n in group) for group in groups)
    return Difference(rate, other_rate, (float(low), float(high)), float(result.standard_error))


def _rate(teams: NDArray[np.float64], drawn: NDArray[np.intp], axis: int) -> Any:
    k, n = teams[:, 0][drawn], teams[:, 1][drawn]
    return k.sum(axis=axis) / n.sum(axis=axis)


def expanded_level(n: int, confidence: float) -> float:
    """The level of a percentile interval of n observations that is as wide as one of `confidence` should be."""
    from scipy.stats import norm, t

    return float(1 - 2 * norm.cdf(math.sqrt(n / (n - 1)) * t.ppf((1 - confidence) / 2, n - 1)))
