"""Whether one to four people can be computed from a reduced basis. Pure.

A group that can be computed is the sum of the rows of its pivots, and has at most four of them. So we follow rows that
add up to few units: as long as too much is left beside the pivots, one of the next rows must hold it. In nested
audiences that is done in a few steps (`by_rows`).

Where audiences overlap much, rows are long and many, and that would take too long. Then we take a vector that is
orthogonal to all rows and random otherwise: a group can be computed if its values add up to zero (a fingerprint,
after Freivalds, R. (1979), "Fast probabilistic algorithms", MFCS, 57–69), and search for at most four numbers that add
up to zero (`by_values`). There an empty unit counts as known, which can only hide more. So does chance, less than one
in 10⁷ a search among a thousand units of one person: a group that is computable always adds up to zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from heapq import nsmallest
from itertools import combinations

from uptake.sql.suppression.people import MINIMUM_PEOPLE, is_small
from uptake.sql.suppression.vectors import PRIME, Vector, add

Rows = Mapping[int, Vector]

PATIENCE = 1_000
"""How many coefficients of rows are looked at, beside about as many as would be of values."""


def leads_to_few(
    people: Sequence[int], rows: Rows, rows_with: Sequence[set[int]], changed: Mapping[int, Vector]
) -> bool:
    """Whether a small group can be computed once `changed`, rows with a small pivot, are in the basis.

    None could before, so one of them is in it. `rows_with` names the pivots of the rows that hold a unit.
    """
    search = Search(people, rows, rows_with, changed)
    try:
        return search.by_rows()
    except TooLongError:
        return search.by_values()


class TooLongError(Exception):
    """Following rows takes longer than comparing values."""


class Search:
    def __init__(
        self, people: Sequence[int], rows: Rows, rows_with: Sequence[set[int]], changed: Mapping[int, Vector]
    ) -> None:
        self._people = people
        self._rows = rows
        self._rows_with = rows_with
        self._changed = changed
        self._seen: set[frozenset[int]] = set()
        ones = people.count(1)
        self._patience = PATIENCE + len(people) + ones * ones // 2

    def by_rows(self) -> bool:
        return any(
            self._with_more(frozenset([pivot]), row, MINIMUM_PEOPLE - 1 - self._people[pivot])
            for pivot, row in self._changed.items()
        )

    def _with_more(self, pivots: frozenset[int], total: Vector, left: int) -> bool:
        """Whether some rows, or they and more, add up to a small group: their pivots and `left` people at most.

        `total` is the sum of the rows beside their pivots.
        """
        self._seen.add(pivots)
        self._patience -= len(total)
        if self._patience < 0:
            raise TooLongError
        wrong = [unit for unit, value in total.items() if value != 1]
        people = [] if wrong else [unit for unit in total if self._people[unit]]
        if not wrong and sum(self._people[unit] for unit in people) <= left:
            return True
        if not left:
            return False
        for pivot, row in self._rows_for(wrong, people, left):
            more = pivots | {pivot}
            if self._people[pivot] <= left and more not in self._seen:
                longer = dict(total)
                add(longer, row)
                if self._with_more(more, longer, left - self._people[pivot]):
                    return True
        return False

    def _rows_for(
        self, wrong: Sequence[int], people: Sequence[int], left: int
    ) -> Iterator[tuple[int, Vector]]:
        """Rows of which one must follow: it holds a unit that cannot stay as it is."""

        def rows(unit: int) -> int:
            return len(self._rows_with[unit])

        # A coefficient other than 1 cannot stay. Of one unit more than there may be people left, one cannot.
        for unit in [min(wrong, key=rows)] if wrong else nsmallest(left + 1, people, key=rows):
            for pivot in self._rows_with[unit]:
                if pivot not in self._changed and is_small(self._people[pivot]):
                    yield pivot, self._rows[pivot]
            for pivot, row in self._changed.items():
                if unit in row:
                    yield pivot, row

    def by_values(self) -> bool:
        units = [unit for unit, people in enumerate(self._people) if is_small(people)]
        values = {unit: _any_value(unit) for unit in units}
        for unit in units:
            row = self._changed.get(unit, self._rows.get(unit))
            if row is not None:
                values[unit] = -sum(value * values.get(other, 0) for other, value in row.items()) % PRIME
        return _some_few_vanish([(self._people[unit], values[unit]) for unit in units])


@cache
def _any_value(unit: int) -> int:
    """A value as good as random, the same in every run."""
    return int.from_bytes(blake2b(b"%d" % unit, digest_size=16).digest()) % PRIME


def _some_few_vanish(units: Sequence[tuple[int, int]]) -> bool:
    """Whether some units, given as (people, value), have less than five people and values that add up to zero.

    A set of them is two halves with opposite values, each a unit or two units of one person (or nothing).
    """
    ones = [nth for nth, (people, _) in enumerate(units) if people == 1]
    halves = {value for _, value in units}
    if 0 in halves:
        return True
    halves.update(
        (a + b) % PRIME for a, b in combinations([value for people, value in units if people == 1], 2)
    )
    meeting = {value for value in halves if (PRIME - value) % PRIME in halves}
    if not meeting:
        return False
    found: dict[int, list[tuple[int, ...]]] = {}
    for half in (*((nth,) for nth in range(len(units))), *combinations(ones, 2)):
        value = sum(units[nth][1] for nth in half) % PRIME
        if value in meeting:
            found.setdefault(value, []).append(half)
    return any(
        set(one).isdisjoint(other) and is_small(sum(units[nth][0] for nth in (*one, *other)))
        for value, some in found.items()
        for one in some
        for other in found[(PRIME - value) % PRIME]
    )
