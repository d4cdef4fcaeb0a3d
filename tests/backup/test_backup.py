"""What is backed up comes back whole, elsewhere, once."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from uptake.clickhouse import Database
from uptake.errors import UptakeError, UsageError
from uptake.local.clickhouse import ClickHouseFront
from uptake.schemas.identity import mint, unix_ms
from uptake.sql.backup import LEFT_OUT, MANIFEST, TABLES, backup, restore
from uptake.sql.migrate import migrate

OCTOBER = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 18, 9, tzinfo=UTC)
TENANT = "acme"


def migrated(database: Database) -> Database:
    migrate(database)
    return database


@pytest.fixture
def databases(database: Database) -> Iterator[tuple[Database, Database]]:
    """Two databases, both migrated: the one that has data, and the one that has none."""
    engine = {"interface": "chdb", "path": ":memory:"}  # the session's
    both = [migrated(Database(engine, f"b{uuid.uuid4().hex[:8]}")) for _ in range(2)]
    fill(both[0])
    yield both[0], both[1]
    for each in both:
        each.command(f"DROP DATABASE {each.name}")
        each.close()


def fill(database: Database) -> None:
    call: dict[str, Any] = {"tenant": TENANT, "app": "helper", "team": "claims", "tags": {"a": "b"}}
    for n, at in enumerate((OCTOBER, NOVEMBER, NOVEMBER)):
        row = {
            **call,
            "event_id": str(mint(unix_ms(at)).int),
            "occurred_at": at.isoformat(),
            "cost_nano": n or None,
        }
        versions = [
            {**row, "ver": 1, "log_offset": 7},
            {**row, "ver": 2, "cost_nano": 10 + n, "log_offset": 7},
        ]
        database.insert_json_lines("usage", b"\n".join(json.dumps(each).encode() for each in versions))
    day = {"tenant": TENANT, "generation": "g1", "user_id": "p_1", "team": "claims", "joined": "2026-01-01"}
    database.insert_json_lines("roster", json.dumps(day).encode())


def rows(database: Database, columns: str) -> list[dict[str, Any]]:
    return database.tenant(TENANT).query(
        f"SELECT {columns} FROM usage FINAL WHERE tenant = {{tenant:String}} ORDER BY event_id"  # noqa: S608
    )


def test_only_its_owner_can_read_a_backup(databases: tuple[Database, Database], tmp_path: Path) -> None:
    backup(databases[0], tmp_path / "backups" / "first")
    assert (tmp_path / "backups" / "first").stat().st_mode & 0o077 == 0


def test_a_restored_database_has_the_same_events_at_the_same_versions(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    source, target = databases
    backup(source, tmp_path / "b")
    restore(target, tmp_path / "b")
    columns = "event_id, ver, occurred_at, app, team, tags, cost_nano"
    assert {row["cost_nano"] for row in rows(target, columns)} == {10, 11, 12}
    assert rows(target, columns) == rows(source, columns)
    assert target.query("SELECT user_id FROM roster") == [{"user_id": "p_1"}]


def test_a_backup_moves_from_the_embedded_engine_to_a_server(
    databases: tuple[Database, Database], clickhouse_front: Callable[..., ClickHouseFront], tmp_path: Path
) -> None:
    backup(databases[0], tmp_path / "b")
    server = migrated(Database.served(clickhouse_front().url))
    restore(server, tmp_path / "b")
    assert rows(server, "event_id, cost_nano") == rows(databases[0], "event_id, cost_nano")
    backup(server, tmp_path / "again")
    restore(databases[1], tmp_path / "again")
    server.close()
    assert rows(databases[1], "event_id, cost_nano") == rows(databases[0], "event_id, cost_nano")


def test_restoring_twice_counts_nothing_twice(databases: tuple[Database, Database], tmp_path: Path) -> None:
    source, target = databases
    backup(source, tmp_path / "b")
    restore(target, tmp_path / "b")
    restore(target, tmp_path / "b")
    assert rows(target, "event_id, cost_nano") == rows(source, "event_id, cost_nano")


def test_a_place_in_one_log_is_not_claimed_in_another(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    source, target = databases
    backup(source, tmp_path / "b")
    restore(target, tmp_path / "b")
    assert {row["log_offset"] for row in rows(target, "log_offset")} == {-1}


def test_each_month_is_a_file_and_the_manifest_counts_the_rows(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    told: list[tuple[str, int, int]] = []
    written = backup(databases[0], tmp_path / "b", lambda *news: told.append(news))
    months = {file.path: file.rows for file in written if file.table == "usage"}
    assert set(months) == {"usage/202610.native.gz", "usage/202611.native.gz"}
    assert told[-1][1] == told[-1][2] == sum(file.rows for file in written)


def test_a_backup_that_was_not_finished_is_refused(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    backup(databases[0], tmp_path / "b")
    (tmp_path / "b" / MANIFEST).unlink()
    with pytest.raises(UsageError, match="not a backup"):
        restore(databases[1], tmp_path / "b")


def test_a_damaged_file_is_named_and_the_rest_can_be_restored_later(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    source, target = databases
    backup(source, tmp_path / "b")
    damaged = tmp_path / "b" / "usage" / "202611.native.gz"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UptakeError, match=r"usage/202611\.native\.gz"):
        restore(target, tmp_path / "b")
    damaged.write_bytes(whole)
    restore(target, tmp_path / "b")
    assert rows(target, "event_id, cost_nano") == rows(source, "event_id, cost_nano")


def test_a_missing_file_is_noticed_before_anything_is_written(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    source, target = databases
    backup(source, tmp_path / "b")
    (tmp_path / "b" / "usage" / "202610.native.gz").unlink()
    with pytest.raises(UsageError, match="damaged"):
        restore(target, tmp_path / "b")
    assert rows(target, "event_id") == []


def test_a_directory_with_something_in_it_is_not_written_to(database: Database, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(UsageError, match="not empty"):
        backup(database, tmp_path)


def test_every_table_is_backed_up_or_left_out_on_purpose() -> None:
    made: set[str] = set()
    for entry in (files("uptake.sql") / "migrations").iterdir():
        made |= set(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", entry.read_text()))
    made.add("schema_migrations")
    assert made == {*TABLES, *LEFT_OUT}
