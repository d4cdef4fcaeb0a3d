"""Keeps processes running as a supervisor does: whatever ends is started again, and it is written down."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from uptake.errors import UptakeError
from uptake.local.process import ChildProcess

LOOK_SECONDS = 0.05
BACKOFF_SECONDS = 0.5


@dataclass
class Member:
    """One supervised process. `renew` changes its environment before each start (batch limits that move)."""

    name: str
    kind: str
    process: ChildProcess
    launch: Callable[[], None]
    ready: Callable[[], bool]
    renew: Callable[[ChildProcess, random.Random], None] = lambda process, chance: None
    not_before: float = 0.0
    held: bool = True
    running: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """A process that ended and was not killed by us. `code`: negative for a signal, None where it never began."""

    name: str
    kind: str
    code: int | None
    at: float


@dataclass
class Supervisor:
    """Start members with `start`; kill them as often as you like; `close` ends them all."""

    chance: random.Random
    members: dict[str, Member] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    ends: list[End] = field(default_factory=list)
    starts: Counter[str] = field(default_factory=Counter)
    settings: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Name and environment at each start."""

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="chaos-supervisor", daemon=True)
        self._thread.start()

    def add(self, member: Member) -> None:
        with self._lock:
            self.members[member.name] = member

    def start(self, *names: str) -> None:
        """Keep these running from now on."""
        with self._lock:
            for name in names:
                self.members[name].held = False

    def kill(self, name: str, down_seconds: float) -> bool:
        """kill -9; it is started again after `down_seconds`. False when it was not running."""
        with self._lock:
            member = self.members[name]
            if not member.process.alive():
                return False
            member.process.kill()
            member.running = False
            member.not_before = time.monotonic() + down_seconds
            self.kills[member.kind] += 1
            return True

    def hold(self, name: str, gracefully: bool) -> None:
        """End it and leave it down until `start`."""
        with self._lock:
            member = self.members[name]
            member.held, member.running = True, False
            alive = member.process.alive()
        if alive and gracefully:
            member.process.stop()
        elif alive:
            member.process.kill()
            self.kills[member.kind] += 1

    def await_ready(self, timeout: float, *names: str) -> None:
        """Raises TimeoutError with who is not."""
        deadline = time.monotonic() + timeout
        wanted = [self.members[name] for name in names or self.members if not self.members[name].held]
        while waiting := [m.name for m in wanted if not (m.process.alive() and m.ready())]:
            if time.monotonic() > deadline:
                said = {name: self.members[name].process.log for name in waiting}
                raise TimeoutError(f"not ready after {timeout:g} s: {said}")
            self._stopping.wait(LOOK_SECONDS)

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(30)
        with self._lock:
            for member in reversed(self.members.values()):
                member.process.kill()

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            for member in list(self.members.values()):
                with self._lock:
                    self._look_at(member)

    def _look_at(self, member: Member) -> None:
        if member.held or member.process.alive():
            return
        now = time.monotonic()
        if member.running:
            member.running = False
            member.not_before = now + BACKOFF_SECONDS
            self.ends.append(End(member.name, member.kind, member.process.exit_code(), now))
        if now < member.not_before:
            return
        member.renew(member.process, self.chance)
        self.settings.append((member.name, dict(member.process.environment)))
        try:
            member.launch()
        except (UptakeError, OSError):  # a full disk: a supervisor tries again, too
            self.ends.append(End(member.name, member.kind, None, now))
            member.not_before = now + 4 * BACKOFF_SECONDS
            return
        member.running = True
        self.starts[member.kind] += 1
