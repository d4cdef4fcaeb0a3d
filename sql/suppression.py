"""Which groups of people are too small to be shown. Pure.

A cell of one to four people is hidden, and whatever else would let a reader compute it from what is shown: the
organisation's total, the totals of the declared audiences, and the teams. What is shown is a set of sums over
teams, so a group can be computed exactly if its indicator vector is a linear combination of theirs (Fellegi, I. P.
(1972), "On the question of statistical confidentiality", JASA 67, 7–18). We go from the largest sum to the smallest
and leave out each that would make a small group computable; so one small team hides the next smallest, too.

A combination of sums is orthogonal to every vector that all sums are orthogonal to. So we keep one such vector,
random otherwise, and a group is computable if its values add up to zero (a fingerprint, after Freivalds, R. (1979),
"Fast probabilistic algorithms", MFCS, 57–69). That turns the search for a small group among all that are computable
into one for at most four numbers that add up to zero. We count modulo a prime.
Chance, two in 10⁹ a sum even for 600 teams of one person, can only hide a sum that could be shown: a group that is
computable always adds up to zero. The one exception is a system with a minor that this prime divides; with whole
numbers of 61 bits no declared audiences come upon one unless they are made for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import combinations

MINIMUM_PEOPLE = 5

_PRIME = (1 << 61) - 1

Vector = dict[str, int]
"""Coefficients by team, modulo the prime, without zeros."""


def _is_small(people: int) -> bool:
    """Nobody is not a group: an empty cell reveals nobody."""
    return 0 < people < MINIMUM_PEOPLE


def shown_people(people: int) -> int | None:
    """A number of people as it may be shown: None for one to four."""
    return None if _is_small(people) else people


class Shown:
    """What may be shown of people counted by team (`sizes`), where `audiences` are the groups shown as totals.

    `hidden` are the teams whose own cell must not be shown.
    """

    def __init__(self, sizes: Mapping[str, int], audiences: Iterable[Collection[str]] = ()) -> None:
        self._sizes = {team: people for team, people in sizes.items() if people > 0}
        self._everything = not any(_is_small(people) for people in self._sizes.values())
        self._sums = _Sums(self._sizes)
        self.hidden: frozenset[str] = frozenset()
        if not self._everything:
            for group in self._in_order(audiences):
                self._sums.show(group)
            self.hidden = frozenset(team for team in self._sizes if not self._sums.knows([team]))

    def may_show(self, teams: Collection[str]) -> bool:
        """Whether the total of `teams` (none: everybody) may be shown: it follows from what is shown anyway."""
        return self._everything or self._sums.knows(
            [team for team in self._sizes if not teams or team in teams]
        )

    def _in_order(self, audiences: Iterable[Collection[str]]) -> Iterator[list[str]]:
        """The organisation first, then audiences, then teams; within each from the largest to the smallest."""

        def people(group: Iterable[str]) -> int:
            return sum(self._sizes[team] for team in group)

        teams = sorted(self._sizes, key=lambda team: (-self._sizes[team], team))
        place = {team: nth for nth, team in enumerate(teams)}
        groups = [sorted((t for t in set(one) if t in place), key=place.__getitem__) for one in audiences]
        ordered = sorted(groups, key=lambda group: (-people(group), group))
        return (
            group for group in (teams, *ordered, *([team] for team in teams)) if not _is_small(people(group))
        )


class _Sums:
    """Sums that are shown, as a reduced basis: a row a pivot team, which stands in no other row.

    A row holds the coefficients beside its pivot, whose own is 1. Teams that are in the same sums are a cell: what
    is computable takes a cell whole, so no team of a large cell is in a small group that is.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = sizes
        self._rows: dict[str, Vector] = {}
        self._rows_with: dict[str, set[str]] = {team: set() for team in sizes}
        self._values = {team: _any_value(team) for team in sizes}
        self._cell_of = dict.fromkeys(sizes, 0)
        self._cells: dict[int, frozenset[str]] = {0: frozenset(sizes)}
        self._small: set[int] = {0} if _is_small(sum(sizes.values())) else set()

    def knows(self, group: Iterable[str]) -> bool:
        return not self._rest(group)

    def show(self, group: Sequence[str]) -> bool:
        """Show a group's sum, unless that makes a small group computable. Says whether it is shown."""
        rest = self._rest(group)
        if not rest:
            return True
        pivot = min(rest, key=lambda team: len(self._rows_with[team]))
        inverse = pow(rest[pivot], -1, _PRIME)
        row = {team: value * inverse % _PRIME for team, value in rest.items()}
        moved = self._moved(pivot, row)
        parts = self._parts(group)
        if self._reveals(moved, parts):
            return False
        del row[pivot]
        self._add(pivot, row)
        self._values |= moved
        self._divide(parts)
        return True

    def _rest(self, group: Iterable[str]) -> Vector:
        """What of a group's sum is not known yet; empty if it can be computed."""
        rest: Vector = {}
        for team in group:
            if team not in self._rows:
                rest[team] = rest.get(team, 0) + 1
                continue
            for other, value in self._rows[team].items():
                rest[other] = rest.get(other, 0) - value
        return {team: value % _PRIME for team, value in rest.items() if value % _PRIME}

    def _moved(self, pivot: str, row: Vector) -> Vector:
        """The values that change so that all are orthogonal to `row`, too, and stay so to the other rows."""
        excess = sum(value * self._values[team] for team, value in row.items())
        moved = {
            other: (self._values[other] + self._rows[other][pivot] * excess) % _PRIME
            for other in self._rows_with[pivot]
        }
        moved[pivot] = (self._values[pivot] - excess) % _PRIME
        return moved

    def _parts(self, group: Iterable[str]) -> dict[int, tuple[frozenset[str], frozenset[str]]]:
        """The cells that a group divides, each with what of it is inside and outside."""
        inside: dict[int, set[str]] = {}
        for team in group:
            inside.setdefault(self._cell_of[team], set()).add(team)
        return {
            cell: (frozenset(teams), self._cells[cell] - teams)
            for cell, teams in inside.items()
            if len(teams) < len(self._cells[cell])
        }

    def _people(self, teams: Iterable[str]) -> int:
        return sum(self._sizes[team] for team in teams)

    def _reveals(self, moved: Vector, parts: Mapping[int, tuple[frozenset[str], frozenset[str]]]) -> bool:
        """Whether a small group can be computed once the values have moved and the cells are divided.

        None could before, so that needs a small cell that is new or has another value.
        """
        old = [self._cells[cell] for cell in self._small if cell not in parts]
        new = [part for both in parts.values() for part in both if _is_small(self._people(part))]
        if not new and not any(team in moved for cell in old for team in cell):
            return False
        return _some_few_vanish(
            [
                (self._people(cell), sum(moved.get(t, self._values[t]) for t in cell) % _PRIME)
                for cell in (*old, *new)
            ]
        )

    def _add(self, pivot: str, row: Vector) -> None:
        """Put a row into the basis: it takes its pivot's place in the rows that hold it."""
        for other in self._rows_with.pop(pivot):
            known = self._rows[other]
            factor = known.pop(pivot)
            for team, value in row.items():
                left = (known.get(team, 0) - factor * value) % _PRIME
                if left:
                    known[team] = left
                    self._rows_with[team].add(other)
                else:
                    del known[team]
                    self._rows_with[team].discard(other)
        self._rows[pivot] = row
        for team in row:
            self._rows_with[team].add(pivot)

    def _divide(self, parts: Mapping[int, tuple[frozenset[str], frozenset[str]]]) -> None:
        for cell, (inside, outside) in parts.items():
            new = len(self._cells)
            for name, teams in ((cell, outside), (new, inside)):
                self._cells[name] = teams
                self._small.discard(name)
                if _is_small(self._people(teams)):
                    self._small.add(name)
            self._cell_of |= dict.fromkeys(inside, new)


