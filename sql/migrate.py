"""Numbered SQL migrations: what is applied, what would be, and applying it.

ClickHouse has no transactions, so a migration can stop halfway. Two rules make running it again exact: every
statement says `IF [NOT] EXISTS` (or is otherwise harmless twice; anything else is refused before it runs), and
each statement is recorded as soon as it ran, so that a rerun starts at the one that failed. What ran may not be
edited afterwards: statements are compared by checksum, a finished file as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from clickhouse_connect.driver.exceptions import ClickHouseError

from uptake.clickhouse import Database
from uptake.errors import UptakeError

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<quoted>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|`(?:[^`\\]|\\.)*`)"
    r"|(?P<end>;)|(?P<other>[^;'\"`/-]+|.)",
    re.DOTALL,
)
_REPEATABLE = re.compile(
    r"CREATE\s+(OR\s+REPLACE\b|(\w+\s+)+?IF\s+NOT\s+EXISTS\b)"
    r"|DROP\s+\w+\s+IF\s+EXISTS\b"
    r"|ALTER\s+TABLE\s+\S+\s+((ADD|RENAME|DROP|CLEAR|COMMENT)\s+\w+\s+IF\s+(NOT\s+)?EXISTS\b|MODIFY\b|MATERIALIZE\b)",
    re.IGNORECASE,
)


class MigrationError(UptakeError):
    """A migration cannot be read, may not run, or failed; what had run before it is recorded."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `done` counts the statements that ran in an earlier attempt which failed after them."""

    version: int
    name: str
    sql: str = field(repr=False)
    statements: tuple[str, ...] = field(repr=False)
    done: int = 0

    @property
    def file(self) -> str:
        return f"{self.version:04d}_{self.name}.sql"

    @property
    def checksum(self) -> str:
        return _checksum(self.sql)

    @property
    def pending(self) -> tuple[str, ...]:
        """The statements that still have to run, without comments."""
        return self.statements[self.done :]


def shipped() -> Traversable:
    """The folder of migrations inside the package."""
    return files("uptake.sql") / "migrations"


def available(folder: Traversable) -> list[Migration]:
    """All migrations of a folder by number. Raises MigrationError for a gap, a name that does not follow
    `NNNN_name.sql`, and a statement that could not be run twice."""
    found: dict[int, Migration] = {}
    for entry in folder.iterdir():
        if not entry.name.endswith(".sql"):
            continue
        match = _FILE.fullmatch(entry.name)
        if match is None:
            raise MigrationError(
                f"{entry.name}: not the name of a migration", "call it like 0005_what_it_does.sql"
            )
        migration = _read(int(match[1]), match[2], entry.read_text("utf-8"))
        twin = found.setdefault(migration.version, migration)
        if twin is not migration:
            raise MigrationError(
                f"{twin.file} and {entry.name} have the same number", "renumber the newer one"
            )
    for expected, version in enumerate(sorted(found), start=1):
        if version != expected:
            raise MigrationError(
                f"migration {expected:04d} is missing before {found[version].file}",
                "numbers start at 0001 and leave none out",
            )
    return [found[version] for version in sorted(found)]


def plan(database: Database, folder: Traversable | None = None) -> list[Migration]:
    """What `migrate` would run now, oldest first; changes nothing. Raises MigrationError when the database and
    the files do not agree: an applied file was edited, one was left out, or the database is newer."""
    migrations = available(folder or shipped())
    return _compare(migrations, _applied(database))


def migrate(database: Database, dry_run: bool = False, folder: Traversable | None = None) -> list[Migration]:
    """Apply what is not applied yet and return it (each with its SQL); `dry_run` only returns it.

    Raises MigrationError where `plan` does, and when a statement fails; running it again goes on there.
    """
    todo = plan(database, folder)
    if dry_run or not todo:
        return todo
    database.command(_bookkeeping("create.sql"))
    for migration in todo:
        for number, statement in enumerate(migration.pending, start=migration.done + 1):
            try:
                database.command(statement)
            except ClickHouseError as error:
                raise MigrationError(
                    f"{migration.file}, statement {number} failed: {str(error).strip().splitlines()[0]}",
                    "mend the cause and run the migration again; it goes on with this statement",
                ) from error
            _record(database, migration, number, _checksum(statement))
        _record(database, migration, 0, migration.checksum)
    return todo


def split(sql: str) -> tuple[str, ...]:
    """The statements of a file, without their comments. A `;` inside quotes or a comment ends nothing."""
    statements, current = [], ""
    for token in _TOKEN.finditer(sql):
        if token["end"]:
            statements.append(current.strip())
            current = ""
        elif not token["comment"]:
            current += token[0]
    statements.append(current.strip())
    return tuple(statement for statement in statements if statement)


def _read(version: int, name: str, sql: str) -> Migration:
    migration = Migration(version, name, sql, split(sql))
    if not migration.statements:
        raise MigrationError(f"{migration.file} holds no statement", "write one, or remove the file")
    for number, statement in enumerate(migration.statements, start=1):
        if not _REPEATABLE.match(statement):
            raise MigrationError(
                f"{migration.file}, statement {number} could not be run twice",
                "write CREATE ... IF NOT EXISTS, DROP ... IF EXISTS, ALTER TABLE ... ADD COLUMN IF NOT EXISTS, ...",
            )
    return migration


def _compare(
    migrations: Sequence[Migration], applied: dict[int, dict[int, tuple[str, str]]]
) -> list[Migration]:
    known = {migration.version for migration in migrations}
    for version in sorted(applied):
        if version not in known:
            name = next(iter(applied[version].values()))[0]
            raise MigrationError(
                f"the database has migration {version:04d}_{name}, which this version of Uptake does not know",
                "use the version that made it, or a newer one",
            )
    todo: list[Migration] = []
    for migration in migrations:
        rows = applied.get(migration.version, {})
        if rows and todo:
            raise MigrationError(
                f"{migration.file} is applied, but {todo[0].file} before it is not",
                "a file was inserted below the applied ones: give it the next free number",
            )
        edited = 0 in rows and rows[0][1] != migration.checksum
        done = sorted(number for number in rows if number)
        texts = dict(enumerate(migration.statements, start=1))
        if edited or any(
            number not in texts or _checksum(texts[number]) != rows[number][1] for number in done
        ):
            raise MigrationError(
                f"{migration.file} was edited after it had been applied",
                "restore the file as it was, and write the change as a new migration",
            )
        if 0 not in rows:
            todo.append(
                Migration(migration.version, migration.name, migration.sql, migration.statements, len(done))
            )
    return todo


def _applied(database: Database) -> dict[int, dict[int, tuple[str, str]]]:
    """version -> statement (0: the whole file) -> (name, checksum)."""
    if not database.query(_bookkeeping("exists.sql"))[0]["tables"]:
        return {}
    applied: dict[int, dict[int, tuple[str, str]]] = {}
    for row in database.query(_bookkeeping("applied.sql")):
        applied.setdefault(row["version"], {})[row["statement"]] = (row["name"], row["checksum"])
    return applied


def _record(database: Database, migration: Migration, statement: int, checksum: str) -> None:
    row = {
        "version": migration.version,
        "statement": statement,
        "name": migration.name,
        "checksum": checksum,
    }
    database.insert_json_lines("schema_migrations", json.dumps(row).encode())


def _checksum(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _bookkeeping(name: str) -> str:
    return (files("uptake.sql") / "bookkeeping" / name).read_text("utf-8")
