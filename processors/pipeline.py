"""The heart: batches in, rows and receipts out. Framework-free; the embedded service and the workers share it.

`prepare` decides without effects: decode -> attribute -> price -> authorise, batch by batch (`read`, `enrich`), and the
rows of them all (`rows`), before it is known which of them are new.
`commit` has effects, in this order, and nothing is acknowledged before all of 1 to 5 have returned. 1 to 5 are under a
lock, one call at a time, so that two calls with the same events cannot both find them new; a second thread prepares
meanwhile.

  1. read     what is stored under the ids (`identity` then sorts: new, duplicate, conflict)
  2. write    refused events, to the letters sink or to dead_letters
  3. write    new events, to usage, feedback and cost
  4. write    what the SDKs say of themselves, to sdk_reports
  5. write    what became of each record of the log, to log_records (only for batches that come from one)
  6. tell     who needs to know, one `Written` a tenant

Any failure in 1 to 5 raises StoreUnavailable. What was written by then stays written: sending the same batches again
finds it under its ids, so a retry is exact wherever the first attempt stopped. So is reading records of the log again:
what is decided of them depends on when the broker took them, not on when they are read.
"""

from __future__ import annotations

import threading
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from uptake.clickhouse import Database
from uptake.clock import Clock
from uptake.processors.collector import collector_paused
from uptake.processors.enrich import Enricher
from uptake.processors.identity import first_ver, judge
from uptake.processors.job import Job, by_tenant, gather, settle
from uptake.processors.prepared import Outcome, Prepared, stamp_of, whole, without_workspace
from uptake.processors.read import read_batch
from uptake.processors.reports import record_lines, report_lines
from uptake.processors.rows import TABLES, not_allowed, rows
from uptake.processors.store import Store
from uptake.processors.texts import texts_dropped
from uptake.schemas.batch import Batch, MalformedBatch, StoreUnavailable, UnreadableRecord
from uptake.schemas.identity import unix_ms
from uptake.schemas.letters import letter_lines
from uptake.workspace.models import Workspace

Workspaces = Callable[[str], Workspace | None]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """What became durable for a tenant in one call: rows by table, and how many usage rows are not allowed."""

    tenant: str
    usage: int = 0
    feedback: int = 0
    cost: int = 0
    unauthorised: int = 0


class LettersSink(Protocol):
    """Where refused events go: for each batch that has some, the lines of `schemas.letters`."""

    def __call__(self, letters: Sequence[tuple[Batch, list[bytes]]], /) -> None:
        """Returns when they are durable. Raises StoreUnavailable; the same letters may then come again."""
        ...


