"""Which groups of people are too small to be shown. Pure.

A cell of fewer than five people is hidden, and with it whatever would reveal it by subtraction from a total that
is shown: the organisation, each declared audience, and what remains of one beside another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

MINIMUM_PEOPLE = 5


def _is_small(people: int) -> bool:
    """Nobody is not a group: an empty cell reveals nobody."""
    return 0 < people < MINIMUM_PEOPLE


def shown_people(people: int) -> int | None:
    """A number of people as it may be shown: None for one to four."""
    return None if _is_small(people) else people


def _totals(sizes: Mapping[str, int], audiences: Iterable[Collection[str]]) -> set[frozenset[str]]:
    """Groups of teams whose total a reader can know: all, each audience, and one less another inside it."""
    everybody = frozenset(sizes)
    shown = {everybody} | {frozenset(audience) & everybody for audience in audiences if audience}
    return shown | {whole - part for whole in shown for part in shown if part < whole}


def hidden_teams(sizes: Mapping[str, int], audiences: Iterable[Collection[str]] = ()) -> frozenset[str]:
    """Teams whose own cell must not be shown; `sizes` are people by team, `audiences` groups shown as totals.

    A small team is hidden. While the hidden teams of a total are few people together, the smallest team of that
    total which is still shown is hidden as well.
    """
    hidden = {team for team, people in sizes.items() if _is_small(people)}
    totals = sorted(_totals(sizes, audiences), key=sorted)
    grew = True
    while grew:
        grew = False
        for total in totals:
            if not _is_small(sum(sizes[team] for team in total & hidden)):
                continue
            candidates = [team for team in total - hidden if sizes[team] > 0]
            if candidates:
                hidden.add(min(candidates, key=lambda team: (sizes[team], team)))
                grew = True
    return frozenset(hidden)


def may_show(
    sizes: Mapping[str, int], teams: Collection[str], audiences: Iterable[Collection[str]] = ()
) -> bool:
    """Whether the total of `teams` (none: everybody) may be shown.

    A total that nobody declared must not hold a hidden team: with the teams that are shown it would reveal it.
    """
    declared = [frozenset(audience) for audience in audiences]
    hidden = hidden_teams(sizes, declared)
    asked = (frozenset(teams) or frozenset(sizes)) & frozenset(sizes)
    inside = sum(sizes[team] for team in asked & hidden)
    if inside == 0:
        return True
    if asked not in _totals(sizes, [audience for audience in declared if len(audience) > 1]):
        return False
    outside = sum(sizes[team] for team in hidden - asked)
    return not (_is_small(inside) or _is_small(outside))
