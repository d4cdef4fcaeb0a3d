"""A digest of one department, and of all 200 with the organisation, over 10 million events: time, processor, memory.

The organisation is that of `benchmarks.large`: 12,000 people in 600 teams, 13 weeks of usage and feedback, on disk.
Each figure comes from a fresh process that opens it, gathers, composes and renders to Slack's payload; opening is not
counted. "Beside it" a plain `SELECT count() FROM usage FINAL` of the same time, which nothing that reads the events can
undercut. The digests from activity and those from the events alone must be the same bytes, or it fails.

"Kept" is a digest that was composed before (on Monday, by the scheduler, for everybody) and is asked for again: it is
compared with its events, and composed anew if they are others (uptake.alerts.drafts).

The goals are for two cores that nobody else uses. Wall-clock figures of a machine with other work say little, so
processor seconds stand beside them: two cores cannot do less than half of these.

UPTAKE_BENCH_EVENTS sets how many events (10,000,000), UPTAKE_BENCH_KEEP a directory to build in once and keep.
`python -m benchmarks.digest MODE DIRECTORY` measures one mode (one, kept, all, one-events, all-events, monthly,
quarterly, count) of what is there.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from benchmarks.harness import Row, repeat, seconds
from benchmarks.large.organisation import FIRST, TENANT, WEEK, WEEKS, ZONE, workspace
from uptake.alerts import digest
from uptake.alerts.drafts import Drafts
from uptake.alerts.gather import Gatherer
from uptake.alerts.render import slack
from uptake.calendar import Closed, FiscalQuarter, Month, Period
from uptake.clickhouse import Database
from uptake.schemas.identity import id_range
from uptake.state.store import open_state
from uptake.workspace.models import Audience, Workspace

EVENTS = 10_000_000
ROUNDS = 5
NOW = datetime(2026, 10, 6, 9, tzinfo=UTC)
ONE_GOAL, ALL_GOAL = 1.0, 60.0
MIB = 1 << 20
SPANS: dict[str, Closed] = {
    "monthly": Month(2026, 8),
    "quarterly": FiscalQuarter(2026, 3, 1),
}
COUNT = (Path(__file__).parent / "sql" / "large_count.sql").read_text()


class Counted(Database):
    """Counts queries, and the seconds that its callers waited for them."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.queries: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        started = time.perf_counter()
        try:
            return super().query(sql, parameters)
        finally:
            with self._lock:
                self.queries.setdefault(sql, []).append(time.perf_counter() - started)


class Stage:
    """An opened database; what happens between two looks at the clocks."""

    def __init__(self, directory: Path, *, activity: bool = True) -> None:
        self.workspace: Workspace = workspace()
        self.database = Counted.embedded(directory)
        self.database.uses_activity = activity
        self.database.query("SELECT 1")
        self.bytes = sha256()

    def measure(
        self, audiences: Iterable[Audience], span: Closed, state: Engine | None = None
    ) -> dict[str, float]:
        """Digests as they are composed; with `state` as they are kept there."""
        self.database.queries.clear()
        before, processor = _memory(), time.process_time()
        started = time.perf_counter()
        readers = tuple(audiences)
        database = self.database.tenant(TENANT)
        gatherer = Gatherer(database, self.workspace, readers=readers)
        drafts = Drafts(state, database, self.workspace, gatherer) if state else None
        gathering = composing = 0.0
        for audience in readers:
            begun = gathered = time.perf_counter()
            if drafts:
                message = drafts.message(audience, span, NOW)
            else:
                inputs = gatherer.inputs(audience, span)
                gathered = time.perf_counter()
                message = digest.compose(inputs, NOW)
            payload = [slack.render(message), *slack.render_details(message)]
            composing += time.perf_counter() - gathered
            gathering += gathered - begun
            self.bytes.update(json.dumps(payload, sort_keys=True).encode())
        took = [waited for each in self.database.queries.values() for waited in each]
        return {
            "seconds": time.perf_counter() - started,
            "processor": time.process_time() - processor,
            "gathering": gathering,
            "composing": composing,
            "queries": len(took),
            "waited": sum(took),
            "memory": _memory(),
            "grown": _memory() - before,
        }

    def slowest(self, most: int) -> list[tuple[float, int, str]]:
        found = [(sum(took), len(took), sql) for sql, took in self.database.queries.items()]
        return sorted(found, reverse=True)[:most]


