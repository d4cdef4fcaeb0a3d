"""Where every event is: what was accepted is sent, dropped with a reason, or still here. It always adds up."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

_FOLD = 4_096


@dataclass(frozen=True, slots=True)
class Stats:
    """A client's counters since it started (a forked child starts anew), at one moment.

    `accepted == sent + sum(dropped.values()) + queued`, always. `refused` were never accepted: the queue was full,
    the client closed or not configured. `sent` are those that the gateway acknowledged. `people_left_out` counts
    persons that events went without because there is no pseudonym key, `texts_left_out` events that went without
    their texts (too long, or said by a client without `send_text`); `callback_errors` what `on_drop` raised.
    """

    client_id: str
    accepted: int
    sent: int
    queued: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    people_left_out: int = 0
    texts_left_out: int = 0
    callback_errors: int = 0

    @property
    def lost(self) -> int:
        """Events that the app reported and that will not arrive."""
        return sum(self.dropped.values()) + sum(self.refused.values())


class Ledger:
    """The sender's counters. Only the sender takes and resolves; anybody may read, under the lock.

    A resolution names the generation it belongs to: what `abandon` gave up is not counted a second time when
    its answer comes after all.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.moved = threading.Condition(self.lock)
        self.generation = 0
        self.settled = 0  # resolved, and the app was told
        self.taken = 0
        self.sent = 0
        self.dropped: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.people_left_out = 0
        self.texts_left_out = 0
        self.callback_errors = 0
        self._refusals: deque[str] = deque()
        self._untold: Counter[str] = Counter()

    @property
    def resolved(self) -> int:
        return self.sent + self.dropped.total()

    def resolve(self, generation: int, sent: int, dropped: Mapping[str, int]) -> bool:
        """Counts events as sent or dropped; False if they had been given up before."""
        with self.lock:
            if generation != self.generation:
                return False
            self.sent += sent
            self.dropped.update(dropped)
        return True

    def settle(self, generation: int, count: int) -> None:
        """Says that the app was told of events that were resolved: who waits for them may go on."""
        with self.lock:
            if generation == self.generation:
                self.settled += count
                self.moved.notify_all()

    def abandon(self, reason: str) -> int:
        """Gives up everything that is taken and not settled; returns how many events that is."""
        with self.lock:
            lost = self.taken - self.resolved
            self.generation += 1
            if lost:
                self.dropped[reason] += lost
            self.settled = self.taken
            self.moved.notify_all()
        return lost

    def refuse(self, reason: str) -> None:
        """Counts a call on the caller's thread, without a lock: appending to a deque is atomic, also against
        signal handlers and finalisers that run in between."""
        self._refusals.append(reason)
        if len(self._refusals) >= _FOLD:
            self.fold(wait=False)

    def fold(self, wait: bool = True) -> None:
        """Moves what was refused since the last time into the counter."""
        if not self.lock.acquire(blocking=wait):
            return
        try:
            for _ in range(len(self._refusals)):
                reason = self._refusals.popleft()
                self.refused[reason] += 1
                self._untold[reason] += 1
        except IndexError:
            return  # a signal handler on this very thread folded them in between
        finally:
            self.lock.release()

    def untold(self) -> Counter[str]:
        """Refusals that nobody was told of yet; from now on they have been."""
        with self.lock:
            self.fold()
            told, self._untold = self._untold, Counter()
        return told
