"""The heart: batches in, rows and receipts out. Framework-free; the embedded service and the workers share it.

Decided without effects, batch by batch: decode -> attribute -> price -> authorise (`read`, `enrich`).
Effects, in this order, under a lock, and nothing is acknowledged before all of 1 to 4 have returned:

  1. read     what is stored under the ids (`identity` then sorts: new, duplicate, conflict)
  2. write    refused events, to dead_letters
  3. write    new events, to usage, feedback and cost
  4. write    what the SDKs say of themselves, to sdk_reports
  5. tell     who needs to know, one `Written` a tenant

Any failure in 1 to 4 raises StoreUnavailable. What was written by then stays written: sending the same batches
again finds it under its ids, so a retry is exact wherever the first attempt stopped.
"""

from __future__ import annotations

import threading
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from uptake.clickhouse import Database
from uptake.clock import Clock
from uptake.processors.collector import collector_paused
from uptake.processors.enrich import Enricher
from uptake.processors.identity import judge, next_ver
from uptake.processors.letters import conflict, letter_lines, report_lines
from uptake.processors.read import Item, Read, read_batch
from uptake.processors.rows import Row, Stamp
from uptake.processors.store import Store
from uptake.schemas.batch import Batch, MalformedBatch, Receipt, Rejection, StoreUnavailable
from uptake.schemas.identity import unix_ms
from uptake.workspace.models import Workspace

Workspaces = Callable[[str], Workspace | None]
Outcome = Receipt | MalformedBatch

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """What became durable for a tenant in one call: rows by table, and how many usage rows are not allowed."""

    tenant: str
    usage: int = 0
    feedback: int = 0
    cost: int = 0
    unauthorised: int = 0


@dataclass(slots=True)
class _Job:
    """A batch that could be read, on its way."""

    position: int
    batch: Batch
    read: Read
    fresh: list[Item] = field(default_factory=list)
    duplicates: int = 0
    conflicts: list[Rejection] = field(default_factory=list)

    @property
    def rejections(self) -> tuple[Rejection, ...]:
        return tuple(sorted([*self.read.rejections, *self.conflicts], key=lambda r: r.index))


