"""What the pipeline's tests share: events as an app would write them, a workspace, a pipeline that can be broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from uptake.clickhouse import Database
from uptake.clock import ManualClock
from uptake.processors.pipeline import Pipeline, Written
from uptake.processors.records import Record, record_of
from uptake.schemas.batch import Batch, ClientReport
from uptake.schemas.events import EVENT, Event
from uptake.schemas.identity import derive
from uptake.workspace.models import Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "somebody-who-must-not-be-named"

EventDict = dict[str, Any]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def event() -> Callable[..., EventDict]:
    """An event by a key of its own; the same key gives the same id."""
    needs: dict[str, EventDict] = {
        "usage": {
            "user_id": SECRET,
            "provider": "openai",
            "request_model": "gpt-4o",
            "response_model": "gpt-4o-2024-08-06",
            "input_tokens": 1000,
            "output_tokens": 100,
        },
        "feedback": {"kind": "thumb", "thumb": "up"},
        "cost": {
            "category": "licence",
            "amount": "12.50",
            "currency": "USD",
            "period_start": "2026-11-01",
            "period_end": "2026-12-01",
        },
    }

    def make(key: object = 0, type: str = "usage", at: datetime = NOW, **fields: Any) -> EventDict:
        made = {
            "event_id": str(derive("test", str(key), at)),
            "type": type,
            "occurred_at": at.isoformat(),
            "app": "helper",
            **needs[type],
            **fields,
        }
        return {name: value for name, value in made.items() if value is not ...}

    return make


@pytest.fixture
def parsed(event: Callable[..., EventDict]) -> Callable[..., Event]:
    """The same as a validated model."""
    return lambda *args, **fields: EVENT.validate_json(json.dumps(event(*args, **fields)))


@pytest.fixture
def record(parsed: Callable[..., Event]) -> Callable[..., Record]:
    """The same as the record that the pipeline carries."""
    return lambda *args, **fields: record_of(parsed(*args, **fields))


@pytest.fixture
def workspace(tenant: str) -> Callable[..., Workspace]:
    """A workspace in euros, with a rate for dollars, from its files' content."""

    def make(organisation: EventDict | None = None, tenant: str = tenant, **files: Any) -> Workspace:
        content = {
            "organisation": {"tenant": tenant, "name": "Test", **(organisation or {})},
            "fx": [{"currency": "USD", "rate": "0.5"}],
            "apps": [{"app": "helper", "owner": "o"}],
            **files,
        }
        return Workspace.model_validate(content)

    return make


class Breakable:
    """A database whose inserts into `broken` tables fail, as ClickHouse fails: with values in its message."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.broken: set[str] = set()
        self.unreadable = False
        self.inserts: list[str] = []

    def _check(self, table: str) -> None:
        if table in self.broken:
            raise DatabaseError(f"Code: 241. DB::Exception: at row {SECRET} (MEMORY_LIMIT_EXCEEDED)")
        self.inserts.append(table)

    def insert_block(self, table: str, *args: Any) -> None:
        self._check(table)
        self._database.insert_block(table, *args)

    def insert_json_lines(self, table: str, lines: bytes) -> None:
        self._check(table)
        self._database.insert_json_lines(table, lines)

    def tenant(self, tenant: str) -> Any:
        if self.unreadable:
            raise OSError("connection refused")
        return self._database.tenant(tenant)


class Bench:
    """A pipeline of one tenant, what it told, and what its tables hold."""

    def __init__(
        self, database: Database, workspaces: dict[str, Workspace], clock: ManualClock, tenant: str
    ) -> None:
        self.database = Breakable(database)
        self.workspaces = workspaces
        self.clock = clock
        self.tenant = tenant
        self.heard: list[Written] = []
        self.pipeline = Pipeline(workspaces.get, self.database, clock, self.heard.append)  # type: ignore[arg-type]
        self.reader = database

    def batch(
        self, events: Sequence[EventDict] | bytes, tenant: str = "", client: ClientReport | None = None
    ) -> Batch:
        body = events if isinstance(events, bytes) else json.dumps(events).encode()
        return Batch(tenant or self.tenant, body, self.clock.now(), client=client)

    def process(self, *batches: Sequence[EventDict] | bytes | Batch) -> list[Any]:
        return self.pipeline.process([b if isinstance(b, Batch) else self.batch(b) for b in batches])

    def rows(self, table: str, tenant: str = "", final: bool = True) -> list[dict[str, Any]]:
        key = {"dead_letters": "letter_id", "sdk_reports": "quarter"}.get(table, "event_id")
        sql = f"SELECT * FROM {table} {'FINAL' if final else ''} WHERE tenant = {{tenant:String}} ORDER BY {key}"  # noqa: S608
        return self.reader.tenant(tenant or self.tenant).query(sql)

    def row(self, table: str = "usage") -> dict[str, Any]:
        (only,) = self.rows(table)
        return only

    def later(self, **delta: float) -> None:
        self.clock.set(self.clock.now() + timedelta(**delta))


@pytest.fixture
def make_bench(
    database: Database, clock: ManualClock, workspace: Callable[..., Workspace]
) -> Callable[..., Bench]:
    """A bench for a tenant, whose workspace has the given content."""
    return lambda tenant, **files: Bench(database, {tenant: workspace(tenant=tenant, **files)}, clock, tenant)


@pytest.fixture
def bench(make_bench: Callable[..., Bench], tenant: str) -> Bench:
    return make_bench(tenant)


@pytest.fixture
def secret() -> str:
    return SECRET
