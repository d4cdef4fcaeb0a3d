"""What the SDK says of itself: one warning for each kind of trouble, and the app's `on_drop`."""

from __future__ import annotations

import logging
from collections.abc import Callable

logger = logging.getLogger("uptake")

OnDrop = Callable[[str, int], object]
OnProblem = Callable[[str], object]

_MOST_WARNINGS = 32

_MEANS = {
    "queue_full": "the queue is full: the gateway is away or slower than the app",
    "closed": "the client was closed before they were sent",
    "unauthorised": "the gateway refuses the API key",
    "retries_exhausted": "the gateway did not take them however often they were sent",
    "internal": "the SDK failed; please report it",
}


class Teller:
    """Warns once for each kind of trouble, with words of the SDK's own and never with the app's data.

    `on_problem` is told every time, in the same words: tests of an app listen there.
    """

    def __init__(self, on_drop: OnDrop | None, on_problem: OnProblem | None = None) -> None:
        self._on_drop = on_drop
        self._on_problem = on_problem
        self._said: set[str] = set()

    def warn(self, about: str, text: str) -> None:
        """Logs `text` unless something was said about the same before. A broken log handler breaks nothing."""
        if about in self._said or len(self._said) >= _MOST_WARNINGS:
            return
        self._said.add(about)
        try:
            logger.warning("uptake: %s", text)
        except Exception:  # noqa: BLE001 - a guest does not break the app because its log handler is broken
            self._said.add("log handler")

    def dropped(self, reason: str, count: int, detail: str = "") -> bool:
        """Tells of events that will not arrive; False if `on_drop` raised."""
        means = detail or _MEANS.get(reason, "")
        text = f"{reason}: {means}" if means else reason
        self.warn(text, f"events are dropped ({text}); said once, counted in client.stats()")
        if self._on_problem is not None:
            self._on_problem(text)
        if self._on_drop is None:
            return True
        try:
            self._on_drop(reason, count)
        except Exception as problem:  # noqa: BLE001 - the app's own code, on our thread
            self.warn("on_drop", f"on_drop raised {type(problem).__name__}; counted as callback_errors")
            return False
        return True
