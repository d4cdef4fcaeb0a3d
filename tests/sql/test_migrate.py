"""Migrations: applied once, in order, never silently different, and exact after a failure in the middle."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from uptake.clickhouse import Database
from uptake.sql.migrate import MigrationError, available, migrate, plan, shipped, split

ONE = "CREATE TABLE IF NOT EXISTS one (a UInt8) ENGINE = MergeTree ORDER BY a;\n"
TWO = "ALTER TABLE one ADD COLUMN IF NOT EXISTS b UInt8;\nALTER TABLE one ADD COLUMN IF NOT EXISTS c UInt8;\n"
BROKEN = TWO.replace("c UInt8", "c NoSuchType")


@pytest.fixture
def empty(database: Database) -> Iterator[Database]:
    """A database of one's own in the engine that all tests share."""
    other = Database({"interface": "chdb", "path": ":memory:"}, f"migrate_{uuid.uuid4().hex[:8]}")
    yield other
    other.command(f"DROP DATABASE {other.name}")
    other.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_one.sql").write_text(ONE)
    (tmp_path / "0002_two.sql").write_text(TWO)
    return tmp_path


def columns(database: Database, table: str) -> list[str]:
    sql = "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {t:String} ORDER BY position"
    return [row["name"] for row in database.query(sql, {"t": table})]


def test_what_is_shipped_is_readable_and_repeatable() -> None:
    migrations = available(shipped())
    assert [m.version for m in migrations] == list(range(1, len(migrations) + 1))
    assert {"events", "dead_letters", "roster", "sdk_reports"} <= {m.name for m in migrations}


def test_migrations_run_in_order_and_once(empty: Database, folder: Path) -> None:
    assert [m.file for m in migrate(empty, folder=folder)] == ["0001_one.sql", "0002_two.sql"]
    assert columns(empty, "one") == ["a", "b", "c"]
    assert migrate(empty, folder=folder) == []


def test_a_dry_run_shows_the_sql_and_changes_nothing(empty: Database, folder: Path) -> None:
    would = migrate(empty, dry_run=True, folder=folder)
    assert [m.sql for m in would] == [ONE, TWO]
    assert would[1].pending[0] == "ALTER TABLE one ADD COLUMN IF NOT EXISTS b UInt8"
    assert empty.query("SELECT name FROM system.tables WHERE database = currentDatabase()") == []
    assert len(plan(empty, folder)) == 2


def test_an_edited_applied_file_is_refused_with_a_remedy(empty: Database, folder: Path) -> None:
    migrate(empty, folder=folder)
    (folder / "0001_one.sql").write_text(ONE + "DROP TABLE IF EXISTS one;\n")
    with pytest.raises(MigrationError, match=r"0001_one.sql was edited") as refused:
        migrate(empty, folder=folder)
    assert "restore" in refused.value.hint
    assert columns(empty, "one") == ["a", "b", "c"]


def test_even_an_edited_comment_of_an_applied_file_is_seen(empty: Database, folder: Path) -> None:
    migrate(empty, folder=folder)
    (folder / "0001_one.sql").write_text("-- new\n" + ONE)
    with pytest.raises(MigrationError, match="edited"):
        plan(empty, folder)


def test_a_database_newer_than_the_program_is_refused(empty: Database, folder: Path) -> None:
    migrate(empty, folder=folder)
    (folder / "0002_two.sql").unlink()
    with pytest.raises(MigrationError, match=r"0002_two, which this version of Uptake does not know"):
        plan(empty, folder)


def test_a_gap_in_the_files_is_refused(folder: Path) -> None:
    (folder / "0001_one.sql").unlink()
    with pytest.raises(MigrationError, match=r"migration 0001 is missing before 0002_two.sql"):
        available(folder)


def test_two_files_with_one_number_are_refused(folder: Path) -> None:
    (folder / "0002_other.sql").write_text(TWO)
    with pytest.raises(MigrationError, match="same number"):
        available(folder)


def test_a_file_inserted_below_the_applied_ones_is_refused(empty: Database, folder: Path) -> None:
    (folder / "0002_two.sql").rename(folder / "0001_two.sql")
    (folder / "0001_one.sql").rename(folder / "0002_one.sql")
    migrate_later = folder / "0001_two.sql"
    migrate_later.write_text("CREATE TABLE IF NOT EXISTS other (a UInt8) ENGINE = MergeTree ORDER BY a;")
    migrate(empty, folder=folder)
    empty.command("ALTER TABLE schema_migrations DELETE WHERE version = 1 SETTINGS mutations_sync = 2")
    with pytest.raises(MigrationError, match=r"0002_one.sql is applied, but 0001_two.sql before it is not"):
        plan(empty, folder)


def test_a_migration_that_failed_halfway_goes_on_with_the_statement_that_failed(
    empty: Database, folder: Path
) -> None:
    (folder / "0002_two.sql").write_text(BROKEN)
    with pytest.raises(MigrationError, match=r"0002_two.sql, statement 2 failed") as failed:
        migrate(empty, folder=folder)
    assert "run the migration again" in failed.value.hint
    assert columns(empty, "one") == ["a", "b"]
    (folder / "0002_two.sql").write_text(TWO)
    (todo,) = plan(empty, folder)
    assert todo.done == 1
    assert todo.pending == ("ALTER TABLE one ADD COLUMN IF NOT EXISTS c UInt8",)
    migrate(empty, folder=folder)
    assert columns(empty, "one") == ["a", "b", "c"]
    assert plan(empty, folder) == []


def test_a_statement_that_ran_may_not_be_edited_even_when_its_file_is_unfinished(
    empty: Database, folder: Path
) -> None:
    (folder / "0002_two.sql").write_text(BROKEN)
    with pytest.raises(MigrationError):
        migrate(empty, folder=folder)
    (folder / "0002_two.sql").write_text(TWO.replace("b UInt8", "b UInt64"))
    with pytest.raises(MigrationError, match="edited"):
        migrate(empty, folder=folder)


def test_a_statement_that_ran_and_was_not_recorded_is_harmless_the_second_time(
    empty: Database, folder: Path
) -> None:
    migrate(empty, folder=folder)
    empty.command("TRUNCATE TABLE schema_migrations")
    assert len(migrate(empty, folder=folder)) == 2
    assert columns(empty, "one") == ["a", "b", "c"]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE one (a UInt8) ENGINE = MergeTree ORDER BY a",
        "DROP TABLE one",
        "ALTER TABLE one ADD COLUMN b UInt8",
        "INSERT INTO one SELECT 1",
        "ALTER TABLE one UPDATE a = a + 1 WHERE 1",
    ],
)
def test_a_statement_that_is_not_harmless_twice_is_refused_before_it_runs(
    folder: Path, statement: str
) -> None:
    (folder / "0003_bad.sql").write_text(statement)
    with pytest.raises(MigrationError, match=r"0003_bad.sql, statement 1 could not be run twice"):
        available(folder)


def test_statements_end_at_semicolons_outside_quotes_and_comments() -> None:
    sql = """-- first; not the end
    SELECT 'a;b', "c;d", `e;f`, 'it''s; \\'; so' /* g;h */ - 1;
    ;
    SELECT 2 -- trailing;
    """
    assert split(sql) == ("""SELECT 'a;b', "c;d", `e;f`, 'it''s; \\'; so'  - 1""", "SELECT 2")
