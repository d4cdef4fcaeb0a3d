"""What may be shown of people counted by team, and by part of a team. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from uptake.sql.suppression.overlay import Cell, Divided, Earlier, Fine, Piece, alone, overlay
from uptake.sql.suppression.people import is_small
from uptake.sql.suppression.saying import Figure, Names, Saying
from uptake.sql.suppression.sums import Sums

Why = Literal["shown", "small", "complement"]
"""Shown; hidden and said to be fewer than five; hidden without a word on how many it is."""


class ShownParts:
    """What may be shown of people who are divided into parts (active or not; the steps of the habit ladder).

    `cells` are people by team and part: each person of a team is in exactly one part. `audiences` are the groups of
    teams that are shown. Of the organisation, each audience and each team the total is shown, the `unions` of parts
    (coarse ones, such as "active" among the states of the lifecycle), and the parts.

    Of all sets of cells (of any teams and parts) none that has one to four people can be computed by adding and
    subtracting what may be shown. Totals are decided first, exactly as `Shown` does, then unions, then parts;
    within each the organisation, audiences, teams; then the larger number first. So with a part that is too small
    the smallest is hidden that makes them five together. A part that nobody is in is no group, but is hidden where it
    would reveal one. Parts are shown only where the total is. A team that nobody is in is known to be empty.

    `earlier` is what is shown of the same people otherwise divided: nothing that is shown here gives away, with what
    is shown there, one to four people of either (`overlay`). `asides` are groups that are decided after the audiences
    and before single teams.
    """

    def __init__(
        self,
        cells: Mapping[Cell, int],
        audiences: Iterable[Collection[str]] = (),
        unions: Iterable[Collection[str]] = (),
        earlier: Earlier | None = None,
        asides: Iterable[Collection[str]] = (),
    ) -> None:
        self.parts = frozenset(part for _, part in cells)
        """All parts, those that nobody is in included."""
        divided = overlay(cells, earlier) if earlier else alone(cells)
        self._cells = divided.cells
        self._pieces_of = divided.pieces
        self._given = divided.given
        self._follows = earlier is not None and earlier.same
        self._teams = sorted({team for (team, _), people in self._cells.items() if people > 0})
        self._cells_of: dict[str, list[Piece]] = {team: [] for team in self._teams}
        for cell in self._cells:
            self._cells_of[cell[0]].append(cell)
        self._people_in: dict[Names, dict[str, int]] = {}
        self._unions = tuple(dict.fromkeys(one for union in unions if (one := frozenset(union) & self.parts)))
        teams = frozenset(self._teams)
        declared = (group for one in audiences if (group := frozenset(one) & teams))
        self._groups = tuple(dict.fromkeys((teams, *declared)))
        beside = (group for one in asides if (group := frozenset(one) & teams))
        self._asides = tuple(group for group in dict.fromkeys(beside) if group not in self._groups)
        self._everything = not any(is_small(people) for people in self._cells.values())
        if not self._everything:
            self._decide()

    def may_show(self, teams: Collection[str], *parts: str) -> bool:
        """Whether the number of people of `teams` (none: everybody) in `parts` (none: the total) may be shown.

        With several parts: the number of those who are in one of them. Audiences that were not declared are shown
        if they follow from what is shown anyway.
        """
        figure = self._figure(teams, parts)
        return self._everything or (
            self._knows((figure[0], self.parts)) and (not parts or self._knows(figure))
        )

    def why(self, teams: Collection[str], *parts: str) -> Why:
        """Whether a number is shown, and else what may be said of it: "small" is fewer than five people.

        "complement" is hidden so that another cannot be computed, or small where saying so would tell how small
        (`saying`), or not an audience that was declared. So it must not be said to be five or more.
        """
        if self.may_show(teams, *parts):
            return "shown"
        return "small" if self._saying.is_small(self._figure(teams, parts)) else "complement"

    def divided(self) -> Divided:
        """The cells as finely as they were decided, and the figures that are shown, in the order of their decision."""
        figures = [*self._given, *map(self._fine, self._in_order())] if self._everything else self._decided
        return Divided(self._cells, self._pieces_of, tuple(dict.fromkeys(figures)))

    def whole(self, name: str) -> Whole:
        """Its people as one part of this name, and of whom the total is shown."""
        teams = [frozenset([team]) for team in self._teams]
        totals = [
            (group, frozenset([name]))
            for group in (*self._groups, *self._asides, *teams)
            if self.may_show(group)
        ]
        people = {(team, name): self._people((frozenset([team]), self.parts)) for team in self._teams}
        cells = {cell: n for cell, n in people.items() if n}
        return Whole(Divided(cells, {name: (name,)}, tuple(dict.fromkeys(totals))))

    @cached_property
    def _saying(self) -> Saying:
        groups = dict.fromkeys((*self._groups, *self._asides, *(frozenset([team]) for team in self._teams)))
        cuts = dict.fromkeys((self.parts, *self._unions, *(frozenset([part]) for part in self.parts)))
        return Saying(groups, cuts, self._people, lambda figure: self.may_show(figure[0], *figure[1]))

    def _people(self, figure: Figure) -> int:
        teams, parts = figure
        if parts not in self._people_in:
            pieces = self._fine(figure)[1]
            self._people_in[parts] = {
                team: sum(self._cells[cell] for cell in cells if cell[1] in pieces)
                for team, cells in self._cells_of.items()
            }
        return sum(map(self._people_in[parts].__getitem__, teams))

    def _figure(self, teams: Collection[str], parts: Collection[str] = ()) -> Figure:
        """Some teams (none: everybody) and parts (none: all), without those that do not exist."""
        return (
            frozenset(teams) & self._groups[0] if teams else self._groups[0],
            frozenset(parts) & self.parts if parts else self.parts,
        )

    def _fine(self, figure: Figure) -> Fine:
        teams, parts = figure
        if parts not in self._pieces_in:
            self._pieces_in[parts] = frozenset(piece for part in parts for piece in self._pieces_of[part])
        return teams, self._pieces_in[parts]

    @cached_property
    def _pieces_in(self) -> dict[Names, frozenset[str]]:
        return {}

    def _decide(self) -> None:
        own = [figure for figure in self._in_order() if not is_small(self._people(figure))]
        figures = {
            fine: list(self._of(fine)) for fine in dict.fromkeys((*self._given, *map(self._fine, own)))
        }
        within: dict[Piece, list[int]] = {cell: [] for cell in self._cells}
        for nth, cells in enumerate(figures.values()):
            for cell in cells:
                within[cell].append(nth)
        # Cells that no figure tells apart are one unit: who computes one of them, computes all.
        units: dict[tuple[int, ...], int] = {}
        self._unit_of = {cell: units.setdefault(tuple(nths), len(units)) for cell, nths in within.items()}
        self._cells_in = Counter(self._unit_of.values())
        people = [0] * len(units)
        for cell, unit in self._unit_of.items():
            people[unit] += self._cells[cell]
        self._sums = Sums(people)
        self._units_in = {fine: {self._unit_of[cell] for cell in cells} for fine, cells in figures.items()}
        for fine in self._given:
            self._sums.show(self._units_in[fine], safe=True)
        self._decided = list(self._given)
        known: set[Names] = set()  # teams whose total is: it stays so
        for figure in () if self._follows else own:
            teams, parts = figure
            if parts != self.parts and teams not in known:
                if not self._knows((teams, self.parts)):
                    continue
                known.add(teams)
            fine = self._fine(figure)
            if self._sums.show(self._units_in[fine]):
                self._decided.append(fine)

    def _in_order(self) -> Iterator[Figure]:
        organisation, *audiences = self._groups
        coarse = [union for union in self._unions if union != self.parts]
        fine = [one for part in self.parts if (one := frozenset([part])) != self.parts]
        levels = [
            [(sorted(teams), teams) for teams in level]
            for level in (
                [organisation],
                audiences,
                self._asides,
                [frozenset([team]) for team in self._teams],
            )
        ]
        for stage in ([self.parts], coarse, fine):
            cuts = [(sorted(parts), parts) for parts in stage]
            for level in levels:
                figures = [
                    (-self._people((teams, parts)), names, cut, (teams, parts))
                    for names, teams in level
                    for cut, parts in cuts
                ]
                yield from (figure for *_, figure in sorted(figures, key=lambda one: one[:3]))

    def _of(self, figure: Fine) -> Iterator[Piece]:
        teams, pieces = figure
        return (cell for team in teams for cell in self._cells_of.get(team, ()) if cell[1] in pieces)

    def _knows(self, figure: Figure) -> bool:
        fine = self._fine(figure)
        if fine in self._units_in:
            return self._sums.knows(self._units_in[fine])
        cells = Counter(self._unit_of[cell] for cell in self._of(fine))
        return all(n == self._cells_in[unit] for unit, n in cells.items()) and self._sums.knows(cells)


@dataclass(frozen=True, slots=True)
class Whole:
    """What is shown of people as a whole, where nothing depends on how they are divided."""

    _divided: Divided

    def divided(self) -> Divided:
        return self._divided


class BothShown:
    """What two decisions both show: less than one that is safe is safe."""

    def __init__(self, one: ShownParts, other: ShownParts) -> None:
        self.parts = one.parts
        self.one = one
        self._both = one, other

    def may_show(self, teams: Collection[str], *parts: str) -> bool:
        return all(shown.may_show(teams, *parts) for shown in self._both)

    def divided(self) -> Divided:
        """As the first decided: with figures that it alone shows, which is to take more for known than is."""
        return self.one.divided()

    def why(self, teams: Collection[str], *parts: str) -> Why:
        """Small only where the first says so; what the second hides is said to be a complement."""
        first = self.one.why(teams, *parts)
        return first if first != "shown" or self.may_show(teams, *parts) else "complement"


class Shown:
    """What may be shown of people counted by team (`sizes`), where `audiences` are the groups shown as totals.

    `hidden` are the teams whose own number must not be shown.
    """

    def __init__(self, sizes: Mapping[str, int], audiences: Iterable[Collection[str]] = ()) -> None:
        self._whole = ShownParts({(team, ""): people for team, people in sizes.items()}, audiences)
        self.hidden = frozenset(
            team for team, people in sizes.items() if people > 0 and not self.may_show([team])
        )

    def may_show(self, teams: Collection[str]) -> bool:
        """Whether the total of `teams` (none: everybody) may be shown: it follows from what is shown anyway."""
        return self._whole.may_show(teams)
