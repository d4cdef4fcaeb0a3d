"""Making the tables of a state store, and bringing those that are there up to this version. Steps are only ever added.

`create_all` makes what is missing as a whole; a column of a table that exists is added here. The version stands in
`marks`; stores from before there was one are version 1. All of it is one transaction under a lock, so that of several
processes which open the store at once one makes or migrates it and the others find it done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, func, inspect, select, text

from uptake.errors import UsageError
from uptake.state.tables import marks, metadata, outbox

MARK = "schema"
_LOCK = int.from_bytes(b"uptake")
"""Of PostgreSQL's advisory locks: it is there before any table is."""

STEPS: tuple[tuple[str, ...], ...] = (
    # 2: a message is more than one post, and can be restated
    (
        "ALTER TABLE outbox ADD COLUMN revision INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE outbox ADD COLUMN shown INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE outbox ADD COLUMN posted JSON NOT NULL DEFAULT '{}'",
        "ALTER TABLE outbox ADD COLUMN original JSON",
        "ALTER TABLE outbox ADD COLUMN restated_at BIGINT",
        "UPDATE outbox SET shown = 1 WHERE status = 'sent'",
    ),
)
VERSION = 1 + len(STEPS)


def migrate(engine: Engine) -> None:
    """Make the tables that are missing and run the steps that this store has not seen.

    A store that has all is only read. Raises UsageError for one that is newer than the program.
    """
    with engine.connect() as connection:
        if metadata.tables.keys() <= _there(connection) and _version(connection) == VERSION:
            return
    with _locked(engine) as connection:
        metadata.create_all(connection)
        found = _version(connection)
        if found is None:
            # made just now, or from before versions were kept
            columns = {column["name"] for column in inspect(connection).get_columns(outbox.name)}
            found = VERSION if "revision" in columns else 1
        if found > VERSION:
            raise UsageError(
                f"the state store is of version {found}, newer than this program's {VERSION}",
                "install the version of Uptake that last used it, or a newer one",
            )
        for step in STEPS[found - 1 :]:
            for statement in step:
                connection.execute(text(statement))
        connection.execute(marks.delete().where(marks.c.name == MARK))
        connection.execute(marks.insert().values(name=MARK, value=VERSION, at=0))


def _there(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def _version(connection: Connection) -> int | None:
    version: int | None = connection.execute(select(marks.c.value).where(marks.c.name == MARK)).scalar()
    return version


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """One transaction that nobody else's `migrate` is in, tables included."""
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            yield connection
        return
    # its driver begins a transaction at the first change of rows and not of tables: it is begun by hand
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("BEGIN IMMEDIATE"))
        try:
            yield connection
        except BaseException:
            connection.execute(text("ROLLBACK"))
            raise
        connection.execute(text("COMMIT"))
