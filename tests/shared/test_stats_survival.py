"""Kaplan–Meier against printed tables, against scipy, and by its rules."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from uptake.stats import Step, kaplan_meier

# Weeks in remission of children with leukaemia: week -> (relapses, last seen without one). Freireich, E. J. et al.
# (1963), Blood 21, 699–716; as printed by Gehan, E. A. (1965), Biometrika 52, 203–223.
TREATED = {
    6: (3, 1),
    7: (1, 0),
    9: (0, 1),
    10: (1, 1),
    11: (0, 1),
    13: (1, 0),
    16: (1, 0),
    17: (0, 1),
    19: (0, 1),
} | {20: (0, 1), 22: (1, 0), 23: (1, 0), 25: (0, 1), 32: (0, 2), 34: (0, 1), 35: (0, 1)}
PLACEBO = {
    1: (2, 0),
    2: (2, 0),
    3: (1, 0),
    4: (2, 0),
    5: (2, 0),
    8: (4, 0),
    11: (2, 0),
    12: (2, 0),
    15: (1, 0),
} | {17: (1, 0), 22: (1, 0), 23: (1, 0)}
# G. Rodríguez, "Kaplan-Meier and Mantel-Haenszel", course notes on survival analysis, Princeton University: Stata's
# `sts list` of these data: week, at risk, relapses, survivor function, standard error, 95 % interval.
PRINTED_TREATED = [
    (6, 21, 3, 0.8571, 0.0764, 0.6197, 0.9516),
    (7, 17, 1, 0.8067, 0.0869, 0.5631, 0.9228),
    (10, 15, 1, 0.7529, 0.0963, 0.5032, 0.8894),
    (13, 12, 1, 0.6902, 0.1068, 0.4316, 0.8491),
    (16, 11, 1, 0.6275, 0.1141, 0.3675, 0.8049),
    (22, 7, 1, 0.5378, 0.1282, 0.2678, 0.7468),
    (23, 6, 1, 0.4482, 0.1346, 0.1881, 0.6801),
]
PRINTED_PLACEBO = [
    (1, 21, 2, 0.9048, 0.0641, 0.6700, 0.9753),
    (2, 19, 2, 0.8095, 0.0857, 0.5689, 0.9239),
    (3, 17, 1, 0.7619, 0.0929, 0.5194, 0.8933),
    (4, 16, 2, 0.6667, 0.1029, 0.4254, 0.8250),
    (5, 14, 2, 0.5714, 0.1080, 0.3380, 0.7492),
    (8, 12, 4, 0.3810, 0.1060, 0.1831, 0.5778),
    (11, 8, 2, 0.2857, 0.0986, 0.1166, 0.4818),
    (12, 6, 2, 0.1905, 0.0857, 0.0595, 0.3774),
    (15, 4, 1, 0.1429, 0.0764, 0.0357, 0.3212),
    (17, 3, 1, 0.0952, 0.0641, 0.0163, 0.2612),
    (22, 2, 1, 0.0476, 0.0465, 0.0033, 0.1970),
]


def printed(step: Step) -> tuple[float, ...]:
    assert step.error is not None
    assert step.interval is not None
    low, high = step.interval
    return (step.day, step.at_risk, step.events, *(round(x, 4) for x in (step.share, step.error, low, high)))


def test_the_curve_of_the_treated_is_the_printed_one() -> None:
    found = kaplan_meier(TREATED)
    assert found is not None
    assert [printed(step) for step in found.curve] == PRINTED_TREATED
    assert (found.people, found.events, found.last_day) == (21, 9, 35)


def test_the_curve_of_the_others_is_the_printed_one_and_its_last_step_has_no_interval() -> None:
    found = kaplan_meier(PLACEBO)
    assert found is not None
    assert [printed(step) for step in found.curve[:-1]] == PRINTED_PLACEBO
    assert found.curve[-1] == Step(23, 1, 1, 0.0, None, None)


def test_the_medians_are_the_printed_ones() -> None:
    # 23 and 8 weeks in every textbook. Their intervals are read off the tables above: of the treated the lower limit
    # is first at or below one half in week 13 (0.4316), the upper one never; of the others in weeks 4 and 11.
    treated, placebo = kaplan_meier(TREATED), kaplan_meier(PLACEBO)
    assert treated is not None
    assert placebo is not None
    assert (treated.median, treated.median_interval) == (23, (13, None))
    assert (placebo.median, placebo.median_interval) == (8, (4, 11))


PEOPLE = st.dictionaries(st.integers(0, 400), st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30)


@given(PEOPLE)
def test_the_curve_agrees_with_scipy(days: dict[int, tuple[int, int]]) -> None:
    found = kaplan_meier(days)
    happened = [day for day, (events, _) in days.items() for _ in range(events)]
    waiting = [day for day, (_, censored) in days.items() for _ in range(censored)]
    if not happened or found is None:
        assert found is None or (found.curve == () and found.median is None)
        return
    theirs = ecdf(CensoredData(uncensored=happened, right=waiting)).sf
    for step in found.curve:
        assert step.share == pytest.approx(float(theirs.evaluate(step.day)), abs=1e-12)


@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")  # where the curve is still 1
@given(PEOPLE)
def test_the_interval_agrees_with_scipy(days: dict[int, tuple[int, int]]) -> None:
    found = kaplan_meier(days)
    if found is None or len(found.curve) < 2 or found.curve[-1].share == 0:
        return
    happened = [day for day, (events, _) in days.items() for _ in range(events)]
    waiting = [day for day, (_, censored) in days.items() for _ in range(censored)]
    theirs = ecdf(CensoredData(uncensored=happened, right=waiting)).sf.confidence_interval(method="log-log")
    for step in found.curve:
        assert step.interval is not None
        both = float(theirs.low.evaluate(step.day)), float(theirs.high.evaluate(step.day))
        assert step.interval == pytest.approx(both, abs=1e-9)


@given(st.dictionaries(st.integers(0, 400), st.integers(1, 9), min_size=1, max_size=30))
def test_without_anybody_lost_the_curve_is_the_share_still_without_the_event(events: dict[int, int]) -> None:
    found = kaplan_meier({day: (n, 0) for day, n in events.items()})
    assert found is not None
    everybody = sorted(day for day, n in events.items() for _ in range(n))
    for day in range(402):
        assert found.at(day) == sum(1 for one in everybody if one > day) / len(everybody)
    assert found.median == everybody[(len(everybody) - 1) // 2]


@given(PEOPLE)
def test_the_curve_falls_and_its_interval_holds_it(days: dict[int, tuple[int, int]]) -> None:
    found = kaplan_meier(days)
    if found is None:
        return
    shares = [1.0, *(step.share for step in found.curve)]
    assert all(later < earlier for earlier, later in pairwise(shares))
    for step in found.curve:
        assert step.interval is None or 0 < step.interval[0] <= step.share <= step.interval[1] < 1
    low, high = found.median_interval
    if found.median is not None:
        assert low is None or low <= found.median
        assert high is None or high >= found.median


def test_a_curve_at_exactly_one_half_has_its_median_there() -> None:
    # As products of floats: 2/3 · 3/4 is a half, 9/10 · 8/9 · 7/8 · 6/7 · 5/6 need not be.
    found = kaplan_meier(dict.fromkeys(range(1, 11), (1, 0)))
    assert found is not None
    assert (found.median, found.at(5)) == (5, 0.5)


def test_a_curve_that_stays_above_one_half_has_no_median() -> None:
    found = kaplan_meier({3: (20, 0), 60: (0, 80)})
    assert found is not None
    assert (found.median, found.median_interval, found.at(60)) == (None, (None, None), 0.8)


def test_beyond_the_last_person_the_curve_is_not_known_unless_it_ended() -> None:
    treated, placebo = kaplan_meier(TREATED), kaplan_meier(PLACEBO)
    assert treated is not None
    assert placebo is not None
    assert (treated.at(5), treated.at(35), treated.at(36)) == (1.0, pytest.approx(0.4482, abs=5e-5), None)
    assert (treated.interval(5), treated.interval(36)) == (None, None)
    assert placebo.at(1000) == 0.0


def test_nobody_has_no_curve_and_fewer_than_nobody_is_refused() -> None:
    assert kaplan_meier({}) is None
    assert kaplan_meier({5: (0, 0)}) is None
    with pytest.raises(ValueError, match="not negative"):
        kaplan_meier({5: (1, -1)})
