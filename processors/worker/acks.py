"""What was taken from each partition, what of it is done, and so up to where may be committed. Pure.

Faust's own acknowledgement is not used, because it can pass a message in flight. Here a partition is a row of offsets
in the order of the log: one is taken only when all before it were taken, and is committed only when all before it
are done. Everything belongs to an epoch: the time between two rebalances. What was taken in an earlier one can be
finished, but not acknowledged: the partition's next owner begins at the committed offset.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

Place = tuple[str, int]
"""A partition: topic and number. Faust's and aiokafka's own are equal to it."""


class Arrival(Enum):
    """What a record is that came from a partition."""

    NEXT = auto()  # take it
    SEEN = auto()  # it was taken before, or waits behind one that was
    GAP = auto()  # something is missing before it: nothing is taken until it is known why
    RESET = auto()  # it is older than what the group has committed: the log begins anew
    FOREIGN = auto()  # nobody gave us its partition


@dataclass(slots=True)
class _Row:
    start: int
    next: int
    committed: int
    taken: deque[int] = field(default_factory=deque)
    done: set[int] = field(default_factory=set)

    def committable(self) -> int:
        while self.taken and self.taken[0] in self.done:
            self.done.remove(self.taken.popleft())
        return self.taken[0] if self.taken else self.next


class Acks:
    """The rows of all partitions that this process has now. Not thread safe: for the event loop only."""

    def __init__(self) -> None:
        self.epoch = 0
        self._rows: dict[Place, _Row] = {}

    def __contains__(self, place: Place) -> bool:
        return place in self._rows

    def __iter__(self) -> Iterator[Place]:
        return iter(self._rows)

    def revoke(self) -> None:
        """All partitions are given back: a new epoch begins."""
        self.epoch += 1
        self._rows.clear()

    def assign(self, starts: Mapping[Place, int]) -> None:
        """Partitions that came in this epoch, each with the offset that the group committed last, or the log's
        first one. One that is already held stays as it is."""
        for place, start in starts.items():
            self._rows.setdefault(place, _Row(start, start, start))

    def arrive(self, place: Place, offset: int) -> Arrival:
        """Judge a record; one that is NEXT counts as taken from now on."""
        row = self._rows.get(place)
        if row is None:
            return Arrival.FOREIGN
        if offset == row.next:
            row.taken.append(offset)
            row.next += 1
            return Arrival.NEXT
        if offset > row.next:
            return Arrival.GAP
        return Arrival.SEEN if offset >= row.start else Arrival.RESET

    def next(self, place: Place) -> int:
        """The offset that must be taken next."""
        return self._rows[place].next

    def rebase(self, place: Place, offset: int) -> None:
        """Go on at `offset`. Ahead: the log holds nothing in between. Back: everything from there on is taken again,
        because the partition was stopped there or the log begins anew."""
        row = self._rows.get(place)
        if row is None:
            return
        row.next = offset
        if offset < row.start:
            row.start = row.committed = offset
            row.taken.clear()
            row.done.clear()
        while row.taken and row.taken[-1] >= offset:
            row.done.discard(row.taken.pop())

    def done(self, epoch: int, place: Place, offsets: Iterable[int]) -> None:
        """What became of these records is durable. Of another epoch: ignored, they are another owner's business."""
        row = self._rows.get(place)
        if epoch == self.epoch and row is not None:
            row.done.update(offset for offset in offsets if offset < row.next)

    def committable(self) -> dict[Place, int]:
        """The offset to commit for each partition where that is news: that of the first record not done."""
        found = {place: row.committable() for place, row in self._rows.items()}
        return {place: offset for place, offset in found.items() if offset != self._rows[place].committed}

    def committed(self, epoch: int, offsets: Mapping[Place, int]) -> None:
        """The broker has these now."""
        if epoch == self.epoch:
            for place, offset in offsets.items():
                if place in self._rows:
                    self._rows[place].committed = offset

    def positions(self) -> dict[Place, int]:
        """The offset that is committed, by partition."""
        return {place: row.committed for place, row in self._rows.items()}
