"""Who joined, left or changed between two states of the roster, and how many by team. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from uptake.workspace.models import Person

Kind = Literal[
    "joined",
    "left",
    "moved_in",
    "moved_out",
    "seat_gained",
    "seat_lost",
    "champion_gained",
    "champion_lost",
    "wave_changed",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

State = Mapping[str, Person]
"""The stay of each person who is there on one day, by pseudonym."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that became otherwise for a person, counted in `team`. Who moves changes two teams."""

    user_id: str
    kind: Kind
    team: str


@dataclass(frozen=True, slots=True)
class RosterDiff:
    """All changes, in order of team, and how many people, seats and champions there are before and after."""

    changes: tuple[Change, ...]
    before: Mapping[str, int]
    after: Mapping[str, int]

    def by_team(self) -> list[dict[str, str | int]]:
        """A row for each team that changes: how often each kind (0 where it did not)."""
        counts: dict[str, Counter[Kind]] = {}
        for change in self.changes:
            counts.setdefault(change.team, Counter())[change.kind] += 1
        return [{"team": team, **{kind: counts[team][kind] for kind in KINDS}} for team in sorted(counts)]


def on_day(roster: Iterable[Person], day: date) -> dict[str, Person]:
    """The roster as it was on a day."""
    return {person.user_id: person for person in roster if person.on(day)}


def difference(before: State, after: State) -> RosterDiff:
    """What changed from one state to another. Seats and champions that come or go with their person are not counted
    again as gained or lost."""
    changes = [
        change for user in before.keys() | after.keys() for change in _of(before.get(user), after.get(user))
    ]
    changes.sort(key=lambda change: (change.team, KINDS.index(change.kind), change.user_id))
    return RosterDiff(tuple(changes), _sizes(before), _sizes(after))


def _of(before: Person | None, after: Person | None) -> Iterable[Change]:
    if before is None or after is None:
        if after:
            yield Change(after.user_id, "joined", after.team)
        if before:
            yield Change(before.user_id, "left", before.team)
        return
    user = after.user_id
    if before.team != after.team:
        yield Change(user, "moved_out", before.team)
        yield Change(user, "moved_in", after.team)
    if before.seat != after.seat:
        yield Change(user, "seat_gained" if after.seat else "seat_lost", after.team)
    if before.champion != after.champion:
        yield Change(user, "champion_gained" if after.champion else "champion_lost", after.team)
    if before.wave != after.wave:
        yield Change(user, "wave_changed", after.team)


def _sizes(state: State) -> dict[str, int]:
    people = state.values()
    return {
        "people": len(people),
        "seats": sum(person.seat for person in people),
        "champions": sum(person.champion for person in people),
    }
