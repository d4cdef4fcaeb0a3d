"""What has been said. A unique row decides, not a cache with a lifetime: a fact is said once, for ever.

It may be restated: the same fact, with the figures that late data gave it. The message that is there is edited then;
a further one is never posted because of it.

Identities are built by those who compose the message (`budgets.identity`, `findings.identity`,
`digest.identity`); here they are opaque.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from uptake.alerts.letter import Posted
from uptake.alerts.message import Message
from uptake.state.store import from_micros, to_micros
from uptake.state.tables import facts, outbox

_IN_LIST = 500  # bound parameters a statement; SQLite's oldest supported limit is 999


def say(
    engine: Engine,
    identity: str,
    kind: str,
    tenant: str,
    message: Message,
    channels: Sequence[str],
    now: datetime,
    *,
    also: Sequence[str] = (),
    detail: Mapping[str, Any] | None = None,
) -> bool:
    """Record a fact and put its message into the outbox of every channel, in one transaction.

    Returns False, and changes nothing, if the fact or one of `also` was said before. `also` are facts that
    the same message covers (lower thresholds crossed in the same moment): they are recorded without a
    message of their own. Of any number of processes that say the same fact, one is told True.
    """
    at = to_micros(now)
    body = message.model_dump(mode="json")
    noted = dict(detail or {})
    rows = [
        {"identity": name, "tenant": tenant, "kind": kind, "at": at, "detail": noted}
        # in one order, or two that say much of the same would wait each for the other
        for name in sorted({identity, *also})
    ]
    letters = [
        {
            "identity": identity,
            "tenant": tenant,
            "channel": channel,
            "message": body,
            "status": "pending",
            "not_before": at,
            "created_at": at,
        }
        for channel in dict.fromkeys(channels)
    ]
    if not letters:
        raise ValueError("a message goes to at least one channel")
    try:
        with engine.begin() as connection:
            connection.execute(facts.insert(), rows)
            connection.execute(outbox.insert(), letters)
    except IntegrityError:
        if not _recorded(engine, identity, also):
            raise  # not a repetition but a row that can never be written
        return False
    return True


def _recorded(engine: Engine, identity: str, also: Sequence[str]) -> bool:
    """Whether one of these facts, or a letter about the first, is there already."""
    if said(engine, (identity, *also)):
        return True
    with engine.connect() as connection:
        letters = select(outbox.c.id).where(outbox.c.identity == identity).limit(1)
        return connection.execute(letters).first() is not None


def said(engine: Engine, identities: Collection[str]) -> dict[str, datetime]:
    """Which of these facts were said, and when."""
    names = list(dict.fromkeys(identities))
    found: dict[str, datetime] = {}
    with engine.connect() as connection:
        for start in range(0, len(names), _IN_LIST):
            some = names[start : start + _IN_LIST]
            query = select(facts.c.identity, facts.c.at).where(facts.c.identity.in_(some))
            found.update({name: from_micros(at) for name, at in connection.execute(query)})
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """A fact that was said: `first` is what was said of it at first, `last` what is said of it by now.

    `detail` is what was noted with it, `restated_at` when it was last restated.
    """

    identity: str
    at: datetime
    detail: Mapping[str, Any]
    first: Message
    last: Message
    restated_at: datetime | None


def told(engine: Engine, identities: Collection[str]) -> dict[str, Told]:
    """These facts, as far as they were said with a message of their own. In several channels they say the same."""
    found: dict[str, Told] = {}
    names = list(dict.fromkeys(identities))
    with engine.connect() as connection:
        for start in range(0, len(names), _IN_LIST):
            query = (
                select(facts.c.at, facts.c.detail, outbox)
                .join(outbox, outbox.c.identity == facts.c.identity)
                .where(facts.c.identity.in_(names[start : start + _IN_LIST]))
                .order_by(outbox.c.id)
            )
            for row in connection.execute(query):
                if row.identity not in found:
                    found[row.identity] = Told(
                        row.identity,
                        from_micros(row.at),
                        row.detail,
                        Message.model_validate(row.original or row.message),
                        Message.model_validate(row.message),
                        None if row.restated_at is None else from_micros(row.restated_at),
                    )
    return found


def restate(
    engine: Engine, identity: str, message: Message, now: datetime, detail: Mapping[str, Any]
) -> bool:
    """Let the messages about a fact say `message` from now on, and note `detail` with it, in one transaction.

    Those that were sent are edited, those that are being sent follow as soon as they are. One that is certainly not
    posted is simply another one then, without a notice: nobody saw what it would correct. Returns False, and changes
    nothing, for a fact that was not said, one that says this already, and where somebody else was quicker.
    """
    at = to_micros(now)
    with engine.connect() as connection:
        about = select(outbox).where(outbox.c.identity == identity).order_by(outbox.c.id)
        rows = connection.execute(about).all()
    new = message.model_dump(mode="json")
    if not rows or all(row.message == new for row in rows):
        return False
    with engine.connect() as connection, connection.begin() as transaction:
        for row in rows:
            unseen = row.status == "pending" and Posted.of(row.posted, row.reference) == Posted()
            values: dict[str, Any] = (
                {"message": {**new, "notice": ""}}
                if unseen
                else {
                    "message": new,
                    "original": row.original or row.message,
                    "restated_at": at,
                }
            )
            changed = connection.execute(
                outbox.update()
                .where(outbox.c.id == row.id, outbox.c.revision == row.revision)
                .where(outbox.c.status == row.status, outbox.c.attempts == row.attempts)
                .values(
                    **values,
                    revision=row.revision + 1,
                    status="restating" if row.status == "sent" else row.status,
                    not_before=at if row.status == "sent" else row.not_before,
                )
            )
            if changed.rowcount != 1:
                transaction.rollback()
                return False
        _note(connection, identity, detail)
    return True


def note(engine: Engine, identity: str, detail: Mapping[str, Any]) -> None:
    """Replace what was noted with a fact."""
    with engine.begin() as connection:
        _note(connection, identity, detail)


def _note(connection: Connection, identity: str, detail: Mapping[str, Any]) -> None:
    connection.execute(facts.update().where(facts.c.identity == identity).values(detail=dict(detail)))