class Pipeline:
    """Turns batches of any tenants into rows. Safe to call from several threads; two of them keep it busiest.

    `workspaces` gives a tenant's workspace, or None: such a tenant's batches are refused for now, because nobody
    could say in whose currency and zone they count, and a mistyped tenant should be seen at the first call. What comes
    from the log cannot be asked again: its events become dead letters.
    `told` hears of every write; what it raises is logged and counted, the events stay acknowledged.
    `letters` takes the refused events; without it they go straight into their table.
    `counters` are totals since the start, by name.
    """

    def __init__(
        self,
        workspaces: Workspaces,
        database: Database,
        clock: Clock,
        told: Callable[[Written], None] = lambda written: None,
        letters: LettersSink | None = None,
    ) -> None:
        self._workspaces = workspaces
        self._store = Store(database)
        self._clock = clock
        self._told = told
        self._letters = letters or self._into_the_table
        self._enrichers: dict[str, Enricher] = {}
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._told_of_texts: set[str] = set()
        self.counters: Counter[str] = Counter()

    def process(self, batches: Sequence[Batch]) -> list[Outcome]:
        """One outcome a batch, in order: a receipt once everything that it accepts is durable, or why the whole
        batch was refused. Raises StoreUnavailable when nothing could be acknowledged; sending again is safe."""
        with collector_paused():
            return self.commit(self.prepare(batches))

    def prepare(self, batches: Sequence[Batch]) -> Prepared:
        """What can be decided without the database. Takes the processor and nothing else."""
        prepared = Prepared(batches)
        enrichers: dict[str, Enricher] = {}
        with collector_paused():
            for position, batch in enumerate(batches):
                try:
                    prepared.jobs.append(self._prepare(position, batch, enrichers))
                except (MalformedBatch, StoreUnavailable) as refused:
                    prepared.refused[position] = refused
            for tenant, jobs in by_tenant(prepared.jobs).items():
                gathered = gather(jobs)
                made = prepared.rows[tenant] = {
                    table: rows(table, items, stamps, enrichers[tenant])
                    for table, (items, stamps) in gathered.items()
                }
                if "feedback" in gathered:
                    said = (item.record for item in gathered["feedback"][0])
                    prepared.texts_dropped[tenant] = texts_dropped(said, made["feedback"])
        return prepared

    def commit(self, prepared: Prepared) -> list[Outcome]:
        """Make what was prepared durable; outcomes and errors as in `process`. May be called again after an error, and
        is exact however often it is."""
        written: list[Written] = []
        try:
            with collector_paused(), self._lock:
                self._identify(prepared.jobs)  # 1
                self._write(prepared, written)  # 2, 3, 4, 5
        except StoreUnavailable as failure:
            self._count(store_failures=1)
            _log.warning("store_unavailable", failure=str(failure), batches=len(prepared.batches))
            raise
        finally:
            self._tell(written)  # 6: what is durable is told even when the rest failed
        outcomes = prepared.outcomes()
        for job in prepared.jobs:
            rejected = len(job.read.rejections) + len(job.conflicts)
            self._count(accepted=len(job.fresh), duplicates=job.duplicates, rejected=rejected)
        for tenant, texts in prepared.texts_dropped.items():
            self._note_dropped(tenant, texts)
        kinds = Counter(type(why) for why in prepared.refused.values())
        unavailable = kinds[StoreUnavailable]
        self._count(malformed=len(prepared.refused) - unavailable, without_workspace=unavailable)
        return outcomes

    def _prepare(self, position: int, batch: Batch, enrichers: dict[str, Enricher]) -> Job:
        """`enrichers` are those of this call, by tenant: one workspace holds for all of its batches."""
        if isinstance(batch, UnreadableRecord):
            raise MalformedBatch(batch.why)
        ver = first_ver(unix_ms(batch.received_at))
        enricher = enrichers.get(batch.tenant)
        if enricher is None:
            workspace = self._workspaces(batch.tenant)
            if workspace is None:
                if batch.position is not None:
                    return without_workspace(position, batch, ver)
                # Refused for now: the events are good, and a workspace that comes back must still find them.
                raise StoreUnavailable(
                    f"tenant {batch.tenant!r} has no workspace here; nothing of it was accepted"
                )
            enricher = enrichers[batch.tenant] = self._enricher(batch.tenant, workspace)
        # Judged by when it was received, so that reading it again later gives the same result.
        read = read_batch(batch.body, batch.received_at)
        return Job(position, batch, read, stamp_of(batch, ver, enricher.currency))

    def _enricher(self, tenant: str, workspace: Workspace) -> Enricher:
        enricher = self._enrichers.get(tenant)
        if enricher is None or enricher.workspace is not workspace:
            enricher = self._enrichers[tenant] = Enricher(workspace)
        return enricher

    def _identify(self, jobs: Sequence[Job]) -> None:
        for tenant, own in by_tenant(jobs).items():
            ids = [item.event_id for job in own for item in job.read.items]
            contents = [item.content for job in own for item in job.read.items]
            if ids:
                known = self._store.known(tenant, ids)
                settle(own, judge(zip(ids, contents, strict=True), known), known)

    def _write(self, prepared: Prepared, written: list[Written]) -> None:
        letters = [
            (job.batch, letter_lines(job.batch, job.rejections, job.stamp.ver))
            for job in prepared.jobs
            if job.read.rejections or job.conflicts
        ]
        for batch, why in prepared.malformed():
            ver = first_ver(unix_ms(batch.received_at))
            letters.append((batch, letter_lines(batch, [whole(why, batch)], ver)))
        if letters and letters != prepared.letters:
            self._letters(letters)  # 2
            prepared.letters = letters
        self._write_events(prepared, written)  # 3
        reports = report_lines(prepared.batches)
        if reports:
            self._store.write_lines("sdk_reports", reports)  # 4
        records = record_lines(prepared.done(), self._clock.now())
        if records:
            self._store.write_lines("log_records", records)  # 5

    def _write_events(self, prepared: Prepared, written: list[Written]) -> None:
        fresh = prepared.fresh()
        done: list[str] = []
        try:
            for table in TABLES:
                batches = [of_tenant[table] for of_tenant in fresh.values() if table in of_tenant]
                if batches:
                    self._store.write(table, batches)
                    done.append(table)
        finally:
            for tenant, of_tenant in fresh.items():
                durable = {table: rows.num_rows for table, rows in of_tenant.items() if table in done}
                if durable:
                    unauthorised = not_allowed(of_tenant["usage"]) if "usage" in durable else 0
                    written.append(Written(tenant, **durable, unauthorised=unauthorised))

    def _note_dropped(self, tenant: str, texts: int) -> None:
        self._count(texts_dropped=texts)
        if texts and tenant not in self._told_of_texts:
            self._told_of_texts.add(tenant)
            _log.warning(
                "texts_dropped", tenant=tenant, texts=texts, hint="keep_text in apps.yaml stores them"
            )

    def _into_the_table(self, letters: Sequence[tuple[Batch, list[bytes]]]) -> None:
        self._store.write_lines("dead_letters", [line for _, lines in letters for line in lines])

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
