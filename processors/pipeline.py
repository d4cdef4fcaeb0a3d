"""The heart: batches in, rows and receipts out. Framework-free; the embedded service and the workers share it.

Decided without effects, batch by batch: decode -> attribute -> price -> authorise (`read`, `enrich`).
Effects, in this order, and nothing is acknowledged before all of 1 to 4 have returned. 1 to 4 are under a lock, one
call at a time, so that two calls with the same events cannot both find them new; a second thread decides meanwhile.

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
from dataclasses import dataclass

import structlog

from uptake.clickhouse import Database
from uptake.clock import Clock
from uptake.processors.collector import collector_paused
from uptake.processors.enrich import Enricher
from uptake.processors.identity import judge, next_ver
from uptake.processors.job import Job, gather, settle
from uptake.processors.letters import letter_lines, report_lines
from uptake.processors.read import read_batch
from uptake.processors.rows import Stamp
from uptake.processors.store import Store
from uptake.schemas.batch import Batch, MalformedBatch, Receipt, StoreUnavailable
from uptake.schemas.identity import unix_ms
from uptake.workspace.models import Workspace

Workspaces = Callable[[str], Workspace | None]
Outcome = Receipt | MalformedBatch | StoreUnavailable
"""What became of one batch: a receipt, or why the whole of it was refused for good, or for now."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """What became durable for a tenant in one call: rows by table, and how many usage rows are not allowed."""

    tenant: str
    usage: int = 0
    feedback: int = 0
    cost: int = 0
    unauthorised: int = 0


class Pipeline:
    """Turns batches of any tenants into rows. Safe to call from several threads; two of them keep it busiest.

    `workspaces` gives a tenant's workspace, or None: such a tenant's batches are refused for now, because nobody
    could say in whose currency and zone they count, and a mistyped tenant should be seen at the first call.
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
        jobs: list[Job] = []
        ver = next_ver(unix_ms(self._clock.now()))
        for position, batch in enumerate(batches):
            try:
                jobs.append(self._prepare(position, batch, ver))
            except (MalformedBatch, StoreUnavailable) as refused:
                outcomes[position] = refused
        written: list[Written] = []
        try:
            with self._lock:
                self._identify(jobs)  # 1
                self._write(batches, jobs, ver, written)  # 2, 3, 4
        except StoreUnavailable as failure:
            self._count(store_failures=1)
            _log.warning("store_unavailable", failure=str(failure), batches=len(batches))
            raise
        finally:
            self._tell(written)  # 5: what is durable is told even when the rest failed
        for job in jobs:
            receipt = outcomes[job.position] = job.receipt
            self._count(
                accepted=receipt.accepted, duplicates=receipt.duplicates, rejected=len(receipt.rejections)
            )
        kinds = Counter(type(outcome) for outcome in outcomes.values())
        self._count(malformed=kinds[MalformedBatch], without_workspace=kinds[StoreUnavailable])
        return [outcomes[position] for position in range(len(batches))]

    def _prepare(self, position: int, batch: Batch, ver: int) -> Job:
        workspace = self._workspaces(batch.tenant)
        if workspace is None:
            # Refused for now: the events are good, and a workspace that comes back must still find them.
            raise StoreUnavailable(
                f"tenant {batch.tenant!r} has no workspace here; nothing of it was accepted"
            )
        enricher = self._enrichers.get(batch.tenant)
        if enricher is None or enricher.workspace is not workspace:
            enricher = self._enrichers[batch.tenant] = Enricher(workspace)
        # Judged by when it was received, so that reading it again later gives the same result.
        read = read_batch(batch.body, batch.received_at)
        client = batch.client.client_id if batch.client else ""
        stamp = Stamp(batch.tenant, ver, unix_ms(batch.received_at), client, enricher.currency)
        return Job(position, batch, read, stamp, [enricher.conclude(item) for item in read.items])

    def _identify(self, jobs: Sequence[Job]) -> None:
        for tenant in dict.fromkeys(job.batch.tenant for job in jobs):
            own = [job for job in jobs if job.batch.tenant == tenant]
            ids = [item.event_id for job in own for item in job.read.items]
            contents = [item.content for job in own for item in job.read.items]
            if ids:
                settle(own, judge(zip(ids, contents, strict=True), self._store.known(tenant, ids)))

    def _write(self, batches: Sequence[Batch], jobs: Sequence[Job], ver: int, written: list[Written]) -> None:
        letters = [line for job in jobs for line in letter_lines(job.batch, job.rejections, ver)]
        if letters:
            self._store.write_lines("dead_letters", letters)  # 2
        parts, counts = gather(jobs)
        done = []
        try:
            for table, of_table in parts.items():
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

    def _count(self, **by: int) -> None:
        with self._counting:
            self.counters.update(by)

    def _tell(self, written: Sequence[Written]) -> None:
        for news in written:
            try:
                self._told(news)
            except Exception as error:  # noqa: BLE001 - the events are durable whatever a listener does
                self._count(listener_errors=1)
                frame = traceback.extract_tb(error.__traceback__)[-1]  # where, but no values
                _log.error(
                    "listener_failed",
                    tenant=news.tenant,
                    error=type(error).__name__,
                    where=f"{frame.name}:{frame.lineno}",
                )
