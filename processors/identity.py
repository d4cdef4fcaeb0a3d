"""Which events are new, which were sent before, and which claim somebody else's identity. Pure.

An id belongs to the content that came with it first, in whatever table that is. The same content again is a
duplicate, other content a conflict. Two batches of one call, or one batch, obey the same rule: first come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

CORRECTIONS = 1 << 60
"""Versions of first rows are below it (Unix milliseconds), those of corrections are not."""


class Known(NamedTuple):
    """What the database holds under an id: the content of the first event, the version of the last row."""

    content_hash: int
    ver: int


class Outcome(NamedTuple):
    """Positions in the sequence that was judged."""

    fresh: list[int]
    duplicates: list[int]
    conflicts: list[int]


def judge(events: Iterable[tuple[int, int]], known: Mapping[int, Known]) -> Outcome:
    """Sort events of one tenant, given as (id, content hash) in order of arrival."""
    events = list(events)
    if not known and len({event_id for event_id, _ in events}) == len(events):  # nearly always
        return Outcome(list(range(len(events))), [], [])
    outcome = Outcome([], [], [])
    first: dict[int, int] = {}
    for position, (event_id, content) in enumerate(events):
        before = known.get(event_id)
        expected = first.get(event_id) if before is None else before.content_hash
        if expected is None:
            first[event_id] = content
            outcome.fresh.append(position)
        elif expected == content:
            outcome.duplicates.append(position)
        else:
            outcome.conflicts.append(position)
    return outcome


def first_ver(received_ms: int) -> int:
    """The version of an event's first row: when its batch was received. Reading a record of the log again gives the
    same, so that it never wins over what was concluded since."""
    return received_ms


def correction_ver(now_ms: int, known_ver: int) -> int:
    """The version of a row that corrects one of version `known_ver`: above it even where a clock went back, and above
    every first row, so that one that is written late (by a worker that looked before the correction) cannot win."""
    return max(CORRECTIONS + now_ms, known_ver + 1)
