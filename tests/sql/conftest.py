"""Rows as a test wants to say them: what matters is given, the rest has a value that changes no KPI."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from uptake.calendar import Period
from uptake.clickhouse import DATABASE, Database, TenantDatabase
from uptake.schemas.identity import mint, unix_ms
from uptake.sql.activity.reader import ActivityReader
from uptake.sql.activity.refresh import Built, TenantActivity
from uptake.sql.catalogue import KpiDefinition
from uptake.sql.cells import Cell, InputRates, PriceInputs
from uptake.sql.runner import KpiRunner
from uptake.sql.suppression import ShownParts
from uptake.workspace.models import Audience, Channels, Organisation, Workspace

sys.path.insert(0, str(Path(__file__).parent))  # for uptake_people

WEEK = Period(date(2026, 11, 9), date(2026, 11, 16), "Europe/Paris")

FLAT: PriceInputs = lambda *_: InputRates(Fraction(2500), Fraction(250), Fraction(3125))  # noqa: E731
"""€ 2.50 a million input tokens, read from a cache for € 0.25, written to it for € 3.125: of any model."""

_COMMON: dict[str, Any] = {
    "ver": 1,
    "content_hash": 0,
    "client_id": "",
    "app": "helper",
    "environment": "production",
    "use_case": "",
    "team": "claims",
    "user_id": "",
    "response_id": "",
    "tags": {},
}
_KINDS: dict[str, dict[str, Any]] = {
    "usage": {
        "operation": "chat",
        "model": "gpt",
        "input_uncached_tokens": 10,
        "output_visible_tokens": 5,
        "status": "ok",
        "cache_hit": False,
        "intent": "deliberate",
        "cost_nano": 0,
        "cost_upper_nano": 0,
        "currency": "EUR",
        "authorisation": "allowed",
    },
    "feedback": {"kind": "decision", "severity": None, "reasons": [], "taxonomy_version": 1},
    "cost": {"category": "licence", "billed_nano": 0, "billed_currency": "EUR", "currency": "EUR"},
}


def _written(value: Any) -> Any:
    """Numbers beyond 64 bits and times as text, the way ClickHouse reads them."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date) or (isinstance(value, int) and abs(value) >= 1 << 63):
        return str(value)
    return value


class Earlier(TenantActivity):
    """A tenant's activity as it works at a moment that is `behind` the server's clock."""

    behind = timedelta(0)

    def _span(self) -> dict[str, Any]:
        span = super()._span()
        return {**span, "server_now": span["server_now"] - self.behind}


class Cache:
    """The activity of a tenant whose rows tests write, and KPIs from either source, whatever pays."""

    def __init__(self, database: Database, tenant: str, zone: str = "Europe/Paris") -> None:
        self.tenant = database.tenant(tenant)
        self.database = database
        self.zone = zone
        self.organisation = Organisation(tenant=tenant, name="Example", zone=zone)
        self.workspace = Workspace(organisation=self.organisation)
        self.work = Earlier(self.tenant, zone)
        self.reader = ActivityReader(self.tenant, 0, 0)

    def ago(self, **time: float) -> datetime:
        """A moment before now by the server's clock, as `inserted_at` is."""
        now: datetime = self.database.query("SELECT now64(6, 'UTC') AS now")[0]["now"]
        return now - timedelta(**time)

    def bring_up(self, now: datetime, **behind: float) -> list[Built]:
        """Look and build what is due, at a moment `behind` the server's clock."""
        self.work.behind = timedelta(**behind)
        self.work.look()
        return [self.work.build(day) for day in self.work.due(now)]

    def from_events(self) -> KpiRunner:
        return KpiRunner(self.tenant, self.workspace, activity=False, remember=True)

    def runner(self) -> KpiRunner:
        """Reads activity wherever it is exact; asks once, so take a new one after a change."""
        return KpiRunner(self.tenant, self.workspace, reader=self.reader, remember=True)


class CountingRunner(KpiRunner):
    """Shows every number, however few people it is about: for tests of what is counted, not of what may be shown."""

    def _decided(
        self, period: Period, apps: tuple[str, ...], definition: KpiDefinition, cells: Sequence[Cell]
    ) -> ShownParts:
        return ShownParts({})


class Gathered(Database):
    """Rows that come one by one wait until somebody next asks: an insert costs the same whatever its size."""

    def __init__(self, connect: Mapping[str, Any], database: str = DATABASE) -> None:
        super().__init__(connect, database)
        self._waiting: dict[str, list[bytes]] = {}
        self._alone = threading.RLock()

    def insert_soon(self, table: str, lines: bytes) -> None:
        with self._alone:
            self._waiting.setdefault(table, []).append(lines)

    def write(self) -> None:
        """Returns when every row is there, or raises what the database says of one."""
        with self._alone:
            waiting, self._waiting = self._waiting, {}
            for table, lines in waiting.items():
                self.insert_json_lines(table, b"\n".join(lines))

    def client(self) -> Client:
        self.write()
        return super().client()


