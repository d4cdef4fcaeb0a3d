"""Where a partition stood when it came to this process, and whether it may go on after it was stopped. Thin."""

from __future__ import annotations

from collections.abc import Mapping

from uptake.clickhouse import Database
from uptake.processors.guard import RefusalGuard
from uptake.processors.permits import permits, refused_before
from uptake.processors.worker.acks import Place


class Stops:
    """The guard's memory in the database: what other processes counted, and what operators allowed."""

    def __init__(self, guard: RefusalGuard, database: Database, limit: int) -> None:
        self._guard, self._database, self._limit = guard, database, limit

    def begin(self, starts: Mapping[Place, int]) -> None:
        """Partitions begin here at these offsets. Raises StoreUnavailable."""
        for place, offset in starts.items():
            self._guard.resume(*place, offset, refused_before(self._database, *place, offset, self._limit))
        self._allow()

    def permitted(self, stopped: Mapping[Place, int]) -> list[Place]:
        """Those of the partitions stopped at these offsets that may go on. Raises StoreUnavailable."""
        allowed = self._allow()
        return [place for place, offset in stopped.items() if allowed.get(place, 0) > offset]

    def _allow(self) -> dict[Place, int]:
        found = {(one.topic, one.partition): one.before_offset for one in permits(self._database)}
        for place, before in found.items():
            self._guard.allow(*place, before)
        return found
