"""Bringing a state store that is there up to the tables of this version. Steps are only ever added.

`create_all` makes what is missing as a whole; a column of a table that exists is added here. The version stands in
`marks`; stores from before there was one are version 1. Steps run in one transaction under a lock, so that of
several processes which open the store at once one migrates it and the others find it done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, inspect, select, text

from uptake.errors import UsageError
from uptake.state.tables import marks, outbox

MARK = "schema"

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
    """Run the steps that this store has not seen. Raises UsageError for a store that is newer than the program."""
    with engine.connect() as connection:
        if _version(connection) == VERSION:
            return
    with _locked(engine) as connection:
        found = _version(connection)
        if found is None:
            # made by `create_all` just now, or from before versions were kept
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


def _version(connection: Connection) -> int | None:
    version: int | None = connection.execute(select(marks.c.value).where(marks.c.name == MARK)).scalar()
    return version


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """One transaction that nobody else's `migrate` is in, tables included."""
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            connection.execute(text("LOCK TABLE marks IN SHARE ROW EXCLUSIVE MODE"))
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
