"""People who are divided in two ways, as the pieces of both. Pure.

Two KPIs count the same people and divide them otherwise: active or not, and by the steps of the habit ladder. How many
are in a step *and* active neither of them says. It need not be known: whether a group can be computed depends only on
which pieces there can be, and if it can, its number follows from what both count, however the people are spread over
the pieces. So we spread them in some way that agrees with both (the northwest corner of a transport problem), where
`within` says which parts of the one hold people of which parts of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uptake.sql.suppression.shown import ShownParts, Whole

Cell = tuple[str, str]
"""A team and a part of its people."""

Piece = tuple[str, str]
"""A team and a piece: a part, or what it has in common with the parts that were decided earlier."""

Fine = tuple[frozenset[str], frozenset[str]]
"""A figure of some teams and pieces."""

OTHER = "other"
"""In `within`: people whom the earlier KPI does not count."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is shown already, and in which of its parts the people of each part are (`OTHER`: in none). `same`: they are
    its people, so that no more is shown than follows. `within` may name pieces, too."""

    shown: ShownParts | Whole
    within: Mapping[str, Sequence[str]]
    same: bool = False


@dataclass(frozen=True, slots=True)
class Divided:
    """People by team and piece, the pieces of each part, and the figures that are shown already, in order."""

    cells: Mapping[Piece, int]
    pieces: Mapping[str, Sequence[str]]
    given: tuple[Fine, ...] = ()


def alone(cells: Mapping[Cell, int]) -> Divided:
    """People who are divided in one way. A zero counts as known, and is left out, but where it is all that hides the
    number beside it: everybody's of the team."""
    parts = sorted({part for _, part in cells})
    return Divided(
        {
            (team, part): people
            for team in _teams(cells)
            for part in parts
            if (people := max(0, cells.get((team, part), 0))) or _all_in_one(cells, team, parts)
        },
        {part: (part,) for part in parts},
    )


def overlay(cells: Mapping[Cell, int], earlier: Earlier) -> Divided:
    """The pieces of both divisions. A zero is kept as by `alone`, on either side."""
    before = earlier.shown.divided()
    parts = list(earlier.within)
    pieces_within = {
        part: [piece for name in names if name != OTHER for piece in before.pieces.get(name, (name,))]
        for part, names in earlier.within.items()
    }
    by_team: dict[str, dict[str, int]] = {}
    for (team, piece), people in before.cells.items():
        by_team.setdefault(team, {})[piece] = people
    found: dict[Piece, int] = {}
    for team in sorted({*_teams(cells), *by_team}):
        left = dict(by_team.get(team, {}))
        keep = _all_in_one(cells, team, parts)
        for part in parts:
            people = max(0, cells.get((team, part), 0))
            if not people and keep:
                found[team, _join(part, next(iter(pieces_within[part]), ""))] = 0
            for piece in pieces_within[part]:
                if taken := min(people, left.get(piece, 0)):
                    found[team, _join(part, piece)] = taken
                    left[piece] -= taken
                    people -= taken
            if people:
                found[team, _join(part, "")] = people
        found |= {(team, _join("", piece)): people for piece, people in left.items() if people}
        for piece in (piece for piece, people in by_team.get(team, {}).items() if not people):
            holder = next((part for part in parts if piece in pieces_within[part]), "")
            found.setdefault((team, _join(holder, piece)), 0)
    every = sorted({piece for _, piece in before.cells})
    finer = {piece: frozenset(_join(part, piece) for part in ("", *parts)) for piece in every}
    return Divided(
        found,
        # Those whom the earlier KPI counts first: a later one that counts some of them counts these.
        {part: tuple(_join(part, piece) for piece in (*every, "")) for part in parts},
        tuple(
            (teams, frozenset(one for piece in pieces if piece in finer for one in finer[piece]))
            for teams, pieces in before.given
        ),
    )


def _join(part: str, piece: str) -> str:
    return f"{part}/{piece}"


def _teams(cells: Mapping[Cell, int]) -> list[str]:
    return sorted({team for (team, _), people in cells.items() if people > 0})


def _all_in_one(cells: Mapping[Cell, int], team: str, parts: Iterable[str]) -> bool:
    return sum(cells.get((team, part), 0) > 0 for part in parts) == 1
