"""Notices to the scheduler that something was written: at most one a second and tenant, from a thread of their own.

A notice that is lost costs nothing but time: the scheduler also looks when it hears nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from uptake.processors.pipeline import Written
from uptake.schemas.batch import StoreUnavailable

EVERY_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Notices:
    """`told` is for `Pipeline`: it never waits. `announce` gets one notice a tenant and second."""

    def __init__(self, announce: Callable[[Mapping[str, object]], Any]) -> None:
        self._announce = announce
        self._lock = threading.Lock()
        self._waiting: dict[str, dict[str, int]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uptake-notices", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Announce what waits, then no more."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(2 * EVERY_SECONDS)

    def told(self, written: Written) -> None:
        with self._lock:
            counts = self._waiting.setdefault(
                written.tenant, dict.fromkeys(("usage", "feedback", "cost", "unauthorised"), 0)
            )
            for name in counts:
                counts[name] += getattr(written, name)

    def flush(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for tenant, counts in waiting.items():
            try:
                self._announce({"kind": "written", "tenant": tenant, **counts})
            except StoreUnavailable:
                _log.warning("notice_lost", tenant=tenant)

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            self.flush()
        self.flush()
