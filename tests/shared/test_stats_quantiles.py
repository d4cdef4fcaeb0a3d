"""Quantiles of counted values are those of the values themselves."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.stats import bucket_bounds, quantile_of_buckets, quantile_of_counts

QS = st.sampled_from([0.0, 0.05, 0.07, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0])


@pytest.mark.parametrize(("q", "value"), [(0.05, 15), (0.3, 20), (0.4, 20), (0.5, 35), (1.0, 50)])
def test_quantiles_are_the_published_ones(q: float, value: int) -> None:
    # Wikipedia, "Percentile", worked example of the nearest-rank method: the list 15, 20, 35, 40, 50.
    assert quantile_of_counts(Counter([15, 20, 35, 40, 50]), q) == value


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=300), QS)
def test_quantiles_agree_with_numpy(values: list[int], q: float) -> None:
    assert quantile_of_counts(Counter(values), q) == np.quantile(values, q, method="inverted_cdf")


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=300), QS)
def test_a_quantile_is_the_smallest_value_that_enough_do_not_exceed(values: list[int], q: float) -> None:
    found = quantile_of_counts(Counter(values), q)
    assert found in values
    assert sum(1 for value in values if value <= found) >= q * len(values) - 1e-9
    assert sum(1 for value in values if value < found) < q * len(values) + 1e-9 or q == 0


def test_a_rank_is_counted_in_decimals_as_it_is_written() -> None:
    # 0.07 · 100 is 7.000000000000001 as a float, whose next whole number is 8.
    assert quantile_of_counts(dict.fromkeys(range(1, 101), 1), 0.07) == 7


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=200), st.integers(0, 20), QS)
def test_the_bucket_of_a_quantile_holds_the_quantile_itself(values: list[int], zeros: int, q: float) -> None:
    # As the database counts them.
    buckets = Counter(math.floor(math.log2(value) * 16) for value in values)
    exact = quantile_of_counts(Counter([0] * zeros + values), q)
    found = quantile_of_buckets(buckets, q, zeros=zeros)
    assert exact is not None
    assert found is not None
    low, high = found
    # The logarithm of a value on an edge may be rounded to the bucket below.
    assert low * (1 - 1e-9) <= exact <= high * (1 + 1e-9)
    assert high == pytest.approx(low * 2 ** (1 / 16))


def test_buckets_double_every_sixteen() -> None:
    assert bucket_bounds(0) == (1.0, pytest.approx(1.0443, abs=5e-5))
    assert bucket_bounds(160)[0] == 1024.0
    assert bucket_bounds(15)[1] == 2.0
    assert bucket_bounds(-16)[0] == 0.5
    assert bucket_bounds(3, scale=0) == (8.0, 16.0)


def test_zeros_are_below_every_bucket() -> None:
    assert quantile_of_buckets({-40: 1, 5: 1}, 0.5, zeros=2) == (0.0, 0.0)
    assert quantile_of_buckets({-40: 1, 5: 1}, 0.75, zeros=2) == bucket_bounds(-40)
    assert quantile_of_buckets({}, 0.5, zeros=3) == (0.0, 0.0)


def test_no_values_have_no_quantile() -> None:
    assert quantile_of_counts({}, 0.5) is None
    assert quantile_of_counts({3: 0}, 0.5) is None
    assert quantile_of_buckets({}, 0.5) is None
    assert quantile_of_buckets({7: 0}, 0.5) is None


@pytest.mark.parametrize("q", [-0.01, 1.01, math.nan])
def test_what_is_no_quantile_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile_of_counts({1: 1}, q)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        quantile_of_counts({1: 1, 2: -1}, 0.5)
