"""The gateway with the real pipeline and the real engine behind it: what was answered is what is stored."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from uptake.clickhouse import Database
from uptake.clock import ManualClock
from uptake.ingest.gateway.app import create_app
from uptake.ingest.gateway.group_commit import GroupCommit
from uptake.ingest.gateway.serve import Server
from uptake.processors.pipeline import Pipeline
from uptake.schemas.identity import mint, unix_ms
from uptake.state.keys import KeyStore
from uptake.workspace.models import Organisation, Workspace

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
STORED = (
    "SELECT event_id, app, input_uncached_tokens AS tokens FROM usage FINAL WHERE tenant = {tenant:String}"
)
LETTERS = "SELECT reason, payload FROM dead_letters FINAL WHERE tenant = {tenant:String}"


def usage(**fields: Any) -> dict[str, Any]:
    at = NOW - timedelta(minutes=5)
    return {
        "type": "usage",
        "event_id": str(mint(unix_ms(at))),
        "occurred_at": at.isoformat(),
        "app": "claims-letter",
        "input_tokens": 10,
        **fields,
    }


class Moody(Database):
    """The real engine, which loses the answer of its next insert after having done it, when it is told to."""

    def __init__(self, database: Database) -> None:
        self.__dict__.update(database.__dict__)
        self.lose_next_answer = False

    def insert_block(self, *arguments: Any) -> None:
        super().insert_block(*arguments)
        if self.lose_next_answer:
            self.lose_next_answer = False
            raise ConnectionResetError


@pytest.fixture
def moody(database: Database) -> Moody:
    return Moody(database)


Send = Callable[..., httpx.Response]


@pytest.fixture
def send(moody: Moody, tenant: str, keys: KeyStore) -> Iterator[Send]:
    """POST events as a tenant, over HTTP, into the engine."""
    clock = ManualClock(NOW)
    workspaces = {
        name: Workspace(organisation=Organisation(tenant=name, name="T")) for name in (tenant, tenant + "-2")
    }
    tokens = {name: keys.create(name, "test").token for name in workspaces}
    pipeline = Pipeline(workspaces.get, moody, clock)
    with GroupCommit(pipeline.process) as commit, Server(create_app(commit, keys, clock)) as server:

        def post(events: list[Any], who: str = tenant) -> httpx.Response:
            headers = {
                "Authorization": f"Bearer {tokens[who]}",
                "Content-Type": "application/json",
                "Content-Encoding": "gzip",
            }
            content = gzip.compress(json.dumps(events).encode())
            return httpx.post(server.base_url + "/v1/events", content=content, headers=headers, timeout=30)

        yield post


def test_an_answer_means_that_the_events_are_in_the_database(
    send: Send, database: Database, tenant: str
) -> None:
    events = [usage(input_tokens=tokens) for tokens in (1, 20, 300)]
    answer = send(events)
    stored = database.tenant(tenant).query(STORED)
    assert answer.json() == {"accepted": 3, "duplicates": 0, "rejected": [], "unknown_fields": {}}
    assert sorted(row["tokens"] for row in stored) == [1, 20, 300]


def test_the_same_batch_twice_changes_nothing(send: Send, database: Database, tenant: str) -> None:
    events = [usage() for _ in range(50)]
    first, second = send(events), send(events)
    assert (first.json()["accepted"], first.json()["duplicates"]) == (50, 0)
    assert (second.status_code, second.json()["accepted"], second.json()["duplicates"]) == (200, 0, 50)
    assert len(database.tenant(tenant).query(STORED)) == 50


def test_the_same_batch_at_once_from_many_sides_is_counted_once(
    send: Send, database: Database, tenant: str
) -> None:
    events = [usage() for _ in range(20)]
    start = threading.Barrier(8)

    def one(_: int) -> Any:
        start.wait(20)
        return send(events).json()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(8)))
    assert sum(answer["accepted"] for answer in answers) == 20
    assert sum(answer["duplicates"] for answer in answers) == 7 * 20
    assert len(database.tenant(tenant).query(STORED)) == 20


def test_an_answer_that_was_lost_on_the_way_counts_nothing_twice(
    send: Send, database: Database, moody: Moody, tenant: str
) -> None:
    events = [usage() for _ in range(5)]
    moody.lose_next_answer = True
    assert send(events).status_code == 503
    again = send(events)
    assert again.status_code == 200
    assert again.json()["accepted"] + again.json()["duplicates"] == 5
    assert len(database.tenant(tenant).query(STORED)) == 5


def test_a_bad_event_never_stops_a_good_one_and_is_kept_for_mending(
    send: Send, database: Database, tenant: str
) -> None:
    secret = "hunter2-alice@example.org"
    bad = [usage(input_tokens=-1), usage(app=""), {"type": secret}, secret, usage(user_id=[secret])]
    answer = send([usage(), *bad, usage(**{"colour": "red"})])
    document = answer.json()
    assert answer.status_code == 200
    assert (document["accepted"], document["unknown_fields"]) == (2, {"colour": 1})
    assert [(each["index"], each["reason"]) for each in document["rejected"]] == [
        (1, "invalid"),
        (2, "invalid"),
        (3, "unknown_type"),
        (4, "invalid"),
        (5, "invalid"),
    ]
    assert all(each["detail"] for each in document["rejected"])
    assert document["rejected"][0]["path"] == "[1].input_tokens"
    assert secret not in answer.text
    assert len(database.tenant(tenant).query(STORED)) == 2
    assert len(database.tenant(tenant).query(LETTERS)) == 5


def test_a_batch_that_was_refused_whole_is_a_422(send: Send) -> None:
    answer = send([usage(app=""), usage(app="")])
    assert answer.status_code == 422
    assert len(answer.json()["rejected"]) == 2


def test_the_same_id_with_other_content_is_a_conflict(send: Send, database: Database, tenant: str) -> None:
    event = usage(input_tokens=10)
    send([event])
    answer = send([{**event, "input_tokens": 11}])
    assert answer.status_code == 422
    assert answer.json()["rejected"][0]["reason"] == "conflict"
    assert [row["tokens"] for row in database.tenant(tenant).query(STORED)] == [10]


def test_tenants_never_meet_even_with_the_same_ids(send: Send, database: Database, tenant: str) -> None:
    event = usage()
    with ThreadPoolExecutor(2) as pool:
        names = (tenant, tenant + "-2")
        answers = list(pool.map(lambda who: send([{**event, "app": who}], who).json(), names))
    assert [answer["accepted"] for answer in answers] == [1, 1]
    for who in names:
        assert [row["app"] for row in database.tenant(who).query(STORED)] == [who]


def test_what_is_no_batch_is_refused_with_the_place(send: Send) -> None:
    answer = send([usage() for _ in range(501)])
    assert answer.status_code == 400
    assert "501 events" in answer.json()["detail"]