class Pipeline:
    """Turns batches of any tenants into rows. Safe to call from several threads; writes one call at a time.

    `workspaces` gives a tenant's workspace, or None: such a tenant's batches are refused, because nobody could
    say in whose currency and zone they count, and a mistyped tenant should be seen at the first call.
    `told` hears of every write; what it raises is logged and counted, the events stay acknowledged.
    `counters` are totals since the start, by name.
    """

    def __init__(
        self,
        workspaces: Workspaces,
        database: Database,
        clock: Clock,
        told: Callable[[Written], None] = lambda written: None,
    ) -> None:
        self._workspaces = workspaces
        self._store = Store(database)
        self._clock = clock
        self._told = told
        self._enrichers: dict[str, Enricher] = {}
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self.counters: Counter[str] = Counter()

    def process(self, batches: Sequence[Batch]) -> list[Outcome]:
        """One outcome a batch, in order: a receipt once everything that it accepts is durable, or why the whole
        batch was refused. Raises StoreUnavailable when nothing could be acknowledged; sending again is safe."""
        with collector_paused():
            return self._process(batches)

    def _process(self, batches: Sequence[Batch]) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        jobs: list[_Job] = []
        for position, batch in enumerate(batches):
            try:
                jobs.append(_Job(position, batch, self._read(batch)))
            except MalformedBatch as refused:
                outcomes[position] = refused
        written: list[Written] = []
        try:
            with self._lock:
                self._identify(jobs)  # 1
                self._write(batches, jobs, written)  # 2, 3, 4
        except StoreUnavailable as failure:
            self._count("store_failures")
            _log.warning("store_unavailable", failure=str(failure), batches=len(batches))
            raise
        finally:
            self._tell(written)  # 5: what is durable is told even when the rest failed
        for job in jobs:
            receipt = Receipt(len(job.fresh), job.duplicates, job.rejections, job.read.unknown_fields)
            outcomes[job.position] = receipt
            self._count("accepted", receipt.accepted)
            self._count("duplicates", receipt.duplicates)
            self._count("rejected", len(receipt.rejections))
        self._count("malformed", len(batches) - len(jobs))
        return [outcomes[position] for position in range(len(batches))]

    def _read(self, batch: Batch) -> Read:
        if self._workspaces(batch.tenant) is None:
            raise MalformedBatch(f"tenant {batch.tenant!r} has no workspace here; nothing of it was accepted")
        # Judged by when it was received, so that reading it again later gives the same result.
        return read_batch(batch.body, batch.received_at)

    def _identify(self, jobs: Sequence[_Job]) -> None:
        for tenant in dict.fromkeys(job.batch.tenant for job in jobs):
            places = [(job, item) for job in jobs if job.batch.tenant == tenant for item in job.read.items]
            if not places:
                continue
            known = self._store.known(tenant, [item.event_id for _, item in places])
            outcome = judge([(item.event_id, item.content) for _, item in places], known)
            for place in outcome.fresh:
                job, item = places[place]
                job.fresh.append(item)
            for place in outcome.duplicates:
                places[place][0].duplicates += 1
            for place in outcome.conflicts:
                job, item = places[place]
                job.conflicts.append(conflict(item))

    def _write(self, batches: Sequence[Batch], jobs: Sequence[_Job], written: list[Written]) -> None:
        ver = next_ver(unix_ms(self._clock.now()))
        letters = [line for job in jobs for line in letter_lines(job.batch, job.rejections, ver)]
        if letters:
            self._store.write_lines("dead_letters", letters)  # 2
        rows: dict[str, list[Row]] = {"usage": [], "feedback": [], "cost": []}
        counts: dict[str, Counter[str]] = {}
        for job in jobs:
            self._enrich(job, ver, rows, counts.setdefault(job.batch.tenant, Counter()))
        try:
            done = []
            for table, of_table in rows.items():
                if of_table:
                    self._store.write(table, of_table)  # 3
                done.append(table)
        finally:
            for tenant, counted in counts.items():
                durable = {name: counted[name] for name in done}
                if any(durable.values()):
                    unauthorised = counted["unauthorised"] if "usage" in done else 0
                    written.append(Written(tenant, **durable, unauthorised=unauthorised))
        reports = report_lines(batches)
        if reports:
            self._store.write_lines("sdk_reports", reports)  # 4

    def _enrich(self, job: _Job, ver: int, rows: dict[str, list[Row]], counted: Counter[str]) -> None:
        if not job.fresh:
            return
        batch = job.batch
        enricher = self._enricher(batch.tenant)
        client = batch.client.client_id if batch.client else ""
        stamp = Stamp(batch.tenant, ver, unix_ms(batch.received_at), client)
        for item in job.fresh:
            table, row = enricher.row(stamp, item)
            rows[table].append(row)
            counted[table] += 1
            if table == "usage" and row[-1] != "allowed":
                counted["unauthorised"] += 1

    def _enricher(self, tenant: str) -> Enricher:
        workspace = self._workspaces(tenant)
        enricher = self._enrichers.get(tenant)
        if enricher is None or (workspace is not None and enricher.workspace is not workspace):
            if workspace is None:
                raise StoreUnavailable(f"the workspace of {tenant!r} went away meanwhile; send again")
            enricher = self._enrichers[tenant] = Enricher(workspace)
        return enricher

    def _count(self, name: str, by: int = 1) -> None:
        with self._counting:
            self.counters[name] += by

    def _tell(self, written: Sequence[Written]) -> None:
        for news in written:
            try:
                self._told(news)
            except Exception as error:  # noqa: BLE001 - the events are durable whatever a listener does
                self._count("listener_errors")
                frame = traceback.extract_tb(error.__traceback__)[-1]  # where, but no values
                _log.error(
                    "listener_failed",
                    tenant=news.tenant,
                    error=type(error).__name__,
                    where=f"{frame.name}:{frame.lineno}",
                )
