"""Delivering what was said, once: lease, send, confirm; what is in doubt is looked up before it is sent again.

    pending ──lease──► sending ──confirmed──► sent ──restated──► restating ──lease, edit──► sent
       ▲                  │ ├──refused──────► failed               ▲  │ └──refused─────────► failed
       └──── later ───────┘ └──answer lost,                        └──┘ later, answer lost
                               lease ran out► ambiguous ──found──► sent
                                                   └──not found──► sending

A failed letter is visible, with a remedy; `retry` looks first. The lease is longer than any deliverer's time-out, so
when it has run out the request it covered is over, and what the channel's history says about it is final. An edit
may be repeated, so nothing about it is ever in doubt: a letter stays `restating` until its newest revision is shown,
and only the newest is ever sent. What happens under one lease is in `posting`.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import ColumnElement, Engine, case, exists, func, select, update

from uptake.alerts.deliver import Deliverer, DeliveryError, LaterError, RefusedError
from uptake.alerts.letter import Letter
from uptake.alerts.message import Message
from uptake.alerts.posting import LostError, Posting
from uptake.clock import Clock
from uptake.state.store import to_micros
from uptake.state.tables import outbox

LEASE = timedelta(seconds=180)
BACKOFF_FIRST = timedelta(seconds=5)
BACKOFF_LAST = timedelta(minutes=15)

log = structlog.get_logger(__name__)


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
            # 3. look, edit or send, 4. confirm
            leased = replace(letter, status="sending") if letter.status == "pending" else letter
            status = self._one(deliverer, leased)
            ended[status] += 1
            if status in ("pending", "ambiguous"):
                held.add(letter.channel)
        return ended

    def _expire(self) -> None:
        now = to_micros(self._clock.now())
        stale = (outbox.c.status == "sending") & (outbox.c.leased_until <= now)
        # in one order, or two that change several letters at once would wait each for the other
        some = select(outbox.c.id).where(stale).order_by(outbox.c.id).with_for_update()
        with self._engine.begin() as connection:
            connection.execute(
                update(outbox)
                .where(outbox.c.id.in_(some))
                .values(
                    status="ambiguous", lease_owner="", last_error="its sender stopped before the answer came"
                )
            )

    def _due(self, limit: int, only: str | None = None) -> list[Letter]:
        now = to_micros(self._clock.now())
        query = (
            select(outbox)
            .where(outbox.c.status.in_(("pending", "ambiguous", "restating")))
            .where(outbox.c.not_before <= now, outbox.c.leased_until <= now)
            .order_by(outbox.c.status == "restating", outbox.c.created_at, outbox.c.id)
            .limit(limit)
        )
        query = query.where(~_behind_another(now) if only is None else outbox.c.identity == only)
        with self._engine.connect() as connection:
            return [Letter.of(row) for row in connection.execute(query)]

    def readdress(self, channel_of: Callable[[Letter], str]) -> int:
        """Give letters that were said while they had no channel the one that `channel_of` knows by now ("": none
        yet). Only letters that are certainly not posted; one that is in its channel already stays as it is."""
        unaddressed = (outbox.c.channel == "") & (outbox.c.status == "pending")
        other = outbox.alias()
        moved = 0
        with self._engine.begin() as connection:
            for row in connection.execute(select(outbox).where(unaddressed).order_by(outbox.c.id)).all():
                channel = channel_of(Letter.of(row))
                if not channel:
                    continue
                there = exists().where(other.c.identity == row.identity, other.c.channel == channel)
                moved += connection.execute(
                    update(outbox).where(outbox.c.id == row.id, unaddressed, ~there).values(channel=channel)
                ).rowcount
        return moved

    def _claim(self, letter: Letter) -> bool:
        """Take the lease. A pending letter is `sending` from here on; any other stays what it is."""
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
        posting = Posting(deliverer, letter, message, self._keep, self._clock.now)
        try:
            posting.run()
        except LostError:
            return self._lost(letter)
        except LaterError as error:
            # a look that could not be had leaves the letter in doubt; a send that was put off does not
            seconds = error.seconds
            wait = None if seconds is None else timedelta(seconds=seconds)
            status = "pending" if posting.letter.status == "sending" else posting.letter.status
            return self._again(posting.letter, status, _text(error), wait)
        except RefusedError as error:
            return self._end(posting.letter, "failed", last_error=_text(error))
        except DeliveryError as error:
            return self._again(posting.letter, _in_doubt(posting.letter), _text(error))
        except Exception as error:
            # a bug of the deliverer: whether it had posted is not known, so look before sending again
            log.exception("delivery failed unexpectedly", identity=letter.identity, channel=letter.channel)
            return self._again(
                posting.letter, _in_doubt(posting.letter), f"unexpected {type(error).__name__}"
            )
        now = to_micros(self._clock.now())
        first = func.coalesce(outbox.c.sent_at, now)
        return self._end(posting.letter, "sent", sent_at=first, last_error="")

    def _keep(self, letter: Letter) -> bool:
        """Write down how far a letter is and renew its lease; False if the lease is no longer ours."""
        now = to_micros(self._clock.now())
        with self._engine.begin() as connection:
            kept = connection.execute(
                update(outbox)
                .where(*self._ours(letter), outbox.c.leased_until > now)
                .values(
                    **_progress(letter),
                    status=letter.status,
                    leased_until=now + self._lease // timedelta(microseconds=1),
                )
            )
        return kept.rowcount == 1

    def _ours(self, letter: Letter) -> tuple[ColumnElement[bool], ...]:
        return (
            outbox.c.id == letter.id,
            outbox.c.lease_owner == self._owner,
            outbox.c.attempts == letter.attempts + 1,
        )

    def _again(self, letter: Letter, status: str, reason: str, wait: timedelta | None = None) -> str:
        until = to_micros(self._clock.now() + (backoff(letter.attempts + 1) if wait is None else wait))
        log.warning(
            "delivery put off", identity=letter.identity, channel=letter.channel, status=status, reason=reason
        )
        return self._end(letter, status, not_before=until, last_error=reason)

    def _end(self, letter: Letter, status: str, **values: Any) -> str:
        """Write the outcome and give the lease back; if the lease was lost, its new owner decides.

        What was restated while it was being sent is not at its end: the edit comes next.
        """
        newer = case((outbox.c.revision > letter.revision, "restating"), else_=status)
        with self._engine.begin() as connection:
            written = connection.execute(
                update(outbox)
                .where(*self._ours(letter))
                .values(
                    **_progress(letter),
                    status=newer if status == "sent" else status,
                    lease_owner="",
                    leased_until=0,
                    **values,
                )
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
            return [Letter.of(row) for row in connection.execute(query)]

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
        those whose channel is another one by now, as `channel_of` knows: they are posted there.
        """
        now = to_micros(self._clock.now())
        query = select(outbox).where(outbox.c.status == "failed").order_by(outbox.c.id)
        if tenant is not None:
            query = query.where(outbox.c.tenant == tenant)
        retried = 0
        with self._engine.begin() as connection:
            for row in connection.execute(query).all():
                new = (channel_of(Letter.of(row)) if channel_of else "") or row.channel
                moved = new != row.channel or not row.channel
                values: dict[str, Any] = {"channel": new, "not_before": now}
                if moved:
                    values |= {"status": "pending", "shown": 0, "posted": {}, "reference": ""}
                else:
                    values |= {"status": "ambiguous"}
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


def _progress(letter: Letter) -> dict[str, Any]:
    """Where the letter's posts are and what they show."""
    reference = letter.posted.references[0] if letter.posted.references else letter.reference
    return {"posted": letter.posted.document(), "shown": letter.shown, "reference": reference}


def _in_doubt(letter: Letter) -> str:
    """What a letter is when an answer was lost: an edit is repeated, anything else looked for."""
    return letter.status if letter.status == "restating" else "ambiguous"


def _text(error: DeliveryError) -> str:
    return f"{error.message}. {error.hint}" if error.hint else error.message
