"""A weekly KPI from the events (FINAL) and from activity, over 1, 5 and 10 million rows: time, memory, size on disk.

Ten weeks of ten tenants, one of which has half of all rows; one of the weeks is built and asked about. `all tenants`
runs the KPI for each of the ten. Times are of `KpiRunner.run`, so those of activity hold the check that it is exact.
Memory is the least limit on the largest tenant's query with which it still ends, found by halving (the embedded engine
keeps no log of queries).
"""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.exceptions import ClickHouseError

from benchmarks.harness import Row, repeat, seconds
from uptake.calendar import IsoWeek, Period
from uptake.clickhouse import QUERY_SETTINGS, Database
from uptake.sql.activity.reader import ActivityReader
from uptake.sql.activity.refresh import refresh
from uptake.sql.migrate import migrate
from uptake.sql.runner import KpiRunner
from uptake.workspace.models import Organisation, Workspace

MILLIONS = (1, 5, 10)
KPIS = ("adoption", "active_users", "calls", "spend")
BIG = "big"
TENANTS = (BIG, *(f"small-{n}" for n in range(1, 10)))
ZONE = "Europe/Paris"
WEEKS = 10
FIRST = IsoWeek(2026, 10)
WEEK = FIRST.shift(6)
ROUNDS = 7
CHUNK = 1_000_000
MIB = 1 << 20
SQL = Path(__file__).parent / "sql"


def run() -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="uptake-activity-") as directory:
        database = Database.embedded(Path(directory))
        migrate(database)
        there = 0
        for millions in MILLIONS:
            _add(database, there, millions * 1_000_000)
            there = millions * 1_000_000
            rows += _measured(database, f"{millions} M rows")
        database.close()
    return rows


def workspace(tenant: str) -> Workspace:
    return Workspace(organisation=Organisation(tenant=tenant, name=tenant, zone=ZONE))


def _add(database: Database, first: int, until: int) -> None:
    start = Period(FIRST.monday(), FIRST.shift(WEEKS).monday(), ZONE)
    span_ms = (start.end - start.start) // timedelta(milliseconds=1)
    start_ms = int(start.start.timestamp()) * 1000
    for at in range(first, until, CHUNK):
        database.command(
            (SQL / "activity_rows.sql").read_text(),
            {"first": at, "count": min(CHUNK, until - at), "start_ms": start_ms, "span_ms": span_ms},
        )
    # What is measured is the steady state, in which parts have been merged.
    database.command("OPTIMIZE TABLE usage FINAL")


def _measured(database: Database, size: str) -> list[Row]:
    for table in ("activity", "activity_builds", "activity_changes"):
        database.command(f"TRUNCATE TABLE {table}")
    workspaces = {tenant: workspace(tenant) for tenant in TENANTS}
    now = datetime.combine(FIRST.shift(WEEKS + 1).monday(), datetime.min.time(), UTC)
    week = (_week().first, _week().after)
    started = time.perf_counter()
    report = refresh(database, workspaces, now, limit=100_000, rebuild=week)
    took = time.perf_counter() - started
    nothing_due = datetime(2020, 1, 1, tzinfo=UTC)
    idle = repeat(lambda: seconds(lambda: refresh(database, workspaces, nothing_due)), 3)
    database.command("OPTIMIZE TABLE activity FINAL")
    events, cells = _size(database, "usage"), _size(database, "activity")
    events_bytes = events[1] / WEEKS
    rows = [
        Row(
            f"{size}: size of a week on disk",
            f"{cells[1] / MIB:,.1f} MiB, {cells[0]:,} cells",
            ratio=f"{cells[1] / events_bytes:.2f}",
            against=f"events {events_bytes / MIB:,.1f} MiB, {events[0] // WEEKS:,}",
        ),
        Row(
            f"{size}: building {len(report.built)} days",
            f"{took:.1f} s",
            f"{took / len(report.built) * 1000:.0f} ms a day",
        ),
        Row(f"{size}: refreshing when nothing changed", _ms(idle[0]), f"{_ms(idle[1])} to {_ms(idle[2])}"),
    ]
    big = ActivityReader(database.tenant(BIG), 0, 0)
    check = repeat(lambda: seconds(lambda: big.serving(_week(), people=True)), ROUNDS)
    rows.append(Row(f"{size}: the check alone", _ms(check[0]), f"{_ms(check[1])} to {_ms(check[2])}"))
    for name in KPIS:
        for who, tenants in (("the largest tenant", (BIG,)), ("all tenants", TENANTS)):
            rows.append(_compared(database, f"{size}: {name}, {who}", name, tenants))
    return rows


def _compared(database: Database, what: str, name: str, tenants: tuple[str, ...]) -> Row:
    def runner(tenant: str, *, activity: bool) -> KpiRunner:
        reader = ActivityReader(database.tenant(tenant), 0, 0)
        return KpiRunner(database.tenant(tenant), workspace(tenant), activity=activity, reader=reader)

    def all_of(*, activity: bool) -> list[Any]:
        return [runner(tenant, activity=activity).run(name, _week()) for tenant in tenants]

    ours, theirs = all_of(activity=True), all_of(activity=False)
    if ours != theirs or {result.source for result in ours} != {"activity"}:
        raise RuntimeError(f"{name}: the two sources do not agree")
    from_activity = repeat(lambda: seconds(lambda: all_of(activity=True)), ROUNDS)
    from_events = repeat(lambda: seconds(lambda: all_of(activity=False)), ROUNDS)
    memory = [
        max(_memory(database, runner(tenant, activity=activity), name) for tenant in tenants[:1])
        for activity in (True, False)
    ]
    return Row(
        what,
        f"{_ms(from_activity[0])}, {memory[0] / MIB:.0f} MiB",
        f"{_ms(from_activity[1])} to {_ms(from_activity[2])}",
        ratio=f"{from_activity[0] / from_events[0]:.2f}",
        against=f"events {_ms(from_events[0])}, {memory[1] / MIB:.0f} MiB",
    )


def _memory(database: Database, runner: KpiRunner, name: str) -> int:
    """The least memory in bytes, to a tenth, that the KPI's query ends with."""
    asked = runner.explain(name, _week())
    low, high = MIB // 4, 4096 * MIB
    while high > low * 1.1:
        middle = int((low * high) ** 0.5)
        settings = {**QUERY_SETTINGS, "max_memory_usage": middle, "max_untracked_memory": 1 << 16}
        try:
            database.client().query(asked.sql, parameters=dict(asked.parameters), settings=settings)
        except ClickHouseError as error:
            if "MEMORY_LIMIT_EXCEEDED" not in str(error):
                raise
            low = middle
        else:
            high = middle
    return high


def _size(database: Database, table: str) -> tuple[int, int]:
    [row] = database.query((SQL / "activity_size.sql").read_text(), {"table": table})
    return int(row["rows"]), int(row["bytes"])


def _week() -> Period:
    return WEEK.period(ZONE)


def _ms(duration: float) -> str:
    return f"{duration * 1000:,.1f} ms"
