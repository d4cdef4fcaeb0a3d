"""A batch on its way through the pipeline: what it holds, what became of each event, what is new in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from uptake.processors.conflict import conflict
from uptake.processors.identity import Known, Outcome
from uptake.processors.read import Item, Read
from uptake.processors.rows import TABLE_OF, TABLES, Stamp
from uptake.schemas.batch import Batch, Receipt, Rejection


@dataclass(slots=True)
class Job:
    """`fresh` are the positions of those items that are to be written. `own` counts ids among the duplicates that a row
    of this very record holds: an attempt that was cut short, or an earlier reading, wrote them."""

    position: int
    batch: Batch
    read: Read
    stamp: Stamp
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
            job.fresh = range(len(job.read.items))
        return
    places = [(job, at) for job in jobs for at in range(len(job.read.items))]
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


def by_tenant(jobs: Sequence[Job]) -> dict[str, list[Job]]:
    found: dict[str, list[Job]] = {}
    for job in jobs:
        found.setdefault(job.batch.tenant, []).append(job)
    return found


def gather(jobs: Sequence[Job]) -> dict[str, tuple[list[Item], list[tuple[Stamp, int]]]]:
    """All events that were read, by table and in order, and of how many of them in a row each job has the stamp."""
    found: dict[str, tuple[list[Item], list[tuple[Stamp, int]]]] = {}
    for job in jobs:
        own: dict[str, list[Item]] = {}
        for item in job.read.items:
            own.setdefault(TABLE_OF[type(item.record)], []).append(item)
        for table, of_table in own.items():
            items, stamps = found.setdefault(table, ([], []))
            items += of_table
            stamps.append((job.stamp, len(of_table)))
    return found


def places(jobs: Sequence[Job]) -> dict[str, list[int]]:
    """Which of those that `gather` found for a table are to be written."""
    found: dict[str, list[int]] = {table: [] for table in TABLES}
    behind = dict.fromkeys(TABLES, 0)
    for job in jobs:
        fresh = set(job.fresh)
        for at, item in enumerate(job.read.items):
            table = TABLE_OF[type(item.record)]
            if at in fresh:
                found[table].append(behind[table])
            behind[table] += 1
    return found
