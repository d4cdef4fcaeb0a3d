"""The thread that looks whether the worker is alive, outside of the event loop, and ends the process if it is not."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import structlog

from uptake.processors.worker.acks import Place
from uptake.processors.worker.exits import Exit
from uptake.processors.worker.liveness import Liveness, Observed
from uptake.processors.worker.metrics import Metrics

LOOK_SECONDS = 1.0
FRAMES = 6

Ends = Callable[[Iterable[Place]], Mapping[Place, int]]
"""The offsets at which partitions end, asked outside of the worker's own consumer. Raises what its client raises while
the log does not answer. Blocks, for a bounded time."""

FirstFrom = Callable[[Place, int], int | None]
"""The first offset at or after the given one that holds a record, None where none does. As `Ends` otherwise."""

_log = structlog.get_logger(__name__)


def end_now(code: int) -> None:
    """No clean-up: whatever hangs would hang that as well, and nothing that counts is lost by it."""
    os._exit(code)


class Watchdog:
    def __init__(
        self,
        observe: Callable[[], Observed],
        ends: Ends,
        first_from: FirstFrom,
        liveness: Liveness,
        metrics: Metrics,
        end: Callable[[int], Any] = end_now,
    ) -> None:
        """`observe` gives what the event loop last said of itself (its `ends` are filled in here)."""
        self._observe, self._ends, self._first_from = observe, ends, first_from
        self._liveness, self._metrics, self._end = liveness, metrics, end
        self._known: Mapping[Place, int] = {}
        self._away: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uptake-watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def look(self, now: float) -> str:
        """One look; returns why the worker is not alive, or nothing."""
        seen = self._observe()
        try:
            self._known, self._away = dict(self._ends(seen.committed)), None
        except Exception as error:  # noqa: BLE001 - whatever its client raises: then nobody can commit either
            if self._away is None:
                _log.warning("log_not_answering", error=type(error).__name__)
            self._away = now
        waiting = seen.waiting if self._away is None else dict.fromkeys(seen.committed, self._away)
        seen = replace(seen, ends=self._known, waiting=waiting)
        self._metrics.look(seen.committed, self._liveness.behind(seen))
        why = self._liveness.look(seen, now)
        if not self._liveness.stuck:
            return why
        try:
            idle = [place for place in self._liveness.stuck if self._is_idle(place, seen.committed[place])]
        except Exception as error:  # noqa: BLE001 - it stood still while the log answered, so that is what counts
            _log.warning("log_not_answering", error=type(error).__name__)
            return why
        if not idle:
            return why
        left = {place: end for place, end in self._known.items() if place not in idle}
        return self._liveness.look(replace(seen, ends=left), now)

    def _is_idle(self, place: Place, committed: int) -> bool:
        """Whether what is not committed holds no record: the end of a transaction takes an offset, too."""
        return self._first_from(place, committed) is None

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            why = self.look(time.monotonic())
            if why and not self._stopping.is_set():
                _log.error("stalled", why=why, threads=standing())
                self._end(Exit.STALLED)
                return


def standing() -> dict[str, list[str]]:
    """Where each thread stands: functions and lines, no values."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    found = {}
    for ident, frame in sys._current_frames().items():
        stack = traceback.extract_stack(frame)[-FRAMES:]
        found[names.get(ident, str(ident))] = [f"{step.filename}:{step.lineno} {step.name}" for step in stack]
    return found
