"""From acknowledged to visible: the time between the gateway's answer and the first query that sees an event."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from uptake_chaos.ask import HEX_ID, Asker, Unanswered
from uptake_chaos.events import Made

LOOK_SECONDS = 0.05
TABLES = ("usage", "feedback", "cost")


class Visibility:
    """`acknowledged` is told by senders; a thread asks ClickHouse what has come since it last asked."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._lock = threading.Lock()
        self._acknowledged: dict[tuple[str, str], float] = {}
        self._seen: dict[tuple[str, str], float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="chaos-visibility", daemon=True)
        self._thread.start()

    def acknowledged(self, events: Iterable[Made]) -> None:
        now = time.monotonic()
        with self._lock:
            for event in events:
                self._acknowledged.setdefault((event.tenant, event.event_id.replace("-", "")), now)

    def end(self) -> list[float]:
        """Seconds of every event that was acknowledged and seen, in rising order."""
        self._ended.set()
        self._thread.join(60)
        with self._lock:
            # Seen before its answer had come: it was visible at once.
            return sorted(
                max(0.0, self._seen[key] - at) for key, at in self._acknowledged.items() if key in self._seen
            )

    def _watch(self) -> None:
        since = "now64(3, 'UTC') - INTERVAL 3 SECOND"
        query = " UNION ALL ".join(
            f"SELECT tenant, {HEX_ID} AS id FROM {table} WHERE inserted_at > {since}"  # noqa: S608
            for table in TABLES
        )
        while not self._ended.wait(LOOK_SECONDS):
            try:
                rows = self._asker.rows(query)
            except Unanswered:
                continue
            now = time.monotonic()
            with self._lock:
                for row in rows:
                    self._seen.setdefault((row["tenant"], row["id"].rjust(32, "0")), now)


def quantiles(values: list[float]) -> tuple[float, float, float]:
    """p50, p90 and p99, to the millisecond."""
    ordered = sorted(values)
    p50, p90, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.9, 0.99))
    return round(p50, 3), round(p90, 3), round(p99, 3)
