"""Of which hidden numbers it may be said that they are fewer than five. Pure.

To say so tells more than to hide: of 6 people, if one part is "fewer than 5" and the other, hidden as its complement,
is not, then they are 1 and 5. So it is not said where a number that is shown, less what else is shown of it, leaves
less than three people of room between what the words allow and what is left: then each part that is said to be
fewer than five can still be any number from one to four.

This is asked of each number that is shown and how it divides: a group of teams into audiences or teams, a total into
unions or parts. Not of combinations of these.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from uptake.sql.suppression.people import MINIMUM_PEOPLE, is_small

Names = frozenset[str]

Figure = tuple[Names, Names]
"""A number of people: those of some teams who are in some parts."""

_ROOM = MINIMUM_PEOPLE - 2


class Saying:
    """What is said of the figures of `groups` of teams and `cuts`, sets of parts; the first cut is the total.

    `groups` and `cuts` hold each single team and part, too. `people` counts a figure, `shown` says whether it is.
    """

    def __init__(
        self,
        groups: Collection[Names],
        cuts: Collection[Names],
        people: Callable[[Figure], int],
        shown: Callable[[Figure], bool],
    ) -> None:
        self._groups = groups
        self._cuts = cuts
        self._total = next(iter(cuts))
        self._people = people
        self._shown = {figure for group in groups for cut in cuts if shown(figure := (group, cut))}
        self._small = {
            figure
            for group in groups
            for cut in cuts
            if (figure := (group, cut)) not in self._shown and is_small(people(figure))
        }
        narrow = {
            self._said_of(piece)
            for pieces in self._divisions()
            if self._is_narrow(pieces)
            for piece in pieces
        }
        self._sayable = self._small - narrow

    def is_small(self, figure: Figure) -> bool:
        """Whether a hidden figure is said to be fewer than five: it, or the total of its teams if that is hidden."""
        return self._said_of(figure) in self._sayable

    def _said_of(self, figure: Figure) -> Figure:
        total = (figure[0], self._total)
        return figure if total in self._shown else total

    def _divisions(self) -> Iterator[list[Figure]]:
        """The hidden figures that a shown one leaves: by teams and by parts, finely and as coarsely as declared."""
        inside = {group: _inside(group, self._groups) for group in self._groups}
        within = {cut: _inside(cut, self._cuts) for cut in self._cuts}
        for group, cut in self._shown:
            for coarse in (True, False):
                by_teams = [(one, cut) for one in inside[group]]
                by_parts = [(group, one) for one in within[cut]]
                yield self._left(by_teams, 0, coarse)
                yield self._left(by_parts, 1, coarse)

    def _left(self, figures: list[Figure], side: int, coarse: bool) -> list[Figure]:
        """Disjoint figures that are hidden, of some from coarse to fine, beside disjoint ones that are shown."""
        taken: set[str] = set()
        hidden = []
        for figure in sorted(figures, key=self._shown.__contains__, reverse=True):
            names = figure[side]
            is_shown = figure in self._shown
            if taken.isdisjoint(names) and (is_shown or coarse or len(names) == 1):
                taken |= names
                if not is_shown:
                    hidden.append(figure)
        return hidden

    def _is_narrow(self, hidden: list[Figure]) -> bool:
        bounds = [self._bounds(figure) for figure in hidden]
        if not any(most for _, most in bounds):
            return False
        people = sum(map(self._people, hidden))
        above = people - sum(least for least, _ in bounds)
        below = sum(most for _, most in bounds if most) - people
        return above < _ROOM or (all(most for _, most in bounds) and below < _ROOM)

    def _bounds(self, figure: Figure) -> tuple[int, int | None]:
        """What a reader knows of a hidden figure: at least and at most how many people.

        Without a word it is five or more, or nobody: of both, that leaves a small one beside it less room.
        """
        said = self._said_of(figure)
        if said in self._small:
            return int(said == figure), MINIMUM_PEOPLE - 1
        return MINIMUM_PEOPLE if said == figure else 0, None


def _inside(whole: Names, others: Collection[Names]) -> list[Names]:
    """Those that are parts of a whole, the largest first."""
    return sorted((one for one in others if one < whole), key=lambda one: (-len(one), sorted(one)))
