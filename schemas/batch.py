"""Batches are the unit everywhere: what travels, what is answered, what is refused and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

MAX_BATCH_EVENTS = 500
MAX_EVENT_BYTES = 32 * 1024


class RejectionReason(StrEnum):
    """Why one event was refused. Stable: clients, metrics and dead letters are keyed by it."""

    INVALID = "invalid"  # a field is missing, has the wrong type or is out of range
    UNKNOWN_TYPE = "unknown_type"  # not usage, feedback or cost
    UNSUPPORTED_VERSION = "unsupported_version"  # a schema_version that this server does not know
    ID_TIME_MISMATCH = "id_time_mismatch"  # the id's time and occurred_at are more than a day apart
    FUTURE = "future"  # occurred_at is more than a day ahead of the server
    TOO_LARGE = "too_large"  # the event alone exceeds the limit
    CONFLICT = "conflict"  # the id is known with other content: quarantined
    # Of records of the log only; over HTTP these are the answers 400 and 503 to the whole request.
    UNKNOWN_TENANT = "unknown_tenant"  # a good or bad event of a tenant that has no workspace
    MALFORMED = "malformed"  # a whole record that holds no array of events
    UNREADABLE = "unreadable"  # a whole record that does not say, or not rightly, whose and what it is


@dataclass(frozen=True, slots=True)
class Rejection:
    """One refused event: its place in the batch, the reason, where inside it, and what would be right.

    `detail` never repeats the value that was refused: it may be a person's.
    `payload` is the event as JSON bytes, for the dead letters only.
    """

    index: int
    reason: RejectionReason
    path: str
    detail: str
    event_id: str = ""
    payload: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ClientReport:
    """What an SDK says of itself with each batch: its cumulative counters since it started.

    `accepted` counts every event that the app handed over, `dropped` those of them that will not arrive: refused
    because the queue was full, against the contract, or given up. So `dropped` is part of `accepted`, and
    completeness is received over accepted.
    """

    client_id: str
    accepted: int
    dropped: int


class LogPosition(NamedTuple):
    """Where a record is in the log."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Batch:
    """JSON array of events of one tenant as it was received, with the time it was received (UTC): by the gateway,
    or, for a record of the log, by the broker. `position` is the record's, None where there is no log."""

    tenant: str
    body: bytes = field(repr=False)
    received_at: datetime
    source: str = "http"
    client: ClientReport | None = None
    position: LogPosition | None = None


@dataclass(frozen=True, slots=True)
class UnreadableRecord(Batch):
    """A record of the log that is no batch, with `why`; `tenant` is empty where nobody knows it."""

    why: str = ""

    @classmethod
    def of(cls, batch: Batch, why: str) -> UnreadableRecord:
        """The same, with what is known of it."""
        known = (batch.tenant, batch.body, batch.received_at, batch.source, batch.client, batch.position)
        return cls(*known, why=why)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: `accepted + duplicates + len(rejections)` is the number of events in it.

    An accepted event is durable. A duplicate was durable before, with the same content. `unknown_fields`
    counts fields by name that this server does not know and ignored.
    """

    accepted: int
    duplicates: int = 0
    rejections: tuple[Rejection, ...] = ()
    unknown_fields: Counter[str] = field(default_factory=Counter)


class MalformedBatch(ValueError):  # noqa: N818 - named for what it is
    """The body is not a JSON array of objects: nothing of it can be read. Message says what and where."""


class StoreUnavailable(RuntimeError):  # noqa: N818 - named for what it is
    """The events could not be made durable now; nothing was acknowledged, and sending again is safe."""
