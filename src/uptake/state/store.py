"""Opening the state store, and the little that all who use it share."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from uptake.errors import UnavailableError, UsageError
from uptake.state.migrate import migrate

_BUSY_SECONDS = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CONNECT = {"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""libpq's own are to wait for ever for a host that is gone. In seconds; what the URL says goes first."""
_LIMITS = ("lock_timeout = '10s'", "idle_in_transaction_session_timeout = '60s'")
"""What a process that was suspended in the middle of its work holds, others wait for no longer than in SQLite."""


def open_state(url: str) -> Engine:
    """The state store at an SQLAlchemy URL (``sqlite:///…`` or ``postgresql+…``), its tables created or brought up
    to this version.

    SQLite runs in WAL mode with ``synchronous=FULL``: a fact that was recorded survives a power cut, or the
    message that it stands for would be sent twice. PostgreSQL is asked whether a connection still stands before it
    is used, so that one that its server closed is an error for nobody. Raises UsageError for a driver that is not
    installed and for a store that is newer than this program, UnavailableError for one that does not answer or lets
    nobody make its tables. No error repeats the URL, which may hold a password.
    """
    try:
        # errors are logged, and messages name teams and money
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=not url.startswith("sqlite"))
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise UsageError(
            f"UPTAKE_STATE_URL names a database without its driver ({error})",
            "SQLite needs none; for PostgreSQL, pip install 'uptake[postgresql]' and write postgresql+psycopg://…",
        ) from error
    except (ArgumentError, ValueError):
        raise UsageError(
            "UPTAKE_STATE_URL is not a URL",
            "write it like sqlite:///path or postgresql+psycopg://user@host/db",
        ) from None
    if engine.dialect.name == "sqlite":
        if engine.url.database:
            Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine, "connect", _pragmas)
    elif engine.dialect.driver == "psycopg":
        event.listen(engine, "do_connect", _patience)
        event.listen(engine, "connect", _limits)
        event.listen(engine, "handle_error", _without_values)
    try:
        migrate(engine)
    except BaseException as error:
        engine.dispose()  # nobody else has it
        if isinstance(error, OperationalError):
            raise UnavailableError(
                "the state store does not answer", f"look at UPTAKE_STATE_URL and at {_where(engine)}"
            ) from error
        if isinstance(error, DBAPIError):
            raise UnavailableError(
                f"the tables of the state store could not be made or migrated ({type(error.orig).__name__})",
                "the role of UPTAKE_STATE_URL must be allowed to create tables in its schema",
            ) from error
        raise
    return engine


def _where(engine: Engine) -> str:
    if engine.dialect.name == "sqlite":
        return "the disk it is on"
    return f"the server it names ({engine.url.host or 'this machine'}, database {engine.url.database})"


def _pragmas(connection: Any, _record: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout={1_000 * _BUSY_SECONDS}")
    # The change to WAL is one that SQLite refuses at once, without that patience, where two make it of a new file.
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _patience(_dialect: Any, _record: Any, _args: Any, options: dict[str, Any]) -> None:
    for name, value in _CONNECT.items():
        options.setdefault(name, value)


def _limits(connection: Any, _record: Any) -> None:
    connection.autocommit = True
    for limit in _LIMITS:
        connection.execute(f"SET {limit}")
    connection.autocommit = False


def _without_values(context: ExceptionContext) -> None:
    """The server's detail repeats the row that it refused, and errors are logged."""
    primary = getattr(getattr(context.original_exception, "diag", None), "message_primary", None)
    if primary:
        context.original_exception.args = (primary,)
        if context.sqlalchemy_exception is not None:
            name = type(context.original_exception).__name__
            context.sqlalchemy_exception.args = (f"({name}) {primary}",)


def put(
    connection: Connection,
    table: Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    new: Mapping[str, Any] | None = None,
) -> None:
    """Set `values` in the row of `key`; where there is none it is made, of these and of what is `new`. Two processes
    that put the same row at once both succeed, and the later one's values stay."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = insert(table).values({**(new or {}), **key, **values})
    connection.execute(row.on_conflict_do_update(index_elements=list(key), set_=dict(values)))


def to_micros(moment: datetime) -> int:
    """UTC microseconds since the epoch of a zone-aware moment."""
    if moment.tzinfo is None:
        raise ValueError("the state store keeps moments, which have a zone")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
