"""Intervals of shares and tests of their change.

- Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference", JASA 22, 209–212.
- Newcombe, R. G. (1998), "Interval estimation for the difference between independent proportions: comparison of
  eleven methods", Statistics in Medicine 17, 873–890; method 10 there, from two Wilson intervals.
- McNemar, Q. (1947), "Note on the sampling error of the difference between correlated proportions or percentages",
  Psychometrika 12, 153–157; here in its exact form, a two-sided binomial test of the discordant pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

ALPHA = 0.05
"""A change is clear if chance alone would show one as large less often than this."""


@dataclass(frozen=True, slots=True)
class Change:
    """A share against an earlier one. `difference` is later minus earlier; `clear` is the verdict of the test.

    `interval` belongs to the comparison of two independent shares, `p_value` to the one of paired people.
    """

    difference: float
    clear: bool
    interval: tuple[float, float] | None = None
    p_value: float | None = None


def wilson(k: int, n: int, confidence: float = 1 - ALPHA) -> tuple[float, float]:
    """The score interval of the share k/n (Wilson 1927, without continuity correction)."""
    _check(k, n)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, z2 = k / n, z * z
    middle = share + z2 / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    scale = 1 + z2 / n
    # At the ends the formula gives exactly 0 and 1, which floats only come near.
    low = 0.0 if k == 0 else (middle - half) / scale
    high = 1.0 if k == n else (middle + half) / scale
    return low, high


def newcombe(k0: int, n0: int, k1: int, n1: int, confidence: float = 1 - ALPHA) -> tuple[float, float]:
    """The interval of k1/n1 − k0/n0, two independent shares (Newcombe 1998, method 10)."""
    low0, high0 = wilson(k0, n0, confidence)
    low1, high1 = wilson(k1, n1, confidence)
    share0, share1 = k0 / n0, k1 / n1
    difference = share1 - share0
    return (
        difference - math.hypot(share1 - low1, high0 - share0),
        difference + math.hypot(high1 - share1, share0 - low0),
    )


def mcnemar_exact(b: int, c: int) -> float:
    """The two-sided p-value that of `b + c` people who changed, `b` went one way by chance (McNemar 1947, exact).

    Nobody changed: 1.
    """
    if b < 0 or c < 0:
        raise ValueError(f"counts of people are not negative: {b}, {c}")
    if b + c == 0:
        return 1.0
    # Not at the top, for `uptake --help`; not `scipy.stats`, whose import takes most of a second. Both ways are equally
    # likely, so the binomial test is twice its smaller tail.
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5)))


def compare_shares(k0: int, n0: int, k1: int, n1: int) -> Change | None:
    """The change from k0/n0 to k1/n1 of different answers: clear if the 95 % interval leaves out 0.

    None where one of the shares is not known.
    """
    if n0 == 0 or n1 == 0:
        return None
    low, high = newcombe(k0, n0, k1, n1)
    return Change(k1 / n1 - k0 / n0, clear=low > 0 or high < 0, interval=(low, high))


def compare_intervals(
    before: float, interval_before: tuple[float, float], now: float, interval_now: tuple[float, float]
) -> Change:
    """The change from one estimate to an independent one, each with its 95 % interval: clear if the interval of the
    difference leaves out 0.

    The method of variance estimates recovery (Zou, G. Y. and Donner, A. (2008), "Construction of confidence limits
    about effect measures: a general approach", Statistics in Medicine 27, 1693–1702), of which Newcombe's is the case
    of two shares.
    """
    difference = now - before
    low = difference - math.hypot(now - interval_now[0], interval_before[1] - before)
    high = difference + math.hypot(interval_now[1] - now, before - interval_before[0])
    return Change(difference, clear=low > 0 or high < 0, interval=(low, high))


def compare_pairs(a0: int, n0: int, a1: int, n1: int, only_before: int, only_now: int) -> Change | None:
    """The change from a0/n0 to a1/n1 of groups that share people: clear by McNemar on those who are in both.

    `only_before` and `only_now` count people of both groups who were active only then. None where one of the
    shares is not known.
    """
    if n0 == 0 or n1 == 0:
        return None
    p_value = mcnemar_exact(only_before, only_now)
    return Change(a1 / n1 - a0 / n0, clear=p_value < ALPHA, p_value=p_value)


def _check(k: int, n: int) -> None:
    if not 0 <= k <= n or n == 0:
        raise ValueError(f"not a share: {k} of {n}")
