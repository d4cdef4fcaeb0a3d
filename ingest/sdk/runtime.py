"""What a client has once in each process: its counters, its queue, its sender and the thread that runs it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from uptake.ingest.sdk.intake import Intake
from uptake.ingest.sdk.ledger import Ledger, Stats
from uptake.ingest.sdk.people import Mask
from uptake.ingest.sdk.sender import Delivery, Sender
from uptake.ingest.sdk.teller import Teller

_TRY_AGAIN_AFTER = 1.0


class Runtime:
    """Threads, starting and ending. A forked child makes itself a new one and leaves this one alone.

    `started` is called once, when there is a thread.
    """

    def __init__(
        self,
        client_id: str,
        delivery: Delivery,
        teller: Teller,
        mask: Mask,
        queue_events: int,
        queue_bytes: int,
        background: bool,
        started: Callable[[], None],
    ) -> None:
        self.client_id = client_id
        self.ledger = Ledger()
        self.intake = Intake(self.ledger, mask, self._start, queue_events, queue_bytes)
        self._sender = Sender(client_id, delivery, self.ledger, self.intake, teller)
        self._teller = teller
        self._background = background
        self._started = started
        self._thread: threading.Thread | None = None
        self._starting = False  # a signal handler may come by while the thread is being started
        self._ended = False
        self._failed_at: float | None = None
        self.intake.running = not background

    def _start(self) -> None:
        """Starts the sender's thread. Where that fails, events wait and it is tried again a second later."""
        now = time.monotonic()
        if self._failed_at is not None and now - self._failed_at < _TRY_AGAIN_AFTER:
            return
        with self.ledger.lock:  # nobody holds it for longer than it takes to move a batch
            if self._thread is not None or self._starting:
                return
            self._starting = True
            try:
                thread = threading.Thread(target=self._sender.run, name="uptake-sender", daemon=True)
                thread.start()
                self._thread = thread
                self.intake.running = True
                self._started()
            except RuntimeError:
                self._failed_at = now
                self._teller.warn(
                    "thread", "no thread can be started: events wait in the queue until one can"
                )
            finally:
                self._starting = False

    def stats(self) -> Stats:
        ledger = self.ledger
        if self._ended:
            self._give_up()  # what a caller who looked just before the close put in just after it
        with ledger.lock:
            ledger.fold()
            accepted = ledger.taken + len(self.intake)  # read once: callers go on meanwhile
            return Stats(
                client_id=self.client_id,
                accepted=accepted,
                sent=ledger.sent,
                queued=accepted - ledger.resolved,
                dropped=dict(ledger.dropped),
                refused=dict(ledger.refused),
                people_left_out=ledger.people_left_out,
                texts_left_out=ledger.texts_left_out,
                callback_errors=ledger.callback_errors,
            )

    def flush(self, timeout: float) -> bool:
        ledger = self.ledger
        with ledger.lock:
            target = ledger.taken + len(self.intake)
        if ledger.settled >= target:
            return True
        if threading.current_thread() is self._thread:
            return False  # on_drop asks the sender to wait for itself
        if self._background:
            if self._thread is None:
                self._start()
            self._sender.flush_to = max(self._sender.flush_to, target)
            self.intake.wake()
        else:
            self._sender.drain(timeout)
        with ledger.moved:
            return ledger.moved.wait_for(lambda: ledger.settled >= target, max(0.0, timeout))

    def close(self, timeout: float) -> None:
        """In order: 1 accept nothing more, 2 let the sender finish within the bound, 3 drop what is left."""
        if self.intake.shut == "not_configured":
            return
        self.intake.shut = "closed"
        end = time.monotonic() + max(0.0, timeout)
        self._sender.close_at(end)
        if threading.current_thread() is self._thread:
            return
        if self._thread is None:
            self._sender.drain(timeout)
        else:
            with self.ledger.moved:
                self.ledger.moved.wait_for(self._settled, max(0.0, end - time.monotonic()))
        self._give_up()
        self._ended = True

    def _settled(self) -> bool:
        return not len(self.intake) and self.ledger.settled == self.ledger.taken

    def _give_up(self) -> None:
        with self.ledger.lock:
            self.intake.take(len(self.intake))
            lost = self.ledger.abandon("closed")
        if lost and not self._teller.dropped("closed", lost):
            self.ledger.callback_errors += 1
