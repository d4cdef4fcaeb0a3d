"""Opening the state store, and the little that all who use it share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from uptake.errors import UnavailableError, UsageError
from uptake.state.migrate import migrate
from uptake.state.tables import metadata

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def open_state(url: str) -> Engine:
    """The state store at an SQLAlchemy URL (``sqlite:///…`` or ``postgresql+…``), its tables created or brought up
    to this version.

    SQLite runs in WAL mode with ``synchronous=FULL``: a fact that was recorded survives a power cut, or the
    message that it stands for would be sent twice. Raises UsageError for a driver that is not installed and for a
    store that is newer than this program, UnavailableError for one that does not answer.
    """
    try:
        engine = create_engine(
            url, hide_parameters=True
        )  # errors are logged, and messages name teams and money
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise UsageError(
            f"UPTAKE_STATE_URL names a database without its driver ({error})",
            "SQLite needs none; for PostgreSQL, pip install 'psycopg[binary]' and write postgresql+psycopg://…",
        ) from error
    if engine.dialect.name == "sqlite":
        if engine.url.database:
            Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine, "connect", _pragmas)
    try:
        metadata.create_all(engine)
        migrate(engine)
    except DBAPIError as error:
        raise UnavailableError(
            "the state store does not answer", "look at UPTAKE_STATE_URL and at the disk it is on"
        ) from error
    return engine


def _pragmas(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def to_micros(moment: datetime) -> int:
    """UTC microseconds since the epoch of a zone-aware moment."""
    if moment.tzinfo is None:
        raise ValueError("the state store keeps moments, which have a zone")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
