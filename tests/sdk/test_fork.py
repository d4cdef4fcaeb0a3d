"""A forked child is a client of its own: it sends what it was told, and nothing of its parent's."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable
from typing import Any

import pytest

import uptake

BOUND = 10.0

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def in_child(work: Callable[[], object]) -> Any:
    """What `work` returns in a forked child, which then ends without any clean-up."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writes, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as told:
        answer = told.read()
    os.waitpid(child, 0)
    return json.loads(answer)


def test_the_parents_queue_is_sent_once_and_the_childs_by_the_child(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, linger=3600)
    for _ in range(20):
        client.usage(request_model="parent")

    def child() -> tuple[Any, ...]:
        before = client.stats()
        client.usage(request_model="child", user="jane")
        flushed = client.flush(BOUND)
        return flushed, before.accepted, before.queued, client.stats().sent, client.stats().client_id

    flushed, accepted, queued, sent, child_id = in_child(child)
    assert (flushed, accepted, queued, sent) == (True, 0, 0, 1)
    assert child_id != client.stats().client_id
    assert client.flush(BOUND)
    assert client.stats().sent == 20
    assert sorted(event["request_model"] for event in gateway.events) == ["child"] + ["parent"] * 20
    assert len({event["event_id"] for event in gateway.events}) == 21
    ids = {request.headers["uptake-client-id"] for request in gateway.requests}
    assert ids == {child_id, client.stats().client_id}


def test_a_fork_in_the_middle_of_a_request_leaves_both_sides_working(gateway: Any, make_client: Any) -> None:
    gateway.script.append(gateway.hang)
    client = make_client(gateway.url, linger=0.0)
    client.usage(request_model="parent")
    gateway.wait_for_requests(1)

    def child() -> bool:
        client.usage(request_model="child")
        return client.flush(BOUND)

    assert in_child(child) is True
    gateway.released.set()
    assert client.flush(BOUND)
    assert [event["request_model"] for event in gateway.events] == ["parent", "child", "parent"]


def test_a_fork_while_the_counters_are_locked_leaves_the_child_free(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, linger=3600)
    client.usage(request_model="parent")
    with client._runtime.ledger.lock:
        assert in_child(lambda: (client.usage(), client.stats().accepted)[1]) == 1


def test_a_closed_or_silent_client_stays_so_in_the_child(gateway: Any, make_client: Any) -> None:
    closed, silent = make_client(gateway.url), make_client(None)
    closed.close()
    closed.usage()

    def child() -> tuple[Any, Any]:
        closed.usage()
        silent.usage()
        return closed.stats().refused, silent.stats().refused

    assert in_child(child) == [{"closed": 1}, {"not_configured": 1}]


def test_the_context_goes_into_the_child(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url)
    with client.context(team="claims"):
        in_child(lambda: (client.usage(), client.flush(BOUND))[1])
    assert [event["team"] for event in gateway.events] == ["claims"]


def test_a_child_of_multiprocessing_sends_before_it_ends(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, linger=3600)
    child = multiprocessing.get_context("fork").Process(
        target=client.usage, kwargs={"request_model": "child"}
    )
    child.start()
    child.join(BOUND)
    assert child.exitcode == 0
    assert [event["request_model"] for event in gateway.events] == ["child"]
    assert client.stats().accepted == 0


def test_the_default_client_follows_into_the_child(
    gateway: Any, no_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.ingest.sdk.default._client", None)
    uptake.init(gateway.url, "upt_a_b", "letters")
    assert in_child(lambda: (uptake.usage(), uptake.flush(BOUND))[1]) is True
    assert len(gateway.events) == 1
    uptake.close()
