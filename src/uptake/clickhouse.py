"""The one way to ClickHouse, embedded or over HTTP: pinned insert settings, zone-aware parameters, one tenant.

`Database` owns the connection; `Database.tenant(...)` is the choke point through which every read of a
tenant's data goes: it adds the tenant to the parameters and refuses a query that does not use it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from uptake import engine
from uptake.errors import UnavailableError, UsageError
from uptake.perthread import PerThread

if TYPE_CHECKING:
    import pyarrow as pa

DATABASE = "uptake"

INSERT_SETTINGS: dict[str, Any] = {
    # Their defaults changed three times in 2026; a deduplicating insert after a delete is dropped in silence.
    "async_insert": 0,
    "insert_deduplicate": 0,
    "deduplicate_blocks_in_dependent_materialized_views": 0,
    "date_time_input_format": "best_effort",
    "input_format_skip_unknown_fields": 0,
    # One app with a broken clock may send ids of a hundred months at once: that is slow, not an error for all.
    "max_partitions_per_insert_block": 0,
}
QUERY_SETTINGS: dict[str, Any] = {
    # An id lives in exactly one partition (its own month), so FINAL never has to look across them.
    "do_not_merge_across_partitions_select_final": 1,
}

_TENANT_PARAMETER = re.compile(r"\{\s*tenant\s*:\s*String\s*\}")


class Database:
    """A ClickHouse database. Safe to use from several threads: each thread has its own client."""

    def __init__(self, connect: Mapping[str, Any], database: str = DATABASE) -> None:
        self._connect: dict[str, Any] = dict(connect)
        self.name = database
        self.uses_activity = True
        """Whether KPIs may be read from the cache by day; False has everything counted from the events."""
        self._clients = PerThread(lambda: self._open(self.name), lambda client: client.close())
        first = self._open(None)
        there = first.query("SELECT 1 FROM system.databases WHERE name = {name:String}", {"name": database})
        if not there.result_rows:  # who only reads need not be allowed to create, nor have room for it
            first.command(f"CREATE DATABASE IF NOT EXISTS {database}")
        # An embedded engine lives as long as somebody holds a connection to it: the first is kept until the end.
        self._first = first

    @classmethod
    def embedded(cls, path: Path | None) -> Self:
        """The engine inside this process, on disk at `path`, or in memory (`None`). One path per process."""
        if path is None:
            return cls({"interface": "chdb", "path": engine.MEMORY})
        if "?" in str(path):
            raise UsageError(
                f"the engine cannot be in {path}: it takes what follows ? for options", "rename it"
            )
        path.mkdir(parents=True, exist_ok=True)
        if not any((path / "metadata").glob(f"{DATABASE}*")):
            engine.need_room(str(path))
        return cls({"interface": "chdb", "path": str(path), "chdb_options": engine.OPTIONS})

    @classmethod
    def served(cls, url: str) -> Self:
        """A ClickHouse server, by ``clickhouse://user:password@host:port/database`` (or ``clickhouses://``)."""
        parts = urlsplit(url)
        secure = parts.scheme in ("clickhouses", "https")
        connect = {
            "interface": "https" if secure else "http",
            "host": parts.hostname,
            "port": parts.port or (8443 if secure else 8123),
            "username": parts.username or "default",
            "password": parts.password or "",
        }
        return cls(connect, parts.path.strip("/") or DATABASE)

    def _open(self, database: str | None) -> Client:
        embedded = self._connect["interface"] == "chdb"
        try:
            return clickhouse_connect.get_client(
                **{**self._connect, "database": database, "tz_mode": "aware"}
            )
        except (ClickHouseError, OSError) as error:
            if embedded:
                raise UnavailableError(
                    f"the database in {self._connect['path']} cannot be opened: one process at a time may",
                    "another uptake command has it open: wait for it, or keep `uptake up` running and ask beside it",
                ) from error
            raise UnavailableError(
                "ClickHouse does not answer", "start it, or look at UPTAKE_CLICKHOUSE_URL"
            ) from error

    def client(self) -> Client:
        """This thread's client."""
        return self._clients.get()

    def command(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run a statement that changes something. Raises UnavailableError where there is no room for it."""
        if self._connect["interface"] == "chdb":
            engine.need_room(self._connect["path"])
        return self.client().command(
            statement, parameters=dict(parameters or {}), settings=dict(settings or {})
        )

    def insert_json_lines(self, table: str, lines: bytes) -> None:
        """Insert rows given as JSON objects, one a line. Returns when they are durable, or raises."""
        if lines:
            self.client().raw_insert(table, insert_block=lines, fmt="JSONEachRow", settings=INSERT_SETTINGS)

    def insert_block(self, table: str, columns: Sequence[str], block: bytes, format: str) -> None:
        """Insert a block in one of ClickHouse's formats, in which no key is twice. Returns when its rows are durable,
        or raises."""
        # Nothing to merge within the block: a third of the time of an insert.
        settings = {**INSERT_SETTINGS, "optimize_on_insert": 0}
        self.client().raw_insert(
            table, column_names=list(columns), insert_block=block, fmt=format, settings=settings
        )

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows as dictionaries. For what belongs to no tenant; a tenant's data is read through `tenant()`."""
        bound = _zoned(parameters)
        return list(self.client().query(sql, parameters=bound, settings=QUERY_SETTINGS).named_results())

    def query_arrow(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Rows as an Arrow table, as `insert_block` takes them: for many rows that are written again."""
        bound = _zoned(parameters)
        return self.client().query_arrow(sql, parameters=bound, settings=QUERY_SETTINGS, use_strings=True)

    def tenant(self, tenant: str) -> TenantDatabase:
        return TenantDatabase(self, tenant)

    def close(self) -> None:
        self._clients.close()
        self._first.close()


class TenantDatabase:
    """One tenant's data. Every query names `{tenant:String}`, which is filled in here only."""

    def __init__(self, database: Database, tenant: str) -> None:
        if not tenant:
            raise ValueError("a tenant has a name")
        self._database = database
        self.name = tenant
        self.uses_activity = database.uses_activity

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        return self._database.query(sql, self._bound(sql, parameters))

    def query_arrow(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        return self._database.query_arrow(sql, self._bound(sql, parameters))

    def change(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run an INSERT ... SELECT or a DELETE of one tenant's data inside the database. Returns when it is done."""
        settings = {**INSERT_SETTINGS, **QUERY_SETTINGS}
        bound = self._bound(statement, parameters)
        self._database.command(statement, bound, settings)

    def _bound(self, sql: str, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
        if not _TENANT_PARAMETER.search(sql):
            raise ValueError("a query of a tenant's data filters by {tenant:String}")
        if parameters and "tenant" in parameters:
            raise ValueError("the tenant of a query is not a parameter of its caller")
        return {**(parameters or {}), "tenant": self.name}


def _zoned(parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    bound = dict(parameters or {})
    for name, value in bound.items():
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(f"query parameter {name!r} is a time without a zone")
    return bound
