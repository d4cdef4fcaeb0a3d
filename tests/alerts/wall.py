"""A channel with threads in memory, and processes that die between any two steps of delivering to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from uptake.alerts import ledger
from uptake.alerts.deliver import AnchorError, Placed, Post
from uptake.alerts.letter import Letter
from uptake.alerts.message import Message, Text
from uptake.alerts.outbox import LEASE, Outbox, backoff
from uptake.clock import ManualClock

FACT = "f1"


class KilledError(BaseException):
    """As kill -9: nothing after it happens, not even what catches exceptions."""


@dataclass
class Wall:
    """A channel with threads, in memory: what stands there, by reference.

    Each thing that happens to it, and each thing that is written down about it, is a step; `kill_at` is the number of
    the step at which the process dies. `edits` and `sends` are errors raised by these, first first; `after` lets the
    request have its effect first, as a lost answer does.
    """

    there: dict[str, tuple[Post, str]] = field(default_factory=dict)
    steps: int = 0
    kill_at: int | None = None
    edits: list[Exception] = field(default_factory=list)
    sends: list[Exception] = field(default_factory=list)
    after: bool = False
    sent: int = 0
    edited: int = 0
    looks: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.kill_at:
            raise KilledError

    def posts(self, message: Message) -> int:
        return 1 + len(message.details)

    def send(self, channel: str, message: Message, post: Post) -> Placed:
        self.step()
        with self.lock:
            if post.below and post.below not in self.there:
                raise AnchorError("no such thread", deleted=True)
            self.sent += 1
            error = self.sends.pop(0) if self.sends else None
            if error is None or self.after:
                reference = f"{channel}/{self.sent}"
                self.there[reference] = (post, self.text(message, post.part))
        self.step()
        if error is not None:
            raise error
        return Placed(reference, post.revision)

    def find(self, channel: str, post: Post, since: datetime | None = None) -> Placed | None:
        self.step()
        self.looks += 1
        if post.below and post.below not in self.there:
            raise AnchorError("no such thread", deleted=True)
        for reference, (there, _) in self.there.items():
            same = (there.identity, there.part, there.copy) == (post.identity, post.part, post.copy)
            if same and there.below == post.below:
                return Placed(reference, there.revision)
        return None

    def edit(self, channel: str, reference: str, message: Message, post: Post) -> None:
        self.step()
        error = self.edits.pop(0) if self.edits else None
        if error is None or self.after:
            if reference not in self.there:
                raise AnchorError("no such message", deleted=True)
            there, _ = self.there[reference]
            assert (there.part, there.copy) == (post.part, post.copy), "each post is edited as itself"
            changed = replace(there, revision=post.revision)
            self.there[reference] = (changed, self.text(message, post.part))
            self.edited += 1
        self.step()
        if error is not None:
            raise error

    def remove(self, channel: str, reference: str) -> None:
        self.step()
        self.there.pop(reference, None)
        self.step()

    @staticmethod
    def text(message: Message, part: int) -> str:
        if not part:
            return f"{message.notice} {message.summary}".strip()
        block = message.details[part - 1]
        assert isinstance(block, Text)
        return block.text

    def main(self) -> list[str]:
        return [text for post, text in self.there.values() if not post.below]

    def thread(self) -> list[str]:
        return [text for post, text in self.there.values() if post.below]


class Watched(Outbox):
    """An outbox whose every write is a step, before and after."""

    def __init__(self, engine: Engine, clock: ManualClock, wall: Wall) -> None:
        super().__init__(engine, clock)
        self._wall = wall

    def _claim(self, letter: Letter) -> bool:
        return self._step(lambda: super(Watched, self)._claim(letter))

    def _keep(self, letter: Letter) -> bool:
        return self._step(lambda: super(Watched, self)._keep(letter))

    def _end(self, letter: Letter, status: str, **values: Any) -> str:
        return self._step(lambda: super(Watched, self)._end(letter, status, **values))

    def _step(self, write: Callable[[], Any]) -> Any:
        self._wall.step()
        done = write()
        self._wall.step()
        return done


@dataclass
class Scene:
    """One fact and its message, delivered by a process that may die, then by others until nothing is left to do."""

    engine: Engine
    clock: ManualClock
    wall: Wall
    build: Callable[..., Message]

    def message(self, summary: str, *details: str, notice: str = "") -> Message:
        return self.build(
            FACT, summary=summary, notice=notice, details=tuple(Text(text=detail) for detail in details)
        )

    def say(self, summary: str, *details: str) -> None:
        message = self.message(summary, *details)
        assert ledger.say(self.engine, FACT, "digest", "acme", message, ["#a"], self.clock.now())

    def restate(self, summary: str, *details: str) -> bool:
        message = self.message(summary, *details, notice="Restated.")
        return ledger.restate(self.engine, FACT, message, self.clock.now(), {})

    def run(self, *, kill_at: int | None = None) -> bool:
        """Deliver what is due in one process; returns whether it lived."""
        self.wall.steps, self.wall.kill_at = 0, kill_at
        try:
            Watched(self.engine, self.clock, self.wall).deliver(self.wall)
        except KilledError:
            return False
        finally:
            self.wall.kill_at = None
        return True

    def settle(self) -> None:
        """Others go on until everything is delivered."""
        for _ in range(5):
            self.clock.set(self.clock.now() + max(LEASE, backoff(10)))
            self.run()
        assert self.letter().status == "sent", self.letter().last_error

    def letter(self) -> Letter:
        (letter,) = Outbox(self.engine, self.clock).letters()
        return letter
