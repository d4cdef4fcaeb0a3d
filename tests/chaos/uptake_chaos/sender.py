"""Sends batches as an SDK does: over kept connections, again with the same ids after 429, 503, a time-out or a broken
connection, until somebody acknowledges. Besides, whole batches come twice and events come again in other batches."""

from __future__ import annotations

import http.client
import json
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

from uptake_chaos.events import DUPLICATED, Generator, Made, encode
from uptake_chaos.oracle import Oracle

RESENT_BATCHES = 0.02
TIMEOUT_SECONDS = 10.0
PAUSE_SECONDS = (0.05, 1.0)
QUEUED_BATCHES = 64
AGAIN = (408, 429, 500, 502, 503, 504)


class Refused(AssertionError):  # noqa: N818 - named for what it is
    """The gateway refused what it must take: a bug, not a fault."""


@dataclass
class Said:
    """What was made, and what the gateway answered."""

    made: int = 0
    attempts: int = 0
    acknowledged_batches: int = 0
    doubled_events: int = 0
    resent_batches: int = 0
    late_events: int = 0
    again: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "again"}
        return {**counts, "again": dict(sorted(self.again.items()))}


@dataclass(slots=True)
class _Sending:
    events: list[Made]
    after: Callable[[list[Made]], None]


class Sender:
    """`start`, then events flow at about `rate` a second until `finish`, which returns when all are acknowledged."""

    def __init__(
        self,
        url: str,
        tokens: dict[str, str],
        oracle: Oracle,
        seed: int,
        rate: float,
        batch: tuple[int, int] = (5, 60),
        threads: int = 4,
        acknowledged: Callable[[list[Made]], None] = lambda events: None,
    ) -> None:
        """`tokens`: API key by tenant."""
        self._host = urlsplit(url).netloc
        self._tokens = tokens
        self._oracle = oracle
        self._generator = Generator(seed)
        self._chance = random.Random(seed + 1)
        self._rate, self._batch = rate, batch
        self._told = acknowledged
        self._queue: queue.Queue[_Sending | None] = queue.Queue(QUEUED_BATCHES)
        self._lock = threading.Lock()
        self._making_ends, self._gives_up = threading.Event(), threading.Event()
        self._broken: list[BaseException] = []
        self.said = Said()
        self._maker = threading.Thread(target=self._make, name="chaos-maker", daemon=True)
        self._threads = [
            threading.Thread(
                target=self._guarded, args=(seed + 100 + n,), name=f"chaos-sender-{n}", daemon=True
            )
            for n in range(threads)
        ]

    def start(self) -> None:
        for thread in (self._maker, *self._threads):
            thread.start()

    def stop_making(self) -> None:
        """No new events; what was made goes on being sent."""
        self._making_ends.set()

    def finish(self, timeout: float) -> None:
        """Make nothing new and wait until everything is acknowledged. Raises what a thread died of, or TimeoutError."""
        self.stop_making()
        deadline = time.monotonic() + timeout
        self._maker.join(timeout)
        for _ in self._threads:
            self._put(None, deadline)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        left = self._maker.is_alive() or any(thread.is_alive() for thread in self._threads)
        self._gives_up.set()
        self.check()
        if left:
            raise TimeoutError(f"{self._oracle.unacknowledged} events were not acknowledged in {timeout:g} s")

    def check(self) -> None:
        """Raises what a thread died of."""
        if self._broken:
            raise self._broken[0]

    def abandon(self) -> None:
        """Stop at once; for the way out of a failed run."""
        self._making_ends.set()
        self._gives_up.set()

    def _make(self) -> None:
        recent: dict[str, list[Made]] = {}
        owed = 0.0
        last = time.monotonic()
        while not self._making_ends.wait(0.02) and not self._broken:
            owed = min(owed + (time.monotonic() - last) * self._rate, self._rate)
            last = time.monotonic()
            while owed > 0 and not self._making_ends.is_set():
                tenant = self._generator.tenant()
                size = self._chance.randint(*self._batch)
                fresh = self._generator.batch(tenant, size, time.time_ns() // 1_000_000)
                with self._lock:
                    self._oracle.add(fresh)
                    self.said.made += len(fresh)
                    self.said.late_events += sum(event.late for event in fresh)
                again = [e for e in recent.get(tenant, ()) if self._chance.random() < DUPLICATED]
                recent[tenant] = fresh
                self.said.doubled_events += len(again)
                self._put(_Sending([*fresh, *again], self._oracle.acknowledge), None)
                owed -= len(fresh)

    def _put(self, sending: _Sending | None, deadline: float | None) -> None:
        while not self._gives_up.is_set() and not self._broken:
            try:
                self._queue.put(sending, timeout=0.2)
                return
            except queue.Full:
                if deadline is not None and time.monotonic() > deadline:
                    return

    def _guarded(self, seed: int) -> None:
        try:
            self._send_all(random.Random(seed))
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self._broken.append(error)

    def _send_all(self, chance: random.Random) -> None:
        connection = Connection(self._host)
        while not self._gives_up.is_set():
            try:
                sending = self._queue.get(timeout=0.2)
            except queue.Empty:
                continue
            if sending is None:
                break
            self._until_acknowledged(connection, sending, chance)
            if chance.random() < RESENT_BATCHES:  # as if the answer had been lost on its way
                self.said.resent_batches += 1
                self._until_acknowledged(connection, sending, chance)
        connection.drop()

    def _until_acknowledged(self, connection: Connection, sending: _Sending, chance: random.Random) -> None:
        body, token = encode(sending.events), self._tokens[sending.events[0].tenant]
        pause = PAUSE_SECONDS[0]
        while not self._gives_up.is_set():
            status, answer = connection.post(body, token)
            with self._lock:
                self.said.attempts += 1
                if status == 200:
                    _whole(answer, len(sending.events))
                    self.said.acknowledged_batches += 1
                    sending.after(sending.events)
                    self._told(sending.events)
                    return
                self.said.again[str(status) if isinstance(status, int) else status] += 1
            if isinstance(status, int) and status not in AGAIN:
                raise Refused(f"the gateway answered {status}: {json.dumps(answer)[:300]}")
            self._gives_up.wait(pause * (0.5 + chance.random()))
            pause = min(2 * pause, PAUSE_SECONDS[1])


def _whole(answer: dict[str, Any], events: int) -> None:
    """An acknowledgement speaks of every event of the batch, and refuses none of these."""
    if answer["accepted"] + answer["duplicates"] != events or answer["rejected"]:
        _refused(answer, events)


def _refused(answer: dict[str, Any], events: int) -> NoReturn:
    reasons = Counter(rejected["reason"] for rejected in answer["rejected"])
    raise Refused(f"of {events} good events {answer['accepted']} were accepted; refused: {dict(reasons)}")


class Connection:
    """One kept HTTP connection to the gateway, opened anew after every failure."""

    def __init__(self, host: str, timeout: float = TIMEOUT_SECONDS) -> None:
        self._host, self._timeout = host, timeout
        self._http: http.client.HTTPConnection | None = None

    def post(self, body: bytes, token: str) -> tuple[int | str, dict[str, Any]]:
        """The status and the answer; the name of the failure where there was none."""
        if self._http is None:
            self._http = http.client.HTTPConnection(self._host, timeout=self._timeout)
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            self._http.request("POST", "/v1/events", body, headers)
            response = self._http.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.drop()
            return type(error).__name__, {}
        return response.status, answer

    def drop(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None
