"""Work that is done again and again in a thread of its own, and whose failure is said and survived."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class Repeating:
    """Calls `work` every `seconds`, the first time after that long, never twice at once. What it raises is logged and
    counts in `failures` (in a row); the next call comes all the same."""

    def __init__(self, name: str, work: Callable[[], object], seconds: float) -> None:
        self.failures = 0
        self._name = name
        self._work = work
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the call that is under way is over. Any number of times, also before `start`."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                self._work()
            except Exception as failure:
                self.failures += 1
                log.exception("failed; it is tried again", work=self._name, reason=type(failure).__name__)
            else:
                self.failures = 0
