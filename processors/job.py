"""A batch on its way through the pipeline: what it holds, what became of each event, what is new in it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from uptake.processors.conflict import conflict
from uptake.processors.identity import Outcome
from uptake.processors.read import Read
from uptake.processors.rows import TABLES, Concluded, Part, Stamp
from uptake.schemas.batch import Batch, Receipt, Rejection


@dataclass(slots=True)
class Job:
    """`concluded` holds the table and the conclusions of each item that was read; `fresh` are the positions of those
    that are to be written."""

    position: int
    batch: Batch
    read: Read
    stamp: Stamp
    concluded: list[tuple[str, Concluded]]
    fresh: Sequence[int] = ()
    duplicates: int = 0
    conflicts: list[Rejection] = field(default_factory=list)

    @property
    def rejections(self) -> tuple[Rejection, ...]:
        if not self.read.rejections and not self.conflicts:
            return ()
        return tuple(sorted([*self.read.rejections, *self.conflicts], key=lambda r: r.index))

    @property
    def receipt(self) -> Receipt:
        return Receipt(len(self.fresh), self.duplicates, self.rejections, self.read.unknown_fields)


def settle(jobs: Sequence[Job], outcome: Outcome) -> None:
    """Note in the jobs of one tenant what `identity.judge` found about all their items, in order. Replaces what an
    earlier attempt noted."""
    for job in jobs:
        job.duplicates, job.conflicts = 0, []
    if not outcome.duplicates and not outcome.conflicts:  # nearly always
        for job in jobs:
            job.fresh = range(len(job.concluded))
        return
    places = [(job, at) for job in jobs for at in range(len(job.concluded))]
    fresh: dict[int, list[int]] = {job.position: [] for job in jobs}
    for place in outcome.fresh:
        job, at = places[place]
        fresh[job.position].append(at)
    for job in jobs:
        job.fresh = fresh[job.position]
    for place in outcome.duplicates:
        places[place][0].duplicates += 1
    for place in outcome.conflicts:
        job, at = places[place]
        job.conflicts.append(conflict(job.read.items[at]))


def gather(jobs: Sequence[Job]) -> tuple[dict[str, list[Part]], dict[str, Counter[str]]]:
    """The new rows by table, and for each tenant how many go to each, and how many calls are not allowed."""
    parts: dict[str, list[Part]] = {table: [] for table in TABLES}
    counts: dict[str, Counter[str]] = {}
    for job in jobs:
        own = {table: Part(job.stamp) for table in TABLES}
        unauthorised = 0
        for at in job.fresh:
            table, concluded = job.concluded[at]
            part = own[table]
            part.items.append(job.read.items[at])
            part.concluded.append(concluded)
            unauthorised += table == "usage" and concluded[-1] != "allowed"
        counted = counts.setdefault(job.stamp.tenant, Counter())
        counted.update(unauthorised=unauthorised)
        for table, part in own.items():
            if part.items:
                parts[table].append(part)
                counted[table] += len(part.items)
    return parts, counts
