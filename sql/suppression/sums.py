"""Which sums of people may be shown together. Pure.

What is shown are sums over units (people of a team, or of a part of a team), so a group of units can be computed
exactly if its indicator vector is a linear combination of theirs (Fellegi, I. P. (1972), "On the question of
statistical confidentiality", JASA 67, 7–18). `Sums` shows a sum unless that makes a group of one to four people
computable, whatever units it is of.

Such a group has no unit of five people or more, a large one. So we keep the basis reduced with a large pivot wherever
there is one, else one of one to four people, a small one. Then a row with a small pivot has no large unit at all, and
exactly these rows span what is computable of small and empty units alone. A sum of which something large is still
unknown takes a large pivot, leaves those rows as they are, and can be shown without further search. Any other is
searched for (`few`).

Coefficients are counted modulo a prime of 61 bits. They are as good as exact but for a system with a minor that the
prime divides; no declared audiences come upon one unless they are made for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from uptake.sql.suppression.few import Rows, leads_to_few
from uptake.sql.suppression.people import MINIMUM_PEOPLE, is_small
from uptake.sql.suppression.vectors import PRIME, Vector, add


class Sums:
    """Sums that are shown, as a reduced basis: a row a pivot unit, which stands in no other row.

    `people` are the people of each unit. A row holds the coefficients beside its pivot, whose own is 1.
    """

    def __init__(self, people: Sequence[int]) -> None:
        self._people = people
        self._rows: dict[int, Vector] = {}
        self._rows_with: list[set[int]] = [set() for _ in people]

    def knows(self, group: Iterable[int]) -> bool:
        """Whether the group's sum can be computed from those that are shown."""
        return not self._rest(group)

    def show(self, group: Collection[int], *, safe: bool = False) -> bool:
        """Show a group's sum, unless that makes a small group computable. Says whether it is shown. `safe`: it is known
        that it does not."""
        rest = self._rest(group)
        if not rest:
            return True
        if not any(self._people[unit] for unit in rest):
            return self._show_empty(rest, safe=safe)
        large = [unit for unit in rest if self._people[unit] >= MINIMUM_PEOPLE]
        small = [unit for unit in rest if is_small(self._people[unit])]
        pivot = min(large or small, key=lambda unit: (len(self._rows_with[unit]), unit))
        inverse = pow(rest.pop(pivot), -1, PRIME)
        row = {unit: value * inverse % PRIME for unit, value in rest.items()}
        if not large and not safe and self._reveals(self._changed(pivot, row)):
            return False
        self._add(pivot, row)
        return True

    def _show_empty(self, units: Collection[int], *, safe: bool) -> bool:
        """Show that units are empty, unless that reveals. A sum of nobody shows each: no number is negative."""
        changed: dict[int, Vector] = {}
        for unit in units:
            for row in self._rows_with[unit]:
                if is_small(self._people[row]):
                    changed.setdefault(row, dict(self._rows[row])).pop(unit)
        if not safe and self._reveals(changed):
            return False
        for unit in units:
            self._add(unit, {})
        return True

    def _reveals(self, changed: Rows) -> bool:
        return leads_to_few(self._people, self._rows, self._rows_with, changed)

    def _rest(self, group: Iterable[int]) -> Vector:
        """What of a group's sum is not known yet; empty if it can be computed."""
        rest: Vector = {}
        for unit in group:
            if unit not in self._rows:
                rest[unit] = rest.get(unit, 0) + 1
                continue
            for other, value in self._rows[unit].items():
                rest[other] = rest.get(other, 0) - value
        return {unit: left for unit, value in rest.items() if (left := value % PRIME)}

    def _changed(self, pivot: int, row: Vector) -> dict[int, Vector]:
        """The rows with a small pivot that a new one changes, as they become, and itself."""
        changed = {pivot: row}
        for other in self._rows_with[pivot]:
            if is_small(self._people[other]):
                known = dict(self._rows[other])
                add(known, row, -known.pop(pivot))
                changed[other] = known
        return changed

    def _add(self, pivot: int, row: Vector) -> None:
        """Put a row into the basis: it takes its pivot's place in the rows that hold it."""
        for other in self._rows_with[pivot]:
            known = self._rows[other]
            add(known, row, -known.pop(pivot))
            for unit in row:
                (self._rows_with[unit].add if unit in known else self._rows_with[unit].discard)(other)
        self._rows_with[pivot] = set()
        self._rows[pivot] = row
        for unit in row:
            self._rows_with[unit].add(pivot)
