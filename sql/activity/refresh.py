"""Keeps activity as fresh as pays: notes what changed, builds the closed days that did, removes what nobody reads.

Everything is safe to stop at any point, to run again, and to run twice at once: a day's cells are written under a
generation that nobody reads, then published by one row, and the one with the latest snapshot wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from uptake.calendar import Period
from uptake.clickhouse import Database, TenantDatabase
from uptake.schemas.identity import unix_ms
from uptake.sql.activity.days import MARGIN, NEVER, Day, generation_at
from uptake.sql.activity.reader import ActivityReader
from uptake.sql.activity.texts import sql_of
from uptake.sql.asking import used_in, window
from uptake.workspace.models import Workspace

BUILDS = 50
"""So many days a refresh builds at most: the others are for the next one."""
FORGOTTEN = 200
"""So many builds are removed at most by one refresh, a tenant."""


@dataclass(frozen=True, slots=True)
class Built:
    """One day that was built. `published` is False if it took so long that its cells were given up."""

    tenant: str
    day: date
    calls: int
    cells: int
    published: bool


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What a refresh did: days built (those not published among them), days that are due and left for the next,
    outdated builds that were removed."""

    built: tuple[Built, ...] = ()
    left: int = 0
    removed: int = 0


def refresh(
    database: Database,
    workspaces: Mapping[str, Workspace],
    now: datetime,
    limit: int = BUILDS,
    progress: Callable[[Built, int], None] | None = None,
    *,
    at_once: bool = False,
    rebuild: tuple[date | None, date | None] | None = None,
) -> RefreshReport:
    """Bring the activity of all `workspaces` up to date, as far as `limit` builds go, the newest days first.

    `now` says which days are over; all else goes by the database server's clock. `progress` is told each build and
    how many are due after it. `at_once`: do not spare days that were built minutes ago; `rebuild`: nor those of
    [first, after) that are exact. Raises what the database raises; nothing that was read before is then worse.
    """
    built: list[Built] = []
    left = removed = 0
    for tenant, workspace in sorted(workspaces.items()):
        work = TenantActivity(database.tenant(tenant), workspace.organisation.zone)
        # 1. Note what was inserted since the last look.
        work.look()
        # 2. Build the days that changed.
        due = work.due(now, at_once=at_once, rebuild=rebuild)
        for nth, day in enumerate(due):
            if len(built) >= limit:
                left += len(due) - nth
                break
            built.append(work.build(day))
            if progress is not None:
                progress(built[-1], len(due) - nth - 1)
        # 3. Remove what nobody reads any more.
        removed += work.forget(FORGOTTEN)
    return RefreshReport(tuple(built), left, removed)


class TenantActivity:
    """The activity of one tenant, in its zone."""

    def __init__(self, database: TenantDatabase, zone: str) -> None:
        self._database = database
        self._zone = zone
        self._reader = ActivityReader(database)

    def look(self) -> None:
        """Note the quarters of an hour in which something was inserted since the last look, then that one looked."""
        # 1. The clock is read first: whatever becomes visible while we read is found by the next look.
        span = self._span()
        since = span["looked_at"] - MARGIN if span["looked_at"] > NEVER else NEVER
        # 2. What changed. Stopping here repeats it.
        self._change("look", {"since": since})
        # 3. That it was looked at.
        self._change("looked", {"looked_ms": unix_ms(span["server_now"])})

    def days(self, first: date | None = None, after: date | None = None) -> list[Day]:
        """All days of which there are events, as the last look left them, or those in [first, after)."""
        return self._days(self._span(), first, after)

    def _days(self, span: dict[str, Any], first: date | None = None, after: date | None = None) -> list[Day]:
        if span["last"] <= NEVER:
            return []
        zone = ZoneInfo(self._zone)
        earliest = span["first"].astimezone(zone).date()
        latest = span["last"].astimezone(zone).date() + timedelta(days=1)
        # A day may begin before its wall clock's midnight is shown for the last time, so one more on each side.
        first = max(first or date.min, earliest - timedelta(days=1))
        after = min(after or date.max, latest + timedelta(days=1))
        if first >= after:
            return []
        known = self._reader.known(Period(first, after, self._zone))
        return [day for day in known.days if day.standing != "empty"]

    def due(
        self,
        now: datetime,
        *,
        at_once: bool = False,
        rebuild: tuple[date | None, date | None] | None = None,
    ) -> list[Day]:
        """The days to build, the newest first: digests read those."""
        span = self._span()
        if rebuild is None:
            known = self._days(span)
            days = [day for day in known if day.is_due(now, span["server_now"], at_once=at_once)]
        else:
            days = [day for day in self._days(span, *rebuild) if day.ends <= now]
        return sorted(days, key=lambda day: day.day, reverse=True)

    def looked_at(self) -> datetime | None:
        """When the last look began; None if there was none."""
        looked_at: datetime = self._span()["looked_at"]
        return looked_at if looked_at > NEVER else None

    def build(self, day: Day) -> Built:
        """Build one day and publish it."""
        # 1. The snapshot's time, from the server's clock, before anything is read.
        snapshot_at = self._span()["server_now"]
        generation = generation_at(snapshot_at)
        named = {"zone": self._zone, "day": day.day, "generation": generation}
        whole = {
            **named,
            **window(day.starts, day.ends),
            "snapshot_us": (snapshot_at - NEVER) // timedelta(microseconds=1),
        }
        # 2. Say that it begins: what it writes can be found and removed if it ends here.
        self._change("begin", whole)
        # 3. Write all cells. Nobody reads them yet.
        self._change("build", whole)
        # 4. Publish: from here on they are read.
        self._change("publish", whole)
        [row] = self._query("published", named)
        return Built(
            self._database.name, day.day, int(row["calls"]), int(row["cells"]), bool(row["published"])
        )

    def forget(self, limit: int) -> int:
        """Remove builds that nobody reads: how many."""
        # 1. Which they are. Readers of the last hour are spared.
        outdated = self._query("outdated", {"limit": limit})
        if not outdated:
            return 0
        gone = {
            "zones": [row["zone"] for row in outdated],
            "days": [row["day"] for row in outdated],
            "generations": [row["generation"] for row in outdated],
        }
        # 2. Their cells, then what says that they exist: stopping in between repeats it.
        self._change("forget_cells", gone)
        self._change("forget_builds", gone)
        return len(outdated)

    def differences(self, day: Day) -> Iterator[dict[str, Any]]:
        """Cells of a published day that are not as FINAL has them now: rows of differences.sql."""
        if day.build is None:
            raise ValueError(f"{day.day} is not built")
        bounds = {"zone": self._zone, "day": day.day, "generation": day.build.generation}
        yield from self._query("differences", {**window(day.starts, day.ends), **bounds})

    def _span(self) -> dict[str, Any]:
        return self._query("span", {})[0]

    def _query(self, name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        sql = sql_of(name)
        return self._database.query(sql, used_in(sql, parameters))

    def _change(self, name: str, parameters: dict[str, Any]) -> None:
        sql = sql_of(name)
        self._database.change(sql, used_in(sql, parameters))
