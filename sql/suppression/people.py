"""How many people make a group that may be shown. Pure."""

from __future__ import annotations

MINIMUM_PEOPLE = 5


def is_small(people: int) -> bool:
    """Nobody is not a group: an empty cell reveals nobody."""
    return 0 < people < MINIMUM_PEOPLE


def shown_people(people: int) -> int | None:
    """A number of people as it may be shown where nothing else is shown of them: None for one to four."""
    return None if is_small(people) else people
