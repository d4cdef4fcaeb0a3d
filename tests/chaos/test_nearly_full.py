"""The embedded engine does not notice that a write failed, so it changes nothing on a disk that is nearly full."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from uptake_chaos.disks import CannotMount, Disk

from uptake.cli import checks
from uptake.clickhouse import Database
from uptake.engine import KEEP_FREE_BYTES
from uptake.errors import UnavailableError
from uptake.home import Home
from uptake.local.clickhouse import ClickHouseFront
from uptake.settings import Settings

CHANGES = {
    "insert": "INSERT INTO t VALUES (2)",
    "insert of a query": "INSERT INTO t SELECT 2",
    "definition": "CREATE TABLE u (n UInt64) ENGINE = MergeTree ORDER BY n",
    "mutation": "ALTER TABLE t DELETE WHERE n = 1 SETTINGS mutations_sync = 1",
    "delete": "DELETE FROM t WHERE n = 1",
    "merge": "OPTIMIZE TABLE t FINAL SETTINGS optimize_throw_if_noop = 1",
}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    try:
        with Disk(tmp_path_factory.mktemp("nearly") / "disk") as mounted:
            yield mounted
    except CannotMount as why:
        if os.environ.get("UPTAKE_REQUIRE_MOUNTS"):
            pytest.fail(f"{why}, and UPTAKE_REQUIRE_MOUNTS is set")
        pytest.skip(str(why))


@pytest.fixture(scope="module")
def front(disk: Disk) -> Iterator[ClickHouseFront]:
    started = ClickHouseFront(disk.place / "data")
    started.start()
    try:
        yield started
    finally:
        started.kill()


@pytest.fixture(scope="module")
def database(disk: Disk, front: ClickHouseFront) -> Iterator[Database]:
    """An engine whose disk has less than it keeps free, yet room for all that is tried here; `t` holds 1, twice."""
    served = Database.served(front.url)
    served.command("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
    for _ in range(2):
        served.command("INSERT INTO t VALUES (1)")
    disk.fill(leave=KEEP_FREE_BYTES - (16 << 20))
    yield served
    served.close()


def test_the_engine_keeps_back_what_its_module_says(database: Database) -> None:
    assert database.query("SELECT keep_free_space AS bytes FROM system.disks") == [{"bytes": KEEP_FREE_BYTES}]


@pytest.mark.parametrize("change", CHANGES)
def test_what_would_change_something_is_refused_and_what_is_stored_is_read(
    database: Database, change: str
) -> None:
    with pytest.raises(DatabaseError, match=r"NOT_ENOUGH_SPACE|Not enough free space"):
        database.command(CHANGES[change])
    assert database.query("SELECT groupArray(n) AS stored FROM t") == [{"stored": [1, 1]}]


def test_a_block_of_rows_is_refused(database: Database) -> None:
    with pytest.raises(DatabaseError, match=r"NOT_ENOUGH_SPACE|Not enough free space"):
        database.insert_json_lines("t", b'{"n": 2}')


def test_a_new_database_is_not_begun_there(disk: Disk, database: Database) -> None:
    with pytest.raises(UnavailableError, match="below 256 MiB") as refused:
        Database.embedded(disk.place / "another")
    assert "make room" in refused.value.hint


def test_who_comes_to_read_is_let_in(front: ClickHouseFront, database: Database) -> None:
    another = Database.served(front.url)
    assert another.query("SELECT count() AS n FROM t") == [{"n": 2}]
    another.close()


def test_the_doctor_says_so(disk: Disk, database: Database) -> None:
    here = {"workspace": disk.place / "workspace", "data": disk.place / "home"}
    with Home(Settings(**here, clickhouse_url="")) as embedded:
        found = checks.disk(embedded)
    assert (found.level, found.remedy) == (
        "error",
        "the embedded database refuses events and changes: make room",
    )
    with Home(Settings(**here, clickhouse_url="clickhouse://elsewhere/uptake")) as served:
        assert checks.disk(served).level == "warning"


def test_with_room_again_it_goes_on(disk: Disk, database: Database) -> None:
    disk.empty()
    for change in ("insert", "merge"):
        database.command(CHANGES[change])
    assert database.query("SELECT arraySort(groupArray(n)) AS stored FROM t") == [{"stored": [1, 1, 2]}]
