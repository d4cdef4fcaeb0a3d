"""A snapshot of today's people becomes history: stays are closed and opened from its day on, none is forgotten. Pure.

Days before the snapshot's stay as they were, whatever it says. A second snapshot of the same day takes the place
of the first: what that one opened is changed or taken out, what it closed is opened again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from uptake.workspace.models import Person

ATTRIBUTES = ("team", "seat", "champion", "wave")
"""What makes a new stay when it changes."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Who is there on `day`, each person once; `joined` is that day where the source does not say another.

    An attribute that is not `spoken` of is left as it is; who is new has the one that `Person` has by default.
    `not_yet` people join later and `inactive` ones are switched off: neither is among `people`.
    """

    day: date
    people: tuple[Person, ...]
    spoken: frozenset[str] = frozenset(ATTRIBUTES)
    not_yet: int = 0
    inactive: int = 0


@dataclass
class Merge:
    """Edits of rows by index (None: taken out), and stays to add, each after the row of that index or at the end."""

    changed: dict[int, Person | None] = field(default_factory=dict)
    added: list[tuple[int | None, Person]] = field(default_factory=list)

    def applied(self, roster: Sequence[Person]) -> list[Person]:
        """The roster after it, added stays last."""
        kept = [self.changed.get(i, person) for i, person in enumerate(roster)]
        return [*(person for person in kept if person), *(person for _, person in self.added)]

    def ended(self, roster: Sequence[Person]) -> int:
        """How many open stays it closes, takes out or changes where they are: what a wrong file would do to many."""
        return sum(roster[i].left is None for i in self.changed)


def newest_change(roster: Sequence[Person]) -> tuple[date, int] | None:
    """The last day on which somebody joins or has left, and the row that says so."""
    days = [(day, i) for i, person in enumerate(roster) for day in (person.joined, person.left) if day]
    return max(days, key=lambda each: (each[0], -each[1])) if days else None


def merge(roster: Sequence[Person], snapshot: Snapshot) -> Merge:
    """What makes the roster of `snapshot.day` equal to the snapshot.

    `roster` holds no change after that day (`newest_change`) and no overlapping stays. Days of joining that the
    snapshot says are taken over into an empty roster only: later they would change weeks that are closed.
    """
    day, merged = snapshot.day, Merge()
    rows: dict[str, list[int]] = {}
    for i in sorted(range(len(roster)), key=lambda i: roster[i].joined):
        rows.setdefault(roster[i].user_id, []).append(i)
    present = {person.user_id for person in snapshot.people}
    for user, own in rows.items():
        if user not in present:
            _away(merged, roster, own, day)
    for person in snapshot.people:
        if not roster:
            merged.added.append((None, person))
        else:
            _here(merged, roster, rows.get(person.user_id, []), person, snapshot)
    return merged


def _away(merged: Merge, roster: Sequence[Person], own: Sequence[int], day: date) -> None:
    last = roster[own[-1]]
    if last.left is None:
        # A stay without a day never was.
        merged.changed[own[-1]] = None if last.joined == day else last.model_copy(update={"left": day})


def _here(
    merged: Merge, roster: Sequence[Person], own: Sequence[int], said: Person, snapshot: Snapshot
) -> None:
    day = snapshot.day
    now = next((i for i in own if roster[i].left is None), None)
    ended = next((i for i in own if roster[i].left == day), None)  # by an earlier snapshot of this day
    known = now if now is not None else ended
    wanted = _wanted(said, roster[known] if known is not None else None, snapshot)
    if now is not None and _same(roster[now], wanted):
        return
    if now is not None and roster[now].joined == day:
        reopens = ended is not None and _same(roster[ended], wanted)
        merged.changed[now] = None if reopens else roster[now].model_copy(update=wanted)
        if ended is not None and reopens:
            merged.changed[ended] = roster[ended].model_copy(update={"left": None})
        return
    if now is not None:
        merged.changed[now] = roster[now].model_copy(update={"left": day})
    elif ended is not None and _same(roster[ended], wanted):
        merged.changed[ended] = roster[ended].model_copy(update={"left": None})
        return
    stay = said.model_copy(update={**wanted, "joined": day, "left": None})
    merged.added.append((own[-1] if own else None, stay))


def _wanted(said: Person, known: Person | None, snapshot: Snapshot) -> Mapping[str, object]:
    """The attributes from this day on."""
    return {
        name: getattr(said if known is None or name in snapshot.spoken else known, name)
        for name in ATTRIBUTES
    }


def _same(person: Person, wanted: Mapping[str, object]) -> bool:
    return all(getattr(person, name) == value for name, value in wanted.items())
