"""One row of the outbox as a value: what is said, how far it is, and where its posts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from uptake.state.store import from_micros, to_micros


@dataclass(frozen=True, slots=True)
class Posted:
    """Where one message is: the references of its posts, the message first, then its details in the thread.

    `copy` is raised when the message had to be posted anew because it could not be edited: `why` says what stopped
    that, `since` when it was, `below` in which thread the new copy is ("": in the channel). A reference "" is a reply
    that somebody deleted; it stays deleted.
    """

    references: tuple[str, ...] = ()
    copy: int = 1
    below: str = ""
    why: str = ""
    since: datetime | None = None

    @property
    def thread(self) -> str:
        """The reference of the post whose thread the next post belongs into; "" where that is none yet."""
        return self.below or (self.references[0] if self.references else "")

    def document(self) -> dict[str, Any]:
        return {
            "references": list(self.references),
            "copy": self.copy,
            "below": self.below,
            "why": self.why,
            "since": self.since and to_micros(self.since),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any], reference: str) -> Self:
        """Read it back. A letter from before there were details has nothing but its `reference`."""
        if not document:
            return cls((reference,) if reference else ())
        since = document["since"]
        return cls(
            tuple(document["references"]),
            document["copy"],
            document["below"],
            document["why"],
            None if since is None else from_micros(since),
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """One row of the outbox. `revision` is that of `message`; every post of it shows at least `shown`."""

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
    revision: int
    shown: int
    posted: Posted
    restated_at: datetime | None
    message: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(
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
            row.revision,
            row.shown,
            Posted.of(row.posted, row.reference),
            None if row.restated_at is None else from_micros(row.restated_at),
            row.message,
        )
