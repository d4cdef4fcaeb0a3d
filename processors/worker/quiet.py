"""Faust's, aiokafka's and kafka-python's own logs, through ours: warnings and worse, in one line each.

While the broker is away they say the same thing hundreds of times a minute, so what repeats itself is said once in
QUIET_SECONDS, with how often it was left out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import structlog

NEIGHBOURS = ("faust", "aiokafka", "mode", "kafka")
MAX_LENGTH = 500
QUIET_SECONDS = 10.0
MAX_KNOWN = 500

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Repeats:
    """What was said lately. Pure; times are in seconds and never fall."""

    seconds: float = QUIET_SECONDS
    limit: int = MAX_KNOWN
    """How many things are known at once. The one said longest ago is forgotten first, and its count with it."""
    _said: dict[Hashable, tuple[float, int]] = field(default_factory=dict)

    def judge(self, what: Hashable, now: float) -> int | None:
        """None: leave it out, it was said less than `seconds` ago. Else how often it was left out since it was."""
        since, left_out = self._said.get(what, (now - self.seconds, 0))
        if now - since < self.seconds:
            self._said[what] = (since, left_out + 1)
            return None
        self._said.pop(what, None)
        self._said[what] = (now, 0)  # behind all others: they are in the order in which they were said
        if len(self._said) > self.limit:
            del self._said[next(iter(self._said))]
        return left_out


class Bridge(logging.Handler):
    """One for all loggers: its lock is what keeps `Repeats` to one thread at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock, self._repeats = clock, Repeats()

    def emit(self, record: logging.LogRecord) -> None:
        # The template, not the message: that one names another node, offset or second each time.
        left_out = self._repeats.judge((record.name, str(record.msg)[:MAX_LENGTH]), self._clock())
        if left_out is None:
            return
        said = record.getMessage().strip().replace("\n", " ")[:MAX_LENGTH]
        level = "error" if record.levelno >= logging.ERROR else "warning"
        more = {"left_out": left_out} if left_out else {}
        getattr(_log, level)("neighbour", of=record.name, said=said, **more)


def tame() -> None:
    """For this process. What they say at these levels names topics, partitions, offsets and brokers, never values."""
    bridge = Bridge()
    for name in NEIGHBOURS:
        logger = logging.getLogger(name)
        logger.handlers = [bridge]
        logger.setLevel(logging.WARNING)
        logger.propagate = False
