"""Puts the organisation's events into a database, and builds their activity.

python -m benchmarks.large.build DIRECTORY EVENTS
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.large.organisation import FIRST, PEOPLE, TEAMS, TENANT, WEEKS, ZONE, workspace
from uptake.calendar import Period
from uptake.clickhouse import Database
from uptake.clock import SystemClock
from uptake.schemas.identity import unix_ms
from uptake.sql.activity.refresh import refresh
from uptake.sql.migrate import migrate
from uptake.workspace.roster import publish_roster

SQL = Path(__file__).parent.parent / "sql"
CHUNK = 1_000_000
FEEDBACK_A_CALL = 0.09
"""How many feedback events a call has: `events` is of both."""


def build(directory: Path, events: int) -> dict[str, float]:
    """Seconds of each part, and what then lies on disk."""
    database = Database.embedded(directory)
    migrate(database)
    of, whole = workspace(), Period(FIRST.monday(), FIRST.shift(WEEKS).monday(), ZONE)
    publish_roster(database, of, SystemClock())
    calls = int(events / (1 + FEEDBACK_A_CALL))
    shared = {"tenant": TENANT, "first_day": whole.first}
    started = time.perf_counter()
    for at in range(0, calls, CHUNK):
        given = {
            "first": at,
            "count": min(CHUNK, calls - at),
            "events": calls,
            "people": PEOPLE,
            "weeks": WEEKS,
            "start_ms": unix_ms(whole.start),
        }
        database.command((SQL / "large_usage.sql").read_text(), {**shared, **given})
    for week in (FIRST.shift(n) for n in range(WEEKS)):
        period = week.period(
            ZONE
        )  # an id holds its call's very time here, so these are the calls of the week
        bounds = {"id_from": unix_ms(period.start) << 80, "id_to": unix_ms(period.end) << 80}
        database.command((SQL / "large_feedback.sql").read_text(), {**shared, **bounds})
    database.command((SQL / "large_cost.sql").read_text(), {**shared, "teams": TEAMS})
    database.command((SQL / "large_reports.sql").read_text(), shared)
    inserted = time.perf_counter() - started
    for table in ("usage", "feedback", "cost"):
        database.command(f"OPTIMIZE TABLE {table} FINAL")
    started = time.perf_counter()
    refresh(database, {TENANT: of}, datetime.now(UTC) + timedelta(days=1), limit=100_000)
    activity = time.perf_counter() - started
    database.command("OPTIMIZE TABLE activity FINAL")
    figures = {"inserting": inserted, "activity": activity}
    for table in ("usage", "feedback", "activity"):
        [row] = database.query((SQL / "activity_size.sql").read_text(), {"table": table})
        figures |= {f"{table}_rows": int(row["rows"]), f"{table}_bytes": int(row["bytes"])}
    database.close()
    return figures


if __name__ == "__main__":
    print(json.dumps(build(Path(sys.argv[1]), int(sys.argv[2]))))
