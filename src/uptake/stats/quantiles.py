"""Exact quantiles of values that were counted instead of kept.

The quantile q is the smallest value that at least a share q of all values do not exceed: definition 1 of Hyndman, R. J.
and Fan, Y. (1996), "Sample quantiles in statistical packages", The American Statistician 50, 361–365, also called
nearest rank. It is always a value that occurred; the median of an even number is the lower one.

Buckets are exponential as in the OpenTelemetry metrics data model, "ExponentialHistogram": at scale s bucket i holds
values between 2^(i / 2^s) and 2^((i + 1) / 2^s). Here a value on an edge belongs to the bucket above it, because
i = floor(log2(v) · 2^s) is what a database computes. At scale 4 the edges of a bucket are 4.4 % apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

SCALE = 4


def quantile_of_counts(counts: Mapping[int, int], q: float) -> int | None:
    """The quantile q (0 to 1) of values given as value: how often. No values: None."""
    if not 0 <= q <= 1:
        raise ValueError(f"a quantile is between 0 and 1, not {q}")
    if any(count < 0 for count in counts.values()):
        raise ValueError("counts are not negative")
    # As written, not as a float: 0.07 of 100 values are 7, while the product of floats is a little more.
    rank = max(1, math.ceil(Fraction(str(q)) * sum(counts.values())))
    for value in sorted(counts):
        rank -= counts[value]
        if rank <= 0:
            return value
    return None


def quantile_of_buckets(
    counts: Mapping[int, int], q: float, zeros: int = 0, scale: int = SCALE
) -> tuple[float, float] | None:
    """The edges [low, high) of the bucket that holds the quantile q; (0, 0) where it is among the `zeros` values
    that are 0 and therefore in no bucket. No values: None.
    """
    # Any whole number below all buckets stands for zero.
    zero = min(counts, default=0) - 1
    found = quantile_of_counts({**counts, zero: zeros}, q)
    if found is None or found == zero:
        return None if found is None else (0.0, 0.0)
    return bucket_bounds(found, scale)


def bucket_bounds(index: int, scale: int = SCALE) -> tuple[float, float]:
    """The lower edge of a bucket, which belongs to it, and the upper edge, which does not."""
    return 2.0 ** (index / 2**scale), 2.0 ** ((index + 1) / 2**scale)
