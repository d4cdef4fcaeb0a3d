"""A batch on its way through the pipeline: what it holds, what became of each event, what is new in it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from uptake.processors.identity import Outcome
from uptake.processors.letters import conflict
from uptake.processors.read import Read
from uptake.processors.rows import TABLES, Row
from uptake.schemas.batch import Batch, Receipt, Rejection


@dataclass(slots=True)
class Job:
    """`rows` holds the table and the row of each item that was read; `fresh` those that are to be written."""

    position: int
    batch: Batch
    read: Read
    rows: list[tuple[str, Row]]
    fresh: list[tuple[str, Row]] = field(default_factory=list)
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
    """Note in the jobs of one tenant what `identity.judge` found about all their items, in order."""
    if not outcome.duplicates and not outcome.conflicts:  # nearly always
        for job in jobs:
            job.fresh = job.rows
        return
    places = [(job, at) for job in jobs for at in range(len(job.rows))]
    for place in outcome.fresh:
        job, at = places[place]
        job.fresh.append(job.rows[at])
    for place in outcome.duplicates:
        places[place][0].duplicates += 1
    for place in outcome.conflicts:
        job, at = places[place]
        job.conflicts.append(conflict(job.read.items[at]))


def gather(jobs: Sequence[Job]) -> tuple[dict[str, list[Row]], dict[str, Counter[str]]]:
    """The new rows by table, and for each tenant how many go to each, and how many calls are not allowed."""
    rows: dict[str, list[Row]] = {table: [] for table in TABLES}
    counts: dict[str, Counter[str]] = {}
    for job in jobs:
        before = {table: len(rows[table]) for table in rows}
        unauthorised = 0
        for table, row in job.fresh:
            rows[table].append(row)
            unauthorised += table == "usage" and row[-1] != "allowed"
        counted = counts.setdefault(job.batch.tenant, Counter())
        counted.update({table: len(rows[table]) - before[table] for table in rows})
        counted["unauthorised"] += unauthorised
    return rows, counts
