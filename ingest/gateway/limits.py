"""How much the gateway takes in: of one request, of one key, and of everybody together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from uptake.schemas.batch import MAX_BATCH_EVENTS, MAX_EVENT_BYTES

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the gateway. Times in seconds, sizes in bytes.

    A batch's number of events and an event's size are bounded by the codec (`MAX_BATCH_EVENTS`,
    `MAX_EVENT_BYTES`); the decompressed body may hold just that.
    """

    compressed_bytes: int = 4 * MIB  # of a body as it travels
    decompressed_bytes: int = MAX_BATCH_EVENTS * MAX_EVENT_BYTES  # of a body as it is read: 16 MB
    gzip_members: int = 16  # of one body; each one costs, and an SDK sends one
    body_seconds: float = 20.0  # from a request's headers to the end of its body
    answer_seconds: float = 30.0  # for making the events durable
    bodies_bytes: int = 128 * MIB  # of all bodies in memory, being read or waiting
    requests_per_second: float = 1_000.0  # of one key, on average
    burst_requests: int = 2_000  # of one key, at once


class Memory:
    """Bytes that all bodies together may occupy. Used from the event loop only."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used = 0

    def take(self, size: int) -> bool:
        """Reserve `size` bytes; False (and nothing reserved) when they do not fit."""
        if self.used + size > self._limit:
            return False
        self.used += size
        return True

    def give_back(self, size: int) -> None:
        self.used -= size


class RateLimiter:
    """One token bucket for each key. Used from the event loop only; `now` is a monotonic time in seconds."""

    def __init__(self, per_second: float, burst: int, now: Callable[[], float]) -> None:
        if per_second <= 0 or burst < 1:
            raise ValueError("a rate limit lets something through")
        self._per_second = per_second
        self._burst = float(burst)
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_of(self, key_id: str) -> float:
        """0.0 when a request of this key may pass (and has taken its token), else seconds until one may."""
        now = self._now()
        tokens, at = self._buckets.get(key_id, (self._burst, now))
        tokens = min(self._burst, tokens + max(0.0, now - at) * self._per_second)
        passes = tokens >= 1.0
        self._buckets[key_id] = (tokens - 1.0 if passes else tokens, now)
        return 0.0 if passes else (1.0 - tokens) / self._per_second