def _any_value(team: str) -> int:
    """A value as good as random, the same in every run."""
    return int.from_bytes(blake2b(team.encode(), digest_size=16).digest()) % _PRIME


def _some_few_vanish(cells: Sequence[tuple[int, int]]) -> bool:
    """Whether some cells, given as (people, value), have less than five people and values that add up to zero.

    A set of them is two halves with opposite values, each a cell or two cells of one person (or no cell).
    """
    ones = [nth for nth, (people, _) in enumerate(cells) if people == 1]
    halves = {value for _, value in cells}
    if 0 in halves:
        return True
    halves.update(
        (a + b) % _PRIME for a, b in combinations([value for people, value in cells if people == 1], 2)
    )
    meeting = {value for value in halves if (_PRIME - value) % _PRIME in halves}
    if not meeting:
        return False
    found: dict[int, list[tuple[int, ...]]] = {}
    for half in (*((nth,) for nth in range(len(cells))), *combinations(ones, 2)):
        value = sum(cells[nth][1] for nth in half) % _PRIME
        if value in meeting:
            found.setdefault(value, []).append(half)
    return any(
        set(one).isdisjoint(other) and _is_small(sum(cells[nth][0] for nth in (*one, *other)))
        for value, some in found.items()
        for one in some
        for other in found[(_PRIME - value) % _PRIME]
    )
