"""Of several processes one is active: a row in the state store whose holder keeps counting.

Nobody compares clocks. The holder raises `beat`; whoever waits and sees it stand still for TAKE_OVER seconds of its own
time takes the row over, by comparing and swapping. A holder that could not raise it for GIVE_UP seconds of its own time
stops acting, which is sooner. So two are never active at once, unless a process was suspended in the middle of its
work; and what the scheduler does stands that, because the ledger decides what is said and the outbox who sends it.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from uptake.state.tables import leases

TAKE_OVER = 20.0
GIVE_UP = 12.0


class Lease:
    """One process's part in a lease. Call `hold` every few seconds, from one thread."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        owner: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._name = name
        self.owner = owner or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._monotonic = monotonic
        self._held_at: float | None = None  # when the row was last seen to be ours
        self._seen: tuple[str, int] | None = None
        self._seen_at = 0.0

    @property
    def held(self) -> bool:
        """Whether this process may act now. Asks nobody."""
        return self._held_at is not None and self._monotonic() - self._held_at < GIVE_UP

    def hold(self) -> bool:
        """Take, keep or wait for the lease; returns whether this process has it. Raises the state store's errors,
        after which `held` still says what is true."""
        now = self._monotonic()  # before the question: what is granted is counted from here
        row = self._read()
        if row is None:
            granted = self._insert()
        else:
            if row != self._seen:
                self._seen, self._seen_at = row, now
            ours = row[0] == self.owner
            free = not row[0] or now - self._seen_at >= TAKE_OVER
            granted = (ours or free) and self._swap(row)
        self._held_at = now if granted else None
        return granted

    def release(self) -> None:
        """Let another one begin at once."""
        self._held_at = None
        with self._engine.begin() as connection:
            mine = (leases.c.name == self._name) & (leases.c.owner == self.owner)
            connection.execute(leases.update().where(mine).values(owner=""))

    def _read(self) -> tuple[str, int] | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(leases).where(leases.c.name == self._name)).one_or_none()
        return (row.owner, row.beat) if row else None

    def _insert(self) -> bool:
        try:
            with self._engine.begin() as connection:
                connection.execute(leases.insert().values(name=self._name, owner=self.owner, beat=1))
        except IntegrityError:
            return False  # another one was quicker
        return True

    def _swap(self, seen: tuple[str, int]) -> bool:
        owner, beat = seen
        same = (leases.c.name == self._name) & (leases.c.owner == owner) & (leases.c.beat == beat)
        with self._engine.begin() as connection:
            taken = connection.execute(leases.update().where(same).values(owner=self.owner, beat=beat + 1))
        return taken.rowcount == 1
