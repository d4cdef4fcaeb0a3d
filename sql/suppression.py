"""Which groups of people are too small to be shown. Pure.

A cell of one to four people is hidden, and whatever else would let a reader compute it from what is shown: the
organisation's total, the totals of the declared audiences, and the teams. What is shown is a set of sums over
teams, so a group can be computed exactly if its indicator vector is a linear combination of theirs (Fellegi, I. P.
(1972), "On the question of statistical confidentiality", JASA 67, 7–18). We go from the largest sum to the smallest
and leave out each that would make a small group computable; so one small team hides the next smallest, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations

MINIMUM_PEOPLE = 5

Vector = dict[str, Fraction]
"""Coefficients by team, without zeros."""


def _is_small(people: int) -> bool:
    """Nobody is not a group: an empty cell reveals nobody."""
    return 0 < people < MINIMUM_PEOPLE


def shown_people(people: int) -> int | None:
    """A number of people as it may be shown: None for one to four."""
    return None if _is_small(people) else people


def _less(vector: Vector, factor: Fraction, other: Vector) -> Vector:
    """vector − factor · other."""
    result = dict(vector)
    for team, value in other.items():
        left = result.pop(team, Fraction(0)) - factor * value
        if left:
            result[team] = left
    return result


class _Shown:
    """Sums that are shown, as a reduced basis: a row a pivot team, which stands in no other row.

    Large teams are the pivots before small ones. So the rows whose pivot is a small team are a basis of all that
    can be computed about small teams alone.
    """

    def __init__(self, sizes: Mapping[str, int], order: Sequence[str]) -> None:
        self._sizes = sizes
        self._order = order
        self._rows: dict[str, Vector] = {}

    def _rest(self, group: Iterable[str]) -> Vector:
        """What of a group's sum is not known yet; empty if it can be computed."""
        rest = {team: Fraction(1) for team in group}
        for pivot in [team for team in rest if team in self._rows]:
            rest = _less(rest, rest[pivot], self._rows[pivot])
        return rest

    def knows(self, group: Iterable[str]) -> bool:
        return not self._rest(group)

    def show(self, group: Iterable[str]) -> bool:
        """Show a group's sum, unless that makes a small group computable. Says whether it is shown."""
        rest = self._rest(group)
        if not rest:
            return True
        before = self._rows
        pivot = next(team for team in self._order if team in rest)
        row = {team: value / rest[pivot] for team, value in rest.items()}
        self._rows = {
            other: _less(known, known[pivot], row) if pivot in known else known
            for other, known in before.items()
        }
        self._rows[pivot] = row
        if self._reveals():
            self._rows = before
            return False
        return True

    def _reveals(self) -> bool:
        """Whether some small group can be computed. Its sum holds the row of each of its pivots, at most four."""
        rows = [row for row in self._rows.values() if all(_is_small(self._sizes[team]) for team in row)]
        for count in range(1, MINIMUM_PEOPLE):
            for chosen in combinations(rows, count):
                total: Vector = {}
                for row in chosen:
                    total = _less(total, Fraction(-1), row)
                if set(total.values()) == {Fraction(1)} and _is_small(
                    sum(self._sizes[team] for team in total)
                ):
                    return True
        return False


def _shown(sizes: Mapping[str, int], audiences: Iterable[Collection[str]]) -> _Shown:
    """The organisation first, then audiences, then teams; within each from the largest to the smallest."""

    def people(group: Collection[str]) -> int:
        return sum(sizes[team] for team in group)

    peopled = sorted((team for team in sizes if sizes[team] > 0), key=lambda team: (-sizes[team], team))
    shown = _Shown(sizes, peopled)
    groups = [[team for team in peopled if team in audience] for audience in audiences]
    for group in (peopled, *sorted(groups, key=lambda g: (-people(g), g)), *([team] for team in peopled)):
        shown.show(group)
    return shown


def hidden_teams(sizes: Mapping[str, int], audiences: Iterable[Collection[str]] = ()) -> frozenset[str]:
    """Teams whose own cell must not be shown; `sizes` are people by team, `audiences` groups shown as totals."""
    if not any(_is_small(people) for people in sizes.values()):
        return frozenset()
    shown = _shown(sizes, audiences)
    return frozenset(team for team, people in sizes.items() if people > 0 and not shown.knows([team]))


def may_show(
    sizes: Mapping[str, int], teams: Collection[str], audiences: Iterable[Collection[str]] = ()
) -> bool:
    """Whether the total of `teams` (none: everybody) may be shown: it can be computed from what is shown anyway."""
    if not any(_is_small(people) for people in sizes.values()):
        return True
    asked = [team for team, people in sizes.items() if people > 0 and (not teams or team in teams)]
    return _shown(sizes, audiences).knows(asked)
