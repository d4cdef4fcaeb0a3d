"""The Net Promoter Score and its interval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.stats import nps, nps_groups

GROUPS = st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500)).filter(any)


def test_the_interval_is_the_published_one() -> None:
    # A score is a difference of paired shares: promoters and detractors are those who differ one way and the other.
    # Fagerland, M. W., Lydersen, S. and Laake, P. (2017), Statistical Analysis of Contingency Tables, CRC Press,
    # chapter 8, "complete response before and after consolidation therapy" (Cavo et al. 2012; cells 59, 6, 16, 80): the
    # Wald interval with the adjustment of Agresti and Min is −0.0621 (−0.1182 to −0.0045).
    found = nps(6, 59 + 80, 16)
    assert found is not None
    assert [round(x, 4) for x in (found.score, *found.interval)] == [-0.0621, -0.1182, -0.0045]


def test_promoters_say_nine_or_ten_and_detractors_six_or_less() -> None:
    assert nps_groups(dict.fromkeys(range(11), 1)) == (2, 2, 7)
    assert nps_groups({9: 3, 8: 5, 7: 1, 6: 2}) == (3, 6, 2)
    assert nps_groups({}) == (0, 0, 0)


@pytest.mark.parametrize("score", [-1, 11])
def test_an_answer_off_the_scale_is_refused(score: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 10"):
        nps_groups({score: 1})


@given(GROUPS)
def test_the_interval_holds_the_score_and_stays_on_the_scale(groups: tuple[int, int, int]) -> None:
    found = nps(*groups)
    assert found is not None
    low, high = found.interval
    assert -1 <= low <= found.score <= high <= 1
    assert low < high
    assert found.answers == sum(groups)


@given(GROUPS)
def test_promoters_and_detractors_change_places_with_the_sign(groups: tuple[int, int, int]) -> None:
    promoters, passives, detractors = groups
    one, other = nps(promoters, passives, detractors), nps(detractors, passives, promoters)
    assert one is not None
    assert other is not None
    assert (one.score, one.interval) == (
        -other.score,
        pytest.approx((-other.interval[1], -other.interval[0])),
    )


def test_no_answer_has_no_score_and_fewer_than_none_are_refused() -> None:
    assert nps(0, 0, 0) is None
    with pytest.raises(ValueError, match="not negative"):
        nps(1, -1, 0)
