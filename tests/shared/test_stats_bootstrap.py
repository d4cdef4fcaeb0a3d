"""Differences between groups of teams: the interval comes from teams, and the same data give the same interval."""

from __future__ import annotations

from itertools import product
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from uptake.stats import bootstrap_difference
from uptake.stats.bootstrap import expanded_level

# Days that mice survived after surgery: Efron and Tibshirani (1993), table 2.1.
TREATMENT = [94, 197, 16, 38, 99, 141, 23]
CONTROL = [52, 104, 146, 10, 51, 30, 40, 27, 46]
TEAM = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
TEAMS = st.lists(TEAM, min_size=3, max_size=8)


def test_the_mice_have_the_published_difference_and_standard_error() -> None:
    # Table 2.1: means 86.86 and 56.22, difference 30.63. Section 8.3: 1,400 resamples gave a standard error of 26.85,
    # which is itself known to 1/√(2 · 1,400), that is to 0.51.
    found = bootstrap_difference([(days, 1) for days in TREATMENT], [(days, 1) for days in CONTROL])
    assert found is not None
    assert (round(found.first, 2), round(found.second, 2), round(found.difference, 2)) == (
        86.86,
        56.22,
        30.63,
    )
    assert found.error == pytest.approx(26.85, abs=3 * 0.51)
    assert not found.clear


def test_the_percentile_interval_that_is_used_is_the_published_one() -> None:
    # Efron and Tibshirani (1993), tables 14.1 and 14.2: variance of 26 children's scores of test A, 171.5; 2,000
    # resamples gave a 90 % percentile interval from 100.8 to 233.9.
    scores = [
        48,
        36,
        20,
        29,
        42,
        42,
        20,
        42,
        22,
        41,
        45,
        14,
        6,
        0,
        33,
        28,
        34,
        4,
        32,
        24,
        47,
        41,
        24,
        26,
        30,
        41,
    ]
    assert np.var(scores) == pytest.approx(171.5, abs=0.05)
    result = bootstrap(
        (np.array(scores),), np.var, confidence_level=0.9, n_resamples=9999, method="percentile", rng=1
    )
    assert tuple(result.confidence_interval) == pytest.approx((100.8, 233.9), rel=0.03)


def test_with_three_teams_a_side_the_interval_spans_all_resamples() -> None:
    # All 27 · 27 of them. Teams of three are worth a level of 99.9999 %, see `expanded_level`.
    with_, without = [(8, 10), (12, 20), (3, 6)], [(5, 10), (2, 9), (6, 30)]
    every = [
        sum(k for k, _ in a) / sum(n for _, n in a) - sum(k for k, _ in b) / sum(n for _, n in b)
        for a in product(with_, repeat=3)
        for b in product(without, repeat=3)
    ]
    found = bootstrap_difference(with_, without)
    assert found is not None
    assert found.interval == pytest.approx((min(every), max(every)))
    assert found.error == pytest.approx(float(np.std(every)), rel=0.03)


def test_with_many_teams_the_interval_is_the_normal_one() -> None:
    # 400 teams a side with rates 0.4 or 0.6: by the theory of two proportions of teams.
    with_ = [(4, 10), (6, 10)] * 200
    without = [(2, 10), (4, 10)] * 200
    found = bootstrap_difference(with_, without)
    half = NormalDist().inv_cdf(0.975) * (2 * 0.1**2 / 400) ** 0.5
    assert found is not None
    assert found.interval == pytest.approx((0.2 - half, 0.2 + half), abs=0.001)
    assert found.clear


def test_the_level_of_ten_teams_is_the_one_of_the_tables() -> None:
    # t(9) has 2.5 % beyond 2.262, and the normal distribution 0.856 % beyond 2.262 · √(10/9) = 2.384.
    assert expanded_level(10, 0.95) == pytest.approx(1 - 2 * 0.00856, abs=5e-5)
    assert expanded_level(10_000, 0.95) == pytest.approx(0.95, abs=5e-5)


def test_few_teams_have_a_wider_interval_than_their_standard_error_says() -> None:
    # The normal 1.96 errors are too short; the t distribution of four teams says 3.18, expanded by √(4/3).
    found = bootstrap_difference([(4, 10), (6, 10), (5, 10), (9, 10)], [(2, 10), (4, 10), (1, 10), (3, 10)])
    assert found is not None
    assert found.interval[1] - found.interval[0] > 2 * 2.2 * found.error


@settings(max_examples=30)
@given(TEAMS, TEAMS, st.randoms(use_true_random=False))
def test_the_order_of_teams_changes_nothing(
    with_: list[tuple[int, int]], without: list[tuple[int, int]], rng: object
) -> None:
    found = bootstrap_difference(with_, without)
    shuffled = list(with_)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert bootstrap_difference(shuffled, without[::-1]) == found


@settings(max_examples=30)
@given(TEAMS, TEAMS)
def test_groups_change_places_with_the_sign_of_the_difference(
    with_: list[tuple[int, int]], without: list[tuple[int, int]]
) -> None:
    found, turned = bootstrap_difference(with_, without), bootstrap_difference(without, with_)
    assert found is not None
    assert turned is not None
    assert found.difference == -turned.difference
    assert found.interval[0] <= found.interval[1]
    assert found.interval[0] >= -1
    assert found.interval[1] <= 1


def test_teams_without_anybody_are_left_out() -> None:
    with_, without = [(4, 10), (6, 10), (5, 10)], [(2, 10), (4, 10), (1, 10)]
    assert bootstrap_difference([*with_, (0, 0)], [(0, 0), *without]) == bootstrap_difference(with_, without)
    assert bootstrap_difference([(4, 10), (6, 10), (0, 0)], without) is None


def test_fewer_than_three_teams_on_a_side_have_no_interval() -> None:
    assert bootstrap_difference([(4, 10)] * 2, [(2, 10)] * 30) is None
    assert bootstrap_difference([(4, 10)] * 30, [(2, 10)] * 2) is None
    assert bootstrap_difference([], []) is None


def test_teams_that_are_all_alike_differ_by_exactly_that() -> None:
    found = bootstrap_difference([(6, 12)] * 4, [(3, 12)] * 3)
    assert found is not None
    assert (found.interval, found.error) == ((0.25, 0.25), 0.0)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        bootstrap_difference([(-1, 10)] * 3, [(2, 10)] * 3)
