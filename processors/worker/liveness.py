"""Whether the worker is alive: its committed offsets move while there is work. Pure; time is an argument.

Answering HTTP or sending heartbeats proves nothing: a worker whose event loop, thread or consumer hangs does both and
holds its partitions for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from uptake.processors.worker.acks import Place


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen at one moment.

    `committed` and `ends` are offsets by partition (`ends` as the broker said them last); `stopped` partitions stand
    still on purpose; `waiting` is when something that is not ours (the store, a workspace) last made a partition's
    stream wait, for the partitions of streams that wait; `beat` is when the event loop last did anything, both in the
    clock's seconds.
    """

    committed: Mapping[Place, int]
    ends: Mapping[Place, int]
    beat: float
    waiting: Mapping[Place, float] = field(default_factory=dict)
    stopped: Set[Place] = frozenset()


@dataclass(slots=True)
class Liveness:
    """Call `look` again and again. `stall` is in seconds."""

    stall: float
    stuck: tuple[Place, ...] = ()
    """Partitions that the last look found standing still."""
    _still: dict[Place, tuple[int, float]] = field(default_factory=dict)

    def look(self, seen: Observed, now: float) -> str:
        """Empty while the worker is alive, else why it is not."""
        self.stuck = ()
        if now - seen.beat >= self.stall:
            return f"the event loop has not moved for {now - seen.beat:.0f} s"
        # Retries that are alive: each one moves `waiting` on. They excuse their own stream and no other.
        excused = {place for place, at in seen.waiting.items() if now - at < self.stall} | seen.stopped
        for place in [place for place in self._still if place not in seen.committed]:
            del self._still[place]
        for place, committed in seen.committed.items():
            before = self._still.get(place)
            behind = seen.ends.get(place, 0) > committed
            if before is None or before[0] != committed or not behind or place in excused:
                self._still[place] = (committed, now)
        stuck = {place: now - since for place, (_, since) in self._still.items() if now - since >= self.stall}
        self.stuck = tuple(stuck)
        if stuck:
            (topic, partition), seconds = max(stuck.items(), key=lambda item: item[1])
            return f"{topic}[{partition}] has work and no commit for {seconds:.0f} s"
        return ""

    def behind(self, seen: Observed) -> dict[Place, int]:
        """How many records of each partition are not committed."""
        return {place: max(0, seen.ends.get(place, at) - at) for place, at in seen.committed.items()}
