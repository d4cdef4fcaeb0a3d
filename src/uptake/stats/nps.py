"""The Net Promoter Score of answers from 0 to 10, with its interval.

- Reichheld, F. F. (2003), "The one number you need to grow", Harvard Business Review 81 (12), 46–54.
- Agresti, A. and Min, Y. (2005), "Simple improved confidence intervals for comparing matched proportions",
  Statistics in Medicine 24, 729–740. A score is the difference of two shares of the same people, for which they add
  half an observation to each of the four cells of a paired table; two of those cells hold the passives.
- Rocks, B. (2016), "Interval estimation for the 'Net Promoter Score'", The American Statistician 70, 365–372: of six
  methods on real surveys, adjusted Wald intervals of this kind and an iterative score test did best.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

from uptake.stats.shares import ALPHA

_PROMOTER, _PASSIVE = 9, 7
_HIGHEST = 10


@dataclass(frozen=True, slots=True)
class Nps:
    """`score` is promoters minus detractors as a share of all who answered: between −1 and 1, often told times 100."""

    score: float
    interval: tuple[float, float]
    promoters: int
    passives: int
    detractors: int

    @property
    def answers(self) -> int:
        return self.promoters + self.passives + self.detractors


def nps(promoters: int, passives: int, detractors: int, confidence: float = 1 - ALPHA) -> Nps | None:
    """The score of counted answers with its adjusted Wald interval (Agresti and Min 2005). Nobody answered: None.

    The variance of one answer is p + d − (p − d)², of shares with half an answer more on each side.
    """
    if min(promoters, passives, detractors) < 0:
        raise ValueError(f"counts of answers are not negative: {promoters}, {passives}, {detractors}")
    n = promoters + passives + detractors
    if n == 0:
        return None
    p, d = (promoters + 0.5) / (n + 2), (detractors + 0.5) / (n + 2)
    half = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt((p + d - (p - d) ** 2) / (n + 2))
    interval = max(p - d - half, -1.0), min(p - d + half, 1.0)
    return Nps((promoters - detractors) / n, interval, promoters, passives, detractors)


def nps_groups(scores: Mapping[int, int]) -> tuple[int, int, int]:
    """Promoters (9 and 10), passives (7 and 8) and detractors (0 to 6) among answers counted by their score."""
    strange = [score for score in scores if not 0 <= score <= _HIGHEST]
    if strange:
        raise ValueError(f"an answer is a whole number from 0 to {_HIGHEST}, not {strange[0]}")
    promoters = sum(count for score, count in scores.items() if score >= _PROMOTER)
    passives = sum(count for score, count in scores.items() if _PASSIVE <= score < _PROMOTER)
    return promoters, passives, sum(scores.values()) - promoters - passives
