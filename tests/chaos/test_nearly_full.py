"""The embedded engine does not notice that a write failed, so it changes nothing on a disk that is nearly full."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from uptake_chaos.disks import CannotMount, Disk

from uptake.cli import checks
from uptake.clickhouse import Database
from uptake.engine import KEEP_FREE_BYTES
from uptake.errors import UnavailableError, UsageError
from uptake.home import Home
from uptake.local.clickhouse import ClickHouseFront
from uptake.settings import Settings

CHANGES = {
    "insert": "INSERT INTO t VALUES (2)",
    "insert of a query": "INSERT INTO t SELECT 2",
    "definition": "CREATE TABLE u (n UInt64) ENGINE = MergeTree ORDER BY n",
    "definition after a comment": "-- why\n/* and\nmore */ CREATE TABLE u (n UInt64) ENGINE = MergeTree ORDER BY n",
    "mutation": "ALTER TABLE t DELETE WHERE n = 1 SETTINGS mutations_sync = 1",
    "delete": "DELETE FROM t WHERE n = 1",
    "merge": "OPTIMIZE TABLE t FINAL SETTINGS optimize_throw_if_noop = 1",
}

EMBEDDED = """
import sys
from pathlib import Path
from uptake.clickhouse import Database
from uptake.errors import UnavailableError

database = Database.embedded(Path(sys.argv[1]))
database.command("CREATE TABLE t (tenant String) ENGINE = MergeTree ORDER BY tenant")
print(database.query("SELECT keep_free_space AS bytes FROM system.disks")[0]["bytes"], flush=True)
sys.stdin.readline()
for change in (
    lambda: database.command("DROP TABLE t"),
    lambda: database.tenant("a").change("DELETE FROM t WHERE tenant = {tenant:String}"),
):
    try:
        change()
    except UnavailableError as error:
        print(error.message, flush=True)
"""
"""A process with the engine inside it, as `uptake up` is; a line on its input lets it go on."""


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
def embedded(disk: Disk) -> Iterator[subprocess.Popen[str]]:
    """While there was room it said how much it keeps free."""
    process = subprocess.Popen(
        [sys.executable, "-c", EMBEDDED, str(disk.place / "embedded")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"{KEEP_FREE_BYTES}\n"
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


@pytest.fixture(scope="module")
def database(disk: Disk, front: ClickHouseFront, embedded: subprocess.Popen[str]) -> Iterator[Database]:
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


def test_what_changes_something_inside_the_engines_process_is_refused(
    database: Database, embedded: subprocess.Popen[str]
) -> None:
    said, _ = embedded.communicate("\n", timeout=60)
    assert [line.count("the embedded database is not changed") for line in said.splitlines()] == [1, 1]


@pytest.mark.parametrize("lost_and_found", [False, True])
def test_a_new_database_is_not_begun_there(disk: Disk, database: Database, lost_and_found: bool) -> None:
    place = disk.place / f"another-{lost_and_found}"
    if lost_and_found:
        (place / "lost+found").mkdir(parents=True)
    with pytest.raises(UnavailableError, match="below 256 MiB") as refused:
        Database.embedded(place)
    assert "make room" in refused.value.hint


def test_a_path_that_would_be_read_as_options_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a\\?b"):
        Database.embedded(tmp_path / "a?b")
    assert list(tmp_path.iterdir()) == []


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
