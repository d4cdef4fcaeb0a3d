"""Delivering what was said, once: lease, send, confirm; what is in doubt is looked up before it is sent again.

    pending ──lease──► sending ──confirmed──► sent
       ▲                  │ ├──refused──────► failed        (visible, with a remedy; `retry` looks first)
       └──── later ───────┘ └──answer lost,
                               lease ran out► ambiguous ──found──► sent
                                                   └──not found──► sending

The lease is longer than any deliverer's time-out, so when it has run out the request it covered is over, and
what the channel's history says about it is final.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import ColumnElement, Engine, exists, func, select, update

from uptake.alerts.deliver import Deliverer, DeliveryError, LaterError, RefusedError
from uptake.alerts.message import Message
from uptake.clock import Clock
from uptake.state.store import from_micros, to_micros
from uptake.state.tables import outbox

LEASE = timedelta(seconds=120)
BACKOFF_FIRST = timedelta(seconds=5)
BACKOFF_LAST = timedelta(minutes=15)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """One row of the outbox."""

    id: int
    identity: str
    tenant: str
    channel: str
    status: str
    attempts: int
    not_before: datetime
    created_at: datetime
    reference: str
    last_error: str
    message: Mapping[str, Any] = field(repr=False)


def backoff(attempts: int) -> timedelta:
    """How long to wait after the n-th attempt: doubling from 5 seconds, never above 15 minutes."""
    doublings: int = 2 ** min(max(attempts - 1, 0), 20)
    return min(BACKOFF_FIRST * doublings, BACKOFF_LAST)


class Outbox:
    """The letters in a state store. Any number of processes may deliver from the same one."""

    def __init__(self, engine: Engine, clock: Clock, owner: str = "", lease: timedelta = LEASE) -> None:
        self._engine = engine
        self._clock = clock
        self._owner = owner or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._lease = lease

    def deliver(self, deliverer: Deliverer, limit: int = 50, only: str | None = None) -> Counter[str]:
        """Deliver what is due, at most `limit` letters, or `only` those about one fact. Returns how many ended in
        which status.

        Order is kept within a channel: while a letter has to wait or is being sent elsewhere, those behind it wait
        too, but not for one that failed. One fact that is asked for by name does not queue.
        """
        # 1. a lease that ran out while sending: it may have been posted
        self._expire()
        ended: Counter[str] = Counter()
        held: set[str] = set()
        for letter in self._due(limit, only):
            if letter.channel in held:
                continue
            # 2. lease: one process wins
            if not self._claim(letter):
                held.add(letter.channel)
                continue
            # 3. look or send, 4. confirm
            status = self._one(deliverer, letter)
            ended[status] += 1
            if status in ("pending", "ambiguous"):
                held.add(letter.channel)
        return ended

    def _expire(self) -> None:
        now = to_micros(self._clock.now())
        stale = (outbox.c.status == "sending") & (outbox.c.leased_until <= now)
        with self._engine.begin() as connection:
            connection.execute(
                update(outbox)
                .where(stale)
                .values(
                    status="ambiguous", lease_owner="", last_error="its sender stopped before the answer came"
                )
            )

    def _due(self, limit: int, only: str | None = None) -> list[Letter]:
        now = to_micros(self._clock.now())
        query = (
            select(outbox)
            .where(outbox.c.status.in_(("pending", "ambiguous")))
            .where(outbox.c.not_before <= now, outbox.c.leased_until <= now)
            .order_by(outbox.c.created_at, outbox.c.id)
            .limit(limit)
        )
        query = query.where(~_behind_another(now) if only is None else outbox.c.identity == only)
        with self._engine.connect() as connection:
            return [_letter(row) for row in connection.execute(query)]

    def readdress(self, channel_of: Callable[[Letter], str]) -> int:
        """Give letters that were said while they had no channel the one that `channel_of` knows by now ("": none
        yet). Only letters that are certainly not posted; one that is in its channel already stays as it is."""
        unaddressed = (outbox.c.channel == "") & (outbox.c.status == "pending")
        other = outbox.alias()
        moved = 0
        with self._engine.begin() as connection:
            for row in connection.execute(select(outbox).where(unaddressed)).all():
                channel = channel_of(_letter(row))
                if not channel:
                    continue
                there = exists().where(other.c.identity == row.identity, other.c.channel == channel)
                moved += connection.execute(
                    update(outbox).where(outbox.c.id == row.id, unaddressed, ~there).values(channel=channel)
                ).rowcount
        return moved

    def _claim(self, letter: Letter) -> bool:
        """Take the lease. A pending letter is `sending` from here on; one in doubt stays in doubt."""
        now = self._clock.now()
        status = "sending" if letter.status == "pending" else letter.status
        with self._engine.begin() as connection:
            taken = connection.execute(
                update(outbox)
                .where(outbox.c.id == letter.id, outbox.c.status == letter.status)
                .where(outbox.c.attempts == letter.attempts, outbox.c.leased_until <= to_micros(now))
                .values(
                    status=status,
                    lease_owner=self._owner,
                    leased_until=to_micros(now + self._lease),
                    attempts=letter.attempts + 1,
                )
            )
        return taken.rowcount == 1

    def _one(self, deliverer: Deliverer, letter: Letter) -> str:
        """Deliver one leased letter and return the status it ends in."""
        try:
            message = Message.model_validate(letter.message)
        except ValidationError as error:
            reason = f"the stored message cannot be read ({error.error_count()} errors)"
            return self._end(letter, "failed", last_error=reason)
        wait = backoff(letter.attempts + 1)
        in_doubt = letter.status == "ambiguous"
        try:
            if in_doubt:
                found = deliverer.find(letter.channel, letter.identity, letter.created_at)
                if found is not None:
                    return self._sent(letter, found)
                if not self._sending(letter):
                    return self._lost(letter)
                in_doubt = False
            reference = deliverer.send(letter.channel, message)
        except LaterError as error:
            # a look that could not be had leaves the letter in doubt; a send that was put off does not
            wait = wait if error.seconds is None else timedelta(seconds=error.seconds)
            return self._again(letter, "ambiguous" if in_doubt else "pending", wait, _text(error))
        except RefusedError as error:
            return self._end(letter, "failed", last_error=_text(error))
        except DeliveryError as error:
            return self._again(letter, "ambiguous", wait, _text(error))
        except Exception as error:
            # a bug of the deliverer: whether it had posted is not known, so look before sending again
            log.exception("delivery failed unexpectedly", identity=letter.identity, channel=letter.channel)
            return self._again(letter, "ambiguous", wait, f"unexpected {type(error).__name__}")
        return self._sent(letter, reference)

    def _sending(self, letter: Letter) -> bool:
        """Move a letter that was looked for and not found to `sending`, if its lease is still ours."""
        now = to_micros(self._clock.now())
        with self._engine.begin() as connection:
            moved = connection.execute(
                update(outbox)
                .where(outbox.c.id == letter.id, outbox.c.lease_owner == self._owner)
                .where(outbox.c.status == "ambiguous", outbox.c.leased_until > now)
                .values(status="sending", leased_until=now + self._lease // timedelta(microseconds=1))
            )
        return moved.rowcount == 1

    def _sent(self, letter: Letter, reference: str) -> str:
        now = to_micros(self._clock.now())
        return self._end(letter, "sent", reference=reference, sent_at=now, last_error="")

    def _again(self, letter: Letter, status: str, wait: timedelta, reason: str) -> str:
        until = to_micros(self._clock.now() + wait)
        log.warning(
            "delivery put off", identity=letter.identity, channel=letter.channel, status=status, reason=reason
        )
        return self._end(letter, status, not_before=until, last_error=reason)

    def _end(self, letter: Letter, status: str, **values: Any) -> str:
        """Write the outcome and give the lease back; if the lease was lost, its new owner decides."""
        with self._engine.begin() as connection:
            written = connection.execute(
                update(outbox)
                .where(outbox.c.id == letter.id, outbox.c.lease_owner == self._owner)
                .where(outbox.c.attempts == letter.attempts + 1)
                .values(status=status, lease_owner="", leased_until=0, **values)
            )
        if written.rowcount != 1:
            return self._lost(letter)
        if status == "failed":
            log.error(
                "message not delivered",
                identity=letter.identity,
                channel=letter.channel,
                reason=values.get("last_error", ""),
            )
        return status

    def _lost(self, letter: Letter) -> str:
        log.warning("lease lost; its new owner decides", identity=letter.identity, channel=letter.channel)
        return "lost"

    def letters(self, status: str | None = None, tenant: str | None = None, limit: int = 100) -> list[Letter]:
        """Letters for people to look at, newest first."""
        query = select(outbox).order_by(outbox.c.created_at.desc(), outbox.c.id.desc()).limit(limit)
        if status is not None:
            query = query.where(outbox.c.status == status)
        if tenant is not None:
            query = query.where(outbox.c.tenant == tenant)
        with self._engine.connect() as connection:
            return [_letter(row) for row in connection.execute(query)]

    def counts(self) -> dict[str, int]:
        """How many letters stand in which status."""
        query = select(outbox.c.status, func.count()).group_by(outbox.c.status)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def undelivered(self) -> int:
        """How many letters were said and are not, or not yet, where they belong."""
        return sum(count for status, count in self.counts().items() if status != "sent")

    def retry(self, tenant: str | None = None, channel_of: Callable[[Letter], str] | None = None) -> int:
        """Give failed letters another chance, after what stopped them was mended.

        Each is looked for first, but for those without a channel (they are nowhere, and wait for `readdress`) and
        those whose channel is another one by now, as `channel_of` knows: they go there.
        """
        now = to_micros(self._clock.now())
        query = select(outbox).where(outbox.c.status == "failed")
        if tenant is not None:
            query = query.where(outbox.c.tenant == tenant)
        retried = 0
        with self._engine.begin() as connection:
            for row in connection.execute(query).all():
                new = (channel_of(_letter(row)) if channel_of else "") or row.channel
                moved = new != row.channel or not row.channel
                values = {"channel": new, "status": "pending" if moved else "ambiguous", "not_before": now}
                same = (outbox.c.id == row.id) & (outbox.c.status == "failed")
                retried += connection.execute(
                    update(outbox).where(same).values(**values, leased_until=0)
                ).rowcount
        return retried


def _behind_another(now: int) -> ColumnElement[bool]:
    """Whether an earlier letter of the same channel is put off or under a lease."""
    other = outbox.alias()
    earlier = (other.c.created_at < outbox.c.created_at) | (
        (other.c.created_at == outbox.c.created_at) & (other.c.id < outbox.c.id)
    )
    return (
        exists()
        .where(other.c.channel == outbox.c.channel, earlier)
        .where(other.c.status.in_(("pending", "sending", "ambiguous")))
        .where((other.c.not_before > now) | (other.c.leased_until > now))
    )


def _letter(row: Any) -> Letter:
    return Letter(
        row.id,
        row.identity,
        row.tenant,
        row.channel,
        row.status,
        row.attempts,
        from_micros(row.not_before),
        from_micros(row.created_at),
        row.reference,
        row.last_error,
        row.message,
    )


def _text(error: DeliveryError) -> str:
    return f"{error.message}. {error.hint}" if error.hint else error.message
