"""When too many refused events in a row stop a partition, instead of emptying a topic into the dead letters. Pure.

A record with at least one event that can be counted ends a run. A permit (`uptake dead-letters allow`) lets the refused
events before an offset pass, and the run begins anew behind them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_Place = tuple[str, int]


@dataclass(slots=True)
class _Run:
    """`refused` events in a row in the records before `judged`."""

    refused: int = 0
    judged: int = -1


class RefusalGuard:
    """Runs of refused events by partition. Not safe for several threads at once."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError("a limit of refused events is 1 or more")
        self._limit = limit
        self._runs: dict[_Place, _Run] = {}
        self._permits: dict[_Place, int] = {}

    def judge(self, topic: str, partition: int, records: Iterable[tuple[int, int, int]]) -> int | None:
        """Judge records of a partition, each as (offset, good events, refused events), by rising offset.

        Returns the offset of the record with which the limit would be exceeded: nothing from it on may be written or
        acknowledged, and it may be judged again (it stays where it is until a permit is given). None: all may pass.
        What was judged before may come again; it counts once.
        """
        run = self._runs.setdefault((topic, partition), _Run())
        permitted = self._permits.get((topic, partition), 0)
        for offset, good, refused in records:
            if offset < run.judged:
                continue
            if good or offset < permitted:
                run.refused = 0
            elif run.refused + refused > self._limit:
                return offset
            else:
                run.refused += refused
            run.judged = offset + 1
        return None

    def allow(self, topic: str, partition: int, before_offset: int) -> None:
        """Let the refused events before an offset pass. A later permit never takes back an earlier one."""
        place = (topic, partition)
        self._permits[place] = max(before_offset, self._permits.get(place, 0))

    def resume(self, topic: str, partition: int, offset: int, refused: int) -> None:
        """Begin a partition at `offset`, before which so many events were refused in a row: what another process
        counted (`permits.refused_before`). Otherwise every restart would let a limit's worth pass."""
        self._runs[topic, partition] = _Run(refused, offset)

    def forget(self, topic: str, partition: int) -> None:
        """The partition is another process's now."""
        self._runs.pop((topic, partition), None)
