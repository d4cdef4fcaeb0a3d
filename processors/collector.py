"""Python's cycle collector, held back while calls have many thousand events in hand.

It looks through all living objects again and again while they are being made, finds nothing (events hold no
cycles) and takes a third of the pipeline's time. It runs between the calls instead; where calls overlap without
end, it is made to run every few seconds.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

MAX_PAUSE_SECONDS = 5.0

_lock = threading.Lock()
_calls = 0
_ours = False  # whether it was this module that switched the collector off
_since = 0.0


@contextmanager
def collector_paused() -> Iterator[None]:
    global _calls, _ours, _since
    with _lock:
        _calls += 1
        if _calls == 1 and gc.isenabled():
            gc.disable()
            _ours, _since = True, time.monotonic()
    try:
        yield
    finally:
        overdue = False
        with _lock:
            _calls -= 1
            if _ours and _calls == 0:
                _ours = False
                gc.enable()
            elif _ours and time.monotonic() - _since >= MAX_PAUSE_SECONDS:
                overdue, _since = True, time.monotonic()
        if overdue:
            gc.collect()
