"""The background sender: takes what is queued, checks it, posts it, and settles every event exactly once."""

from __future__ import annotations

import gzip
import itertools
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from uptake.ingest.sdk.answers import EXHAUSTED, Retry, Verdict, judge
from uptake.ingest.sdk.compose import compose
from uptake.ingest.sdk.intake import Intake
from uptake.ingest.sdk.items import Item
from uptake.ingest.sdk.ledger import Ledger
from uptake.ingest.sdk.rules import Invalid
from uptake.ingest.sdk.teller import Teller
from uptake.ingest.sdk.transport import NewTransport, Transport, Unreached

BATCH_EVENTS = 500
BATCH_BYTES = 512 * 1024
_MOST_SPLITS = 16
"""Batches in a row that may be split without one success: one bad event among 500 takes ten, a gateway that
refuses everything must not be asked a thousand times."""


@dataclass(slots=True)
class Delivery:
    """How events leave: what each of them says of the app, whether texts go with them, the key, and how patient the
    sender is (seconds)."""

    new_transport: NewTransport
    api_key: str = field(repr=False)
    defaults: dict[str, str]
    linger: float
    timeout: float
    retry: Retry
    send_text: bool = False


class Sender:
    """One a process. `run` is the thread's body; `drain` does the same work on the caller's thread where there
    can be no thread."""

    def __init__(
        self, client_id: str, delivery: Delivery, ledger: Ledger, intake: Intake, teller: Teller
    ) -> None:
        self._client_id = client_id
        self._delivery = delivery
        self._ledger = ledger
        self._intake = intake
        self._teller = teller
        self._transport: Transport | None = None
        self._working = threading.Lock()
        self._closing_at: float | None = None
        self._draining_until = float("inf")
        self.flush_to = 0
        """The sender does not linger until that many events are settled."""

    def run(self) -> None:
        """Until the client closes and nothing is left: wait, take, compose, post, settle."""
        while True:
            self._intake.wait(BATCH_EVENTS, self._delivery.linger, self._hurry)
            if not self._round() and self._closing_at is not None:
                break
        with self._working:
            self._hang_up()

    def drain(self, seconds: float) -> None:
        """Sends what is queued, here and now, unless another thread does not let go of it in time. A caller cannot
        wait for a gateway that is away: the batch that it does not take by then is dropped, the rest stays queued."""
        self._draining_until = time.monotonic() + max(0.0, seconds)
        if not self._working.acquire(timeout=max(0.0, seconds)):
            return
        self._working.release()
        while self._round() and time.monotonic() < self._draining_until:
            pass

    def close_at(self, moment: float) -> None:
        """From now on waits are cut short, and at `moment` (monotonic) whatever is left is dropped."""
        self._closing_at = moment
        self._intake.wake()

    def _hurry(self) -> bool:
        return self._closing_at is not None or self.flush_to > self._ledger.resolved

    def _left(self) -> float:
        return float("inf") if self._closing_at is None else self._closing_at - time.monotonic()

    def _round(self) -> bool:
        """One batch, in order: 1 take, 2 tell of refusals, 3 compose, 4 post, 5 settle. False if there was none."""
        with self._working:
            generation = self._ledger.generation
            items = self._intake.take(BATCH_EVENTS)
            self._tell_refusals()
            if not items:
                return False
            try:
                self._deliver(generation, self._composed(generation, items))
            except Exception as problem:  # noqa: BLE001 - the thread must live; what is unsettled is counted below
                self._teller.warn("internal", f"the sender failed with {type(problem).__name__}")
            # After a whole round nothing is in hand: what is unresolved was lost to a bug.
            lost = self._ledger.taken - self._ledger.resolved
            if lost:
                self._settle(generation, 0, {"internal": lost})
        return True

    def _composed(self, generation: int, items: Iterable[Item]) -> list[bytes]:
        """The events as JSON; those that the contract does not allow are settled as dropped."""
        events: list[bytes] = []
        for item in items:
            try:
                composed = compose(item, self._delivery.defaults, send_text=self._delivery.send_text)
            except Invalid as problem:
                self._settle(generation, 0, {problem.reason: 1}, str(problem))
                continue
            except Exception as problem:  # noqa: BLE001 - one event that the SDK cannot handle is one event
                self._settle(generation, 0, {"internal": 1}, f"compose raised {type(problem).__name__}")
                continue
            events.append(composed.event)
            if composed.people_left_out:
                self._ledger.people_left_out += composed.people_left_out
                self._teller.warn(
                    "people",
                    "events go without their people: there is no pseudonym key (UPTAKE_PSEUDONYM_KEY)",
                )
            if composed.texts_left_out:
                self._ledger.texts_left_out += 1
                self._teller.warn(
                    "texts",
                    "an event goes without its texts: they are too long, or the client has no send_text=True",
                )
        return events

    def _deliver(self, generation: int, events: list[bytes]) -> None:
        """Posts `events` in parts that the gateway takes, splitting a part that it does not, in their order."""
        work = deque(_parts(events))
        splits = 0
        while work:
            part = work.popleft()
            verdict = self._posted(generation, part)
            if verdict.act == "done":
                splits = 0
                refused = verdict.refused
                self._settle(generation, len(part) - refused.total(), refused, *verdict.where)
            elif verdict.act == "split" and len(part) > 1 and splits < _MOST_SPLITS:
                splits += 1
                middle = len(part) // 2
                work.extendleft((part[middle:], part[:middle]))
            else:
                self._settle(generation, 0, {verdict.reason: len(part)})

    def _posted(self, generation: int, part: list[bytes]) -> Verdict:
        """The final verdict on a part: the same bytes, with the same ids, again and again until there is one."""
        body = gzip.compress(b"[" + b",".join(part) + b"]", compresslevel=1)
        retry = self._delivery.retry
        began = time.monotonic()
        faults = 0
        for attempt in itertools.count(1):
            if self._left() <= 0 or generation != self._ledger.generation:
                break
            closing = self._closing_at is not None
            verdict = self._attempt(body, len(part))
            if verdict.act != "again":
                return verdict
            self._teller.warn(
                "again", f"the gateway does not take events now ({verdict.reason}); trying again"
            )
            self._tell_refusals()  # the queue may be full by now, and this may go on for hours
            faults += verdict.fault
            wait = retry.after(verdict, attempt, faults, time.monotonic() - began)
            if isinstance(wait, Verdict):
                return wait
            if self._closing_at is None:
                if time.monotonic() + wait >= self._draining_until:
                    self._draining_until = 0.0
                    return Verdict("drop", EXHAUSTED)
                self._intake.pause(wait, lambda: self._closing_at is not None)
            elif not closing:
                continue  # the client began to close during the attempt: one more, at once
            elif wait < self._left():
                self._intake.pause(wait, lambda: False)
            else:
                break
        return Verdict("drop", "closed")

    def _attempt(self, body: bytes, events: int) -> Verdict:
        if self._transport is None:
            self._transport = self._delivery.new_transport()
        accepted, dropped = self._report()
        headers = {
            "Authorization": f"Bearer {self._delivery.api_key}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": "uptake-python",
            "Uptake-Client-Id": self._client_id,
            "Uptake-Client-Accepted": str(accepted),
            "Uptake-Client-Dropped": str(dropped),
        }
        try:
            answer = self._transport.post(body, headers, min(self._delivery.timeout, max(0.01, self._left())))
        except Unreached as problem:
            return Verdict("again", str(problem))
        return judge(answer, events, datetime.now(UTC))

    def _report(self) -> tuple[int, int]:
        """(events that the app handed over, those of them that will not arrive), both since the start. What was
        refused is in both, unlike in `stats()`: completeness is about what happened in the app, not in the queue."""
        ledger = self._ledger
        with ledger.lock:
            ledger.fold()
            refused = ledger.refused.total()
            return ledger.taken + len(self._intake) + refused, ledger.dropped.total() + refused

    def _settle(
        self, generation: int, sent: int, dropped: dict[str, int] | Counter[str], detail: str = ""
    ) -> None:
        if self._ledger.resolve(generation, sent, dropped):
            for reason, count in dropped.items():
                self._tell(reason, count, detail)
            self._ledger.settle(generation, sent + sum(dropped.values()))

    def _tell(self, reason: str, count: int, detail: str = "") -> None:
        if not self._teller.dropped(reason, count, detail):
            self._ledger.callback_errors += 1

    def _tell_refusals(self) -> None:
        for reason, count in self._ledger.untold().items():
            self._tell(reason, count)

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None


def _parts(events: list[bytes]) -> list[list[bytes]]:
    """`events` in order, in parts of up to 512 KiB."""
    parts: list[list[bytes]] = []
    size = BATCH_BYTES
    for event in events:
        if size + len(event) + 1 > BATCH_BYTES:
            parts.append([])
            size = 2
        parts[-1].append(event)
        size += len(event) + 1
    return parts
