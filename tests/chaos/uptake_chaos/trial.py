"""One stack under trial: what flows in, what the oracle knows of it, and what every scenario ends with."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from uptake_chaos.ask import Unanswered
from uptake_chaos.events import Made
from uptake_chaos.letters import Letter, letters_of_table
from uptake_chaos.oracle import Difference, Oracle
from uptake_chaos.sender import Sender
from uptake_chaos.stack import LIMIT, Stack

LOOK_SECONDS = 0.5
TELL_SECONDS = 10.0
ACKNOWLEDGED_SECONDS = 180.0
SETTLE_SECONDS = 180.0
AWAY = 4
"""The exit code of a command that could not start because what it needs does not answer: it is started again."""

Say = Callable[[str], None]


@dataclass
class Result:
    """One scenario: what was done to the processes, what came of it. `difference` empty: nothing lost or doubled.
    `settled_seconds`: from the last acknowledgement until the database was exact."""

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
        return {**asdict(self), "exact": not self.difference}

    def __str__(self) -> str:
        kills = f", {sum(self.kills.values())} kills {self.kills}" if self.kills else ""
        return (
            f"{self.scenario} (seed {self.seed}): {self.events:,} events in {self.seconds:.0f} s{kills}; difference "
            f"{self.difference}; exact {self.settled_seconds:.1f} s after the last event was acknowledged"
        )


class Trial:
    """Scenarios may follow each other on one stack: the oracle remembers everything that was ever sent to it."""

    def __init__(self, stack: Stack, seed: int, say: Say) -> None:
        self.stack, self.seed, self.say = stack, seed, say
        self.oracle = Oracle()
        self.letters: set[Letter] = set()
        """Dead letters that there must be."""
        self._senders = 0
        self._kills_before: Counter[str] = Counter()
        self._ends_before = 0

    @contextmanager
    def flowing(
        self, rate: float, acknowledged: Callable[[list[Made]], None] = lambda events: None
    ) -> Iterator[Sender]:
        """About `rate` events a second come in meanwhile."""
        self._senders += 1
        self._kills_before = Counter(self.stack.supervisor.kills)
        self._ends_before = len(self.stack.supervisor.ends)
        seed = self.seed + 1_000 * self._senders
        sender = Sender(self.stack.url, self.stack.tokens, self.oracle, seed, rate, acknowledged=acknowledged)
        sender.start()
        try:
            yield sender
        finally:
            sender.abandon()

    def conclude(
        self,
        scenario: str,
        sender: Sender,
        began: float,
        figures: Mapping[str, Any],
        tolerated: tuple[str, ...] = (),
    ) -> Result:
        """All that was made is acknowledged and the workers catch up; then everything is compared. `began` by
        `time.monotonic`; kinds of processes that are `tolerated` may have ended by themselves."""
        sender.finish(ACKNOWLEDGED_SECONDS)
        seconds = time.monotonic() - began
        difference, settled = self.settle(SETTLE_SECONDS)
        supervisor = self.stack.supervisor
        ends = supervisor.ends[self._ends_before :]
        return Result(
            scenario,
            self.seed,
            seconds,
            sender.said.made,
            difference,
            settled,
            dict(sorted((supervisor.kills - self._kills_before).items())),
            {
                "audited": self._audited(),
                "batch_limits": self._limits(),
                "sent": sender.said.as_json(),
                **figures,
            },
            [f"{end.name} exit {end.code}" for end in ends if end.kind not in tolerated and end.code != AWAY],
        )

    def _audited(self) -> int:
        """How many records the audit read again: those that lacked rows, or whose events another record had, too."""
        query = "SELECT topic, partition, offset FROM log_records GROUP BY ALL HAVING max(settled) = 1"
        return len(self.stack.asker.rows(query))

    def _limits(self) -> list[int]:
        """How many events a worker took at once, in order of the workers' starts."""
        return [int(given[LIMIT]) for _, given in self.stack.supervisor.settings if LIMIT in given]

    def settle(self, timeout: float) -> tuple[Difference, float]:
        """Wait until the database holds what it must, then compare everything. After `timeout` seconds compare all
        the same: then the difference says what is wrong. Raises Unanswered when ClickHouse does not answer then."""
        began, pause, stack = time.monotonic(), threading.Event(), self.stack
        told = began
        while True:
            late = time.monotonic() - began > timeout
            try:
                visible = stack.asker.events()
                if time.monotonic() - told > TELL_SECONDS:
                    told = time.monotonic()
                    self.say(f"{visible:,} of {len(self.oracle.made):,} events are visible")
                if late or visible == len(self.oracle.made):
                    difference = self.oracle.difference(stack.asker.sums(), stack.asker.ids(), stack.prices)
                    difference.letters = len(letters_of_table(stack.asker) ^ self.letters)
                    if late or not difference:
                        return difference, time.monotonic() - began
            except Unanswered:
                if late:
                    raise
            pause.wait(LOOK_SECONDS)
