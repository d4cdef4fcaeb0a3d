"""The front gives the ordinary client, in another process's place, the engine that this process owns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from clickhouse_connect.driver.exceptions import DatabaseError

from uptake.clickhouse import Database
from uptake.engine_front import EngineFront
from uptake.errors import UnavailableError


@pytest.fixture(scope="module")
def front(database: Database) -> Iterator[tuple[EngineFront, str]]:
    front = EngineFront(":memory:")
    server = uvicorn.Server(uvicorn.Config(front.app, port=0, log_level="warning"))
    bound = threading.Event()
    original = server.startup

    async def startup(*args: object, **kwargs: object) -> None:
        await original(*args, **kwargs)
        bound.set()

    server.startup = startup
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert bound.wait(20)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield front, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)
    front.close()


@pytest.fixture
def served(front: tuple[EngineFront, str]) -> Iterator[Database]:
    served = Database.served(front[0].url(front[1]))
    yield served
    served.close()


def test_what_one_process_writes_the_other_reads(served: Database, database: Database, tenant: str) -> None:
    row = f'{{"tenant":"{tenant}","client_id":"it\'s \\\\ 1","quarter":0,"reported_at":0,"accepted":7,"dropped":0}}'
    served.insert_json_lines("sdk_reports", row.encode())
    sql = "SELECT client_id, accepted FROM sdk_reports FINAL WHERE tenant = {tenant:String}"
    expected = [{"client_id": "it's \\ 1", "accepted": 7}]
    assert database.tenant(tenant).query(sql) == expected
    assert served.tenant(tenant).query(sql) == expected


def test_parameters_keep_their_types_and_zones(served: Database) -> None:
    moment = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    [row] = served.query(
        "SELECT {t:DateTime64(3, 'UTC')} AS t, {l:Array(String)} AS l, {n:Int64} AS n",
        {"t": moment, "l": ["a'b", "\\"], "n": -(2**62)},
    )
    assert row == {"t": moment, "l": ["a'b", "\\"], "n": -(2**62)}


def test_a_query_too_long_for_an_address_is_answered_too(served: Database) -> None:
    ids = [(1 << 100) + n for n in range(100_000)]
    [row] = served.query(
        "SELECT count() AS n, max(x) AS top FROM (SELECT arrayJoin({ids:Array(UInt128)}) AS x)", {"ids": ids}
    )
    assert row == {"n": 100_000, "top": ids[-1]}


def test_an_empty_answer_is_no_rows(served: Database) -> None:
    assert served.query("SELECT tenant FROM usage WHERE tenant = 'nobody'") == []


def test_a_refused_query_says_why_and_leaves_the_next_one_alone(served: Database) -> None:
    with pytest.raises(DatabaseError, match="code: 47"):
        served.query("SELECT nonsense")
    assert served.query("SELECT 1 AS one") == [{"one": 1}]


def test_only_the_owner_gets_in(front: tuple[EngineFront, str]) -> None:
    with pytest.raises(UnavailableError):
        Database.served(front[0].url(front[1]).replace(front[0].password, "guess"))


def test_the_address_is_for_the_owner_only(front: tuple[EngineFront, str], tmp_path: Path) -> None:
    file = tmp_path / "clickhouse.url"
    front[0].announce(file, front[1])
    assert file.read_text() == front[0].url(front[1])
    assert file.stat().st_mode & 0o777 == 0o600
