"""People divided into parts: no one to four of them can be computed from what is shown, and no more is hidden."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from fractions import Fraction
from itertools import combinations, product
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from uptake.sql.suppression import Shown, ShownParts, few

Cell = tuple[str, str]
Cells = dict[Cell, int]

TEAMS, PARTS = "abcd", "xyz"
PEOPLE = st.sampled_from([0, 1, 1, 2, 3, 4, 5, 6, 9, 14])
CELLS = st.lists(PEOPLE, min_size=12, max_size=12).map(
    lambda people: dict(zip(product(TEAMS, PARTS), people, strict=True))
)
AUDIENCES = st.lists(st.frozensets(st.sampled_from(TEAMS), min_size=1), max_size=3)
UNIONS = st.lists(st.frozensets(st.sampled_from(PARTS), min_size=1), max_size=2)


def cells_of(*teams: tuple[int, ...]) -> Cells:
    """Teams a, b, … with people in the parts x, y, …"""
    return {
        (team, part): n
        for team, parts in zip(TEAMS, teams, strict=False)
        for part, n in zip("xyzuvw", parts, strict=False)
    }


def shown_in(one: ShownParts, teams: Collection[str] = (), parts: str = PARTS) -> str:
    return "".join(part for part in parts if one.may_show(teams, part))


class Attacker:
    """Solves exactly, over fractions, for what follows from what is shown.

    Knows which cells are empty but for teams of which all are in one part, and that a sum of nobody is a sum of
    empty cells.
    """

    def __init__(self, cells: Cells, shown: Iterable[Collection[Cell]]) -> None:
        parts = Counter(team for (team, _), people in cells.items() if people)
        self._unknown = [cell for cell, people in cells.items() if people or parts[cell[0]] == 1]
        self._basis: list[list[Fraction]] = []
        for figure in shown:
            nobody = not any(cells[cell] for cell in figure)
            for one in [[cell] for cell in figure] if nobody else [figure]:
                rest = self._rest(one)
                if any(rest):
                    self._basis.append(rest)
        # What may be added to a group without adding people.
        empty = [self._rest([cell]) for cell in self._unknown if not cells[cell]]
        self._of_nobody = {
            tuple(-sum(column) for column in zip(*some, strict=True)) or (Fraction(0),) * len(self._unknown)
            for n in range(len(empty) + 1)
            for some in combinations(empty, n)
        }

    def knows(self, figure: Collection[Cell]) -> bool:
        """Whether it follows how many people a group is, or it and some empty cells."""
        return tuple(self._rest(figure)) in self._of_nobody

    def _rest(self, figure: Collection[Cell]) -> list[Fraction]:
        rest = [Fraction(cell in figure) for cell in self._unknown]
        for row in self._basis:
            pivot = next(nth for nth, value in enumerate(row) if value)
            factor = rest[pivot] / row[pivot]
            rest = [value - factor * other for value, other in zip(rest, row, strict=True)]
        return rest


def figures(
    cells: Cells, audiences: Iterable[Collection[str]], unions: Iterable[Collection[str]]
) -> Iterator[tuple[Collection[str], Collection[str]]]:
    """Everything that may be asked: each group of teams, and its total, its unions of parts, its parts."""
    teams = sorted({team for team, _ in cells})
    parts = sorted({part for _, part in cells})
    yield from product((teams, *audiences, *teams), ((), *unions, *parts))


def cells_in(cells: Cells, teams: Collection[str], parts: Collection[str]) -> set[Cell]:
    return {(team, part) for team, part in cells if team in teams and (not parts or part in parts)}


def what_is_shown(
    one: ShownParts,
    cells: Cells,
    audiences: Iterable[Collection[str]],
    unions: Iterable[Collection[str]],
) -> list[set[Cell]]:
    return [
        cells_in(cells, teams, parts)
        for teams, parts in figures(cells, audiences, unions)
        if one.may_show(teams, *parts)
    ]


def small_groups(cells: Cells) -> list[tuple[Cell, ...]]:
    """All sets of cells, of any teams and parts, with one to four people."""
    small = [cell for cell, people in cells.items() if 0 < people < 5]
    return [
        some for n in range(1, 5) for some in combinations(small, n) if sum(cells[cell] for cell in some) < 5
    ]


@settings(deadline=None)
@given(CELLS, AUDIENCES, UNIONS, AUDIENCES)
def test_no_one_to_four_people_can_be_computed_from_all_that_is_shown(
    cells: Cells,
    audiences: list[frozenset[str]],
    unions: list[frozenset[str]],
    asides: list[frozenset[str]],
) -> None:
    small = small_groups(cells)
    for patience in (few.PATIENCE, -1_000_000):  # both ways to search
        with patch.object(few, "PATIENCE", patience):
            one = ShownParts(cells, audiences, unions, asides=asides)
        attacker = Attacker(cells, what_is_shown(one, cells, [*audiences, *asides], unions))
        for group in small:
            assert not attacker.knows(group), group


@settings(deadline=None)
@given(CELLS, AUDIENCES, UNIONS)
def test_what_is_hidden_although_its_total_is_shown_would_reveal_one_to_four_people(
    cells: Cells, audiences: list[frozenset[str]], unions: list[frozenset[str]]
) -> None:
    one = ShownParts(cells, audiences, unions)
    shown = what_is_shown(one, cells, audiences, unions)
    small = small_groups(cells)
    for teams, parts in figures(cells, audiences, unions):
        if not one.may_show(teams, *parts) and (not parts or one.may_show(teams)):
            more = Attacker(cells, [*shown, cells_in(cells, teams, parts)])
            assert any(more.knows(group) for group in small), (teams, parts)


@settings(deadline=None)
@given(CELLS, AUDIENCES)
def test_that_numbers_are_not_negative_tells_no_hidden_cell_either(
    cells: Cells, audiences: list[frozenset[str]]
) -> None:
    one = ShownParts(cells, audiences)
    shown = what_is_shown(one, cells, audiences, ())
    unknown = list(cells)
    rows = [[float(cell in figure) for cell in unknown] for figure in shown]
    sums = [sum(cells[cell] for cell in figure) for figure in shown]
    for nth, (team, part) in enumerate(unknown):
        if 0 < cells[team, part] < 5:
            aim = [float(nth == other) for other in range(len(unknown))]
            low, high = (
                linprog([sign * a for a in aim], A_eq=rows or None, b_eq=sums or None, bounds=(0, 1_000)).fun
                * sign
                for sign in (1, -1)
            )
            assert high - low > 1e-6, (team, part)


@given(CELLS, AUDIENCES, UNIONS, st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_does_not_matter(
    cells: Cells, audiences: list[frozenset[str]], unions: list[frozenset[str]], chance: random.Random
) -> None:
    shuffled = [list(some) for some in (cells.items(), audiences, unions)]
    for some in shuffled:
        chance.shuffle(some)
    one, other = ShownParts(cells, audiences, unions), ShownParts(dict(shuffled[0]), *shuffled[1:])
    for teams, parts in figures(cells, audiences, unions):
        assert one.why(teams, *parts) == other.why(teams, *parts)


@given(st.lists(st.sampled_from([0, 5, 6, 20]), min_size=12, max_size=12), AUDIENCES, UNIONS)
def test_nothing_is_hidden_where_each_cell_is_empty_or_five(
    people: list[int], audiences: list[frozenset[str]], unions: list[frozenset[str]]
) -> None:
    cells = dict(zip(product(TEAMS, PARTS), people, strict=True))
    one = ShownParts(cells, audiences, unions)
    assert {one.why(teams, *parts) for teams, parts in figures(cells, audiences, unions)} == {"shown"}


@given(CELLS, AUDIENCES)
def test_totals_are_shown_exactly_as_if_nobody_asked_for_parts(
    cells: Cells, audiences: list[frozenset[str]]
) -> None:
    sizes = {team: sum(cells[team, part] for part in PARTS) for team in TEAMS}
    whole, one = Shown(sizes, audiences), ShownParts(cells, audiences)
    for teams in ((), *audiences, *TEAMS):
        assert one.may_show(teams) == whole.may_show(teams)


@given(st.lists(st.integers(0, 12), min_size=2, max_size=6).map(tuple))
def test_of_one_team_the_smallest_parts_are_hidden_until_they_are_five_together(
    people: tuple[int, ...],
) -> None:
    cells = cells_of(people)
    one = ShownParts(cells)
    hidden = sorted(n for (_, part), n in cells.items() if not one.may_show(["a"], part))
    if 0 < sum(people) < 5:
        assert hidden == sorted(people)
        return
    expected: list[int] = []
    for n in sorted(n for n in people if n):
        if n < 5 or 0 < sum(expected) < 5:
            expected.append(n)
    assert hidden == expected


@given(CELLS.map(lambda cells: {cell: people or 7 for cell, people in cells.items()}), AUDIENCES, UNIONS)
def test_where_no_cell_is_empty_both_ways_to_search_for_small_groups_decide_alike(
    cells: Cells, audiences: list[frozenset[str]], unions: list[frozenset[str]]
) -> None:
    by_rows = ShownParts(cells, audiences, unions)
    with patch.object(few, "PATIENCE", -1_000_000):
        by_values = ShownParts(cells, audiences, unions)
    for teams, parts in figures(cells, audiences, unions):
        assert by_rows.may_show(teams, *parts) == by_values.may_show(teams, *parts)


def test_four_of_twenty_six_are_hidden_with_the_other_twenty_two_and_the_total_is_shown() -> None:
    one = ShownParts(cells_of((4, 22)))
    assert one.may_show(["a"])
    assert [one.why(["a"], part) for part in "xy"] == ["small", "complement"]


def test_none_and_all_of_a_group_that_is_shown_are_shown() -> None:
    one = ShownParts(cells_of((26, 0), (4, 9), (7, 12)))
    assert [one.why(["a"], part) for part in "xy"] == ["shown", "shown"]


def test_all_of_a_team_are_hidden_rather_than_the_organisation_that_would_reveal_others_with_it() -> None:
    one = ShownParts(cells_of((26, 0), (4, 9)))
    assert shown_in(one, (), "xy") == "xy"
    assert [shown_in(one, team, "xy") for team in "ab"] == ["", ""]


def test_none_and_all_of_a_group_that_is_not_shown_are_not_shown() -> None:
    one = ShownParts(cells_of((3, 0), (30, 8), (7, 9)))
    assert [one.why(["a"], *part) for part in ("", "x", "y")] == ["small", "small", "small"]
    assert one.why(["c"]) == "complement"
    assert [one.why(["c"], part) for part in "xy"] == ["complement", "complement"]
    assert one.may_show((), "x")


def test_a_part_that_is_small_in_one_team_is_hidden_in_another_too_where_the_organisation_shows_it() -> None:
    one = ShownParts(cells_of((4, 20, 11), (10, 20, 8), (30, 20, 9)))
    assert shown_in(one) == "xyz"
    assert [shown_in(one, team) for team in "abc"] == ["y", "y", "xyz"]


def test_parts_of_an_audience_are_shown_before_those_of_its_teams() -> None:
    one = ShownParts(cells_of((4, 20), (10, 20), (30, 20)), ["ab"])
    assert shown_in(one, "ab", "xy") == "xy"
    assert [shown_in(one, team, "xy") for team in "abc"] == ["", "", "xy"]


def test_a_union_of_parts_is_shown_before_its_parts_and_reveals_none_of_them() -> None:
    # Without the union x and u would be hidden together; with it each needs another one on its own side.
    cells = cells_of((3, 9, 20, 6, 30))
    assert shown_in(ShownParts(cells), "a", "xyzuv") == "yzv"
    one = ShownParts(cells, unions=["xyz"])
    assert one.may_show("a", "x", "y", "z")
    assert one.may_show("a", "u", "v")
    assert shown_in(one, "a", "xyzuv") == "zuv"


def test_audiences_that_were_not_declared_are_shown_if_they_follow() -> None:
    one = ShownParts(cells_of((9, 8), (6, 7), (3, 30), (12, 40)))
    assert [shown_in(one, team, "xy") for team in "abcd"] == ["xy", "", "", "xy"]
    assert one.may_show("ad", "x")
    assert one.may_show("bc", "x")
    assert not one.may_show("ac", "x")
    assert one.why("ac", "x") == "complement"


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(lambda a, b: cells_of((a, b)), id="two parts of a team"),
        pytest.param(lambda a, b: cells_of((a, 60 - a), (b, 60 - b)), id="a part of two teams"),
        pytest.param(lambda a, b: cells_of((a, 0), (b, 0)), id="two teams"),
    ],
)
def test_of_two_numbers_that_words_describe_none_is_told_to_who_knows_the_rules(
    shape: Callable[[int, int], Cells],
) -> None:
    # Who knows the rules can work out what every other organisation would be shown. Some look like this one.
    alike: dict[object, set[int]] = {}
    for a, b in ((a, n - a) for n in range(25) for a in range(n + 1)):
        cells = shape(a, b)
        alike.setdefault(what_is_seen(cells), set()).add(a)
    assert all(len(numbers) > 1 or not 0 < min(numbers) < 5 for numbers in alike.values())


def what_is_seen(cells: Cells) -> tuple[object, ...]:
    one = ShownParts(cells)
    return tuple(
        why
        if (why := one.why(some[0], *some[1])) != "shown"
        else sum(cells[cell] for cell in cells_in(cells, *some))
        for some in figures(cells, (), ())
    )


def test_in_six_hundred_teams_with_six_parts_each_audience_shows_its_large_parts() -> None:
    chance = random.Random(7)
    audiences = [[f"d{nth:03}.{team}" for team in range(3)] for nth in range(200)]
    cells = {
        (team, part): chance.randint(0, 9) for audience in audiences for team in audience for part in "xyzuvw"
    }
    one = ShownParts(cells, audiences)
    assert shown_in(one, (), "xyzuvw") == "xyzuvw"
    for audience in audiences:
        people = {part: sum(cells[team, part] for team in audience) for part in "xyzuvw"}
        small = [part for part, n in people.items() if 0 < n < 5]
        assert not any(one.may_show(audience, part) for part in small)
        if sum(people[part] for part in small) >= 5:
            assert all(one.may_show(audience, part) for part in people if part not in small)


def test_groups_that_are_compared_go_before_single_teams_and_after_audiences() -> None:
    """Three of the people of a are in y, so that no more is shown of a than hides them."""
    cells = cells_of((17, 3), (16, 8), (12, 7), (14, 6))
    alone = ShownParts(cells)
    assert shown_in(alone, "b", "xy") == "xy"
    assert shown_in(alone, "ab", "xy") == "", "of a, it is what b leaves"
    compared = ShownParts(cells, asides=["ab", "cd"])
    assert shown_in(compared, "ab", "xy") == shown_in(compared, "cd", "xy") == "xy"
    assert shown_in(compared, "b", "xy") == ""
    assert shown_in(compared, "c", "xy") == shown_in(compared, "d", "xy") == "xy"
    assert shown_in(ShownParts(cells, ["bcd"], asides=["ab"]), "bcd", "xy") == "", "a is what it leaves"
    among = ShownParts(cells, ["ac"], asides=["ab"])
    assert shown_in(among, "ac", "xy") == "xy"
