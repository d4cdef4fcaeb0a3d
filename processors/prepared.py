"""What is decided of a call's batches before the database is asked. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from uptake.processors.job import Job, by_tenant, places
from uptake.processors.read import Read
from uptake.processors.rows import Stamp
from uptake.schemas.batch import (
    MAX_BATCH_EVENTS,
    Batch,
    MalformedBatch,
    Receipt,
    Rejection,
    RejectionReason,
    StoreUnavailable,
    UnreadableRecord,
)
from uptake.schemas.identity import unix_ms
from uptake.schemas.split import elements

Outcome = Receipt | MalformedBatch | StoreUnavailable
"""What became of one batch: a receipt, or why the whole of it was refused for good, or for now."""


class Judged(NamedTuple):
    """How many events of a batch can be counted, and how many are refused whatever the database holds. A whole record
    that is refused counts as one event."""

    good: int
    refused: int


@dataclass(slots=True)
class Prepared:
    """A call's `batches`: those that could be read as `jobs`, the others in `refused` by their position in the call.
    `rows`, by tenant and table, are of all events that were read, as if all were new, which they nearly always are;
    `texts_dropped`, by tenant, counts texts that these rows are without because no registry keeps them.
    Committing it more than once is safe. `letters` are those that a commit has made durable: while a store is away it
    is tried again every few seconds, for hours, and a topic would fill with the same letters."""

    batches: Sequence[Batch]
    jobs: list[Job] = field(default_factory=list)
    refused: dict[int, MalformedBatch | StoreUnavailable] = field(default_factory=dict)
    rows: dict[str, dict[str, pa.RecordBatch]] = field(default_factory=dict)
    texts_dropped: Counter[str] = field(default_factory=Counter)
    letters: list[tuple[Batch, list[bytes]]] = field(default_factory=list)

    @property
    def judged(self) -> list[Judged]:
        """One a batch, in their order. Conflicts, which only the database knows, are among the good."""
        found = [Judged(0, 0)] * len(self.batches)
        for job in self.jobs:
            found[job.position] = Judged(len(job.read.items), len(job.read.rejections))
        for position, why in self.refused.items():
            found[position] = Judged(0, int(isinstance(why, MalformedBatch)))
        return found

    @property
    def events(self) -> int:
        """How many events there are, good or refused."""
        return sum(good + refused for good, refused in self.judged)

    def fresh(self) -> dict[str, dict[str, pa.RecordBatch]]:
        """The rows of events that are to be written, by tenant and table; after the jobs know what is known of them."""
        found: dict[str, dict[str, pa.RecordBatch]] = {}
        for tenant, jobs in by_tenant(self.jobs).items():
            own = found[tenant] = self.rows.get(tenant, {})
            if any(len(job.fresh) < len(job.read.items) for job in jobs):
                chosen = places(jobs)
                found[tenant] = {
                    table: rows.take(pa.array(chosen[table], pa.int64()))
                    for table, rows in own.items()
                    if chosen[table]
                }
        return found

    def malformed(self) -> list[tuple[Batch, MalformedBatch]]:
        """Records of the log that are no batches, each with why. What comes over HTTP is answered and not kept."""
        return [
            (self.batches[position], why)
            for position, why in self.refused.items()
            if isinstance(why, MalformedBatch) and self.batches[position].position is not None
        ]

    def done(self) -> Iterator[tuple[Batch, Receipt | MalformedBatch, int]]:
        """Batches of which all is said, each with what became of it and how many of its duplicates are its own rows
        (see `Job.own`), after a commit."""
        own = {job.position: job.own for job in self.jobs}
        for position, (batch, outcome) in enumerate(zip(self.batches, self.outcomes(), strict=True)):
            if not isinstance(outcome, StoreUnavailable):
                yield batch, outcome, own.get(position, 0)

    def outcomes(self) -> list[Outcome]:
        """One a batch, in their order, after a commit."""
        found: dict[int, Outcome] = {**self.refused}
        for job in self.jobs:
            found[job.position] = job.receipt
        return [found[position] for position in range(len(self.batches))]


def stamp_of(batch: Batch, ver: int, currency: str) -> Stamp:
    client = batch.client.client_id if batch.client else ""
    return Stamp(
        batch.tenant, ver, unix_ms(batch.received_at), client, currency, *(batch.position or ("", -1, -1))
    )


def without_workspace(position: int, batch: Batch, ver: int) -> Job:
    """A record of the log whose tenant has no workspace here: every event becomes a letter, to be redriven when there
    is one, because waiting for it would hold up everybody behind it. Raises MalformedBatch."""
    detail = "its tenant has no workspace here; redrive it once there is one"
    rejections = [
        Rejection(index, RejectionReason.UNKNOWN_TENANT, f"[{index}]", detail, payload=text.encode())
        for index, (_, text) in enumerate(elements(batch.body, MAX_BATCH_EVENTS))
    ]
    return Job(position, batch, Read([], rejections), stamp_of(batch, ver, ""))


def whole(why: MalformedBatch, batch: Batch) -> Rejection:
    """The refusal of a whole record."""
    unreadable = isinstance(batch, UnreadableRecord)
    reason = RejectionReason.UNREADABLE if unreadable else RejectionReason.MALFORMED
    return Rejection(0, reason, "", str(why), payload=batch.body)
