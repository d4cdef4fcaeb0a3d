"""Drift of codes, what chance makes of it, and the few codes that are most of all."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from uptake.stats import DRIFT, drift, pareto, psi

CODES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 400), max_size=8)
FULL = st.fixed_dictionaries(dict.fromkeys("abcde", st.integers(1, 400)))


def test_psi_is_the_published_sum() -> None:
    # Siddiqi (2006), Credit Risk Scorecards, exhibit 6.2: applicants by age, 36,160 good and 3,840 bad. The sum of
    # differences of shares times the logarithm of their ratio, there as information value, is 0.668.
    good = {"missing": 860, "18": 3040, "23": 4920, "27": 8100, "30": 9500, "36": 6800, "44": 2940}
    bad = {"missing": 140, "18": 960, "23": 1080, "27": 900, "30": 500, "36": 200, "44": 60}
    assert psi(bad, good) == pytest.approx(0.668, abs=5e-4)


@given(FULL, FULL)
def test_psi_is_both_relative_entropies_together(expected: dict[str, int], actual: dict[str, int]) -> None:
    e, a = [[counts[code] for code in "abcde"] for counts in (expected, actual)]
    assert psi(expected, actual) == pytest.approx(float(entropy(e, a) + entropy(a, e)), abs=1e-12)


@given(CODES, CODES)
def test_psi_is_equal_both_ways_round_and_never_negative(one: dict[str, int], other: dict[str, int]) -> None:
    value = psi(one, other)
    assert value == psi(other, one)
    assert value is None or value >= 0
    assert (value is None) == (not any(one.values()) or not any(other.values()))


@given(CODES.filter(lambda counts: any(counts.values())), st.integers(1, 50))
def test_the_same_distribution_has_no_drift_however_many_were_counted(
    counts: dict[str, int], times: int
) -> None:
    assert psi(counts, {code: n * times for code, n in counts.items()}) == pytest.approx(0, abs=1e-12)


def test_a_code_that_one_side_lacks_is_half_an_observation_there() -> None:
    # By hand: shares 1/2, 1/2 against 100/100.5, 0.5/100.5.
    assert psi({"a": 50, "b": 50}, {"a": 100}) == pytest.approx(psi({"a": 50, "b": 50}, {"a": 200, "b": 1}))
    assert psi({"a": 5, "b": 0}, {"a": 7}) == 0.0


def test_a_shift_is_clear_only_beyond_what_chance_explains() -> None:
    few = drift({"a": 5, "b": 5, "c": 2}, {"a": 2, "b": 5, "c": 5})
    many = drift({"a": 500, "b": 500, "c": 200}, {"a": 200, "b": 500, "c": 500})
    assert few is not None
    assert many is not None
    assert few.psi == pytest.approx(many.psi)
    assert few.psi > DRIFT
    assert (few.clear, many.clear) == (False, True)
    # χ² of two degrees is above 5.991 in one of twenty cases, as every table says.
    assert few.by_chance == pytest.approx(5.991 * (1 / 12 + 1 / 12), abs=1e-4)


def test_a_clear_but_small_shift_is_not_flagged() -> None:
    found = drift({"a": 50_000, "b": 50_000}, {"a": 60_000, "b": 40_000})
    assert found is not None
    assert DRIFT > found.psi > found.by_chance
    assert not found.clear


def test_what_chance_explains_is_passed_in_about_one_of_twenty_samples() -> None:
    rng = random.Random(7)
    found = []
    for _ in range(2000):
        one, other = [rng.choices("abcdef", weights=[6, 5, 4, 3, 2, 2], k=k) for k in (300, 200)]
        found.append(drift({c: one.count(c) for c in "abcdef"}, {c: other.count(c) for c in "abcdef"}))
    beyond = sum(1 for one_drift in found if one_drift and one_drift.psi > one_drift.by_chance)
    assert 0.035 < beyond / 2000 < 0.065


def test_nothing_to_compare_is_not_known_and_negative_counts_are_refused() -> None:
    assert psi({}, {"a": 1}) is None
    assert drift({"a": 1}, {"a": 0}) is None
    with pytest.raises(ValueError, match="not negative"):
        psi({"a": -1}, {"a": 1})


def test_one_code_alone_cannot_drift() -> None:
    found = drift({"a": 3}, {"a": 9})
    assert found is not None
    assert (found.psi, found.clear) == (0.0, False)


def test_a_pareto_adds_up_from_the_most_frequent_code() -> None:
    assert pareto({"tone": 6, "facts": 2, "format": 0, "early": 2}) == [
        ("tone", 6, 0.6, 0.6),
        ("early", 2, 0.2, 0.8),
        ("facts", 2, 0.2, 1.0),
    ]
    assert pareto({}) == []
    with pytest.raises(ValueError, match="not negative"):
        pareto({"a": -1})


@given(CODES)
def test_a_pareto_holds_all_that_was_counted(counts: dict[str, int]) -> None:
    bars = pareto(counts)
    assert {bar.code: bar.n for bar in bars} == {code: n for code, n in counts.items() if n}
    assert [bar.n for bar in bars] == sorted((bar.n for bar in bars), reverse=True)
    assert all(bar.cumulative >= bar.share for bar in bars)
    assert not bars or bars[-1].cumulative == 1.0
