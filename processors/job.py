"""A batch on its way through the pipeline: what it holds, what became of each event, what is new in it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from uptake.processors.conflict import conflict
from uptake.processors.identity import Known, Outcome
from uptake.processors.read import Read
from uptake.processors.rows import TABLES, Concluded, Part, Stamp
from uptake.schemas.batch import Batch, Receipt, Rejection


@dataclass(slots=True)
class Job:
    """`concluded` holds the table and the conclusions of each item that was read; `fresh` are the positions of those
    that are to be written. `own` counts ids among the duplicates that a row of this very record holds: an attempt that
    was cut short, or an earlier reading, wrote them."""

    position: int
    batch: Batch
    read: Read
    stamp: Stamp
    concluded: list[tuple[str, Concluded]]
    fresh: Sequence[int] = ()
    duplicates: int = 0
    own: int = 0
    conflicts: list[Rejection] = field(default_factory=list)

    @property
    def rejections(self) -> tuple[Rejection, ...]:
        if not self.read.rejections and not self.conflicts:
            return ()
        return tuple(sorted([*self.read.rejections, *self.conflicts], key=lambda r: r.index))

    @property
    def receipt(self) -> Receipt:
        return Receipt(len(self.fresh), self.duplicates, self.rejections, self.read.unknown_fields)


def settle(jobs: Sequence[Job], outcome: Outcome, known: Mapping[int, Known]) -> None:
    """Note in the jobs of one tenant what `identity.judge` found about all their items, in order, given what was
    `known`. Replaces what an earlier attempt noted.

    A row is taken to be of a record if its version is: the broker's time of it. Two records of the same millisecond
    with the same event are told apart by the audit, which counts rows."""
    for job in jobs:
        job.duplicates, job.own, job.conflicts = 0, 0, []
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
    own: set[tuple[int, int]] = set()
    for place in outcome.duplicates:
        job, at = places[place]
        job.duplicates += 1
        event_id = job.read.items[at].event_id
        before = known.get(event_id)
        if before is not None and before.ver == job.stamp.ver and (job.position, event_id) not in own:
            own.add((job.position, event_id))
            job.own += 1
    for place in outcome.conflicts:
        job, at = places[place]
        job.conflicts.append(conflict(job.read.items[at]))


def gather(jobs: Sequence[Job]) -> dict[str, list[Part]]:
    """All events that were read, by table, in the order of the jobs."""
    parts: dict[str, list[Part]] = {table: [] for table in TABLES}
    for job in jobs:
        own = {table: Part(job.stamp) for table in TABLES}
        for item, (table, concluded) in zip(job.read.items, job.concluded, strict=True):
            part = own[table]
            part.items.append(item)
            part.concluded.append(concluded)
        for table, part in own.items():
            if part.items:
                parts[table].append(part)
    return parts


def places(jobs: Sequence[Job]) -> dict[str, list[int]]:
    """Which rows of those that `gather` put in each table are of events that are to be written."""
    found: dict[str, list[int]] = {table: [] for table in TABLES}
    behind = dict.fromkeys(TABLES, 0)
    for job in jobs:
        fresh = set(job.fresh)
        for at, (table, _) in enumerate(job.concluded):
            if at in fresh:
                found[table].append(behind[table])
            behind[table] += 1
    return found


def counts(jobs: Sequence[Job]) -> dict[str, Counter[str]]:
    """For each tenant how many new rows go to each table, and how many calls are not allowed."""
    found: dict[str, Counter[str]] = {}
    for job in jobs:
        counted = found.setdefault(job.stamp.tenant, Counter())
        for table, concluded in (job.concluded[at] for at in job.fresh):
            counted[table] += 1
            counted["unauthorised"] += table == "usage" and concluded[-1] != "allowed"
    return found