def _memory() -> int:
    """The most that this process has held so far, in bytes. Not `ru_maxrss`: that begins with what its parent held."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def mode(name: str, directory: Path) -> dict[str, Any]:
    """What one fresh process measures."""
    if name == "count":
        return _counted(directory)
    kind, _, source = name.partition("-")
    stage = Stage(directory, activity=source != "events")
    everybody = stage.workspace.channels.audiences
    if kind == "all":
        return {"first": stage.measure(everybody, WEEK), "digest": stage.bytes.hexdigest()}
    if kind == "kept":
        return _kept(stage)
    span = SPANS.get(kind, WEEK)
    first = stage.measure(everybody[:1], span)
    made = stage.bytes.hexdigest()
    again = [stage.measure(everybody[n + 1 : n + 2], span) for n in range(ROUNDS)]
    middle = {key: statistics.median(each[key] for each in again) for key in first}
    return {"first": first, "again": middle, "digest": made}


def _kept(stage: Stage) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="uptake-drafts-") as temporary:
        state = open_state(f"sqlite:///{temporary}/state.db")
        one = stage.workspace.channels.audiences[:1]
        first = stage.measure(one, WEEK, state)
        made = stage.bytes.hexdigest()
        again = []
        for _ in range(ROUNDS):
            stage.bytes = sha256()
            again.append(stage.measure(one, WEEK, state))
            if stage.bytes.hexdigest() != made:
                raise RuntimeError("what is kept is not what was composed")
        state.dispose()
    middle = {key: statistics.median(each[key] for each in again) for key in first}
    return {"first": first, "again": middle, "digest": made}


def _counted(directory: Path) -> dict[str, Any]:
    database = Database.embedded(directory)
    week = WEEK.period(ZONE)
    twelve = Period(FIRST.shift(WEEKS - 12).monday(), week.after, ZONE)

    def count(period: Period) -> int:
        id_from, id_to = id_range(period.start, period.end)
        bounds = {"id_from": id_from, "id_to": id_to, "from_": period.start, "to_": period.end}
        [row] = database.tenant(TENANT).query(COUNT, bounds)
        return int(row["events"])

    found: dict[str, Any] = {}
    for name, period in (("week", week), ("twelve", twelve)):
        found[name] = repeat(lambda: seconds(lambda: count(period)), ROUNDS)  # noqa: B023
        found[f"{name}_events"] = count(period)
    return found


def run() -> list[Row]:
    events, kept = int(os.environ.get("UPTAKE_BENCH_EVENTS", EVENTS)), os.environ.get("UPTAKE_BENCH_KEEP")
    with tempfile.TemporaryDirectory(prefix="uptake-digest-") as temporary:
        directory = Path(kept or temporary)
        figures = directory.with_suffix(".json")
        if not figures.exists():
            figures.write_text(json.dumps(_process("benchmarks.large.build", str(directory), str(events))))
        built = json.loads(figures.read_text())
        if not kept:
            figures.unlink()
        names = ("count", "one", "kept", "all", "one-events", "all-events", "monthly", "quarterly")
        found = {name: _process("benchmarks.digest", name, str(directory)) for name in names}
    if found["all"]["digest"] != found["all-events"]["digest"]:
        raise RuntimeError("activity and events do not give the same digests")
    if found["one"]["digest"] != found["kept"]["digest"]:
        raise RuntimeError("what is kept is not what is composed")
    return [*_of_data(built), *_of_count(found["count"]), *_of_digests(found)]


def _process(module: str, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def _of_data(built: Mapping[str, Any]) -> list[Row]:
    events = built["usage_rows"] + built["feedback_rows"]
    on_disk = built["usage_bytes"] + built["feedback_bytes"]
    return [
        Row(
            "events on disk",
            f"{on_disk / MIB:,.0f} MiB",
            f"{events:,} events",
            against=f"activity {built['activity_bytes'] / MIB:,.0f} MiB, {built['activity_rows']:,} cells",
        ),
        Row("building their activity", f"{built['activity']:.1f} s"),
    ]


def _of_count(found: Mapping[str, Any]) -> list[Row]:
    return [
        Row(
            f"counting the calls of {what}, FINAL",
            _ms(found[name][0]),
            f"{_ms(found[name][1])} to {_ms(found[name][2])}",
            against=f"{found[f'{name}_events']:,} calls",
        )
        for name, what in (("week", "a week"), ("twelve", "12 weeks"))
    ]


def _of_digests(found: Mapping[str, Any]) -> list[Row]:
    rows = []
    for name, what in (
        ("one", "a department, weekly"),
        ("one-events", "a department, weekly, from the events alone"),
        ("monthly", "a department, monthly"),
        ("quarterly", "a department, quarterly"),
    ):
        weekly = name == "one"
        for part, when in (("first", "first in the process"), ("again", "again")):
            rows.append(_row(f"{what}, {when}", found[name][part], ONE_GOAL, is_goal=weekly))
    rows.append(_row("a department, weekly, kept", found["kept"]["again"], ONE_GOAL, is_goal=True))
    for name, what in (("all", "all departments"), ("all-events", "all departments, from the events alone")):
        rows.append(_row(what, found[name]["first"], ALL_GOAL, is_goal=name == "all"))
    return rows


def _row(what: str, found: Mapping[str, float], goal: float, *, is_goal: bool) -> Row:
    return Row(
        what,
        f"{found['seconds']:.2f} s",
        f"{found['processor']:.2f} s of processor, {found['queries']:.0f} queries in {found['waited']:.2f} s, "
        f"{found['memory'] / MIB:.0f} MiB",
        ratio=f"{found['seconds'] / goal:.2f}",
        against="the goal",
        goal=f"≤ {goal:.0f} s" if is_goal else "",
    )


def _ms(duration: float) -> str:
    return f"{duration * 1000:,.1f} ms"


if __name__ == "__main__":
    print(json.dumps(mode(sys.argv[1], Path(sys.argv[2]))))
