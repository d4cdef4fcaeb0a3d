"""POST /v1/events: what is answered, when, and for whom it was kept."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from uptake.ingest.gateway.limits import Limits
from uptake.ingest.gateway.serve import Server
from uptake.ingest.gateway.sink import NotTaken, Outcome
from uptake.schemas.batch import Batch, MalformedBatch, Receipt, Rejection, RejectionReason, StoreUnavailable

PATIENCE = 20.0


def test_the_answer_says_what_became_of_each_event(gateway: Any, process: Any) -> None:
    process.outcome = lambda _: Receipt(
        accepted=2,
        duplicates=1,
        rejections=(
            Rejection(3, RejectionReason.INVALID, "[3].input_tokens", "must be at least 0", "id", b"SECRET"),
        ),
        unknown_fields=Counter({"colour": 2}),
    )
    answer = gateway.send(b"[1,2,3,4]")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "accepted": 2,
        "duplicates": 1,
        "rejected": [
            {
                "index": 3,
                "event_id": "id",
                "reason": "invalid",
                "path": "[3].input_tokens",
                "detail": "must be at least 0",
            }
        ],
        "unknown_fields": {"colour": 2},
    }
    assert "SECRET" not in answer.text


@pytest.mark.parametrize(
    ("receipt", "status"),
    [
        (Receipt(0), 200),
        (Receipt(1), 200),
        (Receipt(0, 1), 200),
        (Receipt(0, 0, (Rejection(0, RejectionReason.FUTURE, "", ""),)), 422),
        (Receipt(0, 1, (Rejection(0, RejectionReason.FUTURE, "", ""),)), 200),
        (Receipt(1, 0, (Rejection(0, RejectionReason.FUTURE, "", ""),)), 200),
    ],
)
def test_only_a_batch_that_was_refused_whole_is_a_422(
    gateway: Any, process: Any, receipt: Receipt, status: int
) -> None:
    process.outcome = lambda _: receipt
    answer = gateway.send(b"[]")
    assert answer.status_code == status
    assert answer.json()["accepted"] == receipt.accepted


def test_the_batch_is_what_was_sent_with_the_tenant_of_its_key_and_the_time(
    gateway: Any, process: Any
) -> None:
    gateway.send(b' [ {"tenant":"zenith"} ] ')
    assert process.batches == [
        Batch("acme", b' [ {"tenant":"zenith"} ] ', datetime(2026, 11, 20, 9, 30, tzinfo=UTC))
    ]


def test_gzip_is_undone(gateway: Any, process: Any) -> None:
    assert gateway.send(gzip.compress(b"[1,2]"), {"Content-Encoding": "GZIP"}).json()["accepted"] == 2
    assert process.batches[0].body == b"[1,2]"


def test_a_body_without_a_length_is_read(gateway: Any, process: Any) -> None:
    async def chunks() -> Any:
        for piece in (b"[1", b",", b"2]"):
            yield piece

    assert gateway.send(chunks()).json()["accepted"] == 2


def test_the_answer_is_sent_only_after_the_events_are_durable(
    server: Server, gateway: Any, process: Any
) -> None:
    process.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(post, server, gateway.token, b"[1]")
        assert process.entered.wait(PATIENCE)
        # The events are inside `process`; an answer now would be a lie. Another route still answers.
        assert httpx.get(server.base_url + "/healthz").status_code == 200
        assert not answer.done()
        assert process.returned == 0
        process.gate.set()
        assert answer.result(PATIENCE).status_code == 200
    assert process.returned == 1


def test_what_cannot_be_made_durable_is_never_acknowledged(gateway: Any, process: Any) -> None:
    def down(_: bytes) -> Outcome:
        raise StoreUnavailable("password=hunter2")

    process.outcome = down
    answer = gateway.send(b"[1]")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert "accepted" not in answer.json()
    assert "hunter2" not in answer.text
    assert gateway.metric("uptake_gateway_events_accepted_total") == 0
    process.outcome = lambda _: Receipt(1)
    assert gateway.send(b"[1]").status_code == 200


class Stuck:
    """A sink that takes everything and never finishes, or takes nothing."""

    def __init__(self, takes: bool) -> None:
        self.takes = takes
        self.futures: list[Future[Outcome]] = []

    def submit(self, batch: Batch) -> Future[Outcome]:
        if not self.takes:
            raise NotTaken("the waiting room is full")
        self.futures.append(Future())
        return self.futures[-1]

    def waiting(self) -> int:
        return len(self.futures)


def test_a_full_waiting_room_says_when_to_come_back(make: Any) -> None:
    answer = make(sink=Stuck(takes=False)).send(b"[1]")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert "full" in answer.json()["detail"]


def test_a_store_that_hangs_is_not_waited_for_for_ever(make: Any) -> None:
    sink = Stuck(takes=True)
    answer = make(Limits(answer_seconds=0.01), sink=sink).send(b"[1]")
    assert answer.status_code == 503
    assert "0.01 seconds" in answer.json()["detail"]
    assert sink.futures[0].cancelled(), "what still waits is taken back, as nobody is told of it any more"


def test_a_bug_is_a_500_that_says_nothing_of_the_data(gateway: Any, process: Any, capsys: Any) -> None:
    def broken(body: bytes) -> Outcome:
        raise KeyError(body.decode())

    process.outcome = broken
    answer = gateway.send(b'["alice@example.org"]')
    assert answer.status_code == 500
    assert "alice" not in answer.text
    printed = capsys.readouterr()
    assert "alice" not in printed.out + printed.err
    assert "KeyError" in printed.out + printed.err
    process.outcome = lambda _: Receipt(1)
    assert gateway.send(b"[1]").status_code == 200


def test_what_is_no_batch_is_a_400_that_says_where(gateway: Any, process: Any) -> None:
    process.outcome = lambda _: MalformedBatch("the body is not JSON: at line 3 column 7")
    answer = gateway.send(b"[")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "the body is not JSON: at line 3 column 7"


def test_requests_that_come_together_are_written_together(server: Server, gateway: Any, process: Any) -> None:
    requests = 24
    process.gate.clear()
    with ThreadPoolExecutor(requests) as pool:
        first = pool.submit(post, server, gateway.token, b"[0]")
        assert process.entered.wait(PATIENCE)
        rest = [pool.submit(post, server, gateway.token, b"[1,2]") for _ in range(requests - 1)]
        until(lambda: gateway.commit.waiting() == requests)  # each body weighs 1, as it names no event_id
        process.gate.set()
        answers = [future.result(PATIENCE).json()["accepted"] for future in [first, *rest]]
    assert answers == [1] + [2] * (requests - 1)
    assert len(process.calls) == 2


def test_each_of_the_requests_written_together_keeps_its_tenant(
    server: Server, gateway: Any, process: Any, keys: Any
) -> None:
    tokens = {f"t{i}": keys.create(f"t{i}", "x").token for i in range(8)}
    process.gate.clear()
    with ThreadPoolExecutor(9) as pool:
        pool.submit(post, server, gateway.token, b"[]")
        assert process.entered.wait(PATIENCE)
        sent = [
            pool.submit(post, server, token, f'["{tenant}"]'.encode()) for tenant, token in tokens.items()
        ]
        until(lambda: gateway.commit.waiting() == 9)
        process.gate.set()
        assert all(future.result(PATIENCE).status_code == 200 for future in sent)
    assert {b.body: b.tenant for b in process.calls[1]} == {f'["{t}"]'.encode(): t for t in tokens}


def test_bodies_share_one_memory_and_give_it_back(make: Any, process: Any) -> None:
    gateway = make(Limits(bodies_bytes=100))
    process.gate.clear()
    large, small = b"[" + b" " * 70 + b"]", b"[" + b" " * 20 + b"]"

    async def three() -> list[int]:
        transport = httpx.ASGITransport(gateway.app)
        headers = {"Authorization": f"Bearer {gateway.token}", "Content-Type": "application/json"}
        async with httpx.AsyncClient(transport=transport, base_url="http://g", headers=headers) as client:
            first = asyncio.create_task(client.post("/v1/events", content=large))
            await asyncio.to_thread(process.entered.wait, PATIENCE)
            refused = await client.post("/v1/events", content=large)
            second = asyncio.create_task(client.post("/v1/events", content=small))
            process.gate.set()
            return [(await first).status_code, refused.status_code, (await second).status_code]

    assert asyncio.run(three()) == [200, 503, 200]
    assert gateway.metric("uptake_gateway_waiting_bytes") == 0
    assert gateway.send(large).status_code == 200


def post(server: Server, token: str, content: bytes) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return httpx.post(server.base_url + "/v1/events", content=content, headers=headers, timeout=PATIENCE)


def until(condition: Any) -> None:
    """Wait for something that another thread brings about, without a clock of our own."""
    tick = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if condition():
            return
        tick.wait(0.005)
    raise AssertionError("it never came about")
