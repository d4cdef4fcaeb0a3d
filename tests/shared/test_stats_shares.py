"""Intervals and tests against published worked examples, and against scipy where it has the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from uptake.sql.results import AdoptionPairs
from uptake.stats import compare_pairs, compare_shares, mcnemar_exact, newcombe, wilson

SHARES = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        # Newcombe (1998), "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17,
        # 857–872, table I, method 3 (score, without continuity correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(of: tuple[int, int]) -> None:
    k, n = of
    expected = binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert wilson(k, n) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert wilson(k, n)[0] <= k / n <= wilson(k, n)[1]


@given(SHARES)
def test_wilson_is_wider_the_more_confident_it_must_be(of: tuple[int, int]) -> None:
    (low, high), (lower, higher) = wilson(*of, confidence=0.8), wilson(*of, confidence=0.99)
    assert lower <= low <= high <= higher


@given(SHARES, SHARES)
def test_newcombe_holds_the_difference_and_turns_with_its_sign(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    low, high = newcombe(*one, *other)
    assert -1 <= low <= other[0] / other[1] - one[0] / one[1] <= high <= 1
    assert newcombe(*other, *one) == pytest.approx((-high, -low))


def test_wilson_reaches_exactly_zero_and_one_at_the_ends() -> None:
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0


@pytest.mark.parametrize(
    ("k1", "n1", "k0", "n0", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 873–890, table II, method 10.
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0000),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_newcombe_gives_the_published_intervals(
    k1: int, n1: int, k0: int, n0: int, low: float, high: float
) -> None:
    assert newcombe(k0, n0, k1, n1) == pytest.approx((low, high), abs=5e-5)


def test_mcnemar_is_the_binomial_test_of_those_who_changed() -> None:
    # By hand: 1 of 6 one way is 2 · (1 + 6) / 64; 0 of 5 is 2 / 32; as many both ways is certain.
    assert mcnemar_exact(1, 5) == pytest.approx(14 / 64)
    assert mcnemar_exact(0, 5) == pytest.approx(2 / 32)
    assert mcnemar_exact(4, 4) == 1.0
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_exact(5, 1) == mcnemar_exact(1, 5)


@pytest.mark.parametrize(
    ("b", "c", "p_value", "digits"),
    [
        # Armitage, P. and Berry, G. (1994), Statistical Methods in Medical Research, 3rd edition, p. 127: two media for
        # the tubercle bacillus, 50 specimens, of which 12 grew on one only and 2 on the other only.
        (12, 2, 0.0129, 4),
        # Fagerland, M. W., Lydersen, S. and Laake, P. (2013), "The McNemar test for binary matched-pairs data", BMC
        # Medical Research Methodology 13:91, exact conditional test of their two examples: airway hyper-responsiveness
        # before and after transplantation (1 and 7), and complete response before and after therapy (6 and 16).
        (1, 7, 0.0703, 4),
        (6, 16, 0.0525, 4),
        # Approval of a prime minister in two surveys of 1,600 people (Agresti, A., Categorical Data Analysis, table
        # 10.1): 150 turned away, 86 turned to; the exact p-value in R's exact2x2 is 3.716e-05.
        (150, 86, 3.716e-05, 8),
    ],
)
def test_mcnemar_gives_the_published_p_values(b: int, c: int, p_value: float, digits: int) -> None:
    assert round(mcnemar_exact(b, c), digits) == p_value


def test_shares_of_different_answers_change_clearly_if_the_interval_leaves_out_zero() -> None:
    clear = compare_shares(48, 80, 56, 70)
    assert clear is not None
    assert (clear.clear, round(clear.difference, 4)) == (True, 0.2)
    unclear = compare_shares(0, 29, 5, 56)
    assert unclear is not None
    assert not unclear.clear
    fall = compare_shares(56, 70, 48, 80)
    assert fall is not None
    assert (fall.clear, round(fall.difference, 4)) == (True, -0.2)


def test_a_change_of_the_same_people_is_clear_by_those_who_changed() -> None:
    # 6 started and nobody stopped: p = 2/64; with 5 it is 2/32 and no longer clear.
    clear = compare_pairs(20, 50, 26, 50, only_before=0, only_now=6)
    assert clear is not None
    assert (clear.clear, round(clear.difference, 2), clear.p_value) == (True, 0.12, 2 / 64)
    unclear = compare_pairs(20, 50, 25, 50, only_before=0, only_now=5)
    assert unclear is not None
    assert not unclear.clear


@given(SHARES, SHARES)
def test_the_two_parts_of_a_change_of_adoption_are_the_whole_change(
    now: tuple[int, int], then: tuple[int, int]
) -> None:
    (a1, n1), (a0, n0) = now, then
    pairs = AdoptionPairs(n0=n0, a0=a0, n1=n1, a1=a1, both=0, only_before=0, only_now=0)
    assert pairs.usage_part is not None
    assert pairs.roster_part is not None
    assert pairs.usage_part + pairs.roster_part == pytest.approx(a1 / n1 - a0 / n0, abs=1e-12)


def test_a_change_from_or_to_the_unknown_is_not_known() -> None:
    assert compare_shares(0, 0, 1, 2) is None
    assert compare_shares(1, 2, 0, 0) is None
    assert compare_pairs(0, 0, 1, 2, 0, 0) is None


@pytest.mark.parametrize(("k", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_what_is_no_share_is_refused(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="not a share"):
        wilson(k, n)
    with pytest.raises(ValueError, match="not negative"):
        mcnemar_exact(-1, 2)