class Rows:
    """Puts rows into the tables of one tenant, and runs KPIs over them."""

    def __init__(self, database: Gathered, tenant: str) -> None:
        self.database = database
        self.tenant = tenant

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        self.insert(table, [row])

    def insert(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Write rows as they are given."""
        lines = (json.dumps({name: _written(value) for name, value in row.items()}) for row in rows)
        self.database.insert_soon(table, "\n".join(lines).encode())

    def _event(self, table: str, at: datetime, given: dict[str, Any]) -> dict[str, Any]:
        row = self.event(table, at, given)
        self._insert(table, row)
        return row

    def event(self, table: str, at: datetime, given: dict[str, Any]) -> dict[str, Any]:
        """A row that is not written yet."""
        row = {
            "tenant": self.tenant,
            "event_id": mint(unix_ms(at)).int,
            "occurred_at": at,
            "received_at": at + timedelta(seconds=2),
            **_COMMON,
            **_KINDS[table],
            **given,
        }
        if table == "cost":
            row.setdefault("cost_upper_nano", row["cost_nano"])
        if table == "usage" and row["cost_nano"] is not None and "cost_upper_nano" not in given:
            row["cost_upper_nano"] = row["cost_nano"]
        return row

    def usage(self, at: datetime, **given: Any) -> dict[str, Any]:
        return self._event("usage", at, given)

    def feedback(self, at: datetime, **given: Any) -> dict[str, Any]:
        return self._event("feedback", at, given)

    def decision(self, at: datetime, decision: str, **given: Any) -> dict[str, Any]:
        return self.feedback(at, kind="decision", decision=decision, **given)

    def cost(self, first: date, after: date, **given: Any) -> dict[str, Any]:
        at = given.pop("at", datetime(first.year, first.month, first.day, 12, tzinfo=UTC))
        return self._event("cost", at, {"period_start": first, "period_end": after, **given})

    def again(self, table: str, row: dict[str, Any], **changed: Any) -> None:
        """The same identity once more, with a higher version."""
        self._insert(table, {**row, "ver": row["ver"] + 1, **changed})

    def report(self, client: str, at: datetime, accepted: int, dropped: int = 0) -> None:
        utc = at.astimezone(UTC)
        quarter = utc.replace(minute=utc.minute // 15 * 15, second=0, microsecond=0)
        said = {
            "client_id": client,
            "quarter": quarter,
            "reported_at": at,
            "accepted": accepted,
            "dropped": dropped,
        }
        self._insert("sdk_reports", {"tenant": self.tenant, **said})

    def roster(self, *stays: tuple[str, str, str] | dict[str, Any], generation: str = "g1") -> None:
        """Publish stays, each (user, team, joined) or a dictionary with more columns."""
        common = {
            "tenant": self.tenant,
            "generation": generation,
            "seat": True,
            "champion": False,
            "left": None,
        }
        said = (
            stay if isinstance(stay, dict) else dict(zip(("user_id", "team", "joined"), stay, strict=True))
            for stay in stays
        )
        self.insert("roster", ({**common, **given} for given in said))
        pointer = {"name": "roster", "generation": generation, "published_at": datetime.now(UTC)}
        self._insert("generations", {"tenant": self.tenant, **pointer})

    def runner(
        self,
        *audiences: tuple[str, ...],
        remember: bool = False,
        input_rates: PriceInputs | None = FLAT,
        **organisation: Any,
    ) -> KpiRunner:
        return KpiRunner(*self._of(audiences, organisation), remember=remember, input_rates=input_rates)

    def counting(self, *audiences: tuple[str, ...], **organisation: Any) -> KpiRunner:
        """As `runner`, and hides nothing."""
        return CountingRunner(*self._of(audiences, organisation))

    def workspace(self) -> Workspace:
        return self._of((), {})[1]

    def _of(
        self, audiences: Iterable[tuple[str, ...]], organisation: dict[str, Any]
    ) -> tuple[TenantDatabase, Workspace]:
        declared = tuple(Audience(audience=f"a{i}", name="A", teams=t) for i, t in enumerate(audiences))
        facts = {"tenant": self.tenant, "name": "Example", "zone": "Europe/Paris", **organisation}
        workspace = Workspace(organisation=Organisation(**facts), channels=Channels(audiences=declared))
        return self.database.tenant(self.tenant), workspace


@pytest.fixture(scope="session")
def database(database: Database) -> Iterator[Gathered]:
    """The suite's engine again."""
    again = Gathered.embedded(None)
    yield again
    again.close()


@pytest.fixture
def rows_of(database: Gathered) -> Iterator[Callable[[str], Rows]]:
    """Rows of a tenant by name."""
    yield lambda tenant: Rows(database, tenant)
    database.write()  # what nobody asked for after it was said is not for the next test to write


@pytest.fixture
def rows(rows_of: Callable[[str], Rows], tenant: str) -> Rows:
    return rows_of(tenant)


@pytest.fixture
def cache(database: Database, tenant: str) -> Cache:
    return Cache(database, tenant)


@pytest.fixture
def cache_of(database: Database) -> Callable[[str, str], Cache]:
    """The activity of a tenant by name, in a zone."""
    return lambda tenant, zone: Cache(database, tenant, zone)


@pytest.fixture
def week() -> Period:
    """2026-W46: Monday 9 to Sunday 15 November, in Paris (UTC+1)."""
    return WEEK


@pytest.fixture
def monday() -> datetime:
    """Monday of that week, ten in the morning in Paris."""
    return datetime(2026, 11, 9, 9, tzinfo=UTC)
