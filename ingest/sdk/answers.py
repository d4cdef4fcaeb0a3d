"""What an answer of the gateway means for a batch: decided here, done by the sender."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

MAX_WAIT = 60.0
"""Seconds that a Retry-After is honoured for at most, so that a typing error over there is no outage here."""

EXHAUSTED = "retries_exhausted"
_AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a batch: `done` (some events may be `refused`, by reason), send `again`, `split` it in two
    because of what one part of it holds, or `drop` it whole. `reason` counts what is dropped. A `fault` is the
    gateway's own failure, which may be due to what the batch holds: it is not sent again for ever."""

    act: Literal["done", "again", "split", "drop"]
    reason: str = ""
    fault: bool = False
    refused: Counter[str] = field(default_factory=Counter)
    where: tuple[str, ...] = ()
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """How long a batch is sent again, and how long the sender waits in between: half to all of base * 2^n seconds.

    A gateway that is away or busy gets the batch again for `patience` seconds. The server takes events of any age
    and the queue bounds the memory, so the day only keeps a batch that never gets through from standing in front of
    the others for ever. After `attempts` faults (500) the batch is halved, to find the event that causes them.
    `jitter` returns a number from 0 to 1.
    """

    attempts: int = 10
    base: float = 0.5
    cap: float = 30.0
    patience: float = 86_400.0
    jitter: Callable[[], float] = random.random

    def wait(self, attempt: int, retry_after: float | None) -> float:
        """Seconds to wait after the attempt of that number (from 1) failed."""
        longest = min(self.cap, self.base * 2.0 ** min(attempt - 1, 30))
        wait = longest * (0.5 + self.jitter() / 2)
        return wait if retry_after is None else min(max(wait, retry_after), MAX_WAIT)

    def after(self, again: Verdict, attempt: int, faults: int, seconds: float) -> float | Verdict:
        """What follows attempt number `attempt` (from 1) of a batch, which ended in `again`: seconds to wait before
        the next one, or the last verdict. `faults` of the attempts were faults, the first began `seconds` ago."""
        if faults >= self.attempts:
            return Verdict("split", EXHAUSTED)
        wait = self.wait(attempt, again.retry_after)
        return wait if seconds + wait < self.patience else Verdict("drop", EXHAUSTED)


def judge(answer: Answer, events: int, now: datetime) -> Verdict:
    """The verdict on a batch of that many events. `now` (UTC) is for a Retry-After that is a date."""
    status = answer.status
    if status in (200, 202, 422):
        told = _partial(answer.body, events)
        if told is not None:
            return told
        # 200 without the gateway's own words is somebody else's answer (a portal, a proxy): nothing is durable.
        return Verdict("drop", "rejected:422") if status == 422 else Verdict("again", "unreadable_answer")
    if status in (401, 403):
        return Verdict("drop", "unauthorised")
    if status == 413:
        return Verdict("split", "too_large")
    if status == 400:
        return Verdict("split", "rejected:malformed")
    if status in _AGAIN or status >= 500:
        # Other 5xx are said by what stands in front of the gateway, or by a gateway that knows it cannot.
        fault = status == 500
        return Verdict("again", f"status_{status}", fault, retry_after=_retry_after(answer.headers, now))
    return Verdict("drop", f"rejected:{status}")


def _partial(body: bytes, events: int) -> Verdict | None:
    """The gateway's count of a batch, if it is one and adds up to the batch."""
    try:
        told = json.loads(body)
        kept = told["accepted"] + told.get("duplicates", 0)
        rejected = told.get("rejected", [])
        if type(kept) is not int or kept < 0 or kept + len(rejected) != events:
            return None
        refused = Counter(f"rejected:{_word(entry['reason'])}" for entry in rejected)
        where = tuple(_word(entry.get("path", "")).rpartition("].")[2] for entry in rejected[:1])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return Verdict("done", refused=refused, where=where)


def _word(text: object) -> str:
    """A word of the gateway as it may stand in logs and metrics: short, and of code's letters only."""
    return "".join(c for c in str(text)[:80] if c.isascii() and (c.isalnum() or c in "_.[]:"))


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds, from either form of the header (RFC 9110, section 10.2.3)."""
    given = headers.get("retry-after", "").strip()
    if given.isdecimal() and given.isascii() and len(given) < 10:
        return float(given)
    from email.utils import parsedate_to_datetime  # imported late: 15 ms, and rarely needed

    try:
        until = parsedate_to_datetime(given)
    except (ValueError, TypeError, IndexError):
        return None
    return max(0.0, ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())
