"""What every client owes the process it is a guest in: a clean start after a fork, and a bounded exit."""

from __future__ import annotations

import atexit
import os
import sys
import time
import weakref
from typing import Protocol


class Guest(Protocol):
    """A client, as the process sees it."""

    exit_timeout: float

    def start_anew(self) -> None: ...
    def flush(self, timeout: float = 5.0) -> bool: ...
    def close(self, timeout: float = 2.0) -> None: ...


_GUESTS: weakref.WeakSet[Guest] = weakref.WeakSet()


def enter(guest: Guest) -> None:
    """From now on the guest is told of forks and of the exit. It is not kept alive by this."""
    _GUESTS.add(guest)


def mind_multiprocessing(guest: Guest) -> None:
    """A forked child of `multiprocessing` may end without atexit: there, its own finalisers flush instead.

    Called with the child's first event, for `multiprocessing` forgets all finalisers just after the fork.
    """
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        found = weakref.ref(guest)

        def flush() -> None:
            alive = found()
            if alive is not None:
                alive.flush(alive.exit_timeout)

        util.Finalize(None, flush, exitpriority=0)


def _leave() -> None:
    """Closes all clients within the longest of their exit timeouts together."""
    guests = list(_GUESTS)
    end = time.monotonic() + max((guest.exit_timeout for guest in guests), default=0.0)
    for guest in guests:
        guest.close(max(0.0, end - time.monotonic()))


def _start_anew() -> None:
    for guest in list(_GUESTS):
        guest.start_anew()


atexit.register(_leave)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
