"""Groups of fewer than five people are hidden, and nothing that is shown lets a reader compute them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.sql.suppression import Shown, shown_people

SIZES = st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 12), min_size=1)
AUDIENCES = st.lists(st.frozensets(st.sampled_from("abcdefg"), min_size=1), max_size=4)


def hidden_teams(sizes: Mapping[str, int], audiences: Iterable[Collection[str]] = ()) -> frozenset[str]:
    return Shown(sizes, audiences).hidden


def may_show(
    sizes: Mapping[str, int], teams: Collection[str], audiences: Iterable[Collection[str]] = ()
) -> bool:
    return Shown(sizes, audiences).may_show(teams)


def test_large_groups_are_all_shown() -> None:
    assert hidden_teams({"a": 5, "b": 60}) == frozenset()
    assert may_show({"a": 5, "b": 60}, ["a"])


def test_one_small_group_hides_the_next_smallest_too() -> None:
    assert hidden_teams({"a": 4, "b": 60, "c": 7}) == {"a", "c"}


def test_small_groups_that_are_few_together_hide_one_more() -> None:
    assert hidden_teams({"a": 1, "b": 1, "c": 30, "d": 9}) == {"a", "b", "d"}
    assert hidden_teams({"a": 2, "b": 3, "c": 30, "d": 9}) == {"a", "b"}


def test_an_empty_group_is_no_complement() -> None:
    assert hidden_teams({"a": 3, "empty": 0, "c": 8}) == {"a", "c"}


def test_of_equal_groups_the_last_by_name_is_hidden() -> None:
    assert hidden_teams({"a": 3, "y": 8, "x": 8}) == {"a", "y"}


def test_an_audience_with_a_small_team_is_shown_and_its_other_team_hidden() -> None:
    sizes, claims = {"motor": 40, "recovery": 3, "sales": 6}, {"motor", "recovery"}
    assert hidden_teams(sizes, [claims]) == {"motor", "recovery"}
    assert may_show(sizes, claims, [claims])
    assert not may_show(sizes, ["motor"], [claims])
    assert not may_show(sizes, ["motor", "sales"], [claims])  # less sales, who are shown, it is motor


def test_of_two_audiences_that_differ_by_a_small_team_the_larger_is_shown() -> None:
    sizes, inner, outer = {"a": 6, "b": 5, "small": 1, "rest": 20}, {"a", "b"}, {"a", "b", "small"}
    assert may_show(sizes, outer, [inner, outer])
    assert not may_show(sizes, inner, [inner, outer])


def test_overlapping_audiences_that_together_reveal_a_team_are_not_all_shown() -> None:
    # Everybody less {a, b} is c; everybody less {b, c} is a; everybody less both is b.
    sizes, pairs = {"a": 10, "b": 3, "c": 12}, [{"a", "b"}, {"b", "c"}]
    assert [may_show(sizes, pair, pairs) for pair in pairs] == [False, True]


def test_everybody_together_are_hidden_if_they_are_few() -> None:
    assert not may_show({"a": 2, "b": 2}, ())
    assert may_show({"a": 2, "b": 3}, ())
    assert not may_show({"a": 4}, ["a"])


def test_nobody_is_no_small_group() -> None:
    assert may_show({"a": 0}, ["a"])
    assert may_show({}, ())
    assert may_show({"a": 9, "b": 3}, ["unknown"])


def test_one_to_four_people_are_not_counted_out() -> None:
    assert [shown_people(n) for n in (0, 1, 4, 5)] == [0, None, None, 5]


def _computable(teams: list[str], shown: list[Iterable[str]], group: Iterable[str]) -> bool:
    """By rank: a group adds nothing to what is shown. Another way than the module goes."""
    rows = [[float(team in one) for team in teams] for one in map(set, shown)]
    more = [*rows, [float(team in set(group)) for team in teams]]
    return bool(np.linalg.matrix_rank(more) == (np.linalg.matrix_rank(rows) if rows else 0))


def _small_groups(sizes: dict[str, int], teams: list[str]) -> list[tuple[str, ...]]:
    subsets = chain.from_iterable(combinations(teams, n) for n in range(1, len(teams) + 1))
    return [subset for subset in subsets if sum(sizes[team] for team in subset) < 5]


@settings(deadline=None)
@given(SIZES, AUDIENCES)
def test_no_small_group_can_be_computed_from_all_that_is_shown(
    sizes: dict[str, int], audiences: list[frozenset[str]]
) -> None:
    teams = [team for team, people in sizes.items() if people]
    shown: list[Iterable[str]] = [one for one in (teams, *audiences) if may_show(sizes, one, audiences)]
    shown += [[team] for team in set(teams) - hidden_teams(sizes, audiences)]
    for group in _small_groups(sizes, teams):
        assert not _computable(teams, shown, group), group


@settings(deadline=None)
@given(SIZES, AUDIENCES)
def test_a_team_is_hidden_only_if_showing_it_would_reveal_a_small_group(
    sizes: dict[str, int], audiences: list[frozenset[str]]
) -> None:
    teams = [team for team, people in sizes.items() if people]
    hidden = hidden_teams(sizes, audiences)
    shown: list[Iterable[str]] = [one for one in (teams, *audiences) if may_show(sizes, one, audiences)]
    shown += [[team] for team in set(teams) - hidden]
    for team in hidden:
        assert any(_computable(teams, [*shown, [team]], group) for group in _small_groups(sizes, teams)), team


@given(SIZES, AUDIENCES)
def test_a_team_asked_for_alone_is_shown_exactly_if_it_is_not_hidden(
    sizes: dict[str, int], audiences: list[frozenset[str]]
) -> None:
    hidden = hidden_teams(sizes, audiences)
    assert all(may_show(sizes, [team], audiences) == (team not in hidden) for team in sizes)


def test_two_hundred_audiences_of_three_small_teams_are_shown_and_no_team_is() -> None:
    teams = [f"t{nth:03}" for nth in range(600)]
    audiences = [teams[nth : nth + 3] for nth in range(0, 600, 3)]
    shown = Shown(dict.fromkeys(teams, 3), audiences)
    assert all(shown.may_show(audience) for audience in audiences)
    assert shown.hidden == set(teams)


def test_among_two_hundred_audiences_each_is_decided_as_it_would_be_alone() -> None:
    kinds = {(30, 9, 8): (), (30, 9, 2): (9, 2), (3, 3, 3): (3, 3, 3), (30, 1, 1): (30, 1, 1), (8, 7, 0): ()}
    parts = list(kinds) * 40
    sizes = {f"a{i:03}.{j}": people for i, part in enumerate(parts) for j, people in enumerate(part)}
    audiences = [[f"a{i:03}.{j}" for j in range(3)] for i in range(len(parts))]
    shown = Shown(sizes, audiences)
    assert all(shown.may_show(audience) for audience in audiences)
    for part, audience in zip(parts, audiences, strict=True):
        hidden = [sizes[team] for team in audience if team in shown.hidden]
        assert hidden == list(kinds[part]), audience


@pytest.mark.parametrize(("audiences", "hidden_large"), [(200, 0), (199, 3)])
def test_a_ring_of_audiences_that_share_small_teams_hides_large_ones_only_if_it_is_odd(
    audiences: int, hidden_large: int
) -> None:
    # Each audience is a large team and two of three people, each shared with a neighbour. Less the large teams, the
    # audiences are sums of neighbours: they determine every small team in an odd ring and none in an even one. With
    # two large teams hidden the odd ring falls into paths, one of them odd, and the organisation, of which the sum
    # of the two is known, gives that one away. With three hidden nothing follows.
    small, large = ([f"{kind}{nth:03}" for nth in range(audiences)] for kind in ("small", "large"))
    ring = [[small[nth - 1], small[nth], large[nth]] for nth in range(audiences)]
    shown = Shown(dict.fromkeys(small, 3) | dict.fromkeys(large, 6), ring)
    assert all(shown.may_show(audience) for audience in ring)
    assert shown.hidden == {*small, *large[audiences - hidden_large :]}


def test_people_whom_audiences_tell_apart_are_a_small_group_together() -> None:
    # Less x the first audience is a + b + c + d, less u the second is a + b, less w the third is a + c.
    sizes = {"a": 1, "b": 1, "c": 1, "d": 1, "u": 40, "w": 30, "x": 50, "z": 60}
    audiences = [{"a", "b", "c", "d", "x"}, {"a", "b", "u"}, {"a", "c", "w"}]
    assert hidden_teams(sizes, audiences) == {"a", "b", "c", "d", "u", "w", "x"}
    assert hidden_teams(sizes | {"d": 2}, audiences) == {"a", "b", "c", "d", "u", "w"}
