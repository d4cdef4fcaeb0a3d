"""Pricing again what is stored, after prices or rates changed.

Usage is priced again and what was billed is converted again, with the workspace as it is now. In this order, block by
block: 1. read rows (FINAL), 2. compare, 3. write those that cost something else, as corrections: the same identity, a
higher version, all else as it was. What was corrected is right when it is read again, so stopping anywhere and running
again ends in the same; and a first row that a worker writes late cannot win over a correction. A worker that still has
the old workspace prices *new* events as before: run it again once all have the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files

import pyarrow as pa

from uptake.clickhouse import Database, TenantDatabase
from uptake.clock import Clock
from uptake.processors.recost import Change, Recoster, corrected
from uptake.processors.store import Store, translated
from uptake.schemas.identity import id_range, unix_ms
from uptake.workspace.models import Workspace

TABLES = ("usage", "cost")
BLOCK = 10_000
"""Rows read, and written, at once."""

_MINUTE = 60_000 << 80  # spans of ids
_HOUR, _MONTH = 60 * _MINUTE, 60 * 24 * 30 * _MINUTE
_READ = (files("uptake.processors") / "reprice.sql").read_text("utf-8")


@dataclass
class RepriceReport:
    """What was looked at and corrected, by table. `currency` is the organisation's, in which sums are now."""

    currency: str
    dry_run: bool
    tables: dict[str, Change] = field(default_factory=lambda: {table: Change() for table in TABLES})

    def difference(self) -> int:
        """By how many nano units the sums rose, all in the currency of now."""
        changes = self.tables.values()
        return sum(change.after[self.currency] - change.before[self.currency] for change in changes)


def reprice(
    workspace: Workspace,
    database: Database,
    clock: Clock,
    start: datetime,
    end: datetime,
    app: str = "",
    dry_run: bool = False,
    progress: Callable[[RepriceReport], None] = lambda report: None,
    block: int = BLOCK,
) -> RepriceReport:
    """Price again what occurred in [start, end), of one app or of all. `dry_run` writes nothing. Raises
    StoreUnavailable; running it again goes on where that was. Memory is bounded by `block` rows."""
    recoster = Recoster(workspace)
    report = RepriceReport(recoster.currency, dry_run)
    reader, store = database.tenant(workspace.tenant), Store(database)
    for table, change in report.tables.items():
        for rows in _blocks(reader, table, start, end, app, block):  # 1
            found = recoster.judge(table, rows, unix_ms(clock.now()), change)  # 2
            if found.places and not dry_run:
                store.write(table, corrected(table, rows, found, recoster.currency).to_batches())  # 3
            progress(report)
    return report


def _blocks(
    reader: TenantDatabase, table: str, start: datetime, end: datetime, app: str, block: int
) -> Iterator[pa.Table]:
    """The rows by rising identity. A span of ids is read at a time, as wide as it takes to fill a block: whatever it
    holds, a query looks at little more than it returns."""
    at, last = id_range(start, end)
    width = _HOUR
    while at < last:
        until = min(at + width, last)
        bounds = {"table": table, "first": at, "last": until, "start": start, "end": end, "app": app}
        with translated(f"reading {table}"):
            rows = reader.query_arrow(_READ, {**bounds, "limit": block})
        if rows.num_rows:
            yield rows
        if rows.num_rows == block:
            at = int.from_bytes(rows.column("event_id")[-1].as_py(), "little") + 1
            width = max(width // 2, _MINUTE)
        else:
            at = until
            width = min(width * 2, _MONTH) if rows.num_rows < block // 4 else width
