"""How a worker ends: what a supervisor sees. Any of them but OK means: start it again."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    OK = 0  # asked to stop; everything in hand was finished or given back
    BUG = 70  # something raised that nobody expected; its log says where
    STALLED = 71  # the watchdog ended it: there was work, and no commit
    OVERDUE = 72  # asked to stop, and did not within its time; nothing is lost
