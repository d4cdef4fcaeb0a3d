"""What has been said. A unique row decides, not a cache with a lifetime: a fact is said once, for ever.

Identities are built by those who compose the message (`budgets.identity`, `findings.identity`,
`digest.identity`); here they are opaque.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

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
        for name in (identity, *also)
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
