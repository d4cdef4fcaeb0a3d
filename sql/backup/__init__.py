"""Everything that cannot be computed again, as files: to keep, or to move from one database to another.

    DIRECTORY/manifest.json
    DIRECTORY/usage/202611.native.gz     one file a table and month, in ClickHouse's Native format

Rows are copied with their identities and versions, so restoring twice, or into a database that has some of them
already, counts nothing twice. What Uptake makes itself (activity) and what belongs to one log (log_records,
log_permits) is left out.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO, cast

from clickhouse_connect.driver.exceptions import ClickHouseError

from uptake.clickhouse import INSERT_SETTINGS, Database
from uptake.errors import UptakeError, UsageError

TABLES = ("usage", "feedback", "cost", "dead_letters", "roster", "generations", "sdk_reports")
LEFT_OUT = (
    "activity",
    "activity_builds",
    "activity_changes",
    "log_records",
    "log_permits",
    "schema_migrations",
)
VERSION = 1
CHUNK_BYTES = 2**20
MANIFEST = "manifest.json"

Progress = Callable[[str, int, int], None]
"""Told after each file: its name, rows done, rows in all."""


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One file: its path below the directory, its table, the columns in it, how many rows."""

    path: str
    table: str
    columns: tuple[str, ...]
    rows: int


def backup(
    database: Database, directory: Path, progress: Progress = lambda name, done, total: None
) -> list[BackupFile]:
    """Write everything into `directory`, which is empty or not there (it is then made for its owner alone).
    The manifest is written last: a directory without one is no backup. Events that arrive meanwhile may be in it.

    Raises UsageError where the directory holds something, and what the database raises.
    """
    if directory.exists() and any(directory.iterdir()):
        raise UsageError(f"{directory} is not empty", "name a directory that is empty or not there")
    directory.mkdir(0o700, parents=True, exist_ok=True)  # dead letters hold what people wrote
    parts = [
        (table, row["partition"], row["rows"])
        for table in TABLES
        for row in database.query(_sql("partitions"), {"table": table})
    ]
    total, done = sum(rows for _, _, rows in parts), 0
    written: list[BackupFile] = []
    for table, partition, rows in parts:
        given = {"table": table, "partition": partition}
        path = directory / table / f"{partition}.native.gz"
        path.parent.mkdir(exist_ok=True)
        columns = tuple(database.client().query(f"{_sql('rows')} LIMIT 0", parameters=given).column_names)
        rows_of = cast(BinaryIO, database.client().raw_stream(_sql("rows"), parameters=given, fmt="Native"))
        with closing(rows_of) as stream, gzip.open(path, "wb", compresslevel=1) as out:
            while chunk := stream.read(CHUNK_BYTES):
                out.write(chunk)
        written.append(BackupFile(str(path.relative_to(directory)), table, columns, rows))
        done += rows
        progress(table, done, total)
    manifest = {"version": VERSION, "files": [asdict(file) for file in written]}
    unfinished = directory / f"{MANIFEST}.part"
    unfinished.write_text(json.dumps(manifest, indent=1))
    unfinished.replace(directory / MANIFEST)
    return written


def restore(
    database: Database, directory: Path, progress: Progress = lambda name, done, total: None
) -> list[BackupFile]:
    """Write a backup's rows into `database`, beside what is there. Doing it again changes nothing.

    Raises UsageError where the directory is no backup, or one that this version cannot read; UptakeError where a
    file cannot be read or written. What was written by then stays.
    """
    backed_up = read_manifest(directory)
    total, done = sum(file.rows for file in backed_up), 0
    for file in backed_up:
        try:
            database.client().raw_insert(
                file.table,
                column_names=list(file.columns),
                insert_block=_chunks(directory / file.path),
                fmt="Native",
                settings=INSERT_SETTINGS,
            )
        except (ClickHouseError, EOFError, zlib.error, gzip.BadGzipFile, OSError) as error:
            raise UptakeError(
                f"{file.path} could not be restored ({type(error).__name__}); the files before it were",
                "mend the cause and restore again: what is there already counts once",
            ) from error
        done += file.rows
        progress(file.table, done, total)
    return backed_up


def read_manifest(directory: Path) -> list[BackupFile]:
    """The files of a backup. Raises UsageError."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text())
        version = manifest["version"]
        found = [BackupFile(**{**file, "columns": tuple(file["columns"])}) for file in manifest["files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{directory} is not a backup: its {MANIFEST} cannot be read ({type(error).__name__})",
            "name a directory that `uptake backup` finished",
        ) from error
    if version != VERSION:
        raise UsageError(
            f"{directory} is of version {version}, this reads {VERSION}", "use the Uptake that made it"
        )
    for file in found:
        if file.table not in TABLES or not (directory / file.path).is_file():
            raise UsageError(
                f"{directory} is damaged: {file.path} is missing or of no table", "make it again"
            )
    return found


def _chunks(path: Path) -> Generator[bytes, None, None]:
    with gzip.open(path, "rb") as packed:
        while chunk := packed.read(CHUNK_BYTES):
            yield chunk


def _sql(name: str) -> str:
    return (files("uptake.sql") / "backup" / f"{name}.sql").read_text("utf-8")
