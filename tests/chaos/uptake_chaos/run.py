"""What every scenario ends with: all is acknowledged, the workers have caught up, and the difference is taken."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from uptake_chaos.ask import Unanswered
from uptake_chaos.oracle import Difference, Oracle
from uptake_chaos.stack import Stack

LOOK_SECONDS = 0.5


@dataclass
class Result:
    """One scenario: what was done to the processes, what came of it. `difference` empty: nothing lost or doubled."""

    scenario: str
    seed: int
    seconds: float
    events: int
    difference: Difference
    settled_seconds: float
    kills: dict[str, int] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    unexpected_ends: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "difference": asdict(self.difference), "exact": not self.difference}

    def __str__(self) -> str:
        kills = f", {sum(self.kills.values())} kills {self.kills}" if self.kills else ""
        return (
            f"{self.scenario} (seed {self.seed}): {self.events:,} events in {self.seconds:.0f} s{kills}; difference "
            f"{self.difference}; exact {self.settled_seconds:.1f} s after the last event was acknowledged"
        )


def settle(stack: Stack, oracle: Oracle, timeout: float) -> tuple[Difference, float]:
    """Wait until the database holds what it must, then compare everything. After `timeout` seconds compare all the
    same: then the difference says what is wrong. Raises Unanswered when ClickHouse does not answer even then."""
    began = time.monotonic()
    pause = threading.Event()
    while True:
        late = time.monotonic() - began > timeout
        try:
            if late or stack.asker.events() == len(oracle.made):
                difference = oracle.difference(stack.asker.sums(), stack.asker.ids(), stack.prices)
                if late or not difference:
                    return difference, time.monotonic() - began
        except Unanswered:
            if late:
                raise
        pause.wait(LOOK_SECONDS)


def ends_of(stack: Stack, tolerated: tuple[str, ...] = ()) -> list[str]:
    """Processes that ended by themselves: a worker that found a bug, a gateway that gave up."""
    return [f"{end.name} exit {end.code}" for end in stack.supervisor.ends if end.kind not in tolerated]
