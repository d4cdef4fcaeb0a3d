"""One of something for each thread, let go of when its thread is gone.

Pools end idle threads and start new ones; what the ended ones held would otherwise pile up for weeks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerThread(Generic[T]):
    """Makes one `T` for each thread that asks, and disposes of those whose thread has ended."""

    def __init__(self, make: Callable[[], T], dispose: Callable[[T], None]) -> None:
        self._make = make
        self._dispose = dispose
        self._held: dict[threading.Thread, T] = {}
        self._lock = threading.Lock()

    def get(self) -> T:
        """This thread's own."""
        thread = threading.current_thread()
        with self._lock:
            if thread in self._held:
                return self._held[thread]
            ended = [self._held.pop(other) for other in list(self._held) if not other.is_alive()]
        for each in ended:
            self._dispose(each)
        made = self._make()
        with self._lock:
            self._held[thread] = made
        return made

    def close(self) -> None:
        """Dispose of all of them. Whoever asks afterwards gets a new one."""
        with self._lock:
            held, self._held = self._held, {}
        for each in held.values():
            self._dispose(each)

    def __len__(self) -> int:
        return len(self._held)
