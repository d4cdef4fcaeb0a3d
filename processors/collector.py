"""Python's cycle collector, held back while a call has many thousand events in hand.

It looks through all living objects again and again while they are being made, finds nothing (events hold no
cycles) and takes a third of the pipeline's time. It runs between the calls instead.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_holding = threading.Lock()


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause for the one thread that comes first: a pause always ends with the call that began it, so calls that
    overlap all day cannot keep the collector from ever running."""
    if not gc.isenabled() or not _holding.acquire(blocking=False):
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        _holding.release()
